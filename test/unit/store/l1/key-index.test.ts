import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Bytes } from '../../../../src/bytes/ascii.ts'
import { bytesOf } from '../../../../src/bytes/ascii.ts'
import { createHeap } from '../../../../src/store/l1/heap.ts'
import type { Heap } from '../../../../src/store/l1/heap.ts'
import { KeyIndex } from '../../../../src/store/l1/key-index.ts'
import { hashNext, initialize, keyStart } from '../../../../src/store/l1/layout.ts'
import { seededWords } from '../../../helpers/store.ts'

const ITEMS = 5000
const ITEM_UNITS = 8
const KEY_BYTES = 4

/** A heap with items of 64 bytes, of which item i has the key i. */
function withItems(hash: (i: number) => number): {
  heap: Heap
  items: number[]
  hashes: number[]
} {
  const heap = createHeap(64, 524_288, 1)
  const items = Array.from({ length: ITEMS }, (_, i) => (i + 1) * ITEM_UNITS)
  const hashes = items.map((_, i) => hash(i))
  for (const [i, item] of items.entries()) {
    initialize(heap.words, item, hashes[i]!, KEY_BYTES, 0, 1)
    heap.bytes.buffer.writeUInt32LE(i, keyStart(item))
  }
  return { heap, items, hashes }
}

function key(i: number): Bytes {
  const buffer = Buffer.alloc(KEY_BYTES)
  buffer.writeUInt32LE(i)
  return bytesOf(buffer)
}

const random = seededWords(7)
const anyHash = (): number => random() | 0

