import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keyPath, shownKey, typedKey } from '../../../web/key-name.ts'

function base64(bytes: string | readonly number[]): string {
  return (typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from([...bytes])).toString(
    'base64',
  )
}

describe('the name of a key on the page', () => {
  it('is the key where that is text', () => {
    assert.equal(shownKey({ key: 'user:1', isBase64: false }), 'user:1')
    assert.equal(shownKey({ key: base64('ключ'), isBase64: true }), 'ключ')
  })

  it('shows bytes that are no text as numbers', () => {
    const key = base64([0x61, 0xff, 0x00, 0x20, 0x62])
    assert.equal(shownKey({ key, isBase64: true }), String.raw`a\xff\x00\x20b`)
  })

  it('shows what says to be base64 and is not', () => {
    assert.equal(shownKey({ key: '***', isBase64: true }), '***')
  })
})

describe('a key that somebody types', () => {
  it('goes as it is where it is printable, and in base64 otherwise', () => {
    assert.deepEqual(typedKey('a+b&c', false), { key: 'a+b&c', isBase64: false })
    assert.deepEqual(typedKey('ключ', false), { key: base64('ключ'), isBase64: true })
    assert.deepEqual(typedKey('a b', false), { key: base64('a b'), isBase64: true })
    assert.deepEqual(typedKey(base64([255]), true), { key: '/w==', isBase64: true })
  })

  it('is none where there is nothing, or no base64', () => {
    assert.equal(typedKey('', false), null)
    assert.equal(typedKey('', true), null)
    assert.equal(typedKey('*', true), null)
  })

  it('stands in the address so that nothing of it is taken for something else', () => {
    assert.equal(keyPath({ key: 'a+b&c=#%', isBase64: false }), 'key?key=a%2Bb%26c%3D%23%25')
    assert.equal(keyPath({ key: '/w==', isBase64: true }), 'key?key64=%2Fw%3D%3D')
  })
})
