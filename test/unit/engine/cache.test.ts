import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { METRIC } from '../../../src/observe/metrics.ts'
import { checkIntegrity } from '../../../src/store/l1/integrity.ts'
import { TestCache } from '../../helpers/cache.ts'

const VALUE = Buffer.from('value')
/** Header, key of one byte, value. */
const ITEM_BYTES = 48 + 1 + VALUE.length

describe('a cache', () => {
  it('shows an item as it was stored', () => {
    const real = new TestCache()
    real.set('key', VALUE, 0, 0xffff_ffff)
    const item = real.find('key')
    real.cache.show(item, real.view)
    const { view } = real
    const at = (start: number, length: number): string =>
      view.bytes.buffer.toString('latin1', start, start + length)
    assert.equal(view.item, item)
    assert.equal(at(view.keyStart, view.keyBytes), 'key')
    assert.equal(at(view.valueStart, view.valueBytes), 'value')
    assert.equal(view.clientFlags, 0xffff_ffff)
    assert.ok(real.cache.hasCas(item, view.casHi, view.casLo))
    assert.ok(!real.cache.hasCas(item, view.casHi, view.casLo + 1))
    assert.ok(!real.cache.hasCas(item, view.casHi + 1, view.casLo))
  })

  it('gives each change a cas value above all before it', () => {
    const real = new TestCache()
    const seen: bigint[] = []
    for (let i = 0; i < 50; i++) {
      real.set(`${i % 7}`, VALUE)
      const item = real.find(`${i % 7}`)
      seen.push(real.casOf(item))
      real.cache.stamp(item)
      seen.push(real.casOf(item))
      if (i % 10 === 0) real.cache.flush(0)
    }
    assert.ok(seen[0]! > 0n, '0 means that a client gave none')
    for (let i = 1; i < seen.length; i++) assert.ok(seen[i]! > seen[i - 1]!)
  })

  it('makes a reservation like an item, with its key, flags and expiry', () => {
    const real = new TestCache()
    real.set('key', VALUE, 10, 77)
    const old = real.find('key')
    real.cache.pin(old)
    real.clock.advance(4)
    const grown = real.cache.reserveLike(old, 100)
    real.fill(grown, Buffer.alloc(100, 'x'))
    assert.equal(real.cache.findSameKey(grown), old)
    assert.ok(real.cache.link(grown, old))
    real.cache.unpin(old)
    assert.ok(real.get('key')?.equals(Buffer.alloc(100, 'x')))
    assert.equal(real.cache.clientFlags(real.find('key')), 77)
    real.clock.advance(5)
    assert.notEqual(real.find('key'), 0)
    real.clock.advance(1)
    assert.equal(real.find('key'), 0, 'it expires when the first one would have')
    checkIntegrity(real.cache.store)
  })

  it('abandons the reservation that the limit of entries refuses', () => {
    const real = new TestCache({ entriesMax: 1, evictions: false })
    assert.ok(real.set('a', VALUE))
    assert.ok(!real.set('b', VALUE))
    assert.deepEqual(checkIntegrity(real.cache.store), { linked: 1, unlinked: 0 })
    assert.equal(real.metrics.value(METRIC.TOTAL_ITEMS), 1)
  })

  it('knows how long ago the item that goes next was used', () => {
    const real = new TestCache()
    assert.equal(real.cache.oldestAgeS, 0)
    real.set('a', VALUE)
    real.clock.advance(5)
    real.set('b', VALUE)
    real.clock.advance(5)
    assert.equal(real.cache.oldestAgeS, 10)
    real.get('a')
    assert.equal(real.cache.oldestAgeS, 5)
  })
})

describe('expiry', () => {
  it('removes an item when it is asked for at its instant, not a second before', () => {
    const real = new TestCache()
    real.set('a', VALUE, 10)
    real.clock.advance(9)
    assert.ok(real.get('a')?.equals(VALUE))
    real.clock.advance(1)
    assert.equal(real.cache.count, 1, 'nobody has noticed yet')
    assert.equal(real.get('a'), undefined)
    assert.equal(real.cache.count, 0)
    assert.equal(real.cache.usedBytes, 0)
    assert.equal(real.metrics.value(METRIC.GET_EXPIRED), 1)
  })

  it('can be set anew, or taken away', () => {
    const real = new TestCache()
    for (const [key, exptimeS] of [
      ['a', 20],
      ['b', 0],
      ['c', -1],
    ] as const) {
      real.set(key, VALUE, 10)
      real.cache.setExpiry(real.find(key), exptimeS)
    }
    assert.equal(real.get('c'), undefined)
    real.clock.advance(15)
    assert.ok(real.get('a'))
    real.clock.advance(5)
    assert.equal(real.get('a'), undefined)
    real.clock.advance(1_000_000)
    assert.ok(real.get('b'))
  })

  it('of a negative number stores what is gone at once', () => {
    const real = new TestCache()
    assert.ok(real.set('a', VALUE, -1))
    assert.equal(real.get('a'), undefined)
  })

  it('makes no difference to the item that takes the place of an expired one', () => {
    const real = new TestCache()
    real.set('a', VALUE, 1)
    real.clock.advance(2)
    const item = real.reserve('a', VALUE)
    assert.equal(real.cache.findSameKey(item), 0)
    assert.ok(real.cache.link(item, 0))
    assert.ok(real.get('a'))
    assert.equal(real.cache.count, 1)
  })
})

