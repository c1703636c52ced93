/**
 * Which item has a key: a chained hash table over the heap that grows one bucket at a time.
 *
 * Linear hashing (W. Litwin, 1980). Buckets 0 to 2^level + split - 1 exist; those below `split` have
 * been split already and are told apart by one bit more of the hash:
 *
 * ```
 * bucket = hash & (2^level - 1);  if (bucket < split) bucket = hash & (2^(level+1) - 1)
 * ```
 * Every insertion beyond one item a bucket splits the next bucket. So there is never a pause for
 * rehashing, never a second table beside the first, and the memory in use is known: four bytes a
 * bucket. The table's address space is reserved at once and costs memory only where it is used.
 */
import { equalBytes } from '../../bytes/ascii.ts'
import type { Bytes } from '../../bytes/ascii.ts'
import { KEYS_AHEAD_MAX } from '../../bytes/keys-ahead.ts'
import { assert } from '../../errors.ts'
import { createTable } from './heap.ts'
import type { Heap } from './heap.ts'
import { hashNext, hashOf, keyBytes, keyStart, readThrough, setHashNext } from './layout.ts'

/** Buckets at the start, 2^16 as memcached has; a small store begins with fewer. */
const LEVEL_START_MAX = 16
/** At the start the index takes at most one part in this many of the memory of a small store. */
const START_SHARE = 64
export const BUCKET_BYTES = 4
/** So far into a chain is read ahead; hardly any is longer. */
const LINKS_AHEAD_MAX = 3
const HASH_BITS = 32
/** Behind the last bucket; see `walk`. */
export const WALK_END: number = 2 ** HASH_BITS

export class KeyIndex {
  readonly #bytes: Bytes
  readonly #words: Int32Array
  readonly #buckets: Int32Array
  #level: number
  #split = 0
  #mask: number
  count = 0
  /** Scratch space of `prefetch`. */
  readonly #ahead: Int32Array = createTable(KEYS_AHEAD_MAX)

  /** `itemsMax` is the most items there can be; more than a bucket each is never needed. */
  constructor(heap: Heap, memoryBytes: number, itemsMax: number) {
    this.#bytes = heap.bytes
    this.#words = heap.words
    const levelMax = Math.ceil(Math.log2(Math.max(2, itemsMax)))
    const levelOfShare = Math.floor(Math.log2(memoryBytes / START_SHARE / BUCKET_BYTES))
    this.#level = Math.max(1, Math.min(LEVEL_START_MAX, levelMax, levelOfShare))
    this.#mask = 2 ** this.#level - 1
    this.#buckets = createTable(2 ** levelMax)
  }

  /** Buckets that exist. */
  get bucketCount(): number {
    return this.#mask + 1 + this.#split
  }
  get memoryBytes(): number {
    return this.bucketCount * BUCKET_BYTES
  }
  /** log2 of the buckets, rounded down. */
  get level(): number {
    return this.#level
  }
  /** Whether another insertion would want one more bucket, and the table has room for it. */
  get wantsGrowth(): boolean {
    return this.count > this.bucketCount && this.bucketCount < this.#buckets.length
  }

