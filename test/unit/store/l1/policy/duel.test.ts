import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Duel } from '../../../../../src/store/l1/policy/duel.ts'
import { SETTINGS } from '../../../../../src/store/l1/policy/settings.ts'
import { FrequencySketch } from '../../../../../src/store/l1/policy/sketch.ts'
import { seededWords } from '../../../../helpers/store.ts'

function duelOf(items: number): { duel: Duel; ask: (hash: number) => void } {
  const sketch = new FrequencySketch(items)
  sketch.growFor(items)
  const duel = new Duel(sketch)
  let requests = 0
  duel.resize(items)
  return {
    duel,
    ask(hash) {
      sketch.add(hash)
      if (duel.samples(hash)) duel.request(hash, true, ++requests < items)
    },
  }
}

const hashOfKey = (key: number): number => Math.imul(key + 1, 0x9e37_79b1) ^ (key >>> 3)

describe('the duel of the settings', () => {
  it('counts a hit for a setting where its shadow holds the key', () => {
    const { duel, ask } = duelOf(10)
    ask(hashOfKey(1))
    assert.deepEqual(
      duel.scores,
      SETTINGS.map(() => 0),
    )
    ask(hashOfKey(1))
    assert.deepEqual(
      duel.scores,
      SETTINGS.map(() => 1),
    )
  })

  it('counts no hit for a key that was removed, or for what is not asked for', () => {
    const { duel, ask } = duelOf(10)
    ask(hashOfKey(1))
    duel.request(hashOfKey(1), false, false)
    duel.forget(hashOfKey(1))
    duel.forget(hashOfKey(2))
    ask(hashOfKey(1))
    assert.deepEqual(
      duel.scores,
      SETTINGS.map(() => 0),
    )
  })

  it('puts a setting in force that resists a loop, when there is one', () => {
    const { duel, ask } = duelOf(100)
    for (let i = 0; i < 100 * 140; i++) {
      ask(hashOfKey(i % 140))
      if (i % 250 === 249) duel.judge()
    }
    const clock = SETTINGS.findIndex(({ share }) => share === 0)
    assert.notEqual(duel.current, clock)
    assert.equal(Math.round(duel.scores[clock]!), 0)
    assert.ok(duel.scores[duel.current]! > 0.4 * 250 * 9)
  })

  it('puts a setting with much room for what is new in force, where only that counts', () => {
    const random = seededWords(23)
    const { duel, ask } = duelOf(100)
    for (let i = 0; i < 20_000; i++) {
      ask(hashOfKey(i % 2 === 0 ? i : Math.max(0, i - 1 - 2 * (random() % 40))))
      if (i % 250 === 249) duel.judge()
    }
    const { share } = SETTINGS[duel.current]!
    assert.ok(share === 0 || share === 0.4, `${share}`)
  })

  it('stays with what it has while no other setting leads', () => {
    const { duel, ask } = duelOf(100)
    for (let i = 0; i < 5000; i++) ask(hashOfKey(i % 50))
    assert.equal(duel.judge(), false)
    assert.equal(duel.current, 0)
  })

  it('samples the fewer keys the larger the store is, and forgets those that it no longer samples', () => {
    const random = seededWords(3)
    const hashes = Array.from({ length: 20_000 }, () => random() | 0)
    const { duel, ask } = duelOf(1000)
    assert.ok(hashes.every((hash) => duel.samples(hash)))
    for (const hash of hashes.slice(0, 1000)) ask(hash)
    duel.resize(16_000)
    const sampled = hashes.filter((hash) => duel.samples(hash)).length
    assert.ok(sampled > 20_000 / 8 / 1.2 && sampled < (20_000 / 8) * 1.2, `${sampled}`)
    const [before] = duel.scores
    for (const hash of hashes.slice(0, 1000)) ask(hash)
    const among = hashes.slice(0, 1000).filter((hash) => duel.samples(hash)).length
    assert.equal(duel.scores[0]! - before!, among)
  })

  it('goes on in any sequence of calls and sizes', () => {
    const random = seededWords(17)
    const { duel, ask } = duelOf(3000)
    for (let i = 0; i < 200_000; i++) {
      const hash = hashOfKey(random() % ((random() % 9000) + 1))
      const call = random() % 64
      if (call === 0) duel.forget(hash)
      else if (call === 1 && i % 50 === 0) duel.resize(1 + (random() % 6000))
      else ask(hash)
      if (i % 1500 === 0) duel.judge()
    }
    assert.ok(duel.scores.every((score) => score > 0))
  })
})
