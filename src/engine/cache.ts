/**
 * The cache as the commands see it: items that are alive, by key.
 *
 * Adds to the store what needs time: expiry, flushes, cas values, and the counting of what
 * happened to an item. Everything is synchronous. A handle is good until the next call that may
 * reserve or link; who needs it longer pins it.
 */
import type { Bytes } from '../bytes/ascii.ts'
import type { KeysAhead } from '../bytes/keys-ahead.ts'
import type { ItemView, PinOwner } from '../message/item-view.ts'
import type { Clock } from '../observe/clock.ts'
import { METRIC } from '../observe/metrics.ts'
import type { Metrics } from '../observe/metrics.ts'
import { Watchers } from '../observe/watchers.ts'
import { L1Store } from '../store/l1/l1-store.ts'
import type { L1Options, StoreListener } from '../store/l1/l1-store.ts'
import {
  STATE,
  accessedAt,
  addState,
  clientFlags,
  expiresAt,
  flushEpoch,
  hasState,
  hashOf,
  isCas,
  isCasAbove,
  itemBytes,
  keyBytes,
  keyStart,
  removeState,
  setAccessedAt,
  setCas,
  setClientFlags,
  setFlushEpoch,
  sizeClass,
  valueBytes,
  valueStart,
} from '../store/l1/layout.ts'
import { CasSequence } from './cas-sequence.ts'
import { Departures } from './departures.ts'
import type { DiskTier, TierHost } from './disk-tier.ts'
import { expiryInstant, isExpired } from './expiry.ts'
import { FlushState } from './flush.ts'
import { ItemMarks } from './item-marks.ts'
import { showItem } from './item-show.ts'
import { randomSeed } from './key-hash.ts'
import type { HashSeed } from './key-hash.ts'
import { KeyHasher } from './key-hasher.ts'
import type { Renewals } from './renewals.ts'
import { isVoidItem } from './tag-table.ts'
import type { ItemJudge } from './tag-table.ts'
import { TtlRules } from './ttl-rules.ts'

/** Instead of an item: it is on disk, and has to be loaded before a command can use it. */
export const ON_DISK = -1

export class Cache implements PinOwner, StoreListener, TierHost {
  readonly store: L1Store
  readonly departures: Departures
  /** What the operator says about expiry. */
  readonly ttl: TtlRules = new TtlRules()
  readonly marks: ItemMarks
  readonly #words: Int32Array
  readonly #clock: Clock
  readonly #metrics: Metrics
  readonly #hasher: KeyHasher
  readonly #flush = new FlushState()
  readonly #cas = new CasSequence()
  /** Null but for the library: what else makes items void, and the values that are being made. */
  judge: ItemJudge | null = null
  renewals: Renewals | null = null

