/**
 * What `/stats.json` and `/key` answer, as types. docs/METRICS.md tells of them, the page at `/` is built on
 * them, and programs may be: within one `format` fields are added, and none is changed or removed.
 *
 * Sizes are bytes, `…Us` microseconds, `…Ms` milliseconds, `…S` seconds; instants are seconds or
 * milliseconds since 1970. A figure that does not exist here and now is null, not 0. Keys of items are text,
 * one character for each byte of a key that is ASCII and in base64 otherwise: see `KeyName`.
 */

export interface StatsDocument {
  readonly format: 1
  /** This program's own version. */
  readonly version: string
  /** The version of memcached whose behaviour it has. */
  readonly compatibleVersion: string
  readonly nodeVersion: string
  readonly pid: number
  /** When this document was made, and when the server was. */
  readonly timeMs: number
  readonly startedAtS: number
  readonly uptimeS: number
  readonly readiness: Readiness
  /** Every counter, by its name in docs/METRICS.md, since the start or the last `stats reset`. */
  readonly counters: Readonly<Record<string, number>>
  readonly gauges: Gauges
  /** One for each class of commands and tier that there was a command of. */
  readonly latency: readonly CommandLatency[]
  readonly memory: MemoryDocument
  /** Null without a disk tier. */
  readonly disk: DiskDocument | null
  readonly clients: ClientsDocument
  /** Null where `metrics.hot_keys` is off. */
  readonly hotKeys: HotKeysDocument | null
  /** Those with most gets first, as estimated from the sample of hotKeys; empty where that is off. */
  readonly prefixes: readonly PrefixDocument[]
  /** Null where `metrics.slow_log_threshold` is 0. */
  readonly slowLog: SlowLogDocument | null
  /** The configuration in force, key and value as they would be in a file; secrets are left out. */
  readonly configuration: readonly (readonly [key: string, value: string])[]
  /** Whether `/key` shows values: `metrics.allow_values`. */
  readonly allowsValues: boolean
}

/** What `/readyz` says, too. */
export interface Readiness {
  readonly ready: boolean
  /** Why it is not; empty if it is. Sentences for people, each beginning with a word of `ReadyReason`. */
  readonly reasons: readonly string[]
}

export type ReadyReason = 'recovering' | 'draining' | 'degraded' | 'full'

export interface Gauges {
  /** In memory: items, bytes of them, and how many bytes they may take. */
  readonly items: number
  readonly bytes: number
  readonly bytesMax: number
  /** Memory in pages, filled by items or not; of the index. */
  readonly pageBytes: number
  readonly indexBytes: number
  /** Seconds since the item that would be evicted next was used. */
  readonly oldestAgeS: number
  readonly connections: number
  readonly connectionsMax: number
  /** Bytes that clients have under way; 0 as the limit is none. */
  readonly inflightBytes: number
  readonly inflightBytesMax: number
  /** Of the process. */
  readonly rssBytes: number
  readonly heapUsedBytes: number
  readonly heapTotalBytes: number
  readonly arrayBufferBytes: number
  readonly cpuUserS: number
  readonly cpuSystemS: number
  /** By how much a timer was late, to a millisecond, within the last minute or at least half of it. */
  readonly loopDelayP50Us: number
  readonly loopDelayP99Us: number
  readonly loopDelayMaxUs: number
}

export type CommandClass = 'get' | 'set' | 'delete' | 'arithmetic' | 'touch' | 'other'

/** What a command met: its item in memory, on disk, or none. */
export type CommandTier = 'memory' | 'disk' | 'miss'

/** Durations from the arrival of the bytes that complete a command to the write of its reply. */
export interface CommandLatency extends Quantiles {
  readonly command: CommandClass
  readonly tier: CommandTier
  /**
   * The histogram itself, as counters: durations up to `upToUs` that are above the bucket before. Empty buckets
   * are left out. The page makes the quantiles of the last seconds from two documents.
   */
  readonly buckets: readonly (readonly [upToUs: number, count: number])[]
}

/** Since the start or the last `stats reset`; each figure is right to 3 %. */
export interface Quantiles {
  readonly count: number
  readonly meanUs: number
  readonly p50Us: number
  readonly p90Us: number
  readonly p99Us: number
  readonly p999Us: number
  readonly maxUs: number
}

export interface MemoryDocument {
  readonly policy: PolicyFacts
  /** Those that have pages, the smallest first. */
  readonly classes: readonly SizeClassDocument[]
}

export interface PolicyFacts {
  /** `l1.eviction`. */
  readonly name: string
  /** What the policy knows of itself, by name, as numbers or words. */
  readonly facts: readonly (readonly [name: string, value: string])[]
}

export interface SizeClassDocument {
  readonly id: number
  /** Of one chunk; of a page for the last class, whose items take whole pages. */
  readonly chunkBytes: number
  readonly pages: number
  readonly chunks: number
  readonly usedChunks: number
  readonly items: number
  /** Headers, keys and values. */
  readonly bytes: number
  readonly getHits: number
  readonly sets: number
  readonly evictions: number
}

