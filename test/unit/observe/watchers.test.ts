import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ManualClock } from '../../../src/observe/clock.ts'
import { METRIC, Metrics } from '../../../src/observe/metrics.ts'
import { PrefixCounts } from '../../../src/observe/prefix-counts.ts'
import type { Watcher } from '../../../src/observe/watchers.ts'
import { TOPIC, WATCHERS_MAX, Watchers } from '../../../src/observe/watchers.ts'

/** A watcher that keeps its lines, as long as it has room for them. */
class TestWatcher implements Watcher {
  readonly topics: number
  readonly lines: string[] = []
  isFull = false

  constructor(topics: number) {
    this.topics = topics
  }

  take(line: string): boolean {
    if (!this.isFull) this.lines.push(line)
    return !this.isFull
  }
}

function fixture(): { metrics: Metrics; watchers: Watchers } {
  const metrics = new Metrics()
  const watchers = new Watchers(new ManualClock(1_800_000_000), metrics)
  return { metrics, watchers }
}

describe('those who watch', () => {
  it('are told of their topics, numbered in order', () => {
    const { watchers, metrics } = fixture()
    const one = new TestWatcher(TOPIC.FETCHERS)
    const both = new TestWatcher(TOPIC.FETCHERS | TOPIC.MUTATIONS)
    assert.equal(watchers.topics, 0)
    watchers.add(one)
    watchers.add(both)
    assert.equal(watchers.topics, TOPIC.FETCHERS | TOPIC.MUTATIONS)
    watchers.tell(TOPIC.FETCHERS, 'type=a')
    watchers.tell(TOPIC.EVICTIONS, 'type=b')
    watchers.tell(TOPIC.MUTATIONS, 'type=c')
    assert.deepEqual(one.lines, ['ts=1800000000.0 gid=3 type=a\n'])
    assert.deepEqual(both.lines, [
      'ts=1800000000.0 gid=3 type=a\n',
      'ts=1800000000.0 gid=4 type=c\n',
    ])
    assert.equal(metrics.value(METRIC.LOG_WATCHER_SENT), 3)
    watchers.remove(both)
    assert.equal(watchers.topics, TOPIC.FETCHERS)
  })

  it('are told how much they missed as soon as they take lines again', () => {
    const { watchers, metrics } = fixture()
    const slow = new TestWatcher(TOPIC.FETCHERS)
    watchers.add(slow)
    slow.isFull = true
    for (let i = 0; i < 3; i++) watchers.tell(TOPIC.FETCHERS, 'type=a')
    slow.isFull = false
    watchers.tell(TOPIC.FETCHERS, 'type=b')
    watchers.tell(TOPIC.FETCHERS, 'type=c')
    assert.deepEqual(slow.lines, [
      'skipped=3\nts=1800000000.0 gid=5 type=b\n',
      'ts=1800000000.0 gid=6 type=c\n',
    ])
    assert.equal(metrics.value(METRIC.LOG_WATCHER_SKIPPED), 3)
  })

  it('are no more than twenty', () => {
    const { watchers } = fixture()
    for (let i = 0; i < WATCHERS_MAX; i++) assert.ok(watchers.add(new TestWatcher(TOPIC.FETCHERS)))
    assert.ok(!watchers.add(new TestWatcher(TOPIC.FETCHERS)))
    assert.equal(watchers.count, 20)
  })

  it('do not hear of prefixes, which have to be told of all the same', () => {
    const { watchers } = fixture()
    watchers.countPrefixes(true)
    assert.equal(watchers.topics, TOPIC.PREFIXES)
    const one = new TestWatcher(TOPIC.FETCHERS)
    watchers.add(one)
    watchers.remove(one)
    assert.equal(watchers.topics, TOPIC.PREFIXES)
    watchers.countPrefixes(false)
    assert.equal(watchers.topics, 0)
  })
})

describe('counts by prefix', () => {
  it('end a prefix at its first delimiter and leave out keys without one', () => {
    const counts = new PrefixCounts(':')
    counts.get('a:b:c', true)
    counts.get('a:x', false)
    counts.set('a:')
    counts.delete(':x')
    counts.set('none')
    assert.deepEqual(
      [...counts.lines()],
      ['PREFIX a get 2 hit 1 set 1 del 0', 'PREFIX  get 0 hit 0 set 0 del 1'],
    )
    counts.clear()
    assert.deepEqual([...counts.lines()], [])
  })

  it('are kept for 65536 prefixes', () => {
    const counts = new PrefixCounts(':')
    for (let i = 0; i < 70_000; i++) counts.set(`p${i}:`)
    counts.set('p0:')
    const lines = [...counts.lines()]
    assert.equal(lines.length, 65_536)
    assert.equal(lines[0], 'PREFIX p0 get 0 hit 0 set 2 del 0')
  })
})