describe('the key index', () => {
  it('is the same after reading ahead, for keys that are there and others', () => {
    // Long chains, and an item that ends where the heap does.
    const { heap, items, hashes } = withItems((i) => i % 64)
    const index = new KeyIndex(heap, 16_384, ITEMS)
    for (const item of items) index.insert(item)
    const last = heap.words.length / 2 - ITEM_UNITS
    initialize(heap.words, last, 77, KEY_BYTES, ITEM_UNITS * 8 - 48 - KEY_BYTES, 1)
    index.insert(last)
    const before = Buffer.from(heap.bytes.buffer)
    for (let hash = 0; hash < 100; hash += 10) {
      const some = Int32Array.from({ length: 10 }, (_, i) => hash + i)
      index.prefetch(some, 10)
    }
    assert.ok(heap.bytes.buffer.equals(before))
    assert.equal(index.find(hashes[70]!, key(70), 0, KEY_BYTES), items[70])
    assert.equal(index.find(77, key(0), 0, KEY_BYTES), last)
  })

  it('finds every key after each bucket that is added', () => {
    const { heap, items, hashes } = withItems(anyHash)
    const index = new KeyIndex(heap, 16_384, ITEMS)
    const bucketsAtStart = index.bucketCount
    assert.equal(bucketsAtStart, 64)
    for (let i = 0; i < ITEMS; i++) {
      index.insert(items[i]!)
      const before = index.bucketCount
      if (index.wantsGrowth) {
        index.grow()
        assert.equal(index.bucketCount, before + 1)
      }
      // All of them now and then, and always those of the bucket that was split last.
      const step = i % 500 === 0 ? 1 : 97
      for (let j = i % step; j <= i; j += step) {
        assert.equal(index.find(hashes[j]!, key(j), 0, KEY_BYTES), items[j])
      }
    }
    for (let i = 0; i < ITEMS; i++) {
      assert.equal(index.find(hashes[i]!, key(i), 0, KEY_BYTES), items[i])
    }
    assert.equal(index.bucketCount, ITEMS)
    assert.equal(index.level, Math.floor(Math.log2(ITEMS)))
    assert.equal(index.memoryBytes, ITEMS * 4)
  })

  it('has the buckets of linear hashing: those below the split told apart by one bit more', () => {
    const { heap, items } = withItems(anyHash)
    const index = new KeyIndex(heap, 1024, ITEMS)
    for (const item of items.slice(0, 1500)) {
      index.insert(item)
      if (index.wantsGrowth) index.grow()
      const count = index.bucketCount
      const level = 2 ** Math.floor(Math.log2(count))
      for (const hash of [0, 1, level - 1, level, -1, anyHash(), anyHash()]) {
        const low = (hash >>> 0) % level
        const expected = low < count - level ? (hash >>> 0) % (level * 2) : low
        assert.equal(index.bucketOf(hash), expected)
      }
    }
  })

  it('keeps chains short: below four items in a bucket on average of those that are searched', () => {
    const { heap, items } = withItems(anyHash)
    const index = new KeyIndex(heap, 1024, ITEMS)
    for (const item of items) {
      index.insert(item)
      if (index.wantsGrowth) index.grow()
    }
    let visits = 0
    for (let bucket = 0; bucket < index.bucketCount; bucket++) {
      let length = 0
      for (let item = index.bucketHead(bucket); item !== 0; item = hashNext(heap.words, item)) {
        visits += ++length
      }
    }
    assert.ok(visits / ITEMS < 2, `${visits / ITEMS} visits a search`)
  })

  it('tells keys apart that have the same hash, and keys of other lengths', () => {
    const { heap, items } = withItems(() => 0x5a5a_5a5a)
    const index = new KeyIndex(heap, 16_384, ITEMS)
    for (const item of items.slice(0, 20)) index.insert(item)
    for (let i = 0; i < 20; i++) {
      assert.equal(index.find(0x5a5a_5a5a, key(i), 0, KEY_BYTES), items[i])
    }
    assert.equal(index.find(0x5a5a_5a5a, key(20), 0, KEY_BYTES), 0)
    assert.equal(index.find(0x5a5a_5a5a, key(0), 0, KEY_BYTES - 1), 0)
    assert.equal(index.find(0x5a5a_5a5b, key(0), 0, KEY_BYTES), 0)
  })

  it('removes from the front, the middle and the end of a chain', () => {
    for (const removed of [0, 1, 2]) {
      const { heap, items } = withItems(() => 1)
      const index = new KeyIndex(heap, 16_384, ITEMS)
      for (const item of items.slice(0, 3)) index.insert(item)
      index.remove(items[removed]!)
      assert.equal(index.count, 2)
      for (let i = 0; i < 3; i++) {
        const expected = i === removed ? 0 : items[i]
        assert.equal(index.find(1, key(i), 0, KEY_BYTES), expected)
      }
    }
  })

  it('lets a copy take the place of an item in a chain', () => {
    for (const moved of [0, 1, 2]) {
      const { heap, items } = withItems(() => 1)
      const index = new KeyIndex(heap, 16_384, ITEMS)
      for (const item of items.slice(0, 3)) index.insert(item)
      const from = items[moved]!
      const to = items[10]!
      heap.bytes.buffer.copyWithin(to * 8, from * 8, (from + ITEM_UNITS) * 8)
      index.replace(from, to)
      assert.equal(index.count, 3)
      for (let i = 0; i < 3; i++) {
        assert.equal(index.find(1, key(i), 0, KEY_BYTES), i === moved ? to : items[i])
      }
    }
  })

  it('refuses to remove an item that it does not hold', () => {
    const { heap, items } = withItems(() => 1)
    const index = new KeyIndex(heap, 16_384, ITEMS)
    index.insert(items[0]!)
    assert.throws(() => index.remove(items[1]!), /assertion failed/)
  })

  it('begins with one part in 64 of the memory and at most 2^16 buckets', () => {
    const { heap } = withItems(() => 1)
    assert.equal(new KeyIndex(heap, 65_536, 2 ** 20).bucketCount, 256)
    assert.equal(new KeyIndex(heap, 2 ** 30, 2 ** 20).bucketCount, 65_536)
    assert.equal(new KeyIndex(heap, 2 ** 30, 1000).bucketCount, 1024)
    assert.equal(new KeyIndex(heap, 2 ** 30, 1).bucketCount, 2)
  })

  it('does not grow beyond a bucket for each item that there can be', () => {
    const { heap, items } = withItems(anyHash)
    const index = new KeyIndex(heap, 1024, 100)
    for (const item of items.slice(0, 300)) {
      index.insert(item)
      if (index.wantsGrowth) index.grow()
    }
    assert.equal(index.bucketCount, 128)
  })
})