export interface DiskDocument {
  /** `recovering`: the index is being rebuilt. `degraded`: the disk refuses what is written, or is gone. */
  readonly state: 'ok' | 'recovering' | 'degraded'
  readonly items: number
  readonly bytes: number
  readonly bytesMax: number
  readonly indexBytes: number
  /** Keys that are being loaded now. */
  readonly loading: number
  readonly stagedItems: number
  readonly stagedBytes: number
  /** Bytes of items in memory that changed and are not gathered yet. */
  readonly changedBytes: number
  readonly stagedBytesMax: number
  /** Clients that change something have to wait. */
  readonly isCongested: boolean
  readonly journalEntries: number
  readonly journalBytes: number
  /** Bytes that the disk has to write for one of a value; null before there was one. */
  readonly writeAmplification: number | null
  /** Bytes of values as they are stored, over bytes as they came; null before there was one. */
  readonly compressionRatio: number | null
  readonly read: Quantiles
  readonly write: Quantiles
  readonly generationsDropped: number
  /** The oldest first. */
  readonly generations: readonly GenerationDocument[]
}

export interface GenerationDocument {
  readonly id: number
  readonly ageS: number
  readonly bytes: number
  readonly items: number
  /** Of these, those that were read since they were written. */
  readonly referenced: number
  readonly isWritable: boolean
}

export interface ClientsDocument {
  readonly count: number
  /** The first hundred. */
  readonly shown: readonly ClientDocument[]
}

export interface ClientDocument {
  readonly number: number
  readonly address: string
  readonly listenAddress: string
  /** memcached's words: conn_read, conn_io_queue, … */
  readonly state: string
  readonly idleS: number
}

export interface HotKeysDocument {
  /** What is counted is what came within the last `windowS` seconds, and at least within half of them. */
  readonly windowS: number
  /** One in so many turns of clients is looked at; the counts are multiplied by it. */
  readonly sampleEvery: number
  readonly reads: readonly HotKey[]
  readonly writes: readonly HotKey[]
  /** Bytes of values, read and written. */
  readonly bytes: readonly HotKey[]
  readonly misses: readonly HotKey[]
}

/** A key as text, or in base64 where it has bytes that are not printable ASCII. */
export interface KeyName {
  readonly key: string
  readonly isBase64: boolean
}

export interface HotKey extends KeyName {
  /** An estimate, never too low as far as the sample goes; it is too high by `error` at most. */
  readonly count: number
  readonly error: number
}

export interface PrefixDocument {
  /** What stands before the first `commands.prefix_delimiter`. */
  readonly prefix: string
  /** As with keys: it has bytes that are not printable ASCII. */
  readonly isBase64: boolean
  readonly gets: number
  readonly hits: number
  readonly misses: number
  readonly sets: number
  readonly deletes: number
  readonly evictions: number
  /** In memory now, estimated from a sample of its items. */
  readonly items: number
  readonly bytes: number
}

export interface SlowLogDocument {
  readonly thresholdUs: number
  /** Slow commands since the start or the last `stats reset`, also those that are not shown any more. */
  readonly count: number
  /** The latest first. */
  readonly entries: readonly SlowCommand[]
}

export interface SlowCommand extends KeyName {
  readonly number: number
  readonly timeMs: number
  /** As memcached's text protocol calls it; "several" where it cannot be said which of some it was. */
  readonly command: string
  readonly client: string
  /** From the arrival of its bytes to the write of its reply; it is the sum of the three below. */
  readonly totalUs: number
  /** Until its turn came: what others, and the same client before, had done. */
  readonly queueUs: number
  /** Parsing, running and writing, together with the other commands of its last turn. */
  readonly runUs: number
  /** Waiting for the disk. */
  readonly diskUs: number
  /** Commands of this client that were answered with it. */
  readonly commands: number
}

/** What `/key?key=K`, or `/key?key64=B`, answers. */
export interface KeyDocument extends KeyName {
  /** Null: there is no such item. */
  readonly item: ItemDocument | null
}

export interface ItemDocument {
  /** `both`: what is in memory is on disk as well. */
  readonly tier: 'memory' | 'disk' | 'both'
  readonly valueBytes: number
  readonly clientFlags: number
  /** Seconds until it ends, null for never. */
  readonly ttlS: number | null
  /** A decimal number; it may be beyond what a double holds. */
  readonly cas: string
  readonly isFetched: boolean
  readonly isStale: boolean
  /** A client was told to renew it. */
  readonly isWon: boolean
  /** Seconds since it was used; null where it is on disk only, as are the next two. */
  readonly idleS: number | null
  readonly sizeClass: number | null
  readonly chunkBytes: number | null
  /** The generation that has it, null where it is in memory only, or waits to be written. */
  readonly generation: number | null
  /** Only with `metrics.allow_values`, else null. */
  readonly value: ValueDocument | null
}

export interface ValueDocument {
  /** As text where it is UTF-8 without control characters, else in base64; the first 64 KiB. */
  readonly text: string
  readonly isBase64: boolean
  readonly isCut: boolean
}
