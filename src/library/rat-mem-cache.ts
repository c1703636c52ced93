/**
 * The cache as a program sees it: its calls, over a `CacheCore`. A namespace is another view of the same
 * core, with a prefix for its keys and a tag that all its values carry.
 */
import { ON_DISK } from '../engine/cache.ts'
import { hashTag } from '../engine/tag-table.ts'
import { ServerError } from '../errors.ts'
import { OP } from '../message/codes.ts'
import type { Op } from '../message/codes.ts'
import { CacheBuilder } from './builder.ts'
import type { CacheCore } from './cache-core.ts'
import type { AnySchema, CacheStats, KeyOf, OpenKey, ValueOf } from './cache-types.ts'
import type { Duration } from './duration.ts'
import type { CacheEventName, CacheEvents } from './events.ts'
import type { Factory, Order } from './factory-runs.ts'
import { WAIT } from './item-store.ts'
import type { Wait } from './item-store.ts'
import type { GetOrSetOptions } from './renewal.ts'
import { planOf } from './store-plan.ts'
import type { SetOptions, StorePlan } from './store-plan.ts'

/** How a value is read. */
export interface GetOptions {
  /** Also a value whose time of grace it is. */
  readonly stale?: boolean
}

/** How a counter is made where there is none. */
export interface CountOptions extends SetOptions {
  /** The number that a counter which is not there begins with. Left out: none is made. */
  readonly initial?: number
}

/** A value with the number that `cas` compares. */
export interface TokenValue<Value> {
  readonly value: Value
  readonly token: bigint
}

/** Between a namespace and the key in it. */
const SEPARATOR = ':'

/**
 * A cache in two tiers: memory, and a disk behind it. Every call is atomic. A miss is `undefined`, and so
 * is nothing else: `null` is a value.
 *
 * Calls fail with a `ServerError` that has a `code`: KEY_INVALID, ARGUMENT_INVALID, VALUE_TOO_LARGE,
 * VALUE_NOT_NUMERIC, CACHE_FULL, CACHE_CLOSED, FACTORY_TIMEOUT.
 *
 * `Schema` says which keys there are and what their values are: `{ [key: `user:${string}`]: User }`.
 */
export class RatMemCache<Schema extends object = AnySchema> {
  readonly #core: CacheCore
  readonly #prefix: string
  readonly #scope: readonly number[]

  /** @internal Caches are made by `RatMemCache.builder()`. */
  constructor(core: CacheCore, prefix = '', scope: readonly number[] = []) {
    this.#core = core
    this.#prefix = prefix
    this.#scope = scope
  }

  /** Begins to describe a cache. */
  static builder<Schema extends object = AnySchema>(): CacheBuilder<Schema> {
    return new CacheBuilder((core) => new RatMemCache<Schema>(core))
  }

  // ----------------------------------------------------------------- reading

  /** The value of a key. Bytes are a copy that is the caller's. */
  get<Value = unknown>(key: OpenKey<Schema>, options?: GetOptions): Promise<Value | undefined>
  get<Key extends KeyOf<Schema>>(
    key: Key,
    options?: GetOptions,
  ): Promise<ValueOf<Schema, Key> | undefined>
  async get(key: string, options?: GetOptions): Promise<unknown> {
    const value = this.#getNow(this.#prefix + key, options?.stale === true)
    return value === WAIT ? this.#getLater(this.#prefix + key, options?.stale === true) : value
  }

  /**
   * The value of a key if it is in memory; undefined also for one that is on disk only. It costs no promise.
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as with `get`, the caller knows
  getSync<Value = unknown>(key: OpenKey<Schema>): Value | undefined
  getSync<Key extends KeyOf<Schema>>(key: Key): ValueOf<Schema, Key> | undefined
  getSync(key: string): unknown {
    const value = this.#getNow(this.#prefix + key, false)
    return value === WAIT ? undefined : value
  }

  /** The value of a key with the number of its last change, for `cas`. */
  getWithToken<Value = unknown>(key: OpenKey<Schema>): Promise<TokenValue<Value> | undefined>
  getWithToken<Key extends KeyOf<Schema>>(
    key: Key,
  ): Promise<TokenValue<ValueOf<Schema, Key>> | undefined>
  async getWithToken(key: string): Promise<TokenValue<unknown> | undefined> {
    const { items, wait } = this.#used()
    const full = this.#prefix + key
    return wait.read<TokenValue<unknown> | undefined>(() => {
      const value = items.get(full, false)
      if (value === WAIT) return WAIT
      return value === undefined ? undefined : { value, token: items.token() }
    })
  }

