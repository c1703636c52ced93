import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findUser, lookUpUser } from '../../../src/cli/user.ts'

const PASSWD = [
  'root:x:0:0:root:/root:/bin/bash',
  'nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin',
  '1000:x:7:8::/:',
  'cache:x:1000:1001::/:',
  'broken:x::',
  '',
].join('\n')

describe('a user to change to', () => {
  it('is found by name, with the group of its own', () => {
    assert.deepEqual(findUser(PASSWD, 'nobody'), { name: 'nobody', uid: 65_534, gid: 65_533 })
    assert.deepEqual(findUser(PASSWD, 'root'), { name: 'root', uid: 0, gid: 0 })
  })

  it('is found by number, if there is no such name', () => {
    assert.equal(findUser(PASSWD, '65534')?.name, 'nobody')
    assert.equal(findUser(PASSWD, '1000')?.uid, 7)
  })

  it('is not made up', () => {
    for (const name of ['', 'nob', 'x', 'broken', '12']) {
      assert.equal(findUser(PASSWD, name), undefined, name)
    }
    assert.throws(() => lookUpUser('no such user'), { code: 'CANNOT_SWITCH_USER' })
  })
})
