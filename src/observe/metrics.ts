/**
 * Counters: named slots in one Float64Array, so that counting is one addition and costs no memory.
 *
 * A double counts exactly up to 2^53. The names are memcached's where it has one; `stats` and
 * docs/METRICS.md print them in lower case. Gauges that the store knows by itself (items, bytes)
 * are not here: they are read where they live.
 *
 * What is to be known of single durations, and not of their sum only, has a histogram beside.
 */
import { Histogram } from './histogram.ts'

/** Index of every counter. */
export const METRIC = {
  CMD_GET: 0,
  CMD_SET: 1,
  CMD_FLUSH: 2,
  CMD_TOUCH: 3,
  GET_HITS: 4,
  GET_MISSES: 5,
  GET_EXPIRED: 6,
  GET_FLUSHED: 7,
  DELETE_HITS: 8,
  DELETE_MISSES: 9,
  INCR_HITS: 10,
  INCR_MISSES: 11,
  DECR_HITS: 12,
  DECR_MISSES: 13,
  CAS_HITS: 14,
  CAS_MISSES: 15,
  CAS_BADVAL: 16,
  TOUCH_HITS: 17,
  TOUCH_MISSES: 18,
  STORE_TOO_LARGE: 19,
  STORE_NO_MEMORY: 20,
  TOTAL_ITEMS: 21,
  EVICTIONS: 22,
  EVICTED_UNFETCHED: 23,
  EXPIRED_UNFETCHED: 24,
  RECLAIMED: 25,
  SLABS_MOVED: 26,
  SLAB_REASSIGN_RESCUES: 27,
  BYTES_READ: 28,
  BYTES_WRITTEN: 29,
  TOTAL_CONNECTIONS: 30,
  REJECTED_CONNECTIONS: 31,
  IDLE_KICKS: 32,
  CONN_YIELDS: 33,
  /** Connections closed because a line exceeded its limit. */
  LINES_TOO_LONG: 34,
  /** Times that reading from a client stopped because its replies were not taken. */
  OUTPUT_BLOCKED: 35,
  /** Connections that ended with an error of the network. */
  CONN_ERRORS: 36,
  /** Items that were loaded from disk for a command. */
  L2_HITS: 37,
  /** Items that should have been on disk and were not: damaged, of another key, unreadable. */
  L2_MISSES: 38,
  /** Of the items loaded, those that stayed in memory. */
  L2_PROMOTIONS: 39,
  /** Items that left memory to make room and are on disk, or wait to be. */
  L2_DEMOTIONS: 40,
  /** Packs that were read. */
  L2_READS: 41,
  L2_READ_US: 42,
  L2_READ_ERRORS: 43,
  /** Records whose checksum was wrong. */
  L2_BAD_RECORDS: 44,
  /** Items that were handed to the writer. */
  L2_WRITES: 45,
  L2_TOMBSTONES: 46,
  /** Bytes of values among them, and what was written for them, headers and directories included. */
  L2_BYTES_ACCEPTED: 47,
  L2_BYTES_WRITTEN: 48,
  L2_BATCHES: 49,
  L2_WRITE_US: 50,
  L2_WRITE_ERRORS: 51,
  /** Items that the rules of admission kept from disk. */
  L2_REFUSED: 52,
  /** Changes that a disk in trouble could not take. */
  L2_LOST: 53,
  /** Times that a client had to wait until the disk had taken more. */
  L2_CONGESTED: 54,
  /** Records of a dropped generation that were written anew, and keys that were forgotten with it. */
  L2_CARRIED: 55,
  L2_DROPPED: 56,
  /** Keys that were named in the journal. */
  L2_JOURNALED: 57,
  /** Bytes of packs that were read. */
  L2_BYTES_READ: 58,
  /** Items that were read and found no room in memory, so that they could not be used. */
  L2_NO_MEMORY: 59,
  /** Logins, those that failed, and of these the ones that were not looked at. */
  AUTH_CMDS: 60,
  AUTH_ERRORS: 61,
  AUTH_THROTTLED: 62,
  /** Clients that did not agree on keys, in time or at all. */
  SSL_HANDSHAKE_ERRORS: 63,
  /** Connections with TLS that did not go on with an earlier session. */
  SSL_NEW_SESSIONS: 64,
  /** Of the connections rejected, those whose address had too many already. */
  REJECTED_BY_ADDRESS: 65,
  /** Times that clients had to wait because there were too many connections. */
  LISTEN_DISABLED_NUM: 66,
  /** Connections closed because they had most under way when there was too much. */
  INFLIGHT_KICKS: 67,
  /** Runs of the crawler, items that it looked at, and those of them that were dead and went. */
  LRU_CRAWLER_STARTS: 68,
  CRAWLER_ITEMS_CHECKED: 69,
  CRAWLER_RECLAIMED: 70,
  /** Lines that watchers were sent, and those that a slow one was not. */
  LOG_WATCHER_SENT: 71,
  LOG_WATCHER_SKIPPED: 72,
  /** Of the items that were removed because they were dead, those of the sweep; and keys that the disk forgot so. */
  SWEPT: 73,
  L2_SWEPT: 74,
  /** Of the packs that were read, those that were read at once. */
  L2_READS_INLINE: 75,
  /** Times that the configuration was read again, and times that it was bad. */
  CONFIG_RELOADS: 76,
  CONFIG_RELOAD_ERRORS: 77,
  /** `me`, and no other command: memcached counts so. */
  CMD_META: 78,
} as const

