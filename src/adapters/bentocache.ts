/**
 * A driver for the second layer of bentocache: `bentostore().useL2Layer(ratMemCacheDriver(cache))`. It does
 * not import bentocache; it has the shape that bentocache 1 asks for.
 */
import type { RatMemCache } from '../library/rat-mem-cache.ts'

/** What bentocache tells a driver. */
interface DriverOptions {
  readonly prefix?: string | undefined
}

/** What bentocache makes a driver of. */
export interface DriverFactory {
  readonly options: DriverOptions
  factory(this: void, options: DriverOptions): RatMemCacheDriver
}

/** The namespace of a driver that is given no prefix. */
const PREFIX = 'bentocache'

/** Describes a driver over a cache, which stays its owner's to close. */
export function ratMemCacheDriver(cache: RatMemCache, options: DriverOptions = {}): DriverFactory {
  return {
    options,
    factory: ({ prefix }) => new RatMemCacheDriver(cache.namespace(prefix ?? PREFIX)),
  }
}

/** A driver over a namespace, which `clear` empties in constant time. */
export class RatMemCacheDriver {
  readonly type = 'l2' as const
  readonly #cache: RatMemCache

  constructor(cache: RatMemCache) {
    this.#cache = cache
  }

  namespace(name: string): RatMemCacheDriver {
    return new RatMemCacheDriver(this.#cache.namespace(name))
  }

  async get(key: string): Promise<string | undefined> {
    return this.#cache.get<string>(key)
  }

  async pull(key: string): Promise<string | undefined> {
    return this.#cache.take<string>(key)
  }

  /** `ttl` is milliseconds; without one the value stays. */
  async set(key: string, value: string, ttl?: number): Promise<boolean> {
    await this.#cache.set(key, value, ttl === undefined ? {} : { ttl })
    return true
  }

  async clear(): Promise<void> {
    await this.#cache.clear()
  }

  async delete(key: string): Promise<boolean> {
    return this.#cache.delete(key)
  }

  async deleteMany(keys: readonly string[]): Promise<boolean> {
    await this.#cache.deleteMany(keys)
    return true
  }

  async disconnect(): Promise<void> {
    // The cache is its owner's to close.
  }
}
