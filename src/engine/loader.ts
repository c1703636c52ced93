/**
 * Bringing items from disk into memory: for the commands that want them, at once where that takes next to
 * no time and otherwise while they wait, and for warming up.
 *
 * ```
 *  holds ──▶ loadNow ──▶ the command runs ──▶ release
 *              │ no
 *              ▼
 *            load ──▶ (a turn later) arrived ──▶ the commands that wait run
 * ```
 * A loaded item is pinned while those run. What the disk has stays as it is: the item in memory is
 * unchanged, and may just leave.
 */
import { copyBytes } from '../bytes/ascii.ts'
import type { Bytes } from '../bytes/ascii.ts'
import type { DiskWaiter } from '../message/disk-waiter.ts'
import { METRIC } from '../observe/metrics.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { L1Store } from '../store/l1/l1-store.ts'
import {
  STATE,
  addState,
  hasState,
  setCas,
  setClientFlags,
  valueStart,
} from '../store/l1/layout.ts'
import type { L2Store } from '../store/l2/l2-store.ts'
import type { Found } from '../store/l2/record-reader.ts'
import { READ, emptyRecordView, readRecord } from '../store/l2/record.ts'
import type { RecordView } from '../store/l2/record.ts'
import type { Departures } from './departures.ts'
import { Faults } from './faults.ts'
import type { Fault, FaultHandler } from './faults.ts'
import { isLarge, isPromoted } from './tiers.ts'
import type { TierRules } from './tiers.ts'
import type { Restorer } from './warm-up.ts'

/** States of an item that go to disk and come back with it. */
export const KEPT_STATES: number = STATE.FETCHED | STATE.STALE | STATE.WON | STATE.BINARY_KEY
/** Arrivals of which the walk over the disk is told; it may miss more. */
const ARRIVALS_MAX = 1_000_000

/** Who gives a loaded item what is the cache's: its epoch and its time of use. */
export interface Adopter {
  readonly departures: Departures
  adopt(item: number): void
}

export class Loader implements FaultHandler, Restorer {
  readonly #l2: L2Store
  readonly #l1: L1Store
  readonly #words: Int32Array
  readonly #heap: Bytes
  readonly #rules: TierRules
  readonly #adopter: Adopter
  readonly #metrics: Metrics
  readonly #faults: Faults
  /** Reused for each record that is read. */
  readonly #view: RecordView = emptyRecordView()
  /** What `holds` said yes to last. */
  #asked: Bytes
  #askedStart = 0
  #askedBytes = 0
  #askedHi = 0
  #askedLo = 0
  /** What was loaded at once, for the command that runs now, and whether it stays. */
  #loaded = 0
  #loadedStays = false
  /** Hashes of items that came into memory during a walk over the disk; null while there is none. */
  arrivals: Set<number> | null = null

  constructor(l2: L2Store, l1: L1Store, rules: TierRules, adopter: Adopter, metrics: Metrics) {
    this.#l2 = l2
    this.#l1 = l1
    this.#words = l1.heap.words
    this.#heap = l1.heap.bytes
    this.#asked = l1.heap.bytes
    this.#rules = rules
    this.#adopter = adopter
    this.#metrics = metrics
    this.#faults = new Faults(l2, this)
  }

  /** Keys that are being loaded. */
  get count(): number {
    return this.#faults.count
  }

