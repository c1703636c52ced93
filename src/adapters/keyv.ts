/**
 * A store for Keyv (`new Keyv({ store: new KeyvStore(cache) })`), and through Keyv for cache-manager. It
 * imports neither; it has the shape that Keyv 5 and later ask for.
 */
import type { RatMemCache } from '../library/rat-mem-cache.ts'

interface Entry {
  readonly key: string
  readonly value: unknown
  readonly ttl?: number
}

/**
 * A store of Keyv over a cache, or over a namespace of one. It does not own the cache: `disconnect` leaves
 * it open. `clear` removes the store's namespace in constant time; without one, all that it was given.
 */
export class KeyvStore {
  /** Keyv 5 lists the keys of stores only whose dialect it knows; what it asks of them is the same. */
  readonly opts: { readonly dialect: string; readonly url: string } = { dialect: 'redis', url: '' }
  /** Set by Keyv, which writes it in front of every key. */
  namespace: string | undefined
  readonly #cache: RatMemCache

  constructor(cache: RatMemCache) {
    this.#cache = cache
  }

  async get<Value>(key: string): Promise<Value | undefined> {
    const [cache, own] = this.#place(key)
    return cache.get<Value>(own)
  }

  async getMany<Value>(keys: readonly string[]): Promise<(Value | undefined)[]> {
    return Promise.all(keys.map((key) => this.get<Value>(key)))
  }

  /** `ttl` is milliseconds. */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    const [cache, own] = this.#place(key)
    await cache.set(own, value, ttl === undefined ? {} : { ttl })
    return true
  }

  async setMany(entries: readonly Entry[]): Promise<boolean[]> {
    return Promise.all(entries.map(({ key, value, ttl }) => this.set(key, value, ttl)))
  }

  async has(key: string): Promise<boolean> {
    const [cache, own] = this.#place(key)
    return cache.has(own)
  }

  async hasMany(keys: readonly string[]): Promise<boolean[]> {
    return Promise.all(keys.map((key) => this.has(key)))
  }

  async delete(key: string): Promise<boolean> {
    const [cache, own] = this.#place(key)
    return cache.delete(own)
  }

  /** Whether any of the keys had a value. */
  async deleteMany(keys: readonly string[]): Promise<boolean> {
    const deleted = await Promise.all(keys.map((key) => this.delete(key)))
    return deleted.includes(true)
  }

  async clear(): Promise<void> {
    await this.#view(this.namespace).clear()
  }

  /** Keys, as Keyv writes them, with their values. */
  async *iterator<Value>(namespace?: string): AsyncGenerator<[string, Value], void, undefined> {
    const prefix = namespace === undefined ? '' : `${namespace}:`
    for await (const [key, value] of this.#view(namespace).entries()) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what Keyv has stored
      yield [prefix + key, value as Value]
    }
  }

  /** Keyv listens for errors of its store. */
  on(name: string, listener: (error: unknown) => void): this {
    if (name === 'error') this.#cache.on('error', ({ error }) => listener(error))
    return this
  }

  async disconnect(): Promise<void> {
    // The cache is its owner's to close.
  }

  #view(namespace: string | undefined): RatMemCache {
    return namespace === undefined || namespace === ''
      ? this.#cache
      : this.#cache.namespace(namespace)
  }

  /** Where a key is stored: in the namespace that Keyv has written in front of it. */
  #place(key: string): [RatMemCache, string] {
    const { namespace } = this
    const prefix = `${namespace}:`
    if (namespace === undefined || namespace === '' || !key.startsWith(prefix)) {
      return [this.#cache, key]
    }
    const own = key.slice(prefix.length)
    return own === '' ? [this.#cache, key] : [this.#cache.namespace(namespace), own]
  }
}
