import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StaleKeys } from '../../../../src/store/l2/stale-keys.ts'
import { seededWords } from '../../../helpers/store.ts'

describe('the stale keys', () => {
  it('know the greatest number of each hash, as a Map does', () => {
    const random = seededWords(5)
    const keys = new StaleKeys()
    const model = new Map<string, number>()
    const hashes = Array.from({ length: 20_000 }, () => [random() | 0, random() | 0] as const)
    // Some share a word with another.
    for (let i = 0; i < 500; i++) hashes.push([random() | 0, hashes[i]![1]], [hashes[i]![0], i])
    for (let i = 0; i < 60_000; i++) {
      const [hi, lo] = hashes[random() % hashes.length]!
      const sequence = 1 + (random() % 1000) * 2 ** 40
      keys.note(hi, lo, sequence)
      const name = `${hi},${lo}`
      model.set(name, Math.max(model.get(name) ?? 0, sequence))
    }
    assert.equal(keys.size, model.size)
    assert.ok(keys.size > 15_000)
    for (const [hi, lo] of hashes) {
      assert.equal(keys.sequenceOf(hi, lo), model.get(`${hi},${lo}`) ?? 0)
      assert.equal(keys.sequenceOf(hi ^ 1, lo), model.get(`${hi ^ 1},${lo}`) ?? 0)
    }
  })

  it('take at most 48 bytes a key', () => {
    const random = seededWords(6)
    const keys = new StaleKeys()
    for (let i = 0; i < 100_000; i++) {
      keys.note(random() | 0, random() | 0, 1)
      if (keys.size >= 4096) assert.ok(keys.memoryBytes <= keys.size * 48, `${keys.size}`)
    }
  })
})
