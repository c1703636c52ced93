import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkIntegrity } from '../../../../src/store/l1/integrity.ts'
import { L1Store } from '../../../../src/store/l1/l1-store.ts'
import { PINS_MAX } from '../../../../src/store/l1/layout.ts'
import { SMALL_STORE, TestStore, valueOf } from '../../../helpers/store.ts'

/** Fills a page of 4 KiB with two of its kind. */
const HALF_PAGE = 1950

describe('a store', () => {
  it('finds what was linked, byte by byte, and nothing that was only reserved', () => {
    const real = new TestStore()
    const item = real.reserve('key', Buffer.from('value'))
    assert.equal(real.find('key'), 0)
    assert.equal(real.store.findSameKey(item), 0)
    assert.ok(real.store.isPinned(item) && !real.store.isLinked(item))
    assert.ok(real.store.link(item, 0))
    assert.equal(real.find('key'), item)
    assert.ok(!real.store.isPinned(item) && real.store.isLinked(item))
    assert.equal(String(real.get('key')), 'value')
    assert.equal(real.find('ke'), 0)
    assert.equal(real.find('keys'), 0)
  })

  it('tells keys of any bytes and lengths apart', () => {
    const real = new TestStore()
    const keys = ['a', '\0', '\0\0', '\xff', ' ', 'k'.repeat(249), 'k'.repeat(250)]
    for (const key of keys) assert.ok(real.set(key, valueOf(key, 1, 30)))
    for (const key of keys) assert.ok(real.get(key)?.equals(valueOf(key, 1, 30)))
    assert.equal(real.store.count, keys.length)
  })

  it('counts the bytes of headers, keys and values while items are linked', () => {
    const real = new TestStore()
    const item = real.reserve('key', Buffer.alloc(100))
    assert.equal(real.store.usedBytes, 0)
    real.store.link(item, 0)
    assert.equal(real.store.usedBytes, 48 + 3 + 100)
    real.set('key', Buffer.alloc(10))
    assert.equal(real.store.usedBytes, 48 + 3 + 10)
    real.delete('key')
    assert.equal(real.store.usedBytes, 0)
  })

  it('gives an abandoned reservation back', () => {
    const real = new TestStore()
    real.store.abandon(real.reserve('key', Buffer.alloc(5000)))
    real.store.abandon(real.reserve('key', Buffer.alloc(50)))
    assert.equal(real.store.slabs.pagesInUse, 0)
    assert.deepEqual(checkIntegrity(real.store), { linked: 0, unlinked: 0 })
  })

  it('keeps a pinned item whole after its removal, until the last pin is gone', () => {
    const real = new TestStore()
    real.set('key', valueOf('key', 1, 500))
    const item = real.find('key')
    assert.ok(real.store.pin(item) && real.store.pin(item))
    real.delete('key')
    assert.equal(real.find('key'), 0)
    for (let i = 0; i < 500; i++) real.set(`other ${i}`, valueOf('other', i, 500))
    assert.ok(real.valueOf(item).equals(valueOf('key', 1, 500)))
    real.store.unpin(item)
    assert.equal(checkIntegrity(real.store).unlinked, 1)
    real.store.unpin(item)
    assert.equal(checkIntegrity(real.store).unlinked, 0)
    assert.throws(() => real.store.unpin(item), /only who pinned/)
  })

  it('gives no more pins than an item can count', () => {
    const real = new TestStore()
    real.set('key', Buffer.alloc(1))
    const item = real.find('key')
    for (let i = 0; i < PINS_MAX; i++) assert.ok(real.store.pin(item))
    assert.ok(!real.store.pin(item))
    checkIntegrity(real.store)
    for (let i = 0; i < PINS_MAX; i++) real.store.unpin(item)
    assert.ok(!real.store.isPinned(item))
    checkIntegrity(real.store)
  })

  it('keeps pages and index together within its memory while the index grows', () => {
    for (const memoryBytesMax of [65_536, 131_072, 262_144, 300_000]) {
      const real = new TestStore({ memoryBytesMax })
      for (let i = 0; i < memoryBytesMax / 32; i++) {
        assert.ok(real.set(`${i}`, Buffer.alloc(4)))
        const { memoryBytes } = real.store
        assert.ok(memoryBytes <= memoryBytesMax, `${memoryBytes} bytes of ${memoryBytesMax}`)
      }
      checkIntegrity(real.store)
      assert.ok(real.evicted.length > 0)
    }
  })

  it('lets its chains grow where the index wants a page and pins hold them all', () => {
    const memoryBytesMax = 131_072
    const real = new TestStore({ memoryBytesMax })
    const { store } = real
    // 1024 buckets leave exactly 31 pages: 16 of small items, some chunks free, and 15 of large.
    for (let i = 0; i < 1024; i++) real.set(`small ${i}`, Buffer.alloc(4))
    for (let i = 0; i < 1000; i += 10) real.delete(`small ${i}`)
    for (let i = 0; i < 30; i++) real.set(`large ${i}`, Buffer.alloc(HALF_PAGE))
    assert.equal(store.slabs.pagesInUse, 31)
    assert.equal(store.memoryBytes, memoryBytesMax)
    const keys = real.order()
    const pinned = keys.map((key) => real.find(key))
    for (const item of pinned) assert.ok(store.pin(item))
    for (let i = 0; i < 1000; i += 10) {
      assert.ok(real.set(`small ${i}`, Buffer.alloc(4)))
      assert.ok(store.memoryBytes <= memoryBytesMax, `${store.memoryBytes} bytes`)
    }
    assert.deepEqual(real.evicted, [])
    assert.equal(store.index.bucketCount, 1024)
    for (let i = 0; i < 1000; i++) assert.ok(real.get(`small ${i}`))
    for (const item of pinned) store.unpin(item)
    real.set('one more', Buffer.alloc(4))
    assert.equal(store.index.bucketCount, 1025)
    assert.ok(store.memoryBytes <= memoryBytesMax)
    checkIntegrity(store)
  })

  it('never holds more items than it may, and evicts for that the oldest', () => {
    const real = new TestStore({ entriesMax: 3 })
    for (const key of ['a', 'b', 'c']) real.set(key, Buffer.alloc(1))
    real.touch('a')
    real.set('c', Buffer.alloc(2))
    assert.deepEqual(real.evicted, [], 'to overwrite needs no room')
    real.set('d', Buffer.alloc(1))
    assert.deepEqual(real.evicted, ['b'])
    assert.deepEqual(real.order(), ['a', 'c', 'd'])
  })

  it('without evictions refuses the item too many, and takes it when another has gone', () => {
    const real = new TestStore({ entriesMax: 2, evictions: false })
    assert.ok(real.set('a', Buffer.alloc(1)))
    assert.ok(real.set('b', Buffer.alloc(1)))
    assert.ok(!real.set('c', Buffer.alloc(1)))
    assert.ok(real.set('b', Buffer.alloc(2)))
    real.delete('a')
    assert.ok(real.set('c', Buffer.alloc(1)))
    checkIntegrity(real.store)
  })

  it('without evictions is full when every page is, and loses nothing', () => {
    const real = new TestStore({ evictions: false })
    const keys: string[] = []
    for (let i = 0; real.set(`${i}`, valueOf(`${i}`, 0, HALF_PAGE)); i++) keys.push(`${i}`)
    assert.equal(keys.length, real.store.slabs.pageLimit * 2)
    assert.ok(!real.set('small', Buffer.alloc(1)))
    for (const key of keys) assert.ok(real.get(key)?.equals(valueOf(key, 0, HALF_PAGE)))
    real.delete('0')
    assert.ok(real.set('0', valueOf('0', 0, HALF_PAGE)))
  })

  it('chooses a page size by its memory: 64 KiB to 1 MiB, 256 pages or more', () => {
    const { pageBytes: _, ...options } = SMALL_STORE
    const listener = { evicting: () => {}, moved: () => {}, pageVacated: () => {} }
    const pageBytesOf = (memoryBytesMax: number): number =>
      new L1Store({ ...options, memoryBytesMax }, listener).heap.pageBytes
    const MIB = 2 ** 20
    assert.equal(pageBytesOf(MIB), 65_536)
    assert.equal(pageBytesOf(16 * MIB), 65_536)
    assert.equal(pageBytesOf(64 * MIB), 262_144)
    assert.equal(pageBytesOf(100 * MIB), 262_144)
    assert.equal(pageBytesOf(1024 * MIB), MIB)
  })
})

