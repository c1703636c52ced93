import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseListenAddress } from '../../../src/config/listen-address.ts'

function tcp(host: string, port: number, prefix: object = {}): object {
  return { kind: 'tcp', host, port, security: 'default', protocol: undefined, ...prefix }
}

describe('listen addresses', () => {
  it('have a host and a port', () => {
    assert.deepEqual(parseListenAddress('127.0.0.1:11211'), tcp('127.0.0.1', 11211))
    assert.deepEqual(parseListenAddress('cache-1.example:0'), tcp('cache-1.example', 0))
    assert.deepEqual(parseListenAddress(':11211'), tcp('', 11211))
    assert.deepEqual(parseListenAddress('[::1]:65535'), tcp('::1', 65535))
    assert.deepEqual(parseListenAddress('[fe80::1%eth0]:1'), tcp('fe80::1%eth0', 1))
  })

  it('may begin with how they are encrypted, what is spoken there, and a tag', () => {
    const clear = { security: 'clear' }
    assert.deepEqual(parseListenAddress('notls:1.2.3.4:5'), tcp('1.2.3.4', 5, clear))
    assert.deepEqual(parseListenAddress('btls:[::1]:5'), tcp('::1', 5, { security: 'anonymous' }))
    assert.deepEqual(parseListenAddress('mtls::5'), tcp('', 5, { security: 'mutual' }))
    const ascii = { protocol: 'ascii' }
    assert.deepEqual(parseListenAddress('proto[ascii]:h:5'), tcp('h', 5, ascii))
    assert.deepEqual(parseListenAddress('proto[binary]::5'), tcp('', 5, { protocol: 'binary' }))
    assert.deepEqual(
      parseListenAddress('proto[negotiating]:h:5'),
      tcp('h', 5, { protocol: 'auto' }),
    )
    const all = 'notls:proto[ascii]:tag[b]:h:5'
    assert.deepEqual(parseListenAddress(all), tcp('h', 5, { ...clear, ...ascii }))
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
    'notls:unix:/a',
    'tls:h:1',
    'notls:mtls:h:1',
    'proto[x]:h:1',
    'proto[ascii]:notls:h:1',
  ]) {
    it(`are not like ${JSON.stringify(text)}`, () => {
      assert.equal(parseListenAddress(text), undefined)
    })
  }
})
