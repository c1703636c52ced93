/** Items that leave memory by themselves: counted, and told to those who watch. */
import type { Bytes } from '../bytes/ascii.ts'
import { uriEncoded } from '../bytes/uri.ts'
import type { Clock } from '../observe/clock.ts'
import { CLASS_METRIC, METRIC } from '../observe/metrics.ts'
import type { Metrics } from '../observe/metrics.ts'
import { TOPIC } from '../observe/watchers.ts'
import type { Watchers } from '../observe/watchers.ts'
import type { Heap } from '../store/l1/heap.ts'
import {
  STATE,
  accessedAt,
  expiresAt,
  hasState,
  keyBytes,
  keyStart,
  sizeClass,
  valueBytes,
} from '../store/l1/layout.ts'

/** Why a key that was asked for is not there: memcached's words for it. */
export const CAUSE = {
  NOT_THERE: 'not_found',
  FLUSHED: 'flushed',
  EXPIRED: 'expired',
} as const

export type Cause = (typeof CAUSE)[keyof typeof CAUSE]

/** Who hears what becomes of items by itself. The item is still whole. */
export interface ItemListener {
  /** It is over: expired, or void. */
  expired(item: number): void
  /** It makes room, and is lost. */
  evicted(item: number): void
  /** It makes room, and is on disk. */
  demoted(item: number): void
  /** It was read from disk for a command, and stays in memory. */
  promoted(item: number): void
}

export class Departures {
  readonly #words: Int32Array
  readonly #bytes: Bytes
  readonly #clock: Clock
  readonly #metrics: Metrics
  readonly #watchers: Watchers
  /** What became of the item that was looked up last, if it was there and dead. */
  cause: Cause = CAUSE.NOT_THERE
  /** Null where nobody listens. */
  listener: ItemListener | null = null

  constructor(heap: Heap, clock: Clock, metrics: Metrics, watchers: Watchers) {
    this.#words = heap.words
    this.#bytes = heap.bytes
    this.#clock = clock
    this.#metrics = metrics
    this.#watchers = watchers
  }

  /** Why the last key was not found; asked for once a key. */
  takeCause(): Cause {
    const { cause } = this
    this.cause = CAUSE.NOT_THERE
    return cause
  }

  /** Who looked for an item has met a dead one. */
  met(isFlushed: boolean): void {
    this.#metrics.count(isFlushed ? METRIC.GET_FLUSHED : METRIC.GET_EXPIRED)
    this.cause = isFlushed ? CAUSE.FLUSHED : CAUSE.EXPIRED
  }

  /** An item is over, and goes: it has expired, or what it was made of has changed. */
  expired(item: number): void {
    this.listener?.expired(item)
  }

  /** A dead item makes room. */
  reclaimed(item: number): void {
    const metrics = this.#metrics
    const classId = sizeClass(this.#words, item)
    metrics.count(METRIC.RECLAIMED)
    metrics.countClass(CLASS_METRIC.RECLAIMED, classId)
    if (hasState(this.#words, item, STATE.FETCHED)) return
    metrics.count(METRIC.EXPIRED_UNFETCHED)
    metrics.countClass(CLASS_METRIC.EXPIRED_UNFETCHED, classId)
  }

  /** A live item makes room, and is lost. */
  evicted(item: number): void {
    this.listener?.evicted(item)
    const metrics = this.#metrics
    const words = this.#words
    const classId = sizeClass(words, item)
    metrics.count(METRIC.EVICTIONS)
    metrics.countClass(CLASS_METRIC.EVICTED, classId)
    metrics.setClass(CLASS_METRIC.EVICTED_TIME, classId, this.#idleS(item))
    if (expiresAt(words, item) !== 0) metrics.countClass(CLASS_METRIC.EVICTED_NONZERO, classId)
    if (!hasState(words, item, STATE.FETCHED)) {
      metrics.count(METRIC.EVICTED_UNFETCHED)
      metrics.countClass(CLASS_METRIC.EVICTED_UNFETCHED, classId)
    }
    const { topics } = this.#watchers
    if ((topics & TOPIC.SAMPLE) !== 0) this.#watchers.sample!.evicted(this.#keyOf(item))
    if ((topics & TOPIC.EVICTIONS) === 0) return
    this.#watchers.tell(
      TOPIC.EVICTIONS,
      `type=eviction ${this.#described(item)} size=${valueBytes(words, item)}`,
    )
  }

  /** A live item makes room, and is on disk. */
  demoted(item: number): void {
    this.listener?.demoted(item)
    this.#metrics.count(METRIC.L2_DEMOTIONS)
    if ((this.#watchers.topics & TOPIC.EVICTIONS) === 0) return
    this.#watchers.tell(TOPIC.EVICTIONS, `type=extwrite ${this.#described(item)} bucket=0`)
  }

  #described(item: number): string {
    const words = this.#words
    const key = uriEncoded(this.#keyOf(item))
    const fetched = hasState(words, item, STATE.FETCHED) ? 'yes' : 'no'
    const expiresAtS = expiresAt(words, item)
    const ttlS = expiresAtS === 0 ? -1 : expiresAtS - this.#clock.nowS
    const idleS = this.#idleS(item)
    return `key=${key} fetch=${fetched} ttl=${ttlS} la=${idleS} clsid=${sizeClass(words, item)}`
  }

  #keyOf(item: number): string {
    const keyAt = keyStart(item)
    const keyEnd = keyAt + keyBytes(this.#words, item)
    return this.#bytes.buffer.toString('latin1', keyAt, keyEnd)
  }

  #idleS(item: number): number {
    return Math.max(0, this.#clock.nowS - accessedAt(this.#words, item))
  }
}
