import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Histogram } from '../../../src/observe/histogram.ts'

const SHARES = [0.5, 0.9, 0.99, 0.999, 1] as const
/** A step is one part in 32. */
const STEP = 1 / 32

/** A seeded generator of numbers below 1 (Lehmer, a = 48271). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

describe('the histogram', () => {
  it('knows nothing when nothing was recorded', () => {
    const histogram = new Histogram()
    assert.equal(histogram.count, 0)
    assert.equal(histogram.maxUs, 0)
    assert.equal(histogram.quantileUs(0.5), 0)
  })

  it('is exact for few microseconds', () => {
    const histogram = new Histogram()
    for (let us = 0; us < 32; us++) histogram.record(us)
    assert.equal(histogram.quantileUs(0.5), 15)
    assert.equal(histogram.quantileUs(0.03), 0)
    assert.equal(histogram.quantileUs(0.04), 1)
    assert.equal(histogram.quantileUs(1), 31)
  })

  it('gives quantiles within a step of the true ones, from a microsecond to half an hour', () => {
    const random = randomFrom(7)
    const histogram = new Histogram()
    const durations: number[] = []
    for (let i = 0; i < 20_000; i++) {
      const us = Math.floor(2 ** (random() * 31))
      durations.push(us)
      histogram.record(us)
    }
    durations.sort((a, b) => a - b)
    for (const share of SHARES) {
      const exact = durations[Math.ceil(share * durations.length) - 1]!
      const told = histogram.quantileUs(share)
      assert.ok(told >= exact && told <= exact * (1 + STEP), `${share}: ${exact}, told ${told}`)
    }
    assert.equal(histogram.count, 20_000)
  })

  it('has every power of two in a step of its own', () => {
    for (let bit = 0; bit < 31; bit++) {
      for (const us of [2 ** bit - 1, 2 ** bit]) {
        const histogram = new Histogram()
        histogram.record(us)
        histogram.record(2 ** 31 - 1)
        const told = histogram.quantileUs(0.5)
        assert.ok(told >= us && told <= us * (1 + STEP), `${us}: ${told}`)
        assert.ok(us === 2 ** bit || told === us, `${us} is not with ${us + 1}`)
      }
    }
  })

  it('never tells more than the longest', () => {
    const histogram = new Histogram()
    histogram.record(1025)
    for (const share of SHARES) assert.equal(histogram.quantileUs(share), 1025)
  })

  it('takes what is out of its range for its ends', () => {
    const histogram = new Histogram()
    for (const us of [-1, Number.NaN, 1e12, Infinity]) histogram.record(us)
    assert.equal(histogram.count, 4)
    assert.equal(histogram.quantileUs(0.5), 0)
    assert.equal(histogram.quantileUs(0.75), 2 ** 31 - 1)
    assert.equal(histogram.maxUs, 2 ** 31 - 1)
  })

  it('rounds to whole microseconds', () => {
    const histogram = new Histogram()
    histogram.record(2.6)
    assert.equal(histogram.maxUs, 3)
  })

  it('is empty after a reset', () => {
    const histogram = new Histogram()
    histogram.record(5)
    histogram.reset()
    assert.deepEqual([histogram.count, histogram.maxUs, histogram.quantileUs(1)], [0, 0, 0])
  })
})