  /** Whether a key has a value. It counts as no use of it. */
  async has(key: KeyOf<Schema>): Promise<boolean> {
    const { items, wait } = this.#used()
    const full = this.#prefix + key
    return wait.read<boolean>(() => {
      const item = items.look(full)
      if (item === ON_DISK) return WAIT
      return item !== 0 && items.isUsable
    })
  }

  /** The values of several keys; those without one are not in the map. What is on disk is read together. */
  async getMany<Value = unknown, Key extends KeyOf<Schema> = KeyOf<Schema>>(
    keys: Iterable<Key>,
  ): Promise<Map<Key, AnyOr<Schema, Key, Value>>> {
    const asked = [...keys]
    const values = await Promise.all(asked.map((key) => this.get(key)))
    const found = new Map<Key, AnyOr<Schema, Key, Value>>()
    for (const [index, key] of asked.entries()) {
      const value = values[index]
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema says so
      if (value !== undefined) found.set(key, value as AnyOr<Schema, Key, Value>)
    }
    return found
  }

  // ----------------------------------------------------------------- storing

  /** Stores a value. `undefined` is no value: it is refused with ARGUMENT_INVALID. */
  async set<Key extends KeyOf<Schema>>(
    key: Key,
    value: ValueOf<Schema, Key>,
    options?: SetOptions,
  ): Promise<void> {
    const { items, wait } = this.#used()
    const full = this.#prefix + key
    const plan = this.#plan(value, options)
    const changed = wait.change(() => items.set(full, value, plan))
    if (changed instanceof Promise) await changed
    this.#tell('set', full)
  }

