import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseListenAddress } from '../../../src/config/listen-address.ts'

function tcp(host: string, port: number): object {
  return { kind: 'tcp', host, port }
}

describe('listen addresses', () => {
  it('have a host and a port', () => {
    assert.deepEqual(parseListenAddress('127.0.0.1:11211'), tcp('127.0.0.1', 11211))
    assert.deepEqual(parseListenAddress('cache-1.example:0'), tcp('cache-1.example', 0))
    assert.deepEqual(parseListenAddress(':11211'), tcp('', 11211))
    assert.deepEqual(parseListenAddress('[::1]:65535'), tcp('::1', 65535))
    assert.deepEqual(parseListenAddress('[fe80::1%eth0]:1'), tcp('fe80::1%eth0', 1))
  })

  it('or are the path of a UNIX socket', () => {
    assert.deepEqual(parseListenAddress('unix:/run/a b.sock'), {
      kind: 'unix',
      path: '/run/a b.sock',
    })
  })

  for (const text of [
    '',
    'host',
    ':',
    '::1:5',
    '[::1]',
    '1.2.3.4:65536',
    'h:-1',
    'unix:',
    'a/b:1',
  ]) {
    it(`are not like ${JSON.stringify(text)}`, () => {
      assert.equal(parseListenAddress(text), undefined)
    })
  }
})
