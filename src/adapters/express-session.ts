/**
 * A store for express-session: `session({ store: sessionStore(session, cache) })`. The class of stores
 * comes from the program's own express-session, which is not imported here.
 */
import type { RatMemCache } from '../library/rat-mem-cache.ts'

/** How long a session is kept whose cookie says nothing: a day. */
const TTL_MS = 86_400_000

type Callback<Value> = (error: unknown, value?: Value) => void

/** What of a session matters here. */
export interface StoredSession {
  readonly cookie: { readonly expires?: Date | string | null; readonly maxAge?: number | null }
}

/** express-session, as far as it is needed. */
export interface SessionModule<Store extends object> {
  readonly Store: abstract new () => Store
}

export interface SessionStoreOptions {
  /** How long a session is kept whose cookie says nothing, in milliseconds. */
  readonly ttlMs?: number
}

/** What a store does with sessions, as express-session asks for it. */
interface SessionStore {
  get(id: string, callback: Callback<StoredSession | null>): void
  set(id: string, session: StoredSession, callback?: Callback<void>): void
  touch(id: string, session: StoredSession, callback?: Callback<void>): void
  destroy(id: string, callback?: Callback<void>): void
  clear(callback?: Callback<void>): void
  all(callback: Callback<Record<string, StoredSession>>): void
  length(callback: Callback<number>): void
}

/**
 * Makes a store over a cache or, better, over a namespace of one: `clear` empties it. Sessions are stored
 * as JSON text, so that any client of memcached can read them but for a header in front.
 */
export function sessionStore<Store extends object>(
  session: SessionModule<Store>,
  cache: RatMemCache,
  { ttlMs = TTL_MS }: SessionStoreOptions = {},
): Store {
  const ttlOf = ({ cookie }: StoredSession): number => {
    if (cookie.expires === undefined || cookie.expires === null) return ttlMs
    return new Date(cookie.expires).getTime() - cache.core.tags.nowMs
  }
  const save = async (id: string, stored: StoredSession): Promise<void> => {
    const ttl = ttlOf(stored)
    if (ttl <= 0) await cache.delete(id)
    else await cache.set(id, JSON.stringify(stored), { ttl })
  }
  const sessions: SessionStore = {
    get: (id, callback) => answer(read(cache, id), callback),
    set: (id, stored, callback) => answer(save(id, stored), callback),
    touch: (id, stored, callback) => {
      const ttl = ttlOf(stored)
      answer(done(ttl <= 0 ? cache.delete(id) : cache.expire(id, ttl)), callback)
    },
    destroy: (id, callback) => answer(done(cache.delete(id)), callback),
    clear: (callback) => answer(cache.clear(), callback),
    all: (callback) => answer(readAll(cache), callback),
    length: (callback) => answer(count(cache), callback),
  }
  // The types of express-session call its class abstract; the program makes stores of it.
  const store: Store = Reflect.construct(session.Store, [])
  return Object.assign(store, sessions)
}

async function read(cache: RatMemCache, id: string): Promise<StoredSession | null> {
  const text = await cache.get<string>(id)
  return text === undefined ? null : parsed(text)
}

async function readAll(cache: RatMemCache): Promise<Record<string, StoredSession>> {
  const all: Record<string, StoredSession> = {}
  for await (const [id, text] of cache.entries()) all[id] = parsed(String(text))
  return all
}

async function count(cache: RatMemCache): Promise<number> {
  let sum = 0
  for await (const _ of cache.keys()) sum++
  return sum
}

function parsed(text: string): StoredSession {
  const session: StoredSession = JSON.parse(text)
  return session
}

/** Calls back with what comes of a promise; what the callback throws is not an error of the store. */
function answer<Value>(promise: Promise<Value>, callback: Callback<Value> | undefined): void {
  const called = (error: unknown, value?: Value): void => {
    queueMicrotask(() => callback?.(error, value))
  }
  void promise.then((value) => called(null, value)).catch(called)
}

/** Whatever comes of a promise is not told. */
async function done(promise: Promise<unknown>): Promise<void> {
  await promise
}