  /**
   * Stores a value at once. Returns false, with nothing done, where the disk is so far behind that who
   * changes something has to wait: then `set` does. With `l2.write_policy = "write-through"` the value is
   * not on disk yet when it returns.
   */
  setSync<Key extends KeyOf<Schema>>(
    key: Key,
    value: ValueOf<Schema, Key>,
    options?: SetOptions,
  ): boolean {
    const { items, wait } = this.#used()
    if (wait.isCongested) return false
    const full = this.#prefix + key
    try {
      items.set(full, value, this.#plan(value, options))
    } finally {
      wait.acknowledge()
    }
    this.#tell('set', full)
    return true
  }

  /** Stores a value if the key has none. Returns whether it did. */
  add<Key extends KeyOf<Schema>>(
    key: Key,
    value: ValueOf<Schema, Key>,
    options?: SetOptions,
  ): Promise<boolean> {
    return this.#storeIf(OP.ADD, key, value, this.#plan(value, options))
  }

  /** Stores a value if the key has one. Returns whether it did. */
  replace<Key extends KeyOf<Schema>>(
    key: Key,
    value: ValueOf<Schema, Key>,
    options?: SetOptions,
  ): Promise<boolean> {
    return this.#storeIf(OP.REPLACE, key, value, this.#plan(value, options))
  }

  /** Stores a value if the key has not changed since `getWithToken`. Returns whether it did. */
  cas<Key extends KeyOf<Schema>>(
    key: Key,
    value: ValueOf<Schema, Key>,
    token: bigint,
    options?: SetOptions,
  ): Promise<boolean> {
    return this.#storeIf(OP.CAS, key, value, this.#plan(value, options), token)
  }

  /** Adds text or bytes behind a value of the same kind. Returns false where there is no value. */
  append(key: KeyOf<Schema>, addition: string | Uint8Array): Promise<boolean> {
    return this.#storeIf(OP.APPEND, key, addition, this.#plan(addition, undefined))
  }

  /** Adds text or bytes in front of a value of the same kind. Returns false where there is no value. */
  prepend(key: KeyOf<Schema>, addition: string | Uint8Array): Promise<boolean> {
    return this.#storeIf(OP.PREPEND, key, addition, this.#plan(addition, undefined))
  }

  /** Stores several values. */
  async setMany<Key extends KeyOf<Schema>>(
    entries: Iterable<readonly [Key, ValueOf<Schema, Key>]>,
    options?: SetOptions,
  ): Promise<void> {
    await Promise.all([...entries].map(([key, value]) => this.set(key, value, options)))
  }

  // ---------------------------------------------------------------- counting

  /**
   * Adds to a whole number and gives the sum; exact up to 2^53. Undefined where there is no number, unless
   * `initial` makes one. The value is a number, or decimal digits that a client of memcached stored.
   */
  async incr(key: KeyOf<Schema>, delta = 1, options?: CountOptions): Promise<number | undefined> {
    return this.#count(key, checkedDelta(delta), options)
  }

  /** Subtracts from a whole number, which never gets below 0. */
  async decr(key: KeyOf<Schema>, delta = 1, options?: CountOptions): Promise<number | undefined> {
    return this.#count(key, -checkedDelta(delta), options)
  }

  // ---------------------------------------------------------------- removing

  /** Removes a key. Returns whether it had a value. */
  async delete(key: KeyOf<Schema>): Promise<boolean> {
    const { items, wait } = this.#used()
    const full = this.#prefix + key
    const wasThere = await wait.change(() => items.delete(full))
    if (wasThere) this.#tell('delete', full)
    return wasThere
  }

  /** Removes several keys. Returns how many had a value. */
  async deleteMany(keys: Iterable<KeyOf<Schema>>): Promise<number> {
    const deleted = await Promise.all([...keys].map((key) => this.delete(key)))
    return deleted.filter(Boolean).length
  }

  /** Removes a key and gives the value that it had. */
  take<Value = unknown>(key: OpenKey<Schema>): Promise<Value | undefined>
  take<Key extends KeyOf<Schema>>(key: Key): Promise<ValueOf<Schema, Key> | undefined>
  async take(key: string): Promise<unknown> {
    const { items, wait } = this.#used()
    const full = this.#prefix + key
    const value = await wait.change<unknown>(() => items.take(full))
    this.#tell(value === undefined ? 'miss' : 'delete', full)
    return value
  }

  /** Marks a value as used, so that it stays in memory for longer. Returns whether there is one. */
  async touch(key: KeyOf<Schema>): Promise<boolean> {
    const { items, wait } = this.#used()
    const full = this.#prefix + key
    return wait.read(() => items.touch(full))
  }

  /** Gives a value a new time to live from now on; 0 is for ever. Returns whether there is one. */
  async expire(key: KeyOf<Schema>, ttl: Duration): Promise<boolean> {
    const { items, wait } = this.#used()
    const full = this.#prefix + key
    return wait.change(() => items.expire(full, ttl))
  }

  /** Makes void every value that carries one of the tags, wherever it is. The cost is that of the tags. */
  async invalidateTags(...tags: string[]): Promise<void> {
    const { wait } = this.#used()
    await wait.change(() => {
      for (const tag of tags) this.#core.makeVoid(hashTag('tag', tag))
    })
  }

  /** Removes everything; in a namespace, everything that was stored through it. In constant time. */
  async clear(): Promise<void> {
    const { wait, opened } = this.#used()
    const own = this.#scope.at(-1)
    await wait.change(() => {
      if (own === undefined) opened.cache.flush(0)
      else this.#core.makeVoid(own)
    })
  }

  // ------------------------------------------------------------------ making

  /**
   * The value of a key, made by a factory where there is none. However many calls ask for it, one factory
   * runs at a time for a key, and all get what it makes; if it fails, all fail, or have the value whose
   * time of grace it is.
   */
  getOrSet<Value>(
    key: OpenKey<Schema>,
    factory: Factory<Value>,
    options?: GetOrSetOptions,
  ): Promise<Value>
  getOrSet<Key extends KeyOf<Schema>>(
    key: Key,
    factory: Factory<ValueOf<Schema, Key>>,
    options?: GetOrSetOptions,
  ): Promise<ValueOf<Schema, Key>>
  async getOrSet(
    key: string,
    factory: Factory<unknown>,
    options: GetOrSetOptions = {},
  ): Promise<unknown> {
    const { renewal } = this.#used()
    const order: Order = {
      key: this.#prefix + key,
      scope: this.#scope,
      factory,
      options,
      negativeTtl: options.negativeTtl,
    }
    return renewal.getOrSet(order, options)
  }

  // ------------------------------------------------------------- everything

  /** All keys, in no order. What is stored or removed meanwhile may be among them or not. */
  async *keys(): AsyncGenerator<string, void, undefined> {
    const { walk } = this.#used()
    for await (const full of walk.keys()) {
      if (!full.startsWith(this.#prefix)) continue
      const key = full.slice(this.#prefix.length)
      // Some are void, which shows when they are looked at.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a key of this cache
      if (key !== '' && (await this.has(key as KeyOf<Schema>))) yield key
    }
  }

  /** All keys with their values. */
  async *entries(): AsyncGenerator<[string, unknown], void, undefined> {
    const { walk } = this.#used()
    for await (const full of walk.keys()) {
      if (!full.startsWith(this.#prefix) || full.length === this.#prefix.length) continue
      const value = await this.#getLater(full, false)
      if (value !== undefined) yield [full.slice(this.#prefix.length), value]
    }
  }

  /**
   * A view of this cache whose keys begin with `name:`. `clear` removes what was stored through it, in
   * constant time. Namespaces nest.
   */
  namespace<Inner extends object = AnySchema>(name: string): RatMemCache<Inner> {
    if (name === '') throw new ServerError('ARGUMENT_INVALID', 'a namespace has a name')
    const prefix = this.#prefix + name + SEPARATOR
    return new RatMemCache<Inner>(this.#core, prefix, [
      ...this.#scope,
      hashTag('namespace', prefix),
    ])
  }

  /** Figures of the whole cache. */
  stats(): CacheStats {
    return this.#used().stats
  }

  /** Calls `listener` whenever it happens. The keys are whole, also in a namespace. */
  on<Name extends CacheEventName>(name: Name, listener: (event: CacheEvents[Name]) => void): this {
    this.#core.events.on(name, listener)
    return this
  }

  off<Name extends CacheEventName>(name: Name, listener: (event: CacheEvents[Name]) => void): this {
    this.#core.events.off(name, listener)
    return this
  }

  /** Writes to disk what is in memory only. Without a disk tier it does nothing. */
  async flush(): Promise<void> {
    await this.#used().wait.written()
  }

  /**
   * Stops what serves this cache, ends factories, writes everything and closes, all views of it. Calls
   * after it fail with CACHE_CLOSED. May be called more than once.
   */
  shutdown(): Promise<void> {
    return this.#core.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown()
  }

  /** @internal What serves this cache builds on it. */
  get core(): CacheCore {
    return this.#core
  }

  // ------------------------------------------------------------------ inside

  /** The value, undefined, or WAIT; told to those who listen. */
  #getNow(full: string, stale: boolean): unknown {
    const core = this.#used()
    const value = core.items.get(full, stale)
    if (value === undefined) {
      if (core.events.miss.isHeard) core.events.key('miss', full)
    } else if (value !== WAIT && core.events.hit.isHeard) {
      core.events.key('hit', full)
    }
    return value
  }

  async #getLater(full: string, stale: boolean): Promise<unknown> {
    return this.#core.wait.read<unknown>(() => this.#getNow(full, stale))
  }

  #used(): CacheCore {
    this.#core.use()
    return this.#core
  }

  #plan(value: unknown, options: SetOptions | undefined): StorePlan {
    if (value === undefined) {
      throw new ServerError('ARGUMENT_INVALID', 'undefined is no value: it would look like a miss')
    }
    const { opened, tags } = this.#core
    return planOf(options, this.#scope, opened.cache.sequence, tags)
  }

  async #storeIf(
    op: Op,
    key: string,
    value: unknown,
    plan: StorePlan,
    token?: bigint,
  ): Promise<boolean> {
    const { items, wait } = this.#used()
    const full = this.#prefix + key
    const isStored = await wait.change(() => items.storeIf(op, full, value, plan, token))
    if (isStored) this.#tell('set', full)
    return isStored
  }

  async #count(
    key: string,
    delta: number,
    options: CountOptions | undefined,
  ): Promise<number | undefined> {
    const { items, wait } = this.#used()
    const full = this.#prefix + key
    const initial = options?.initial
    const plan = this.#plan(0, options)
    return wait.change<number | undefined>((): number | undefined | Wait => {
      const sum = items.add(full, delta)
      if (sum !== undefined || initial === undefined) return sum
      items.set(full, checkedDelta(initial), plan)
      return initial
    })
  }

  #tell(name: Exclude<CacheEventName, 'error'>, full: string): void {
    this.#core.events.key(name, full)
  }
}

/** The value of a key by the schema, or what the caller says where there is none. */
type AnyOr<Schema, Key, Value> = string extends keyof Schema ? Value : ValueOf<Schema, Key>

function checkedDelta(delta: number): number {
  if (Number.isSafeInteger(delta) && delta >= 0) return delta
  throw new ServerError('ARGUMENT_INVALID', `${delta} is no whole number of 0 or more`)
}
