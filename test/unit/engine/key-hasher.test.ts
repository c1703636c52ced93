import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf } from '../../../src/bytes/ascii.ts'
import { KeysAhead } from '../../../src/bytes/keys-ahead.ts'
import { hashKey } from '../../../src/engine/key-hash.ts'
import { KeyHasher } from '../../../src/engine/key-hasher.ts'

const SEED = { k0: 1, k1: 2 }

describe('the hasher of keys', () => {
  it('gives each key its hash, looked for ahead or not', () => {
    const bytes = bytesOf(Buffer.from('one two three'))
    const keys = new KeysAhead(bytes)
    const hasher = new KeyHasher(SEED)
    keys.begin(bytes, 0)
    keys.add(0, 3)
    keys.add(4, 7)
    hasher.hashAhead(keys)
    const ranges = [
      [0, 3],
      [4, 3],
      [8, 5],
      [0, 3],
    ] as const
    for (const [start, length] of ranges) {
      assert.equal(hasher.hash(bytes, start, length), hashKey(SEED, bytes, start, length))
    }
  })

  it('computes the hash of a key that was looked for only once', () => {
    const bytes = bytesOf(Buffer.from('key'))
    const keys = new KeysAhead(bytes)
    const hasher = new KeyHasher(SEED)
    keys.begin(bytes, 0)
    keys.add(0, 3)
    hasher.hashAhead(keys)
    keys.hashes[0] = 4711
    assert.equal(hasher.hash(bytes, 0, 3), 4711)
    assert.equal(hasher.hash(bytes, 0, 3), hashKey(SEED, bytes, 0, 3))
  })
})