  /** Whether a key that is not in memory is on disk, or may be: then `load` finds out. */
  holds(hash: number, hashHi: number, bytes: Bytes, start: number, length: number): boolean {
    const l2 = this.#l2
    if (l2.find(hashHi, hash) === 0 && !l2.isUnknown(hashHi, hash)) return false
    if (this.#faults.isGivenUp(hashHi, hash)) return false
    this.#asked = bytes
    this.#askedStart = start
    this.#askedBytes = length
    this.#askedHi = hashHi
    this.#askedLo = hash
    return true
  }

  /**
   * Loads what `holds` said yes to, if that takes next to no time, and pins it until `release`. Returns
   * false where it does, or anything is not as it should be: then `load`.
   */
  loadNow(): boolean {
    const l2 = this.#l2
    const hashLo = this.#askedLo
    const entry = l2.find(this.#askedHi, hashLo)
    if (entry === 0 || this.#faults.isLoading(hashLo)) return false
    const found = l2.readNow(entry)
    if (found === undefined) return false
    const { bytes, offset, end } = found
    const key = this.#asked
    const keyAt = this.#askedStart
    const read = readRecord(bytes, offset, end, key, keyAt, this.#askedBytes, this.#view)
    if (read !== READ.OK) return false
    const rules = this.#rules
    const isWanted = isPromoted(rules, l2.keys.isReferenced(entry))
    const stays = isWanted && !isLarge(rules, this.#view.valueBytes)
    l2.keys.setReferenced(entry)
    const item = this.restore(hashLo, key, keyAt, this.#view, stays)
    if (item === 0) return false
    this.#metrics.count(METRIC.L2_HITS)
    if (stays) this.#promoted(item)
    this.#loaded = item
    this.#loadedStays = stays
    return true
  }

  #promoted(item: number): void {
    this.#metrics.count(METRIC.L2_PROMOTIONS)
    this.#adopter.departures.listener?.promoted(item)
  }

  /** The command that wanted what `loadNow` has loaded has run. */
  release(): void {
    this.#letGo(this.#loaded, this.#loadedStays)
    this.#loaded = 0
  }

  /** Loads what `holds` said yes to, for a waiter or, without one, ahead of its time. */
  load(waiter: DiskWaiter | null): void {
    const l2 = this.#l2
    const hashHi = this.#askedHi
    const hashLo = this.#askedLo
    const entry = l2.find(hashHi, hashLo)
    if (entry === 0) {
      if (waiter !== null) l2.inquire(hashHi, hashLo, waiter)
      return
    }
    const promote = isPromoted(this.#rules, l2.keys.isReferenced(entry))
    // What would not stay in memory is not loaded before it is needed.
    if (waiter === null && !promote) return
    l2.keys.setReferenced(entry)
    this.#faults.load(
      entry,
      hashHi,
      hashLo,
      this.#asked,
      this.#askedStart,
      this.#askedBytes,
      promote,
      waiter,
    )
  }

  arrived(fault: Fault, found: Found | undefined): void {
    const l2 = this.#l2
    const entry = l2.find(fault.hashHi, fault.hashLo)
    const isInMemory = this.#l1.find(fault.hashLo, fault.key, 0, fault.keyBytes) !== 0
    if (isInMemory || entry === 0 || !l2.isAt(entry, fault.place)) {
      this.#faults.proceed(fault, false)
      return
    }
    if (found === undefined) {
      this.#metrics.count(METRIC.L2_MISSES)
      this.#faults.proceed(fault, true)
      return
    }
    const { bytes, offset, end } = found
    const read = readRecord(bytes, offset, end, fault.key, 0, fault.keyBytes, this.#view)
    if (read !== READ.OK) {
      this.#metrics.count(METRIC.L2_MISSES)
      if (read === READ.DAMAGED) {
        this.#metrics.count(METRIC.L2_BAD_RECORDS)
        l2.forget(entry)
      }
      this.#faults.proceed(fault, true)
      return
    }
    this.#metrics.count(METRIC.L2_HITS)
    const promote = fault.promote && !isLarge(this.#rules, this.#view.valueBytes)
    const item = this.restore(fault.hashLo, fault.key, 0, this.#view, promote)
    if (item !== 0 && promote) this.#promoted(item)
    if (item === 0) this.#metrics.count(METRIC.L2_NO_MEMORY)
    this.#faults.proceed(fault, item === 0)
    if (item !== 0) this.#letGo(item, promote)
  }

  /** The commands that wanted a loaded item have run. What they have changed stays in any case. */
  #letGo(item: number, stays: boolean): void {
    const isUnchanged = this.#l1.isLinked(item) && !hasState(this.#words, item, STATE.CHANGED)
    if (!stays && isUnchanged) this.#l1.unlink(item)
    this.#l1.unpin(item)
  }

  /** Makes an item of a record that was read, and pins it. Returns 0 without memory for it. */
  restore(hashLo: number, key: Bytes, start: number, view: RecordView, stay: boolean): number {
    const words = this.#words
    const l1 = this.#l1
    const item = l1.reserve(hashLo, key, start, view.keyBytes, view.valueBytes)
    if (item === 0) return 0
    setClientFlags(words, item, view.clientFlags)
    l1.setExpiry(item, view.expiresAtS)
    setCas(words, item, view.casHi, view.casLo)
    addState(words, item, view.state & KEPT_STATES)
    this.#adopter.adopt(item)
    copyBytes(this.#heap, valueStart(words, item), view.value, view.valueStart, view.valueBytes)
    if (!l1.linkAgain(item, stay)) {
      l1.abandon(item)
      return 0
    }
    l1.pin(item)
    if (this.arrivals !== null && this.arrivals.size < ARRIVALS_MAX) this.arrivals.add(hashLo)
    return item
  }
}
