/** The types of keys and values: what a program may say of its cache to the compiler. */

/** A cache of which nothing is known: any key, any value. */
export type AnySchema = Record<string, unknown>

/** Keys of a schema. */
export type KeyOf<Schema> = keyof Schema & string

/** The value of a key; a key that fits a pattern of the schema has the value of the pattern. */
export type ValueOf<Schema, Key> = Key extends keyof Schema ? Schema[Key] : never

/** `string` where nothing is known of a cache, so that a call may name the type of its value. */
export type OpenKey<Schema> = string extends keyof Schema ? string : never

/** Figures of a cache. */
export interface CacheStats {
  /** Items in memory. */
  readonly items: number
  /** Their bytes, and the bytes of the pages and the index that hold them. */
  readonly bytes: number
  readonly memoryBytes: number
  readonly memoryBytesMax: number
  /** Since the cache was opened, clients of the network included. */
  readonly gets: number
  readonly hits: number
  readonly misses: number
  readonly sets: number
  readonly evictions: number
  readonly expirations: number
  /** Factories that are running now. */
  readonly factories: number
  /** The disk tier; null without one. */
  readonly disk: DiskStats | null
}

export interface DiskStats {
  /** Items on disk, among them those that are in memory as well. */
  readonly items: number
  readonly bytes: number
  readonly bytesMax: number
  /** Items that were read for a call. */
  readonly hits: number
  readonly promotions: number
  readonly demotions: number
  /** It is in trouble, and the cache goes on in memory alone. */
  readonly isDegraded: boolean
}