describe('room in a full store', () => {
  it('is made for another size by moving what is used, not by evicting what is lately used', () => {
    const real = new TestStore({ memoryBytesMax: 131_072 })
    for (let i = 0; real.evicted.length === 0; i++) real.set(`old ${i}`, valueOf('old', i, 300))
    const before = real.order()
    const kept = before.slice(-Math.floor(before.length / 4))
    for (let i = 0; i < 20; i++) {
      assert.ok(real.set(`new ${i}`, valueOf('new', i, 900)))
      checkIntegrity(real.store)
    }
    assert.ok(real.pagesVacated > 0 && real.itemsMoved > 0)
    for (const key of kept) assert.ok(real.get(key), `${key} had been used lately`)
    for (let i = 0; i < 20; i++) assert.ok(real.get(`new ${i}`)?.equals(valueOf('new', i, 900)))
  })

  it('counts as moved what was copied, and not what was evicted on the way', () => {
    // In the order of their places, items are victims themselves when their page is emptied.
    for (const stride of [1, 3]) {
      const real = new TestStore()
      const { store } = real
      const relocate = store.relocate.bind(store)
      let copies = 0
      store.relocate = (from, to) => {
        copies++
        relocate(from, to)
      }
      for (let i = 0; i < 200; i++) real.set(`${i}`, Buffer.alloc(300))
      for (let i = 0; i < 200; i += stride) real.touch(`${i}`)
      for (let i = 0; i < 10; i++) real.set(`large ${i}`, Buffer.alloc(1200))
      assert.ok(real.pagesVacated > 0)
      assert.equal(real.itemsMoved, copies)
    }
  })

  it('is made for an item of many pages, and whoever is evicted for it was announced', () => {
    const real = new TestStore()
    const keys = Array.from({ length: 400 }, (_, i) => `small ${i}`)
    for (const key of keys) real.set(key, valueOf(key, 0, 100))
    const value = valueOf('large', 1, 30_000)
    assert.ok(real.set('large', value))
    checkIntegrity(real.store)
    assert.ok(real.get('large')?.equals(value))
    const evicted = new Set(real.evicted)
    for (const key of keys) assert.equal(real.get(key) === undefined, evicted.has(key), key)
    assert.equal(real.evicted.length, evicted.size)
  })

  it('is not made for what can never fit, and then nothing is evicted', () => {
    const real = new TestStore()
    for (let i = 0; i < 30; i++) real.set(`${i}`, Buffer.alloc(HALF_PAGE))
    real.evicted.length = 0
    assert.equal(real.reserve('huge', Buffer.alloc(65_536)), 0)
    assert.equal(real.reserve('huge', Buffer.alloc(2 ** 20)), 0)
    assert.deepEqual(real.evicted, [])
  })

  it('is not made for an item of many pages where pins leave no window for it', () => {
    const real = new TestStore()
    const { store } = real
    const pinned = new Map<string, number>()
    for (let i = 0; store.slabs.pagesInUse < store.slabs.pageLimit; i++) {
      const key = `${i}`
      real.set(key, valueOf(key, 0, HALF_PAGE))
      // Every other item begins a page, and every eighth one a fourth page.
      if (i % 8 !== 0) continue
      const item = real.find(key)
      assert.ok(store.pin(item))
      pinned.set(key, item)
    }
    assert.equal(pinned.size, 4)
    assert.equal(real.reserve('large', Buffer.alloc(4 * 4096)), 0)
    assert.deepEqual(real.evicted, [], 'nothing is evicted in vain')
    assert.notEqual(real.reserve('large', Buffer.alloc(2 * 4096)), 0)
    for (const [key, item] of pinned) {
      assert.ok(real.valueOf(item).equals(valueOf(key, 0, HALF_PAGE)))
    }
    checkIntegrity(store)
  })

  it('is made around pinned items', () => {
    const real = new TestStore()
    real.set('pinned', valueOf('pinned', 1, 100))
    const item = real.find('pinned')
    real.store.pin(item)
    for (let i = 0; i < 2000; i++) {
      // Sizes of chunks that grow: their pages have to go from one class to the next.
      assert.ok(real.set(`${i}`, valueOf(`${i}`, 0, 40 + ((i * 37) % 100) + (i >> 1))))
      assert.ok(real.valueOf(item).equals(valueOf('pinned', 1, 100)))
    }
    assert.ok(real.pagesVacated > 0)
    real.store.unpin(item)
    checkIntegrity(real.store)
  })

  it('evicts no more than an LRU of the same bytes would, by far', () => {
    // Sizes change slowly: memory has to follow them without throwing the store away.
    const real = new TestStore({ memoryBytesMax: 524_288 })
    let written = 0
    for (let i = 0; i < 6000; i++) {
      const size = 100 + Math.floor(i / 10)
      real.set(`${i}`, Buffer.alloc(size))
      written += size + 52
    }
    assert.ok(written > 3 * 524_288)
    assert.ok(real.store.usedBytes > 0.75 * 524_288, `${real.store.usedBytes} bytes are in use`)
    checkIntegrity(real.store)
  })
})