  constructor(
    options: L1Options,
    clock: Clock,
    metrics: Metrics,
    seed: HashSeed = randomSeed(),
    watchers: Watchers = new Watchers(clock, metrics),
  ) {
    this.#clock = clock
    this.#metrics = metrics
    this.#hasher = new KeyHasher(seed)
    this.store = new L1Store(options, this)
    this.departures = new Departures(this.store.heap, clock, metrics, watchers)
    this.#words = this.store.heap.words
    this.marks = new ItemMarks(this.#words, (item) => this.#changed(item))
  }

  #tier: DiskTier | null = null

  /** Adds a second tier. There must be no item yet. */
  attach(tier: DiskTier): void {
    this.#tier = tier
    this.#hasher.seed = tier.seed
    const { sequenceReserved, flushPendingAtS } = tier.l2.first
    this.#cas.startAfter(sequenceReserved)
    this.#flush.pendingAtS = flushPendingAtS
    this.tick()
    tier.start()
  }

  get tier(): DiskTier | null {
    return this.#tier
  }
  /** The cas value that was given out last, which is also the number of the last change. */
  get sequence(): number {
    return this.#cas.value
  }

  /** Items that a client could get, but for those that have expired unnoticed. */
  get count(): number {
    return this.store.count - this.#flush.deadCount
  }
  /** Their bytes: headers, keys and values. */
  get usedBytes(): number {
    return this.store.usedBytes - this.#flush.deadBytes
  }

  /** The hash of a key, for where it is needed more than once. */
  hash(bytes: Bytes, start: number, length: number): number {
    return this.#hasher.hash(bytes, start, length)
  }

  /** Fetches what looking up these keys will need from memory, and remembers their hashes. */
  prefetch(keys: KeysAhead): void {
    this.#hasher.hashAhead(keys)
    this.store.index.prefetch(keys.hashes, keys.count)
  }

  /** The live item with a key, 0, or ON_DISK. Removes it if it turns out to be dead. */
  find(bytes: Bytes, start: number, length: number): number {
    const hash = this.#hasher.hash(bytes, start, length)
    const item = this.findInMemory(hash, bytes, start, length)
    if (item !== 0) return item
    if (this.#tier?.holds(hash, bytes, start, length) === true) return ON_DISK
    this.store.policy.missed()
    return 0
  }

  /** The live item with a key whose hash is known, if it is in memory, or 0. */
  findInMemory(hash: number, bytes: Bytes, start: number, length: number): number {
    const item = this.store.find(hash, bytes, start, length)
    return item === 0 ? 0 : this.#alive(item)
  }

  /** The live item with the key of a reservation, 0, or ON_DISK. */
  findSameKey(reserved: number): number {
    const item = this.findSameKeyInMemory(reserved)
    if (item !== 0 || this.#tier === null) return item
    const words = this.#words
    const { bytes } = this.store.heap
    const length = keyBytes(words, reserved)
    const isHeld = this.#tier.holds(hashOf(words, reserved), bytes, keyStart(reserved), length)
    return isHeld ? ON_DISK : 0
  }

  /** The live item with the key of a reservation, if it is in memory, or 0. */
  findSameKeyInMemory(reserved: number): number {
    const item = this.store.findSameKey(reserved)
    return item === 0 ? 0 : this.#alive(item)
  }

  /** Removes what is stored under a key, wherever it is. */
  discard(hash: number, bytes: Bytes, start: number, length: number): void {
    this.renewals?.changed(hash)
    const item = this.findInMemory(hash, bytes, start, length)
    if (item !== 0) {
      this.remove(item)
    } else if (this.#tier !== null) {
      this.#cas.advance()
      this.#tier.discard(hash, bytes, start, length)
    }
  }

  /** Marks an item as read now. */
  touch(item: number): void {
    addState(this.#words, item, STATE.FETCHED)
    this.bump(item)
  }

  /** Marks an item as used now, though nobody has read it. */
  bump(item: number): void {
    setAccessedAt(this.#words, item, this.#clock.nowS)
    this.store.policy.touched(item)
  }

  /** When the item of a key is over, 0 for never, if a client gives it this expiry. */
  expiryOf(exptimeS: number, bytes: Bytes, start: number, length: number): number {
    return this.ttl.instant(exptimeS, this.#clock.nowS, bytes, start, length)
  }

  /** Gives an item a new expiry, as a client writes it. */
  setExpiry(item: number, exptimeS: number): void {
    this.#setExpiry(item, exptimeS)
    this.#changed(item)
  }

  #setExpiry(item: number, exptimeS: number): void {
    const { bytes } = this.store.heap
    const length = keyBytes(this.#words, item)
    this.store.setExpiry(item, this.expiryOf(exptimeS, bytes, keyStart(item), length))
  }

  /** A chunk with a header and a key, for a value to come. Returns 0 without memory. */
  reserve(
    hash: number,
    bytes: Bytes,
    start: number,
    length: number,
    valueLength: number,
    flags: number,
    exptimeS: number,
  ): number {
    const item = this.store.reserve(hash, bytes, start, length, valueLength)
    if (item === 0) return 0
    setClientFlags(this.#words, item, flags)
    this.store.setExpiry(item, this.expiryOf(exptimeS, bytes, start, length))
    return item
  }

  /** A reservation with key, flags and expiry of an item, which has to be pinned. */
  reserveLike(item: number, valueLength: number): number {
    const reserved = this.store.reserveSameKey(item, valueLength)
    if (reserved === 0) return 0
    setClientFlags(this.#words, reserved, clientFlags(this.#words, item))
    this.store.setExpiry(reserved, expiresAt(this.#words, item))
    return reserved
  }

  abandon(reserved: number): void {
    this.store.abandon(reserved)
  }

  /**
   * Makes a reservation the item of its key, with a new cas value, in place of `old` (0 for none).
   * Returns false, with the reservation abandoned, where no further item may be had.
   */
  link(reserved: number, old: number): boolean {
    const tier = this.#tier
    const wasChanged = tier !== null && old !== 0 && tier.isChanged(old)
    this.renewals?.changed(hashOf(this.#words, reserved))
    this.#cas.advance()
    setCas(this.#words, reserved, this.#cas.hi, this.#cas.lo)
    setFlushEpoch(this.#words, reserved, this.#flush.epoch)
    setAccessedAt(this.#words, reserved, this.#clock.nowS)
    if (!this.store.link(reserved, old)) {
      this.store.abandon(reserved)
      return false
    }
    if (tier !== null) {
      if (wasChanged) tier.changedAgain(reserved)
      else tier.changed(reserved)
    }
    this.#metrics.count(METRIC.TOTAL_ITEMS)
    return true
  }

  /**
   * Makes an item one with another value, in its place; the caller writes the value. Returns false
   * if that cannot be: then it takes a reservation.
   */
  rewrite(item: number, valueLength: number, flags: number, exptimeS: number): boolean {
    if (!this.store.rewrite(item, valueLength)) return false
    setClientFlags(this.#words, item, flags)
    this.#setExpiry(item, exptimeS)
    setAccessedAt(this.#words, item, this.#clock.nowS)
    removeState(this.#words, item, STATE.STALE | STATE.WON | STATE.BINARY_KEY)
    this.stamp(item)
    this.#metrics.count(METRIC.TOTAL_ITEMS)
    return true
  }

  /** Gives an item a new cas value, because it was changed in place. */
  stamp(item: number): void {
    this.renewals?.changed(hashOf(this.#words, item))
    this.#cas.advance()
    setCas(this.#words, item, this.#cas.hi, this.#cas.lo)
    this.#tier?.changed(item)
  }

  /** An item was changed in a way that its cas value does not show. */
  #changed(item: number): void {
    if (this.#tier === null) return
    this.#cas.advance()
    // A reservation is nobody's yet; linking it tells of it.
    if (this.store.isLinked(item)) this.#tier.changed(item)
  }

  /** Gives an item a cas value of the client's choice. */
  setCas(item: number, hi: number, lo: number): void {
    setCas(this.#words, item, hi, lo)
    this.#changed(item)
  }

  /** Makes a reservation the stale successor of an item: with its expiry, and won if that is won. */
  succeedStale(reserved: number, item: number): void {
    this.store.setExpiry(reserved, expiresAt(this.#words, item))
    addState(this.#words, reserved, STATE.STALE)
    if (this.marks.isWon(item)) addState(this.#words, reserved, STATE.WON)
  }

  /** A number for a change that is none of an item. */
  nextSequence(): number {
    this.#cas.advance()
    return this.#cas.value
  }

  /** Whether the item was read since it was stored. */
  isFetched(item: number): boolean {
    return hasState(this.#words, item, STATE.FETCHED)
  }

  /** Seconds since the item was used. */
  idleS(item: number): number {
    return Math.max(0, this.#clock.nowS - accessedAt(this.#words, item))
  }

  /** Seconds until the item is over, -1 for never. */
  secondsToLive(item: number): number {
    const expiresAtS = expiresAt(this.#words, item)
    return expiresAtS === 0 ? -1 : expiresAtS - this.#clock.nowS
  }

  /** Whether an item ends before an instant, as a client writes it. */
  endsBefore(item: number, exptimeS: number): boolean {
    const expiresAtS = expiresAt(this.#words, item)
    return expiresAtS !== 0 && expiresAtS < expiryInstant(exptimeS, this.#clock.nowS)
  }

  remove(item: number): void {
    this.renewals?.changed(hashOf(this.#words, item))
    if (this.#tier !== null) {
      this.#cas.advance()
      this.#tier.removed(item)
    }
    this.#forget(item)
    this.store.unlink(item)
  }

  /** Kills everything that is stored now (`atS` = 0), or everything that will be at an instant. */
  flush(exptimeS: number): void {
    if (exptimeS > 0) {
      this.#flush.pendingAtS = expiryInstant(exptimeS, this.#clock.nowS)
      this.#tier?.flush(this.#flush.pendingAtS)
      this.tick()
    } else {
      this.#flush.pendingAtS = 0
      this.#flushNow()
    }
  }

  /** Carries out what has become due. Called as the clock moves on, at least once a second. */
  tick(): void {
    this.#tier?.tick()
    const dueS = this.#flush.pendingAtS
    if (dueS !== 0 && dueS <= this.#clock.nowS) {
      this.#flush.pendingAtS = 0
      this.#flushNow()
    }
  }

  pin(item: number): boolean {
    return this.store.pin(item)
  }
  unpin(item: number): void {
    this.store.unpin(item)
  }
  isPinned(item: number): boolean {
    return this.store.isPinned(item)
  }
  isLinked(item: number): boolean {
    return this.store.isLinked(item)
  }

  /** Shows an item to a reply. */
  show(item: number, view: ItemView): void {
    showItem(this.#words, item, view)
  }

  /** Whether an item has a cas value. */
  hasCas(item: number, hi: number, lo: number): boolean {
    return isCas(this.#words, item, hi, lo)
  }

  /** Whether the cas value of an item is above another, and so belongs to a later change. */
  hasLaterCas(item: number, hi: number, lo: number): boolean {
    return isCasAbove(this.#words, item, hi, lo)
  }

  sizeClass(item: number): number {
    return sizeClass(this.#words, item)
  }
  valueStart(item: number): number {
    return valueStart(this.#words, item)
  }
  valueBytes(item: number): number {
    return valueBytes(this.#words, item)
  }
  keyBytes(item: number): number {
    return keyBytes(this.#words, item)
  }
  clientFlags(item: number): number {
    return clientFlags(this.#words, item)
  }

  /** Seconds since the item that would be evicted next was used, for statistics. */
  get oldestAgeS(): number {
    const victim = this.store.policy.victim()
    return victim === 0 ? 0 : this.idleS(victim)
  }

  evicting(item: number): void {
    if (this.isDead(item)) {
      this.#tier?.died(item)
      this.departures.reclaimed(item)
      if (!this.#isFlushed(item)) this.departures.expired(item)
    } else if (this.#tier !== null && this.#tier.demote(item)) {
      this.departures.demoted(item)
    } else {
      this.departures.evicted(item)
    }
    this.#forget(item)
  }

  moved(item: number): void {
    this.#tier?.moved(item)
  }

  pageVacated(movedItems: number): void {
    this.#metrics.count(METRIC.SLABS_MOVED)
    this.#metrics.add(METRIC.SLAB_REASSIGN_RESCUES, movedItems)
  }

  #alive(item: number): number {
    const isFlushed = this.#isFlushed(item)
    if (!isFlushed && !isExpired(expiresAt(this.#words, item), this.#clock.nowS)) {
      if (!this.#isVoid(item)) return item
      this.departures.met(false)
      this.departures.expired(item)
      // Unlike what has expired it does not show on disk that it is over.
      this.remove(item)
      return 0
    }
    this.departures.met(isFlushed)
    this.removeDead(item)
    return 0
  }

  /** Takes out an item that is expired or flushed. */
  removeDead(item: number): void {
    if (!this.#isFlushed(item)) this.departures.expired(item)
    this.#tier?.died(item)
    this.#forget(item)
    this.store.unlink(item)
  }

  /** Gives an item that comes back from disk what it needs to be alive here. */
  adopt(item: number): void {
    setFlushEpoch(this.#words, item, this.#flush.epoch)
    setAccessedAt(this.#words, item, this.#clock.nowS)
  }

  /** Whether an item is expired or flushed. */
  isDead(item: number): boolean {
    return (
      this.#isFlushed(item) ||
      isExpired(expiresAt(this.#words, item), this.#clock.nowS) ||
      this.#isVoid(item)
    )
  }

  #isFlushed(item: number): boolean {
    return flushEpoch(this.#words, item) !== this.#flush.epoch
  }

  #isVoid(item: number): boolean {
    return this.judge !== null && isVoidItem(this.judge, this.store.heap, item)
  }

  #flushNow(): void {
    this.renewals?.changedAll()
    if (this.#tier !== null) {
      this.#cas.advance()
      this.#tier.flush(0)
      this.#cas.advance()
    }
    this.store.slabs.expireAll()
    if (this.#flush.begin(this.store.count, this.store.usedBytes)) {
      this.#flush.purge(this.store, (item) => this.removeDead(item))
    }
  }

  /** Keeps count of the dead when one of them leaves. */
  #forget(item: number): void {
    const words = this.#words
    if (flushEpoch(words, item) === this.#flush.epoch) return
    this.#flush.left(itemBytes(keyBytes(words, item), valueBytes(words, item)))
  }
}