  /** The item with the key that stands in `bytes`, or 0. */
  find(hash: number, bytes: Bytes, start: number, length: number): number {
    const words = this.#words
    let item = this.#buckets[this.#bucketOf(hash)]!
    while (item !== 0) {
      if (
        hashOf(words, item) === hash &&
        keyBytes(words, item) === length &&
        equalBytes(this.#bytes, keyStart(item), bytes, start, length)
      ) {
        return item
      }
      item = hashNext(words, item)
    }
    return 0
  }

  /**
   * Reads what finding keys, and showing their items, will read. No read here waits for another key's, so
   * that the processor has as many of them under way as it can; behind it, all is in its caches.
   */
  prefetch(hashes: Int32Array, count: number): void {
    const words = this.#words
    const items = this.#ahead
    for (let i = 0; i < count; i++) items[i] = this.#buckets[this.#bucketOf(hashes[i]!)]!
    let isThrough = false
    for (let step = 0; step < LINKS_AHEAD_MAX && !isThrough; step++) {
      isThrough = true
      for (let i = 0; i < count; i++) {
        const item = items[i]!
        if (item === 0 || hashOf(words, item) === hashes[i]) continue
        items[i] = hashNext(words, item)
        isThrough = false
      }
    }
    // What is read has to be kept: a read without a use would be optimized away.
    for (let i = 0; i < count; i++) items[i] = readThrough(words, items[i]!)
  }

  /** Adds an item whose key is not there. */
  insert(item: number): void {
    const bucket = this.#bucketOf(hashOf(this.#words, item))
    setHashNext(this.#words, item, this.#buckets[bucket]!)
    this.#buckets[bucket] = item
    this.count++
  }

  remove(item: number): void {
    this.#replaceLink(item, hashNext(this.#words, item))
    this.count--
  }

  /** Lets `to`, which has the same key, take the place of `from`. */
  replace(from: number, to: number): void {
    setHashNext(this.#words, to, hashNext(this.#words, from))
    this.#replaceLink(from, to)
  }

  /** Adds one bucket, and moves the items that belong there out of the one that is split. */
  grow(): void {
    const words = this.#words
    const low = this.#split
    const high = low + this.#mask + 1
    const bit = this.#mask + 1
    let item = this.#buckets[low]!
    let lowHead = 0
    let highHead = 0
    while (item !== 0) {
      const next = hashNext(words, item)
      if ((hashOf(words, item) & bit) === 0) {
        setHashNext(words, item, lowHead)
        lowHead = item
      } else {
        setHashNext(words, item, highHead)
        highHead = item
      }
      item = next
    }
    this.#buckets[low] = lowHead
    this.#buckets[high] = highHead
    this.#split++
    if (this.#split > this.#mask) {
      this.#split = 0
      this.#level++
      this.#mask = this.#mask * 2 + 1
    }
  }

  /** First item of a bucket, for walks. */
  bucketHead(bucket: number): number {
    return this.#buckets[bucket]!
  }

  /**
   * Walks over all items, a bucket at a time, in the order of their hashes read from the lowest bit on: the
   * bits of a bucket are the first of these, so that splitting it leaves what was visited on one side of
   * the cursor and what was not on the other. Begins at 0; the walk is over at WALK_END. Items that stay in
   * the index meanwhile are visited exactly once. `visit` must not take out another item.
   */
  walk(cursor: number, visit: (item: number) => void): number {
    const bucket = this.#bucketOf(reversed(cursor))
    let item = this.#buckets[bucket]!
    while (item !== 0) {
      const next = hashNext(this.#words, item)
      visit(item)
      item = next
    }
    const isSplit = bucket < this.#split || bucket > this.#mask
    return cursor + 2 ** (HASH_BITS - this.#level - (isSplit ? 1 : 0))
  }

  /** The bucket that a hash belongs to. */
  bucketOf(hash: number): number {
    return this.#bucketOf(hash)
  }

  #bucketOf(hash: number): number {
    const bucket = hash & this.#mask
    return bucket < this.#split ? hash & (this.#mask * 2 + 1) : bucket
  }

  #replaceLink(item: number, replacement: number): void {
    const words = this.#words
    const bucket = this.#bucketOf(hashOf(words, item))
    let at = this.#buckets[bucket]!
    if (at === item) {
      this.#buckets[bucket] = replacement
      return
    }
    while (at !== 0) {
      const next = hashNext(words, at)
      if (next === item) {
        setHashNext(words, at, replacement)
        return
      }
      at = next
    }
    assert(false, 'a linked item is in its bucket')
  }
}

/** The 32 bits of a number in reverse order: pairs change places, then pairs of pairs, and so on. */
function reversed(bits: number): number {
  let x = bits | 0
  x = ((x >>> 1) & 0x5555_5555) | ((x & 0x5555_5555) << 1)
  x = ((x >>> 2) & 0x3333_3333) | ((x & 0x3333_3333) << 2)
  x = ((x >>> 4) & 0x0f0f_0f0f) | ((x & 0x0f0f_0f0f) << 4)
  x = ((x >>> 8) & 0x00ff_00ff) | ((x & 0x00ff_00ff) << 8)
  return (x >>> 16) | (x << 16)
}
