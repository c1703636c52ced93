import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf } from '../../../src/bytes/ascii.ts'
import { KEYS_AHEAD_MAX, KeysAhead } from '../../../src/bytes/keys-ahead.ts'

const BYTES = bytesOf(Buffer.alloc(200))

/** Keys of three bytes, ten apart, with their hashes. */
function threeKeys(): KeysAhead {
  const keys = new KeysAhead(BYTES)
  keys.begin(BYTES, 0)
  for (const start of [10, 20, 30]) keys.add(start, start + 3)
  keys.hashedCount = 3
  return keys
}

describe('keys looked for ahead', () => {
  it('are taken in their order, each once', () => {
    const keys = threeKeys()
    assert.equal(keys.endOf(10), 13)
    assert.equal(keys.take(BYTES, 10, 3), 0)
    assert.equal(keys.take(BYTES, 10, 3), -1)
    assert.equal(keys.take(BYTES, 20, 3), 1)
  })

  it('are passed over where nobody asked for them', () => {
    const keys = threeKeys()
    assert.equal(keys.endOf(30), 30, 'not known before the others have had their turn')
    assert.equal(keys.take(BYTES, 30, 3), 2)
    assert.equal(keys.take(BYTES, 30, 3), -1)
  })

  it('are no others: of another length, at another place, in other bytes', () => {
    const keys = threeKeys()
    assert.equal(keys.take(BYTES, 10, 4), -1)
    assert.equal(keys.take(BYTES, 11, 2), -1)
    assert.equal(keys.take(bytesOf(Buffer.alloc(200)), 20, 3), -1)
    assert.equal(keys.take(BYTES, 20, 3), 1)
  })

  it('have no index as long as they have no hash', () => {
    const keys = threeKeys()
    keys.hashedCount = 1
    assert.equal(keys.take(BYTES, 20, 3), -1)
    keys.hashedCount = 0
    assert.equal(keys.take(BYTES, 10, 3), -1)
  })

  it('are forgotten when other bytes are shown', () => {
    const keys = threeKeys()
    keys.forget(BYTES, 0)
    assert.equal(keys.endOf(10), 10)
    assert.equal(keys.take(BYTES, 10, 3), -1)
  })

  it('are not looked for in front of the first command, nor in what is short', () => {
    const keys = new KeysAhead(BYTES)
    keys.forget(BYTES, 0)
    assert.equal(keys.isDue(0, 200), false)
    assert.equal(keys.isDue(20, 200), true)
    assert.equal(keys.isDue(190, 200), false)
    keys.begin(BYTES, 100)
    assert.equal(keys.isDue(20, 200), false, 'looked through already')
  })

  it('are so many', () => {
    const keys = new KeysAhead(BYTES)
    keys.begin(BYTES, 0)
    for (let i = 0; i < KEYS_AHEAD_MAX; i++) {
      assert.equal(keys.isFull, false)
      keys.add(i * 10, i * 10 + 2)
    }
    assert.equal(keys.isFull, true)
  })
})
