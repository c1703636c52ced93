import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf } from '../../../src/bytes/ascii.ts'
import { LoginLimits } from '../../../src/commands/login-limits.ts'
import type { LoginClient } from '../../../src/commands/login-limits.ts'
import { UserList } from '../../../src/commands/user-list.ts'
import { parseUsers } from '../../../src/config/user-file.ts'
import { ManualClock } from '../../../src/observe/clock.ts'

function accepts(list: UserList, name: string, password: string): boolean {
  const bytes = bytesOf(Buffer.from(`..${name}-${password}..`, 'latin1'))
  const nameEnd = 2 + name.length
  return list.accepts(bytes, 2, nameEnd, nameEnd + 1, nameEnd + 1 + password.length)
}

function client(address: string): LoginClient {
  return { address, failedLogins: 0 }
}

describe('a list of users', () => {
  it('accepts each with the own password and no other', () => {
    const list = new UserList([
      { name: 'a', password: 'bc' },
      { name: 'ab', password: 'd' },
    ])
    assert.ok(accepts(list, 'a', 'bc'))
    assert.ok(accepts(list, 'ab', 'd'))
    const wrong = [
      ['ab', 'c'],
      ['a', 'd'],
      ['', 'abc'],
      ['abc', ''],
      ['a', 'bC'],
      ['a', 'bc\0'],
    ] as const
    for (const [name, password] of wrong) assert.ok(!accepts(list, name, password), name)
    assert.ok(!accepts(new UserList([]), '', ''))
  })

  it('forgets those that were there when others take their place', () => {
    const list = new UserList([{ name: 'a', password: 'b' }])
    list.replace([{ name: 'a', password: 'c' }])
    assert.deepEqual(
      [accepts(list, 'a', 'b'), accepts(list, 'a', 'c'), list.size],
      [false, true, 1],
    )
  })
})

describe('a file of users', () => {
  it('has a name up to the first colon, and a password up to the end of the line', () => {
    assert.deepEqual(parseUsers('a:b\n\n# c:d\r\nc d:e:f g\r\nh:#'), [
      { name: 'a', password: 'b' },
      { name: 'c d', password: 'e:f g' },
      { name: 'h', password: '#' },
    ])
    assert.deepEqual(parseUsers(''), [])
  })

  it('is wrong from the line on that has no name or no password', () => {
    for (const line of ['a', ':b', 'a:', 'a:\0', ' ']) {
      assert.equal(parseUsers(`x:y\n${line}\nz`), 2, JSON.stringify(line))
    }
  })
})

describe('the limits of logins', () => {
  it('end a connection with its last attempt', () => {
    const limits = new LoginLimits({ attemptsMax: 3, failuresPerMinuteMax: 0 }, new ManualClock())
    const one = client('1')
    assert.deepEqual([limits.fail(one), limits.fail(one), limits.fail(one)], [true, true, false])
    assert.equal(limits.fail(client('1')), true)
    assert.equal(limits.admits(one), true, 'there is no limit for the address')
  })

  it('admit nobody of an address for the rest of the minute', () => {
    const clock = new ManualClock()
    const limits = new LoginLimits({ attemptsMax: 100, failuresPerMinuteMax: 2 }, clock)
    limits.fail(client('1'))
    clock.advance(30)
    assert.equal(limits.admits(client('1')), true)
    limits.fail(client('1'))
    assert.equal(limits.admits(client('1')), false)
    assert.equal(limits.admits(client('2')), true)
    clock.advance(29)
    assert.equal(limits.admits(client('1')), false)
    clock.advance(1)
    assert.equal(limits.admits(client('1')), true)
    limits.fail(client('1'))
    assert.equal(limits.admits(client('1')), true, 'a new minute begins with nothing')
  })

  it('remember so many addresses and no more', () => {
    const limits = new LoginLimits({ attemptsMax: 1, failuresPerMinuteMax: 1 }, new ManualClock())
    for (let i = 0; i <= 10_000; i++) limits.fail(client(`address ${i}`))
    assert.equal(limits.admits(client('address 0')), true)
    assert.equal(limits.admits(client('address 1')), false)
    assert.equal(limits.admits(client('address 10000')), false)
  })
})
