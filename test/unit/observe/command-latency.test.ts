import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  COMMAND_CLASSES,
  COMMAND_TIERS,
  CommandLatency,
  countOf,
  latencySlot,
} from '../../../src/observe/command-latency.ts'

describe('latencies of commands', () => {
  it('have a slot for each class and tier', () => {
    const slots = COMMAND_CLASSES.flatMap((command) =>
      COMMAND_TIERS.map((tier) => latencySlot(command, tier)),
    )
    assert.deepEqual(
      slots,
      slots.map((_, index) => index),
    )
  })

  it('are recorded for all that were answered in one write, once', () => {
    const latency = new CommandLatency()
    const hit = latencySlot('get', 'memory')
    latency.count(hit)
    latency.count(hit)
    latency.count(latencySlot('other', 'miss'))
    assert.equal(latency.answeredCount, 3)
    latency.sent(70)
    assert.ok(!latency.hasAnswered)
    latency.sent(1000)
    latency.count(hit)
    latency.sent(30)
    const gets = latency.of('get', 'memory')
    assert.equal(gets.count, 3)
    assert.equal(gets.maxUs, 70)
    assert.equal(gets.sumUs, 170)
    assert.equal(latency.of('other', 'miss').count, 1)
    assert.equal(latency.of('get', 'disk').count, 0)
  })

  it('wait with replies that are held back, while others go on', () => {
    const latency = new CommandLatency()
    const set = latencySlot('set', 'memory')
    latency.count(set)
    latency.count(set)
    const held = latency.take()
    assert.equal(countOf(held), 2)
    assert.ok(!latency.hasAnswered)
    latency.count(set)
    latency.sent(10)
    assert.equal(latency.of('set', 'memory').count, 1)
    latency.sentLate(held, 5000)
    assert.equal(latency.of('set', 'memory').count, 3)
    assert.equal(latency.of('set', 'memory').maxUs, 5000)
    latency.reset()
    assert.equal(latency.of('set', 'memory').count, 0)
  })
})
