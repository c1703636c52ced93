import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { Crawler } from '../../../src/engine/crawler.ts'
import { MemoryLimit } from '../../../src/engine/memory-limit.ts'
import { CLASS_METRIC, METRIC } from '../../../src/observe/metrics.ts'
import { checkIntegrity } from '../../../src/store/l1/integrity.ts'
import { WALK_END } from '../../../src/store/l1/key-index.ts'
import { TestCache } from '../../helpers/cache.ts'

const SHORT = Buffer.alloc(1)
const VALUE = Buffer.alloc(100, 'v')

function keyOf(test: TestCache, item: number): string {
  const { cache } = test
  const end = cache.valueStart(item)
  return cache.store.heap.bytes.buffer.toString('latin1', end - cache.keyBytes(item), end)
}

describe('a walk over the index', () => {
  it('visits each item once that stays, however the index grows meanwhile', () => {
    const test = new TestCache({ memoryBytesMax: 2 ** 22 })
    const { index } = test.cache.store
    for (let i = 0; i < 2000; i++) assert.ok(test.set(`old${i}`, SHORT))
    const bucketsBefore = index.bucketCount
    const seen = new Map<string, number>()
    let added = 0
    for (let cursor = 0; cursor < WALK_END;) {
      cursor = index.walk(cursor, (item) => {
        const key = keyOf(test, item)
        seen.set(key, (seen.get(key) ?? 0) + 1)
      })
      for (let i = 0; i < 20 && added < 40_000; i++) test.set(`new${added++}`, SHORT)
    }
    assert.ok(index.bucketCount > 2 * bucketsBefore, `${bucketsBefore} ${index.bucketCount}`)
    for (let i = 0; i < 2000; i++) assert.equal(seen.get(`old${i}`), 1, `old${i}`)
    for (const [key, times] of seen) assert.equal(times, 1, key)
  })
})

describe('the crawler', () => {
  let test: TestCache
  let crawler: Crawler
  const all = new Uint8Array(64).fill(1)

  beforeEach(() => {
    test = new TestCache({ memoryBytesMax: 2 ** 22 })
    crawler = new Crawler(test.cache, test.clock, test.metrics)
    for (let i = 1000; i < 6000; i++) assert.ok(test.set(`k${i}`, VALUE, i % 2 === 0 ? 10 : 0))
  })

  /** The size classes of the items: the first page has one that fits less well than what was added then. */
  function classes(): Set<number> {
    const ids = new Set<number>()
    for (let i = 1001; i < 6000; i += 2) ids.add(test.cache.sizeClass(test.peek(`k${i}`)))
    return ids
  }

  it('removes what is expired or flushed, in slices, and leaves the rest', () => {
    test.clock.advance(11)
    assert.ok(crawler.crawl(all))
    assert.ok(crawler.isRunning)
    assert.equal(test.cache.store.count, 5000)
    for (let i = 0; i < 10 && crawler.isRunning; i++) test.clock.advance(1)
    assert.ok(!crawler.isRunning)
    assert.equal(test.cache.store.count, 2500)
    assert.equal(test.metrics.value(METRIC.CRAWLER_RECLAIMED), 2500)
    assert.equal(test.metrics.value(METRIC.CRAWLER_ITEMS_CHECKED), 5000)
    let byClass = 0
    for (const classId of classes()) {
      byClass += test.metrics.classValue(CLASS_METRIC.CRAWLER_RECLAIMED, classId)
    }
    assert.equal(byClass, 2500)
    checkIntegrity(test.cache.store)
    test.cache.flush(0)
    assert.ok(crawler.crawl(all))
    for (let i = 0; i < 10 && crawler.isRunning; i++) test.clock.advance(1)
    assert.equal(test.cache.store.count, 0)
    checkIntegrity(test.cache.store)
  })

  it('looks at the classes it is told to, and at so many items of each', () => {
    test.clock.advance(11)
    const none = new Uint8Array(64).fill(1)
    for (const classId of classes()) none[classId] = 0
    crawler.crawl(none)
    for (let i = 0; i < 20 && crawler.isRunning; i++) test.clock.advance(1)
    assert.equal(test.metrics.value(METRIC.CRAWLER_ITEMS_CHECKED), 0)
    crawler.itemsPerClassMax = 100
    const { store } = test.cache
    const expected = [...classes()].reduce((sum, id) => sum + Math.min(100, store.itemsOf(id)), 0)
    crawler.crawl(all)
    for (let i = 0; i < 20 && crawler.isRunning; i++) test.clock.advance(1)
    assert.equal(test.metrics.value(METRIC.CRAWLER_ITEMS_CHECKED), expected)
    assert.ok(test.cache.store.count < 5000)
  })

  it('does one thing at a time, and stops when it is disabled', () => {
    assert.ok(crawler.crawl(all))
    assert.ok(!crawler.crawl(all))
    assert.ok(!crawler.take())
    crawler.isEnabled = false
    test.clock.advance(1)
    assert.ok(!crawler.isRunning)
    assert.ok(test.metrics.value(METRIC.CRAWLER_ITEMS_CHECKED) < 5000)
    assert.ok(crawler.take())
    crawler.release()
  })
})

function full(evictions: boolean): { test: TestCache; limit: MemoryLimit } {
  const test = new TestCache({ memoryBytesMax: 2 ** 22, evictions })
  for (let i = 0; i < 40_000; i++) test.set(`k${i}`, Buffer.alloc(i % 300))
  return { test, limit: new MemoryLimit(test.cache.store, test.clock) }
}

describe('the limit of memory', () => {
  it('goes down a page at a time, what is left being sound after each', () => {
    const { test, limit } = full(true)
    const { store } = test.cache
    const before = store.memoryBytes
    assert.ok(limit.set(2 ** 21))
    assert.ok(store.memoryBytes >= before - 2 * store.heap.pageBytes)
    for (let i = 0; i < 1000 && store.memoryBytes > 2 ** 21; i++) {
      test.clock.advance(1)
      if (i % 50 === 0) checkIntegrity(store)
      assert.ok(test.set(`during${i}`, VALUE))
    }
    assert.ok(store.memoryBytes <= 2 ** 21)
    assert.ok(store.memoryBytes > 2 ** 21 - 4 * store.heap.pageBytes)
    assert.ok(limit.set(2 ** 22))
    for (let i = 0; i < 40_000; i++) assert.ok(test.set(`k${i}`, Buffer.alloc(i % 300)))
    assert.ok(store.memoryBytes > 2 ** 21)
    checkIntegrity(store)
  })

  it('cannot be more than was reserved, nor less than is taken where nothing may go', () => {
    const { limit } = full(true)
    assert.ok(!limit.set(2 ** 22 + 1))
    assert.equal(limit.bytes, 2 ** 22)
    const { test, limit: other } = full(false)
    assert.ok(!other.set(2 ** 21))
    assert.equal(test.cache.store.options.memoryBytesMax, 2 ** 22)
  })
})
