/**
 * How often keys were used of late: a count-min sketch of 4-bit counters that forgets.
 *
 * ```
 * block, 64 bytes = one cache line:   | epoch | 120 counters of 4 bits |
 * ```
 * A key has three counters, all in one block; its frequency is the least of them. When ten times as
 * much was counted as the store has items, all counters are halved: a new epoch begins, and a block
 * is halved when it is next looked at. There is a block for every 12 items (5.3 bytes an item), and
 * one more as the store grows, by linear hashing as in `key-index.ts`: a new block begins as a copy
 * of the one that it takes keys from, so nothing ever pauses to be counted anew.
 *
 * Source: G. Einziger, R. Friedman, B. Manes, "TinyLFU: a highly efficient cache admission policy"
 * (2017), with conservative update and lazy halving.
 */
import { createTable } from '../heap.ts'

const BLOCK_WORDS = 16
const BLOCK_COUNTERS = 120
const COUNTERS_PER_WORD = 8
const COUNTER_MAX = 15
/** Three quarters of the memory lose 0.03 points of hit ratio; more gains next to nothing. */
const ITEMS_PER_BLOCK = 12
/** 16 KiB at the least: a small store has the better sketch for it. */
const BLOCKS_START = 256
/** Additions per item of the store until all counters are halved. */
const SAMPLE_FACTOR = 10
/** After this many halvings nothing is left of a counter. */
const EPOCHS_MEMORY = 4
const HALF_MASK = 0x7777_7777

export class FrequencySketch {
  readonly #table: Int32Array
  readonly #blocksMax: number
  #mask: number = BLOCKS_START - 1
  #split = 0
  #epoch = 0
  #additions = 0
  #additionsMax = SAMPLE_FACTOR * ITEMS_PER_BLOCK

  constructor(itemsMax: number) {
    this.#blocksMax = Math.max(BLOCKS_START, Math.ceil(itemsMax / ITEMS_PER_BLOCK))
    this.#table = createTable(this.#blocksMax * BLOCK_WORDS)
  }

  /** Bytes in use. */
  get memoryBytes(): number {
    return this.#blockCount * BLOCK_WORDS * 4
  }

  /** Counts a use of the key with this hash. */
  add(hash: number): void {
    const table = this.#table
    const block = this.#freshBlock(hash)
    const mixed = mix(hash)
    const a = counterAt(mixed)
    const b = counterAt(mixed >>> 7)
    const c = counterAt(mixed >>> 14)
    const least = leastOf(table, block, a, b, c)
    if (least === COUNTER_MAX) return
    raise(table, block, a, least)
    raise(table, block, b, least)
    raise(table, block, c, least)
    if (++this.#additions >= this.#additionsMax) {
      this.#additions = 0
      this.#epoch++
    }
  }

  /** About how often the key was used, 0 to 15. */
  frequency(hash: number): number {
    const block = this.#freshBlock(hash)
    const mixed = mix(hash)
    const a = counterAt(mixed)
    const b = counterAt(mixed >>> 7)
    const c = counterAt(mixed >>> 14)
    return leastOf(this.#table, block, a, b, c)
  }

  /** Adapts to the number of items, by at most one block; called as the store grows. */
  growFor(items: number): void {
    this.#additionsMax = SAMPLE_FACTOR * Math.max(items, ITEMS_PER_BLOCK)
    const count = this.#blockCount
    if (items <= count * ITEMS_PER_BLOCK || count >= this.#blocksMax) return
    const from = this.#split * BLOCK_WORDS
    this.#table.copyWithin(count * BLOCK_WORDS, from, from + BLOCK_WORDS)
    this.#split++
    if (this.#split > this.#mask) {
      this.#split = 0
      this.#mask = this.#mask * 2 + 1
    }
  }

  get #blockCount(): number {
    return this.#mask + 1 + this.#split
  }

  /** The first word of the key's block, halved as often as is due. */
  #freshBlock(hash: number): number {
    let index = hash & this.#mask
    if (index < this.#split) index = hash & (this.#mask * 2 + 1)
    const block = index * BLOCK_WORDS
    const behind = this.#epoch - this.#table[block]!
    if (behind !== 0) {
      halve(this.#table, block, behind)
      this.#table[block] = this.#epoch
    }
    return block
  }
}

/** Other bits than those that choose the block. */
function mix(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x7feb_352d)
  return mixed ^ (mixed >>> 15)
}

/** One of the counters of a block, by seven bits. */
function counterAt(bits: number): number {
  return COUNTERS_PER_WORD + (((bits & 127) * BLOCK_COUNTERS) >>> 7)
}

function counter(table: Int32Array, block: number, at: number): number {
  return (table[block + (at >>> 3)]! >>> ((at & 7) << 2)) & COUNTER_MAX
}

function leastOf(table: Int32Array, block: number, a: number, b: number, c: number): number {
  const ab = Math.min(counter(table, block, a), counter(table, block, b))
  return Math.min(ab, counter(table, block, c))
}

/** Adds one to a counter that is at the least. */
function raise(table: Int32Array, block: number, at: number, least: number): void {
  if (counter(table, block, at) === least) table[block + (at >>> 3)]! += 1 << ((at & 7) << 2)
}

function halve(table: Int32Array, block: number, times: number): void {
  for (let word = block + 1; word < block + BLOCK_WORDS; word++) {
    let counters = times < EPOCHS_MEMORY ? table[word]! : 0
    for (let i = 0; i < times && counters !== 0; i++) counters = (counters >>> 1) & HALF_MASK
    table[word] = counters
  }
}
