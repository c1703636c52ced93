import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FrequencySketch } from '../../../../../src/store/l1/policy/sketch.ts'
import { seededWords } from '../../../../helpers/store.ts'

function hashes(count: number, seed: number): number[] {
  const random = seededWords(seed)
  return Array.from({ length: count }, () => random() | 0)
}

function addOften(sketch: FrequencySketch, hash: number, times: number): void {
  for (let i = 0; i < times; i++) sketch.add(hash)
}

describe('the frequency sketch', () => {
  it('counts to 15 and no further', () => {
    const sketch = new FrequencySketch(1000)
    sketch.growFor(1000)
    const [hash] = hashes(1, 5)
    assert.equal(sketch.frequency(hash!), 0)
    for (let times = 1; times <= 15; times++) {
      sketch.add(hash!)
      assert.equal(sketch.frequency(hash!), times)
    }
    addOften(sketch, hash!, 10)
    assert.equal(sketch.frequency(hash!), 15)
  })

  it('never says less than was counted, and seldom more', () => {
    const sketch = new FrequencySketch(6000)
    for (let items = 1; items <= 6000; items++) sketch.growFor(items)
    const keys = hashes(6000, 11)
    for (const [i, hash] of keys.entries()) addOften(sketch, hash, 1 + (i % 3))
    const wrong = keys.map((hash, i) => sketch.frequency(hash) - 1 - (i % 3))
    assert.ok(wrong.every((difference) => difference >= 0))
    assert.ok(wrong.filter((difference) => difference > 0).length < 0.1 * keys.length)
  })

  it('halves everything when ten times as much was counted as there are items', () => {
    const sketch = new FrequencySketch(1000)
    sketch.growFor(1000)
    const [hash, ...others] = hashes(9900, 3)
    addOften(sketch, hash!, 12)
    for (const other of others) sketch.add(other)
    assert.ok(sketch.frequency(hash!) >= 12, 'not yet')
    for (const other of hashes(200, 77)) sketch.add(other)
    const halved = sketch.frequency(hash!)
    assert.ok(halved >= 6 && halved <= 8, `${halved}`)
  })

  it('forgets what is not counted any more', () => {
    const sketch = new FrequencySketch(200)
    sketch.growFor(200)
    const [old] = hashes(1, 1)
    addOften(sketch, old!, 15)
    for (const hash of hashes(2000 * 5, 21)) sketch.add(hash)
    assert.ok(sketch.frequency(old!) <= 2, `${sketch.frequency(old!)}`)
  })

  it('keeps its counts while it grows, a block at a time', () => {
    const sketch = new FrequencySketch(100_000)
    sketch.growFor(1000)
    const keys = hashes(300, 8)
    for (const hash of keys) addOften(sketch, hash, 4)
    for (let items = 1; items <= 50_000; items++) {
      const before = sketch.memoryBytes
      sketch.growFor(items)
      assert.ok(sketch.memoryBytes - before <= 64)
    }
    assert.ok(sketch.memoryBytes > 200_000 && sketch.memoryBytes < 6 * 50_000)
    for (const hash of keys) assert.ok(sketch.frequency(hash) >= 4)
  })
})
