/**
 * The caches that are compared, each behind the two calls that are timed. What one of them does by itself,
 * such as copying values, is left as it comes.
 */
import { BentoCache, bentostore } from 'bentocache'
import { Cacheable } from 'cacheable'
import { LRUCache } from 'lru-cache'
import NodeCache from 'node-cache'
import { RatMemCache } from '../../src/index.ts'

/** One cache. Calls return promises where the cache has no others. */
export interface Contender {
  readonly name: string
  get(key: string): unknown
  set(key: string, value: Buffer): unknown
  /** Whether calls are to be awaited. */
  readonly isAsync: boolean
  close(): Promise<void>
}

const nothing = (): Promise<void> => Promise.resolve()

export const CONTENDER_NAMES = [
  'rat-memcached, getSync and setSync',
  'rat-memcached, get and set',
  'lru-cache',
  'node-cache',
  'cacheable',
  'bentocache',
] as const

export type ContenderName = (typeof CONTENDER_NAMES)[number]

/** Opens a cache with room for some items of 100 bytes. */
export async function open(name: ContenderName, items: number): Promise<Contender> {
  switch (name) {
    case 'rat-memcached, getSync and setSync': {
      const cache = await rat(items)
      return {
        name,
        get: (key) => cache.getSync(key),
        set: (key, value) => cache.setSync(key, value),
        isAsync: false,
        close: () => cache.shutdown(),
      }
    }
    case 'rat-memcached, get and set': {
      const cache = await rat(items)
      return {
        name,
        get: (key) => cache.get(key),
        set: (key, value) => cache.set(key, value),
        isAsync: true,
        close: () => cache.shutdown(),
      }
    }
    case 'lru-cache': {
      const cache = new LRUCache<string, Buffer>({ max: items })
      const get = (key: string): unknown => cache.get(key)
      return {
        name,
        get,
        set: (key, value) => cache.set(key, value),
        isAsync: false,
        close: nothing,
      }
    }
    case 'node-cache': {
      const cache = new NodeCache()
      const close = (): Promise<void> => Promise.resolve(cache.close())
      const get = (key: string): unknown => cache.get(key)
      return { name, get, set: (key, value) => cache.set(key, value), isAsync: false, close }
    }
    case 'cacheable': {
      const cache = new Cacheable()
      const get = (key: string): unknown => cache.get(key)
      return {
        name,
        get,
        set: (key, value) => cache.set(key, value),
        isAsync: true,
        close: nothing,
      }
    }
    default: {
      const { memoryDriver } = await import('bentocache/drivers/memory')
      const store = bentostore().useL1Layer(memoryDriver({ maxItems: items }))
      const cache = new BentoCache({ default: 'main', stores: { main: store } })
      return {
        name,
        get: (key) => cache.get({ key }),
        set: (key, value) => cache.set({ key, value }),
        isAsync: true,
        close: () => cache.disconnect(),
      }
    }
  }
}

/** 208 bytes are a chunk for a key of 12 bytes and a value of 100, with room for the index. */
const BYTES_PER_ITEM = 256
const LEAST_BYTES = 16 * 1024 * 1024

function rat(items: number): Promise<RatMemCache> {
  const maxMemory = Math.max(LEAST_BYTES, items * BYTES_PER_ITEM)
  return RatMemCache.builder().l1({ maxMemory }).build()
}