export type MetricSlot = (typeof METRIC)[keyof typeof METRIC]

const SLOT_COUNT = Object.keys(METRIC).length

/** What is counted for each size class of items beside the sums above: `stats slabs`, `stats items`. */
export const CLASS_METRIC = {
  GET_HITS: 0,
  CMD_SET: 1,
  DELETE_HITS: 2,
  INCR_HITS: 3,
  DECR_HITS: 4,
  CAS_HITS: 5,
  CAS_BADVAL: 6,
  TOUCH_HITS: 7,
  EVICTED: 8,
  EVICTED_NONZERO: 9,
  EVICTED_UNFETCHED: 10,
  EXPIRED_UNFETCHED: 11,
  RECLAIMED: 12,
  OUTOFMEMORY: 13,
  CRAWLER_RECLAIMED: 14,
  CRAWLER_ITEMS_CHECKED: 15,
  /** No count: how long the item that was evicted last had not been used, in seconds. */
  EVICTED_TIME: 16,
} as const

export type ClassMetricSlot = (typeof CLASS_METRIC)[keyof typeof CLASS_METRIC]

/**
 * The counters of the most frequent commands are counted by size class alone, and their slots stay 0:
 * they are sums. A second addition would cost 7 % of a get that is pipelined.
 */
const KEPT_BY_CLASS: Partial<Record<MetricSlot, ClassMetricSlot>> = {
  [METRIC.GET_HITS]: CLASS_METRIC.GET_HITS,
  [METRIC.CMD_SET]: CLASS_METRIC.CMD_SET,
}

/** Ids of size classes are below this. */
const CLASSES = 64

/** Index of every histogram of durations. */
export const LATENCY = {
  /** Of reading packs of one generation together. */
  L2_READ: 0,
  /** Of writing a batch. */
  L2_WRITE: 1,
} as const

export type LatencySlot = (typeof LATENCY)[keyof typeof LATENCY]

export class Metrics {
  readonly #slots: Float64Array = new Float64Array(SLOT_COUNT)
  readonly #ofClass: Float64Array = new Float64Array(Object.keys(CLASS_METRIC).length * CLASSES)
  readonly #latencies: readonly Histogram[] = Object.keys(LATENCY).map(() => new Histogram())

  /** Adds one. */
  count(slot: MetricSlot): void {
    this.#slots[slot]!++
  }

  /** Adds `amount`. */
  add(slot: MetricSlot, amount: number): void {
    this.#slots[slot]! += amount
  }

  /** A get found an item of a size class. */
  countGetHit(sizeClass: number): void {
    this.#ofClass[CLASS_METRIC.GET_HITS * CLASSES + sizeClass]!++
  }

  /** A storage command came with a value of a size class. */
  countSet(sizeClass: number): void {
    this.#ofClass[CLASS_METRIC.CMD_SET * CLASSES + sizeClass]!++
  }

  value(slot: MetricSlot): number {
    const ofClass = KEPT_BY_CLASS[slot]
    return this.#slots[slot]! + (ofClass === undefined ? 0 : this.#sumOf(ofClass))
  }

  #sumOf(slot: ClassMetricSlot): number {
    let sum = 0
    for (let classId = 0; classId < CLASSES; classId++) sum += this.classValue(slot, classId)
    return sum
  }

  /** Adds one for a size class. */
  countClass(slot: ClassMetricSlot, sizeClass: number): void {
    this.#ofClass[slot * CLASSES + sizeClass]!++
  }

  setClass(slot: ClassMetricSlot, sizeClass: number, value: number): void {
    this.#ofClass[slot * CLASSES + sizeClass] = value
  }

  classValue(slot: ClassMetricSlot, sizeClass: number): number {
    return this.#ofClass[slot * CLASSES + sizeClass]!
  }

  /** Notes how long something took. */
  time(slot: LatencySlot, us: number): void {
    this.#latencies[slot]!.record(us)
  }

  latency(slot: LatencySlot): Histogram {
    return this.#latencies[slot]!
  }

  /** Sets every counter to zero, and empties the histograms. */
  reset(): void {
    this.#slots.fill(0)
    this.#ofClass.fill(0)
    for (const latency of this.#latencies) latency.reset()
  }
}
