import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { METRIC, Metrics } from '../../../src/observe/metrics.ts'

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
    metrics.add(METRIC.CONN_ERRORS, 2 ** 40)
    metrics.add(METRIC.CONN_ERRORS, 1)
    for (const slot of Object.values(METRIC)) {
      const expected = slot === METRIC.GET_HITS ? 2 : slot === METRIC.CONN_ERRORS ? 2 ** 40 + 1 : 0
      assert.equal(metrics.value(slot), expected)
    }
  })

  it('are all zero after a reset', () => {
    const metrics = new Metrics()
    for (const slot of Object.values(METRIC)) metrics.count(slot)
    metrics.reset()
    for (const slot of Object.values(METRIC)) assert.equal(metrics.value(slot), 0)
  })
})
