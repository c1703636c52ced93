import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LATENCY, METRIC, Metrics } from '../../../src/observe/metrics.ts'

describe('metrics', () => {
  it('have a slot each, without a gap', () => {
    const slots = Object.values(METRIC).sort((a, b) => a - b)
    assert.deepEqual(
      slots,
      slots.map((_, i) => i),
    )
  })

  it('count in their own slot only', () => {
    const metrics = new Metrics()
    metrics.count(METRIC.GET_HITS)
    metrics.count(METRIC.GET_HITS)
    // The last slot of the table is the first to be lost if the table is too short.
    const last = Object.values(METRIC).at(-1)!
    metrics.add(last, 2 ** 40)
    metrics.add(last, 1)
    for (const slot of Object.values(METRIC)) {
      const expected = slot === METRIC.GET_HITS ? 2 : slot === last ? 2 ** 40 + 1 : 0
      assert.equal(metrics.value(slot), expected)
    }
  })

  it('are all zero after a reset', () => {
    const metrics = new Metrics()
    for (const slot of Object.values(METRIC)) metrics.count(slot)
    metrics.reset()
    for (const slot of Object.values(METRIC)) assert.equal(metrics.value(slot), 0)
  })

  it('keep durations of each kind apart, until a reset', () => {
    const metrics = new Metrics()
    metrics.time(LATENCY.L2_READ, 7)
    metrics.time(LATENCY.L2_WRITE, 9)
    metrics.time(LATENCY.L2_WRITE, 9)
    assert.equal(metrics.latency(LATENCY.L2_READ).maxUs, 7)
    assert.equal(metrics.latency(LATENCY.L2_WRITE).count, 2)
    metrics.reset()
    for (const slot of Object.values(LATENCY)) assert.equal(metrics.latency(slot).count, 0)
  })
})
