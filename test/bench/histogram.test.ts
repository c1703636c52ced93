import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Histogram } from '../../bench/wire/histogram.ts'

test('an empty histogram answers 0', () => {
  assert.equal(new Histogram().quantileUs(0.5), 0)
})

test('quantiles are within 1/64 of the value, from tenths of a microsecond to a minute', () => {
  for (const us of [0.1, 1, 6.3, 6.4, 99, 1000, 12_345, 1e6, 60e6]) {
    const histogram = new Histogram()
    histogram.recordUs(us)
    assert.ok(Math.abs(histogram.quantileUs(0.5) - us) <= us / 64, `${us}`)
  }
})

test('a quantile is the value that this share of the records does not exceed', () => {
  const histogram = new Histogram()
  for (let i = 1; i <= 1000; i++) histogram.recordUs(i <= 990 ? 5 : 500)
  assert.equal(histogram.quantileUs(0.5), 5)
  assert.equal(histogram.quantileUs(0.99), 5)
  assert.ok(Math.abs(histogram.quantileUs(0.991) - 500) < 500 / 64)
  assert.equal(histogram.total, 1000)
})

test('values out of range count as the nearest in range, and a reset forgets', () => {
  const histogram = new Histogram()
  histogram.recordUs(-1)
  assert.equal(histogram.quantileUs(1), 0)
  histogram.recordUs(1e12)
  assert.ok(histogram.quantileUs(1) > 100e6)
  histogram.reset()
  assert.equal(histogram.total, 0)
})
