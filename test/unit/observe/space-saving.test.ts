import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { SpaceSaving } from '../../../src/observe/space-saving.ts'

/** Keys with weights, few of them frequent. */
const STREAM = fc.array(
  fc.record({
    key: fc.oneof(
      fc.nat(3).map((n) => `hot${n}`),
      fc.nat(60).map((n) => `cold${n}`),
    ),
    weight: fc.integer({ min: 1, max: 50 }),
  }),
  { maxLength: 400 },
)

describe('Space-Saving', () => {
  it('bounds what it counts as its authors prove, whatever comes', () => {
    fc.assert(
      fc.property(STREAM, fc.integer({ min: 1, max: 24 }), (stream, places) => {
        const sketch = new SpaceSaving(places)
        const exact = new Map<string, number>()
        let total = 0
        for (const { key, weight } of stream) {
          sketch.add(key, weight)
          exact.set(key, (exact.get(key) ?? 0) + weight)
          total += weight
        }
        const kept = [...sketch.keys()]
        assert.equal(kept.length, Math.min(places, exact.size))
        assert.equal(new Set(kept).size, kept.length)
        const least = Math.min(...kept.map((key) => sketch.of(key)!.count))
        for (const [key, count] of exact) {
          const told = sketch.of(key)
          if (told === undefined) {
            assert.ok(count <= sketch.countOfAbsent, `${key}: ${count} times, and not there`)
            assert.ok(count <= total / places)
            continue
          }
          assert.ok(told.count >= count && told.count - told.error <= count, `${key}: ${count}`)
          assert.ok(told.error <= total / places)
        }
        const sum = kept.reduce((before, key) => before + sketch.of(key)!.count, 0)
        assert.equal(sum, total)
        assert.equal(sketch.countOfAbsent, exact.size < places ? 0 : kept.length === 0 ? 0 : least)
      }),
      { numRuns: 300 },
    )
  })

  it('is exact as long as there are places', () => {
    const sketch = new SpaceSaving(4)
    for (const key of ['a', 'b', 'a', 'c', 'a']) sketch.add(key, 2)
    assert.deepEqual(sketch.of('a'), { key: 'a', count: 6, error: 0 })
    assert.equal(sketch.of('d'), undefined)
    assert.equal(sketch.countOfAbsent, 0)
    sketch.clear()
    assert.equal(sketch.of('a'), undefined)
    sketch.add('z', 1)
    assert.deepEqual([...sketch.keys()], ['z'])
  })
})
