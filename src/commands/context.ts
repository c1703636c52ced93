/** What a command may use: the cache, the counters, and scratch space that outlives no call. */
import type { Bytes } from '../bytes/ascii.ts'
import type { Cache } from '../engine/cache.ts'
import type { Crawler } from '../engine/crawler.ts'
import type { MemoryLimit } from '../engine/memory-limit.ts'
import type { Counter } from '../message/counter.ts'
import type { ItemView } from '../message/item-view.ts'
import type { Clock } from '../observe/clock.ts'
import type { CommandLatency } from '../observe/command-latency.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { PrefixCounts } from '../observe/prefix-counts.ts'
import type { SlowLog } from '../observe/slow-log.ts'
import type { Watchers } from '../observe/watchers.ts'
import type { Audit } from './audit.ts'
import type { LoginClient, LoginLimits } from './login-limits.ts'
import type { Authenticator } from './login.ts'
import type { Remembered } from './tuning.ts'

/** Settings that a command obeys. */
export interface CommandSettings {
  /** Largest item, counted as memcached counts it (`itemSize`). */
  readonly itemBytesMax: number
  /** Whether clients may flush the cache, list keys, watch others, stop the server. */
  readonly flushEnabled: boolean
  readonly dumpEnabled: boolean
  readonly watchEnabled: boolean
  readonly shutdownEnabled: boolean
}

/** What `stats` shows of parts of the server that the commands do not know. */
export interface ServerFacts {
  /** memcached's version that this server stands in for, as three numbers. */
  readonly compatibleVersion: string
  /** This program's own version. */
  readonly ownVersion: string
  readonly startedAtS: number
  /** `stats settings`, name and value. */
  settings(): readonly (readonly [name: string, value: string])[]
  /** `stats conns`, the same, for the client that asks. */
  connections(
    asking: CommandClient | null,
  ): Iterable<readonly [name: string, value: string], void, undefined>
  readonly maxConnections: number
  /** When the configuration was read again last, 0 if it never was. */
  configReloadedAtS(): number
  currentConnections(): number
  /** Whether a client who comes now does not have to wait for others to go. */
  isAccepting(): boolean
  /** Bytes that clients have under way. */
  inflightBytes(): number
  /** When certificates were read, 0 without TLS. */
  certificatesReadAtS(): number
  /** Writes down what clients do to the server. */
  readonly audit: Audit
  /** Lines of the log that could not be written. */
  logLinesLost(): number
  /** Called for `verbosity`. */
  setVerbosity(level: number): void
  /** Reads certificates again. Returns whether there are any, and whether they are good. */
  refreshCertificates(): Refreshed
  /** The clock, where clients may change it: `debugtime`. */
  readonly adjustableClock: AdjustableClock | null
  /** Called for `shutdown`. */
  shutDown(graceful: boolean): void
}

/** A clock for tests of clients. */
export interface AdjustableClock {
  pause(isPaused: boolean): void
  shift(seconds: number): void
}

/** Whose command it is. */
export interface CommandClient extends LoginClient {
  /** By which watchers know it. */
  readonly number: number
}

/** What came of reading certificates again. */
export type Refreshed = 'refreshed' | 'no-tls' | 'failed'

/** What is measured of commands, null for what is not. */
export interface Insight {
  readonly latency: CommandLatency | null
  readonly slowLog: SlowLog | null
}

/** What commands on items need: these the library gives as well. */
export interface ItemContext {
  readonly cache: Cache
  readonly metrics: Metrics
  readonly clock: Clock
  readonly settings: CommandSettings
  readonly view: ItemView
  /** The heap, for commands that read or change values. */
  readonly heap: Bytes
  /** Who is told of what happens. */
  readonly watchers: Watchers
  readonly prefixes: PrefixCounts
  /** The number that incr and decr work on. */
  readonly counter: Counter
  /** Whose command this is, where it is one of a connection, which sets this when its turn begins. */
  client: CommandClient | null
}

export interface CommandContext extends ItemContext {
  readonly facts: ServerFacts
  /** Who may log in; null where nobody has to. */
  readonly authenticator: Authenticator | null
  readonly loginLimits: LoginLimits
  readonly crawler: Crawler
  readonly memoryLimit: MemoryLimit
  readonly remembered: Remembered
  readonly insight: Insight
}

/** memcached's header of an item with its cas value, and the line end it stores with each value. */
const MEMCACHED_HEADER_BYTES = 48 + 8
const MEMCACHED_LINE_END_BYTES = 2
const MEMCACHED_FLAGS_BYTES = 4

/**
 * Bytes that an item would take in memcached (ITEM_ntotal). `-I` is compared with this number, so that a
 * value which memcached takes or refuses is taken or refused here, to the byte.
 */
export function itemSize(keyBytes: number, valueBytes: number, clientFlags: number): number {
  return (
    MEMCACHED_HEADER_BYTES +
    (keyBytes + 1) +
    (clientFlags === 0 ? 0 : MEMCACHED_FLAGS_BYTES) +
    valueBytes +
    MEMCACHED_LINE_END_BYTES
  )
}