describe('a flush', () => {
  it('kills everything stored before it and nothing after it, in the same second', () => {
    const real = new TestCache()
    real.set('a', VALUE)
    real.cache.flush(0)
    real.set('b', VALUE)
    assert.equal(real.get('a'), undefined)
    assert.ok(real.get('b'))
    assert.equal(real.metrics.value(METRIC.GET_FLUSHED), 1)
  })

  it('leaves no item and no byte in the counts at once, though the store still has them', () => {
    const real = new TestCache()
    for (const key of ['a', 'b', 'c']) real.set(key, VALUE)
    assert.equal(real.cache.usedBytes, 3 * ITEM_BYTES)
    real.cache.flush(0)
    assert.equal(real.cache.count, 0)
    assert.equal(real.cache.usedBytes, 0)
    assert.equal(real.cache.store.count, 3)
    real.set('a', VALUE)
    assert.equal(real.cache.count, 1)
    assert.equal(real.cache.usedBytes, ITEM_BYTES)
    real.find('b')
    real.cache.flush(0)
    assert.equal(real.cache.count, 0)
    assert.equal(real.cache.usedBytes, 0)
    for (const key of ['a', 'b', 'c']) assert.equal(real.get(key), undefined)
    assert.equal(real.cache.store.count, 0)
    assert.equal(real.cache.count, 0)
  })

  it('that was asked for in some seconds kills what is stored until then', () => {
    const real = new TestCache()
    real.set('a', VALUE)
    real.cache.flush(10)
    real.clock.advance(9)
    real.cache.tick()
    assert.ok(real.get('a'))
    real.set('b', VALUE)
    real.clock.advance(1)
    real.cache.tick()
    real.set('c', VALUE)
    assert.equal(real.get('a'), undefined)
    assert.equal(real.get('b'), undefined)
    real.clock.advance(100)
    real.cache.tick()
    assert.ok(real.get('c'), 'it happens once')
  })

  it('takes an instant as well, and one in the past at once', () => {
    const real = new TestCache()
    real.set('a', VALUE)
    real.cache.flush(real.clock.nowS + 2)
    assert.ok(real.get('a'))
    real.clock.advance(2)
    real.cache.tick()
    assert.equal(real.get('a'), undefined)
    real.set('b', VALUE)
    real.cache.flush(real.clock.nowS - 1)
    assert.equal(real.get('b'), undefined)
  })

  it('that is asked for later takes the place of one that is still to come', () => {
    const real = new TestCache()
    real.cache.flush(5)
    real.cache.flush(0)
    real.set('a', VALUE)
    real.clock.advance(10)
    real.cache.tick()
    assert.ok(real.get('a'))
  })

  it('lets no item come back, however many flushes follow', () => {
    const real = new TestCache()
    real.set('a', VALUE)
    for (let i = 0; i < 65_534; i++) real.cache.flush(0)
    assert.equal(real.cache.store.count, 1)
    real.set('b', VALUE)
    // Around the point where 16 bits of epochs have all been used.
    for (let i = 65_534; i < 65_540; i++) {
      real.cache.flush(0)
      assert.equal(real.cache.count, 0)
      assert.equal(real.cache.usedBytes, 0)
    }
    assert.equal(real.cache.store.count, 0, 'the dead were removed')
    assert.equal(real.get('a'), undefined)
    assert.equal(real.get('b'), undefined)
    real.set('c', VALUE)
    assert.ok(real.get('c'))
    for (let i = 0; i < 65_536; i++) real.cache.flush(0)
    assert.equal(real.get('c'), undefined)
    checkIntegrity(real.cache.store)
  })
})

describe('what leaves for want of room', () => {
  it('is counted as evicted while it lives, and as reclaimed if it is dead', () => {
    const real = new TestCache({ entriesMax: 2 })
    real.set('read', VALUE)
    real.set('unread', VALUE)
    real.get('read')
    real.set('x', VALUE)
    assert.equal(real.peek('unread'), 0)
    assert.equal(real.metrics.value(METRIC.EVICTIONS), 1)
    assert.equal(real.metrics.value(METRIC.EVICTED_UNFETCHED), 1)
    real.set('expiring', VALUE, 1)
    assert.equal(real.metrics.value(METRIC.EVICTIONS), 2)
    assert.equal(real.metrics.value(METRIC.EVICTED_UNFETCHED), 1, 'that one was read')
    real.clock.advance(1)
    real.get('x')
    real.set('y', VALUE)
    assert.equal(real.metrics.value(METRIC.EVICTIONS), 2)
    assert.equal(real.metrics.value(METRIC.RECLAIMED), 1)
    assert.equal(real.metrics.value(METRIC.EXPIRED_UNFETCHED), 1)
    real.cache.flush(0)
    real.set('z', VALUE)
    assert.equal(real.metrics.value(METRIC.RECLAIMED), 2)
    assert.equal(real.cache.count, 1)
    assert.equal(real.cache.usedBytes, ITEM_BYTES)
  })

  it('counts the pages that changed their size and the items that were moved for it', () => {
    const real = new TestCache()
    for (let i = 0; i < 200; i++) real.set(`${i}`, Buffer.alloc(300))
    // Every page has some that were used lately and some that were not.
    for (let i = 0; i < 200; i += 3) real.get(`${i}`)
    for (let i = 0; i < 20; i++) real.set(`l${i}`, Buffer.alloc(1200))
    assert.ok(real.metrics.value(METRIC.SLABS_MOVED) > 0)
    assert.ok(real.metrics.value(METRIC.SLAB_REASSIGN_RESCUES) > 0)
  })
})
