/**
 * The second tier: what becomes of items in memory when there is a disk.
 *
 * Whatever changes in memory is told here. An item that the disk does not have as it is now is in the
 * state CHANGED; it gets there by being gathered for the next batch, or, with `on-evict`, by
 * leaving memory. What leaves memory without that state is on disk already, and just leaves.
 *
 * ```
 *             changed            written              evicted
 *   clean ───────────▶ CHANGED ───────────▶ clean ───────────▶ on disk only
 *                        │  evicted                               │ asked for
 *                        └──────────────▶ staged ─▶ on disk only ─┴──────────▶ clean
 * ```
 */
import type { Bytes } from '../bytes/ascii.ts'
import type { Clock } from '../observe/clock.ts'
import type { Logger } from '../observe/log.ts'
import { METRIC } from '../observe/metrics.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { L1Store } from '../store/l1/l1-store.ts'
import {
  STATE,
  addState,
  casHi,
  casLo,
  clientFlags,
  expiresAt,
  hasState,
  hashOf,
  itemBytes,
  keyBytes,
  keyStart,
  removeState,
  stateBits,
  valueBytes,
} from '../store/l1/layout.ts'
import { L2Store } from '../store/l2/l2-store.ts'
import type { L2Options } from '../store/l2/l2-store.ts'
import { emptyRecordView } from '../store/l2/record.ts'
import type { RecordFields } from '../store/l2/record.ts'
import type { ChangeSource } from '../store/l2/write-behind.ts'
import { ChangedItems } from './changed-items.ts'
import { hashKey, highSeed } from './key-hash.ts'
import type { HashSeed } from './key-hash.ts'
import { KEPT_STATES, Loader } from './loader.ts'
import type { Adopter } from './loader.ts'
import { takeChanges } from './option-changes.ts'
import { isAdmitted, isLarge } from './tiers.ts'
import type { TierRules } from './tiers.ts'
import { WarmUp } from './warm-up.ts'
import type { KeyHasher } from './warm-up.ts'

/** Writing begins before the interval is over when this part of what may wait has gathered. */
const EARLY_PART = 8
/** Handles in the ring before it is looked how many of them still mean something. */
const RING_MIN = 65_536
const RING_PER_ITEM = 4

export interface TierOptions extends L2Options {
  readonly rules: TierRules
  /** Changes are acknowledged when they are written. */
  readonly writesThrough: boolean
  /** Changes stay in memory until they leave it. */
  readonly onEvict: boolean
  /** Memory to fill after a start, 0 for none, and how fast. */
  readonly warmUp: { readonly memoryBytes: number; readonly bytesPerS: number }
}

/** What the tier needs to know of the cache above it. */
export interface TierHost extends Adopter {
  /** The last sequence number that was given out, as an integer. */
  readonly sequence: number
  /** Whether an item is expired or flushed. */
  isDead(item: number): boolean
}

export class DiskTier implements ChangeSource, KeyHasher {
  l2!: L2Store
  readonly #options: TierOptions
  readonly #l1: L1Store
  readonly #words: Int32Array
  readonly #heap: Bytes
  readonly #host: TierHost
  readonly #clock: Clock
  readonly #metrics: Metrics
  readonly #changed = new ChangedItems()
  #warmUp!: WarmUp
  #seed!: HashSeed
  #highSeed!: HashSeed
  /** Reused for each record that is written. */
  readonly #fields: RecordFields = emptyRecordView()
  /** Bytes of items that wait in the ring, or a little more. */
  changedBytes = 0
  /** Changes that were made so far. */
  changes = 0
  loader!: Loader

  private constructor(
    options: TierOptions,
    l1: L1Store,
    host: TierHost,
    clock: Clock,
    metrics: Metrics,
  ) {
    this.#options = options
    this.#l1 = l1
    this.#words = l1.heap.words
    this.#heap = l1.heap.bytes
    this.#host = host
    this.#clock = clock
    this.#metrics = metrics
  }

  /** Opens the disk. Rejects with a ServerError, see `L2Store.open`. */
  static async open(
    options: TierOptions,
    l1: L1Store,
    host: TierHost,
    clock: Clock,
    metrics: Metrics,
    log: Logger,
  ): Promise<DiskTier> {
    const tier = new DiskTier(options, l1, host, clock, metrics)
    tier.l2 = await L2Store.open(options, tier, clock, metrics, log)
    const { seedK0, seedK1, clockS } = tier.l2.facts
    clock.notBefore(clockS)
    tier.#seed = { k0: seedK0, k1: seedK1 }
    tier.#highSeed = highSeed(tier.#seed)
    tier.loader = new Loader(tier.l2, l1, options.rules, host, metrics)
    tier.#warmUp = new WarmUp(l1, tier.l2, tier.loader, tier, options.rules, clock, log)
    return tier
  }

