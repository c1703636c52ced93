import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { Crawler } from '../../../src/engine/crawler.ts'
import { PageSweep } from '../../../src/engine/page-sweep.ts'
import { Sweeper } from '../../../src/engine/sweeper.ts'
import { METRIC } from '../../../src/observe/metrics.ts'
import { checkIntegrity } from '../../../src/store/l1/integrity.ts'
import { TestCache } from '../../helpers/cache.ts'
import { seededWords } from '../../helpers/store.ts'

const VALUE = Buffer.alloc(100, 'v')
const SCOPE = { onlyDue: true, classes: new Uint8Array(64).fill(1), itemsPerClassMax: 0 }

describe('the sweeper', () => {
  let test: TestCache
  let crawler: Crawler
  let sweeper: Sweeper

  beforeEach(() => {
    test = new TestCache({ memoryBytesMax: 2 ** 22 })
    crawler = new Crawler(test.cache, test.clock, test.metrics)
    sweeper = new Sweeper(test.cache, test.clock, test.metrics, crawler)
  })

  function value(slot: (typeof METRIC)[keyof typeof METRIC]): number {
    return test.metrics.value(slot)
  }

  it('gives the memory of what is over back without anybody asking', () => {
    for (let i = 1000; i < 6000; i++) assert.ok(test.set(`k${i}`, VALUE, i % 2 === 0 ? 10 : 0))
    const { slabs } = test.cache.store
    assert.ok(test.set('large', Buffer.alloc(9000), 5))
    const pagesBefore = slabs.pagesInUse
    sweeper.intervalMs = 1000
    test.clock.advance(9)
    assert.equal(test.cache.count, 5000)
    assert.ok(slabs.pagesInUse < pagesBefore)
    test.clock.advance(2)
    assert.equal(test.cache.count, 2500)
    assert.equal(value(METRIC.SWEPT), 2501)
    assert.equal(value(METRIC.CRAWLER_RECLAIMED), 2501)
    assert.equal(value(METRIC.LRU_CRAWLER_STARTS), 0)
    checkIntegrity(test.cache.store)
  })

  it('does not look at pages in which nothing can be over', () => {
    for (let i = 0; i < 3000; i++) assert.ok(test.set(`k${i}`, VALUE, i === 7 ? 10 : 1000))
    sweeper.intervalMs = 1000
    for (let s = 0; s < 9; s++) test.clock.advance(1)
    assert.equal(value(METRIC.CRAWLER_ITEMS_CHECKED), 0)
    for (let s = 0; s < 3; s++) test.clock.advance(1)
    assert.equal(value(METRIC.SWEPT), 1)
    const checked = value(METRIC.CRAWLER_ITEMS_CHECKED)
    assert.ok(checked > 1 && checked < 30, `${checked} items lie in the page`)
    // The others are not due before their time.
    for (let s = 0; s < 100; s++) test.clock.advance(1)
    assert.equal(value(METRIC.CRAWLER_ITEMS_CHECKED), checked)
    for (let s = 0; s < 900; s++) test.clock.advance(1)
    assert.equal(test.cache.store.count, 0)
  })

  it('knows of expiries that come later: by touch, in place, by moving', () => {
    for (let i = 0; i < 100; i++) assert.ok(test.set(`k${i}`, VALUE))
    test.cache.setExpiry(test.find('k1'), 10)
    assert.ok(test.set('k2', VALUE, 20))
    sweeper.intervalMs = 1000
    for (let s = 0; s < 12; s++) test.clock.advance(1)
    assert.equal(test.peek('k1'), 0)
    for (let s = 0; s < 12; s++) test.clock.advance(1)
    assert.equal(test.peek('k2'), 0)
    assert.equal(value(METRIC.SWEPT), 2)
  })

  it('takes out what a flush has killed', () => {
    for (let i = 0; i < 3000; i++) assert.ok(test.set(`k${i}`, VALUE))
    test.cache.flush(0)
    assert.ok(test.set('new', VALUE))
    sweeper.intervalMs = 1000
    for (let s = 0; s < 3; s++) test.clock.advance(1)
    assert.equal(test.cache.store.count, 1)
    assert.equal(test.cache.count, 1)
    checkIntegrity(test.cache.store)
  })

  it('stops with the crawler, with an interval of 0, and goes on', () => {
    assert.ok(test.set('k', VALUE, 5))
    sweeper.intervalMs = 1000
    crawler.isEnabled = false
    for (let s = 0; s < 10; s++) test.clock.advance(1)
    assert.notEqual(test.peek('k'), 0)
    crawler.isEnabled = true
    sweeper.stop()
    for (let s = 0; s < 10; s++) test.clock.advance(1)
    assert.notEqual(test.peek('k'), 0)
    sweeper.intervalMs = 1000
    for (let s = 0; s < 2; s++) test.clock.advance(1)
    assert.equal(test.peek('k'), 0)
  })

  it('leaves a pinned item to whoever pins it, and takes it from all others', () => {
    assert.ok(test.set('k', VALUE, 5))
    const item = test.peek('k')
    test.cache.pin(item)
    sweeper.intervalMs = 1000
    for (let s = 0; s < 7; s++) test.clock.advance(1)
    assert.equal(test.peek('k'), 0)
    assert.deepEqual(test.valueOf(item), VALUE)
    test.cache.unpin(item)
    assert.deepEqual(checkIntegrity(test.cache.store), { linked: 0, unlinked: 0 })
  })
})

describe('a sweep in between anything else', () => {
  it('leaves nothing that is over and takes nothing that is not, step by step', () => {
    for (const seed of [1, 2, 3]) {
      const test = new TestCache({ memoryBytesMax: 2 ** 17, pageBytes: 4096, policy: 'hybrid' })
      const words = seededWords(seed)
      for (let step = 0; step < 3000; step++) {
        const key = `k${words() % 300}`
        const what = words() % 16
        if (what < 9) test.set(key, Buffer.alloc(words() % (what === 0 ? 6000 : 300)), words() % 9)
        else if (what < 12) test.get(key)
        else if (what === 12 && test.find(key) !== 0) test.cache.setExpiry(test.find(key), 3)
        else if (what === 13) test.clock.advance(1)
        else if (what === 14 && words() % 64 === 0) test.cache.flush(0)
        if (step % 16 !== 0) continue
        const live: number[] = []
        const { policy } = test.cache.store
        for (let item = policy.victim(); item !== 0; item = policy.after(item)) {
          if (!test.cache.isDead(item)) live.push(item)
        }
        const sweep = new PageSweep(test.cache, test.clock, test.metrics, SCOPE)
        while (!sweep.slice());
        assert.equal(test.cache.store.count, live.length, `seed ${seed}, step ${step}`)
        for (const item of live) assert.ok(test.cache.isLinked(item))
        checkIntegrity(test.cache.store)
      }
    }
  })
})
