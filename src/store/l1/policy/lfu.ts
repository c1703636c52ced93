/**
 * LFU with ageing: the item evicted is one of the least often used of late, and among equals the one
 * that was not used for the longest time.
 *
 * ```
 * level 31  most often used   head (newest) <-> ... <-> tail (oldest)
 *  ...
 * level 0   new, or forgotten head          <-> ... <-> tail = victim        an item knows its level
 * ```
 * Levels are powers of two: an item of level n rises with one use in 2^n, so that level n means some
 * 2^n uses. And every level lets go, to the level below, as many items from its old end as it holds
 * in a period of four requests per item of the store: what is not used at all in that time sinks by
 * one level, which halves its frequency. So yesterday's favourites leave within a few periods, a few
 * items at a time.
 *
 * Source of the idea of a frequency that decays: A. Robinson, M. Devarakonda, "Data cache management
 * using frequency-based replacement" (1990); of the logarithmic counter: R. Morris, "Counting large
 * numbers of events in small registers" (1978).
 */
import type { Heap } from '../heap.ts'
import { createTable } from '../heap.ts'
import { hashOf, policyByte, setPolicyByte } from '../layout.ts'
import type { EvictionPolicy } from './policy.ts'
import { ItemQueue } from './queue.ts'

const LEVELS = 32
/** Requests per item of the store in which an unused item sinks by one level. */
const PERIOD_FACTOR = 4
/** Requests between two rounds of ageing. */
const ROUND = 64
/** Items that sink from one level in one round at most. */
const SINKING_MAX = 64

export class LfuPolicy implements EvictionPolicy {
  readonly #words: Int32Array
  readonly #levels: readonly ItemQueue[]
  readonly #length: Int32Array = createTable(LEVELS)
  /** What a level still owes of the items that should have sunk, in parts of an item. */
  readonly #owed: Float64Array = new Float64Array(LEVELS)
  /** One bit for each level that holds something. */
  #occupied = 0
  #count = 0
  #requests = 0
  #random = 1

  constructor(heap: Heap) {
    this.#words = heap.words
    this.#levels = Array.from({ length: LEVELS }, () => new ItemQueue(heap))
  }

  inserted(item: number): void {
    this.#insert(item, 0)
  }
  insertedAgain(item: number): void {
    this.#insert(item, 1)
  }
  insertedCold(item: number): void {
    setPolicyByte(this.#words, item, 0)
    this.#levels[0]!.pushBack(item)
    this.#counted(0, 1)
    this.#count++
  }

  missed(): void {
    // What is not there has no place in the order.
  }

  touched(item: number): void {
    const level = policyByte(this.#words, item)
    if (level < LEVELS - 1 && this.#rises(item, level)) this.#move(item, level, level + 1)
    else this.#levels[level]!.moveToFront(item)
    this.#age()
  }
  rewritten(item: number): void {
    this.touched(item)
  }

  replaced(from: number, to: number): void {
    const level = policyByte(this.#words, from)
    setPolicyByte(this.#words, to, level)
    this.#levels[level]!.replace(from, to)
    this.touched(to)
  }

  removed(item: number): void {
    const level = policyByte(this.#words, item)
    this.#levels[level]!.remove(item)
    this.#counted(level, -1)
    this.#count--
  }

  relocated(from: number, to: number): void {
    this.#levels[policyByte(this.#words, to)]!.replace(from, to)
  }

  victim(): number {
    return this.#tailFrom(0)
  }

  after(item: number): number {
    const level = policyByte(this.#words, item)
    const newer = this.#levels[level]!.newer(item)
    return newer === 0 ? this.#tailFrom(level + 1) : newer
  }

  #insert(item: number, level: number): void {
    setPolicyByte(this.#words, item, level)
    this.#levels[level]!.pushFront(item)
    this.#counted(level, 1)
    this.#count++
    this.#age()
  }

  /** The oldest item of the lowest level from this one on that holds something. */
  #tailFrom(level: number): number {
    if (level === LEVELS) return 0
    const occupied = this.#occupied & (-1 << level)
    if (occupied === 0) return 0
    return this.#levels[31 - Math.clz32(occupied & -occupied)]!.tail
  }

  #move(item: number, from: number, to: number): void {
    this.#levels[from]!.remove(item)
    this.#counted(from, -1)
    setPolicyByte(this.#words, item, to)
    this.#levels[to]!.pushFront(item)
    this.#counted(to, 1)
  }

  #counted(level: number, change: number): void {
    const length = this.#length[level]! + change
    this.#length[level] = length
    if (length === 0) this.#occupied &= ~(1 << level)
    else this.#occupied |= 1 << level
  }

  /** True once in 2^level times (Marsaglia's xorshift32, stirred with the item). */
  #rises(item: number, level: number): boolean {
    let random = this.#random
    random ^= random << 13
    random ^= random >>> 17
    random ^= random << 5
    this.#random = random
    return ((random ^ hashOf(this.#words, item)) & ((1 << level) - 1)) === 0
  }

  /** Lets unused items sink: after a round of requests, of each level what is due of it. */
  #age(): void {
    if (++this.#requests < ROUND) return
    this.#requests = 0
    const share = ROUND / (PERIOD_FACTOR * Math.max(1, this.#count))
    for (let level = 1; level < LEVELS; level++) {
      const length = this.#length[level]!
      if (length === 0) continue
      const owed = this.#owed[level]! + length * share
      const sinking = Math.min(Math.floor(owed), length, SINKING_MAX)
      this.#owed[level] = Math.min(owed - sinking, 1)
      for (let i = 0; i < sinking; i++) this.#move(this.#levels[level]!.tail, level, level - 1)
    }
  }
}