  /** The seed of hashes in memory and on disk. */
  get seed(): HashSeed {
    return this.#seed
  }
  get sequence(): number {
    return this.#host.sequence
  }
  get writesThrough(): boolean {
    return this.#options.writesThrough
  }
  get rules(): TierRules {
    return this.#options.rules
  }
  get loadingCount(): number {
    return this.loader.count
  }

  // ------------------------------------------------------------------ asking

  /** Whether a key that is not in memory is on disk, or may be: then `loader.load` finds out. */
  holds(hash: number, bytes: Bytes, start: number, length: number): boolean {
    return this.loader.holds(hash, this.hashHi(bytes, start, length), bytes, start, length)
  }

  hashLo(bytes: Bytes, start: number, length: number): number {
    return hashKey(this.#seed, bytes, start, length)
  }
  hashHi(bytes: Bytes, start: number, length: number): number {
    return hashKey(this.#highSeed, bytes, start, length)
  }

  // ---------------------------------------------------------------- changing

  /** An item in memory is not as the disk has it any more. */
  changed(item: number): void {
    this.changes++
    const words = this.#words
    if (hasState(words, item, STATE.CHANGED)) return
    addState(words, item, STATE.CHANGED)
    const hashHi = this.#hashHiOf(item)
    const length = valueBytes(words, item)
    if (this.#options.onEvict && !isLarge(this.#options.rules, length)) {
      this.l2.invalidate(hashHi, hashOf(words, item), this.sequence)
    } else {
      this.l2.supersede(hashHi, hashOf(words, item), this.sequence)
      this.#enqueue(item)
    }
  }

  /** A new item takes the place of one that has been changed and not been written. */
  changedAgain(item: number): void {
    this.changes++
    addState(this.#words, item, STATE.CHANGED)
    const isLargeOne = isLarge(this.#options.rules, valueBytes(this.#words, item))
    if (!this.#options.onEvict || isLargeOne) {
      this.#enqueue(item)
      return
    }
    // Where a large value was to be written, what the disk had before it is still in the index.
    this.l2.invalidate(this.#hashHiOf(item), hashOf(this.#words, item), this.sequence)
  }

  isChanged(item: number): boolean {
    return hasState(this.#words, item, STATE.CHANGED)
  }

  /** A changed item has moved in memory. */
  moved(item: number): void {
    if (hasState(this.#words, item, STATE.CHANGED) && !this.#options.onEvict) this.#enqueue(item)
  }

  /** An item in memory is deleted. */
  removed(item: number): void {
    this.changes++
    this.l2.invalidate(this.#hashHiOf(item), hashOf(this.#words, item), this.sequence)
  }

  /** What is stored under a key that is not in memory is deleted. */
  discard(hash: number, bytes: Bytes, start: number, length: number): void {
    const hashHi = hashKey(this.#highSeed, bytes, start, length)
    if (this.l2.invalidate(hashHi, hash, this.sequence)) this.changes++
  }

  /** A dead item leaves memory. The disk may have it as it was before it was changed. */
  died(item: number): void {
    if (hasState(this.#words, item, STATE.CHANGED)) {
      this.l2.invalidate(this.#hashHiOf(item), hashOf(this.#words, item), this.sequence)
    }
  }

  /** A live item is about to leave memory. Returns whether the disk has it, or will. */
  demote(item: number): boolean {
    const words = this.#words
    const hashHi = this.#hashHiOf(item)
    const hashLo = hashOf(words, item)
    const isChanged = hasState(words, item, STATE.CHANGED)
    if (!isChanged && this.l2.find(hashHi, hashLo) !== 0) return true
    if (this.#add(item, hashHi, hashLo)) return true
    if (isChanged) this.l2.invalidate(hashHi, hashLo, this.sequence)
    return false
  }

  addChanged(full: () => boolean): boolean {
    const words = this.#words
    const ring = this.#changed
    while (ring.count > 0) {
      if (full()) return false
      const item = ring.shift()
      if (!this.#l1.slabs.isChunk(item)) continue
      if (!hasState(words, item, STATE.LINKED) || !hasState(words, item, STATE.CHANGED)) continue
      const bytes = itemBytes(keyBytes(words, item), valueBytes(words, item))
      this.changedBytes -= bytes
      if (this.#host.isDead(item)) {
        this.died(item)
        removeState(words, item, STATE.CHANGED)
        continue
      }
      const hashHi = this.#hashHiOf(item)
      const hashLo = hashOf(words, item)
      if (!this.#isAdmitted(item)) {
        this.#metrics.count(METRIC.L2_REFUSED)
        this.l2.invalidate(hashHi, hashLo, this.sequence)
        // The next change may make it one that is admitted, and has to be heard of.
        removeState(words, item, STATE.CHANGED)
        continue
      }
      if (!this.#write(item, hashHi, hashLo)) {
        if (this.l2.writer.degraded) {
          this.#enqueue(item)
          return false
        }
        // The index has no room for it. It stays in memory, and its next change is heard of.
        this.#metrics.count(METRIC.L2_LOST)
        this.l2.invalidate(hashHi, hashLo, this.sequence)
        removeState(words, item, STATE.CHANGED)
        continue
      }
      if (isLarge(this.#options.rules, valueBytes(words, item))) {
        this.#metrics.count(METRIC.L2_DEMOTIONS)
        this.#l1.unlink(item)
      }
    }
    this.changedBytes = 0
    return true
  }

  flush(pendingAtS: number): void {
    this.changes++
    this.l2.flush(this.sequence, pendingAtS)
  }

  /** Begins to write and, when it is known what there is, to fill memory. */
  start(): void {
    this.l2.start()
    const { memoryBytes, bytesPerS } = this.#options.warmUp
    if (memoryBytes === 0) return
    void this.l2.recovered.then(() => this.#warmUp.run(memoryBytes, bytesPerS))
  }

  /** Takes what is different in `next` from `before`; the rest may have been changed by commands since. */
  reconfigure(before: TierOptions, next: TierOptions): void {
    takeChanges(this.#options, before, next)
    // What had been left in memory is written from now on.
    if (before.onEvict && !next.onEvict) this.#gatherAll()
    this.l2.optionsChanged()
  }

  tick(): void {
    this.l2.reserveSequences(this.sequence)
  }

  /** Writes what is in memory only, and closes. */
  async close(): Promise<void> {
    this.#warmUp.stop()
    if (this.#options.onEvict) this.#gatherAll()
    await this.l2.close()
  }

  // ------------------------------------------------------------------ inside

  #enqueue(item: number): void {
    // Where the disk takes nothing for long, handles of items that have left would fill the ring.
    if (this.#changed.count > RING_MIN + RING_PER_ITEM * this.#l1.count) this.#gatherAll()
    this.#changed.push(item)
    this.changedBytes += itemBytes(keyBytes(this.#words, item), valueBytes(this.#words, item))
    if (this.changedBytes > this.#options.stagedBytesMax / EARLY_PART) this.l2.writer.writeSoon()
  }

  /** Puts every changed item into the ring, once. */
  #gatherAll(): void {
    const { policy } = this.#l1
    this.#changed.clear()
    for (let item = policy.victim(); item !== 0; item = policy.after(item)) {
      if (hasState(this.#words, item, STATE.CHANGED)) this.#changed.push(item)
    }
    this.changedBytes = Math.max(1, this.changedBytes)
  }

  /** Adds an item to what is written next, if it may go to disk and there is room. */
  #add(item: number, hashHi: number, hashLo: number): boolean {
    if (!this.#isAdmitted(item)) {
      this.#metrics.count(METRIC.L2_REFUSED)
      return false
    }
    if (this.#write(item, hashHi, hashLo)) return true
    this.#metrics.count(METRIC.L2_LOST)
    return false
  }

  #isAdmitted(item: number): boolean {
    const words = this.#words
    const expiresAtS = expiresAt(words, item)
    const secondsToLive = expiresAtS === 0 ? Infinity : expiresAtS - this.#clock.nowS
    return isAdmitted(this.#options.rules, valueBytes(words, item), secondsToLive)
  }

  #write(item: number, hashHi: number, hashLo: number): boolean {
    const words = this.#words
    const fields = this.#fields
    fields.clientFlags = clientFlags(words, item)
    fields.expiresAtS = expiresAt(words, item)
    fields.casHi = casHi(words, item)
    fields.casLo = casLo(words, item)
    fields.state = stateBits(words, item) & KEPT_STATES
    fields.keyBytes = keyBytes(words, item)
    fields.valueBytes = valueBytes(words, item)
    const keyAt = keyStart(item)
    const valueAt = keyAt + fields.keyBytes
    if (!this.l2.add(hashHi, hashLo, fields, this.#heap, keyAt, valueAt)) return false
    removeState(words, item, STATE.CHANGED)
    return true
  }

  #hashHiOf(item: number): number {
    return hashKey(this.#highSeed, this.#heap, keyStart(item), keyBytes(this.#words, item))
  }
}