describe('items', () => {
  it('cost the garbage collector nothing: 200,000 of them leave its heap as it was', () => {
    const child = fileURLToPath(new URL('heap-growth.ts', import.meta.url))
    const output = execFileSync(
      process.execPath,
      ['--expose-gc', '--import', 'tsx', child, '200000'],
      { encoding: 'utf8' },
    )
    const [items, grownBytes] = output.split(' ').map(Number)
    assert.equal(items, 200_000)
    assert.ok(grownBytes! < 2 * 2 ** 20, `the heap has grown by ${grownBytes} bytes`)
  })
})

describe('rewriting an item in its place', () => {
  it('changes its length and keeps its chunk, as long as the size class is the same', () => {
    const real = new TestStore()
    real.set('key', valueOf('key', 0, 100))
    const item = real.find('key')
    const used = real.store.usedBytes
    assert.ok(real.store.rewrite(item, 96))
    assert.equal(real.find('key'), item)
    assert.equal(real.get('key')!.length, 96)
    assert.equal(real.store.usedBytes, used - 4)
    checkIntegrity(real.store)
  })

  it('is refused for another size class, for whole pages, and while somebody reads it', () => {
    const real = new TestStore()
    real.set('key', valueOf('key', 0, 100))
    real.set('large', valueOf('large', 0, 5000))
    const item = real.find('key')
    assert.equal(real.store.rewrite(item, 300), false)
    assert.equal(real.store.rewrite(real.find('large'), 5001), false)
    real.store.pin(item)
    assert.equal(real.store.rewrite(item, 100), false)
    real.store.unpin(item)
    assert.ok(real.store.rewrite(item, 100))
    assert.ok(real.get('key')!.equals(valueOf('key', 0, 100)))
    checkIntegrity(real.store)
  })
})
