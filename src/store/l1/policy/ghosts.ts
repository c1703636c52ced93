/**
 * Which keys were evicted a short while ago: fingerprints, bounded by age.
 *
 * ```
 * bucket, 16 bytes: 8 slots    slot, 16 bits: | fingerprint 12 | age 4 |     age 0 = empty
 * ```
 * Time is counted in keys added, the age in elevenths of the time that a ghost lives. A key is added
 * in the place of the oldest of its bucket. Some buckets, mostly two, are swept with each addition, so
 * that nothing outlives the range of the age. There is a bucket for every six items, and one more as the store
 * grows, by linear hashing as in `key-index.ts`; a new bucket begins as a copy of the one that it
 * takes keys from.
 *
 * A key that was never here is taken for a ghost once in some 700 times: that is harmless.
 */
import { createTable } from '../heap.ts'

const SLOTS = 8
const ITEMS_PER_BUCKET = 6
const BUCKETS_START = 32
const AGE_MASK = 15
const AGES = 15
/** Ages that a ghost lives; the other ones are for the sweep to come by. */
const AGES_ALIVE = 11
/** A round of the sweep has to be over while a ghost is dead but its age has not come round. */
const AGES_PER_ROUND = 2
/** Even a store that has shrunk to a fraction does no more work at a time than this. */
const SWEPT_MAX = 64

export class Ghosts {
  readonly #slots: Uint16Array
  readonly #bucketsMax: number
  #mask: number = BUCKETS_START - 1
  #split = 0
  /** Now, 1 to 15, in a circle. */
  #age = 1
  #additions = 0
  #sweepAt = 0

  constructor(itemsMax: number) {
    this.#bucketsMax = Math.max(BUCKETS_START, Math.ceil(itemsMax / ITEMS_PER_BUCKET))
    this.#slots = new Uint16Array(createTable((this.#bucketsMax * SLOTS) / 2).buffer)
  }

  /** Bytes in use. */
  get memoryBytes(): number {
    return this.#bucketCount * SLOTS * 2
  }

  /** Adds a key; it is remembered until `lifetime` others were added. */
  add(hash: number, lifetime: number): void {
    const slots = this.#slots
    const swept = (this.#bucketCount * AGES_ALIVE) / (AGES_PER_ROUND * lifetime)
    for (let i = 0; i < swept && i < SWEPT_MAX; i++) this.#sweep()
    const first = this.#bucket(hash)
    let oldest = first
    let oldestAge = -1
    for (let slot = first; slot < first + SLOTS; slot++) {
      const age = this.#ageOf(slots[slot]!)
      if (age <= oldestAge) continue
      oldest = slot
      oldestAge = age
    }
    slots[oldest] = (fingerprint(hash) << 4) | this.#age
    if (++this.#additions * AGES_ALIVE >= lifetime) {
      this.#additions = 0
      this.#age = this.#age === AGES ? 1 : this.#age + 1
    }
  }

  /** Whether the key is remembered; it is not afterwards. */
  take(hash: number): boolean {
    const slots = this.#slots
    const first = this.#bucket(hash)
    const wanted = fingerprint(hash)
    for (let slot = first; slot < first + SLOTS; slot++) {
      const content = slots[slot]!
      if (content >>> 4 !== wanted || this.#ageOf(content) > AGES_ALIVE) continue
      slots[slot] = 0
      return true
    }
    return false
  }

  /** Adapts to the number of items, by at most one bucket; called as the store grows. */
  growFor(items: number): void {
    const count = this.#bucketCount
    if (items <= count * ITEMS_PER_BUCKET || count >= this.#bucketsMax) return
    const from = this.#split * SLOTS
    this.#slots.copyWithin(count * SLOTS, from, from + SLOTS)
    this.#split++
    if (this.#split > this.#mask) {
      this.#split = 0
      this.#mask = this.#mask * 2 + 1
    }
  }

  get #bucketCount(): number {
    return this.#mask + 1 + this.#split
  }

  #bucket(hash: number): number {
    const index = hash & this.#mask
    return (index < this.#split ? hash & (this.#mask * 2 + 1) : index) * SLOTS
  }

  /** Ages that went by since a slot was filled; of an empty one, more than any. */
  #ageOf(content: number): number {
    const age = content & AGE_MASK
    if (age === 0) return AGES
    return this.#age >= age ? this.#age - age : this.#age + AGES - age
  }

  #sweep(): void {
    const slots = this.#slots
    const first = this.#sweepAt * SLOTS
    for (let slot = first; slot < first + SLOTS; slot++) {
      if (this.#ageOf(slots[slot]!) > AGES_ALIVE) slots[slot] = 0
    }
    this.#sweepAt = this.#sweepAt + 1 < this.#bucketCount ? this.#sweepAt + 1 : 0
  }
}

/** 12 bits of the hash, other ones than those that choose the bucket. */
function fingerprint(hash: number): number {
  return Math.imul(hash, 0x9e37_79b1) >>> 20
}
