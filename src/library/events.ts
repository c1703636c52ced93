/**
 * What happens in a cache, told to those who listen: to listeners of a cache, and to the channels of
 * `node:diagnostics_channel` for tools that watch all caches of a process. Where nobody listens, it costs
 * the question whether somebody does.
 */
import { channel } from 'node:diagnostics_channel'
import type { Channel } from 'node:diagnostics_channel'
import { ServerError } from '../errors.ts'

/** What each event tells. */
export interface CacheEvents {
  /** A call has found the value of a key. */
  hit: { readonly key: string }
  miss: { readonly key: string }
  /** A call has stored a value. */
  set: { readonly key: string }
  delete: { readonly key: string }
  /** An item made room, and is lost. */
  evict: { readonly key: string }
  /** An item made room, and is on disk. */
  demote: { readonly key: string }
  /** An item came back from disk. */
  promote: { readonly key: string }
  /** An item was over, and went: it had expired, or a tag of it was invalidated. */
  expire: { readonly key: string }
  /** Something failed that no call could say: a factory in the background, a note on disk. */
  error: { readonly error: unknown; readonly key?: string }
}

export type CacheEventName = keyof CacheEvents

const NAMES: readonly CacheEventName[] = [
  'hit',
  'miss',
  'set',
  'delete',
  'evict',
  'demote',
  'promote',
  'expire',
  'error',
]

/** The channels are called `rat-memcached:hit` and so on; their messages have the field `cache` as well. */
export const CHANNEL_PREFIX = 'rat-memcached:'

export class EventSource<Event extends object> {
  readonly #channel: Channel
  readonly #listeners = new Set<(event: Event) => void>()
  readonly #cache: string

  constructor(name: string, cache: string) {
    this.#channel = channel(CHANNEL_PREFIX + name)
    this.#cache = cache
  }

  /** Whether telling would reach anybody. */
  get isHeard(): boolean {
    return this.#listeners.size > 0 || this.#channel.hasSubscribers
  }

  add(listener: (event: Event) => void): void {
    this.#listeners.add(listener)
  }
  remove(listener: (event: Event) => void): void {
    this.#listeners.delete(listener)
  }

  /** Returns the error that a listener threw last, if one did: it must not stop the cache. */
  tell(event: Event): unknown {
    let failure: unknown
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        failure = error
      }
    }
    if (this.#channel.hasSubscribers) this.#channel.publish({ cache: this.#cache, ...event })
    return failure
  }
}

export class EventSources {
  readonly #sources: { readonly [Name in CacheEventName]: EventSource<CacheEvents[Name]> }
  readonly hit: EventSource<CacheEvents['hit']>
  readonly miss: EventSource<CacheEvents['miss']>
  readonly set: EventSource<CacheEvents['set']>
  readonly error: EventSource<CacheEvents['error']>

  /** `cache` is the name by which channels tell caches apart. */
  constructor(cache: string) {
    const made = NAMES.map((name) => [name, new EventSource(name, cache)])
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one source for each name
    this.#sources = Object.fromEntries(made) as never
    this.hit = this.#sources.hit
    this.miss = this.#sources.miss
    this.set = this.#sources.set
    this.error = this.#sources.error
  }

  /** Fails with ARGUMENT_INVALID for a name that is none. */
  of<Name extends CacheEventName>(name: Name): EventSource<CacheEvents[Name]> {
    if (!Object.hasOwn(this.#sources, name)) {
      throw new ServerError('ARGUMENT_INVALID', `there is no event ${name}: ${NAMES.join(', ')}`)
    }
    return this.#sources[name]
  }

  /** Whether telling of something would reach anybody. */
  isHeard(name: CacheEventName): boolean {
    return this.#sources[name].isHeard
  }

  on<Name extends CacheEventName>(name: Name, listener: (event: CacheEvents[Name]) => void): void {
    this.of(name).add(listener)
  }
  off<Name extends CacheEventName>(name: Name, listener: (event: CacheEvents[Name]) => void): void {
    this.of(name).remove(listener)
  }

  /** Tells of a key. An error of a listener is told as an error of the cache. */
  key(name: Exclude<CacheEventName, 'error'>, key: string): void {
    const source = this.#sources[name]
    if (!source.isHeard) return
    const failure = source.tell({ key })
    if (failure !== undefined) this.failed(failure, key)
  }

  failed(error: unknown, key?: string): void {
    // An error of a listener of errors has nobody to be told to.
    this.error.tell(key === undefined ? { error } : { error, key })
  }
}
