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

  it('tells how many were no longer than something, and in which buckets they are', () => {
    const random = randomFrom(11)
    const histogram = new Histogram()
    const durations = Array.from({ length: 5000 }, () => Math.floor(2 ** (random() * 24)))
    for (const us of durations) histogram.record(us)
    for (const us of [0, 5, 31, 32, 100, 999, 50_000, 2 ** 24]) {
      const told = histogram.countUpTo(us)
      const least = durations.filter((duration) => duration <= us).length
      const most = durations.filter((duration) => duration <= us * (1 + STEP)).length
      assert.ok(told >= least && told <= most, `${us}: ${least} to ${most}, told ${told}`)
    }
    const buckets = histogram.buckets()
    assert.equal(
      buckets.reduce((sum, [, count]) => sum + count, 0),
      histogram.count,
    )
    assert.ok(buckets.every(([upToUs], index) => index === 0 || upToUs > buckets[index - 1]![0]))
    assert.ok(buckets.at(-1)![0] >= histogram.maxUs)
  })

  it('takes many at once, and what another one has', () => {
    const single = new Histogram()
    const many = new Histogram()
    for (const [us, count] of [
      [3, 4],
      [700, 2],
      [90_000, 1],
    ] as const) {
      many.recordMany(us, count)
      for (let i = 0; i < count; i++) single.record(us)
    }
    const sum = new Histogram()
    sum.add(single)
    sum.add(many)
    assert.deepEqual(many.buckets(), single.buckets())
    assert.equal(sum.count, 14)
    assert.equal(sum.sumUs, 2 * single.sumUs)
    assert.equal(sum.maxUs, 90_000)
    for (const share of SHARES) assert.equal(sum.quantileUs(share), single.quantileUs(share))
  })
})
