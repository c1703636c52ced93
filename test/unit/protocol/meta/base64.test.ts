import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf } from '../../../../src/bytes/ascii.ts'
import { decode, encode, encodedBytes } from '../../../../src/protocol/meta/base64.ts'

function encoded(bytes: Buffer): string {
  const target = Buffer.alloc(encodedBytes(bytes.length) + 2, '.')
  const source = bytesOf(Buffer.concat([Buffer.from('<'), bytes, Buffer.from('>>')]))
  const end = encode(target, 1, source, 1, bytes.length)
  assert.equal(target.toString('latin1', end), '.', 'nothing is written behind the end')
  return target.toString('latin1', 1, end)
}

function decoded(text: string): string | undefined {
  const source = Buffer.from(`AA${text}AA`, 'latin1')
  const target = Buffer.alloc(256)
  const length = decode(target, source, 2, 2 + text.length)
  return length === 0 ? undefined : target.toString('latin1', 0, length)
}

describe('base64', () => {
  it('writes what Node writes, for every length and every byte', () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => (i * 167) % 256))
    for (let length = 1; length <= 250; length++) {
      for (const start of [0, 3]) {
        const part = bytes.subarray(start, start + length)
        assert.equal(encoded(part), part.toString('base64'))
        assert.equal(encodedBytes(part.length), part.toString('base64').length)
      }
    }
  })

  it('reads what it has written', () => {
    for (let length = 1; length <= 187; length++) {
      const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 89 + length) % 256))
      assert.equal(decoded(bytes.toString('base64')), bytes.toString('latin1'))
    }
  })

  it('skips what is no digit, and reads no further than the padding', () => {
    assert.equal(decoded('Z$m9 v'), 'foo')
    assert.equal(decoded('Zg==Zm9v'), 'f')
    assert.equal(decoded('=AAA'), '\0\0')
  })

  it('refuses what is not whole, has too much padding, or is empty', () => {
    for (const text of ['', 'Z', 'Zm', 'Zm9', 'foo', 'Zm9vZ', 'Zm9v====', 'A===', '$$$$']) {
      assert.equal(decoded(text), undefined, text)
    }
  })
})
