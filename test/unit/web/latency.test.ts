import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CommandLatency, CommandTier } from '../../../src/http/stats-document.ts'
import { Histogram } from '../../../src/observe/histogram.ts'
import { quantileBetween } from '../../../web/latency.ts'

const NONE = { count: 0, meanUs: 0, p50Us: 0, p90Us: 0, p99Us: 0, p999Us: 0, maxUs: 0 }
const GETS = { commands: ['get'], tiers: ['memory', 'miss'] } as const

function gets(
  tier: CommandTier,
  ...buckets: readonly (readonly [number, number])[]
): CommandLatency {
  return { command: 'get', tier, buckets, ...NONE }
}

describe('the quantiles between two documents', () => {
  it('are those of what came in between', () => {
    const before = [gets('memory', [10, 1_000_000], [5000, 10])]
    const now = [gets('memory', [10, 1_000_000], [200, 98], [5000, 12])]
    assert.equal(quantileBetween(now, before, GETS, 0.5), 200)
    assert.equal(quantileBetween(now, before, GETS, 0.98), 200)
    assert.equal(quantileBetween(now, before, GETS, 0.99), 5000)
  })

  it('take the tiers and commands together that are asked for, and no others', () => {
    const now: CommandLatency[] = [
      gets('memory', [10, 5]),
      gets('miss', [5, 4], [20, 1]),
      gets('disk', [900, 100]),
      { ...gets('memory', [7000, 100]), command: 'set' },
    ]
    assert.equal(quantileBetween(now, [], GETS, 0.4), 5)
    assert.equal(quantileBetween(now, [], GETS, 0.41), 10)
    assert.equal(quantileBetween(now, [], GETS, 1), 20)
  })

  it('are none where nothing came, or the counters were set to zero', () => {
    const one = [gets('memory', [10, 5])]
    assert.equal(quantileBetween(one, one, GETS, 0.5), null)
    assert.equal(quantileBetween([gets('memory', [10, 2])], one, GETS, 0.5), null)
    assert.equal(quantileBetween([], [], GETS, 0.5), null)
  })

  it('agree with those of a histogram of the same durations', () => {
    const durations = Array.from({ length: 500 }, (_, index) => (index * 7919) % 4001)
    const histogram = new Histogram()
    const buckets = new Map<number, number>()
    for (const us of durations) {
      histogram.record(us)
      // A bucket for each duration: the finest histogram there is.
      buckets.set(us, (buckets.get(us) ?? 0) + 1)
    }
    const now = [gets('memory', ...buckets)]
    for (const share of [0.01, 0.5, 0.9, 0.99]) {
      const exact = quantileBetween(now, [], GETS, share)!
      const near = histogram.quantileUs(share)
      assert.ok(Math.abs(near - exact) <= 1 + exact * 0.04, `${share}: ${exact} and ${near}`)
    }
  })
})
