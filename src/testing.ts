/**
 * `rat-memcached/testing`: a server for the tests of a program, in its process: a free port, memory only,
 * silent, and nothing that holds the process.
 */
import { RatMemCache } from './library/rat-mem-cache.ts'
import { createServer } from './library/served-cache.ts'
import type { ServeOptions } from './library/served-cache.ts'

export interface TestServerOptions extends ServeOptions {
  /** Memory of the cache; 16 MB if nothing is said. */
  readonly maxMemory?: number | string
}

export interface TestServer {
  readonly host: string
  readonly port: number
  /** "127.0.0.1:PORT", as clients take it. */
  readonly address: string
  /** The cache that is served, for preparing and for looking. */
  readonly cache: RatMemCache
  /** Removes everything. */
  clear(): Promise<void>
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const HOST = '127.0.0.1'

/** Starts a server at a free port of 127.0.0.1. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { maxMemory = '16MB', ...serving } = options
  const cache = await RatMemCache.builder().l1({ maxMemory }).build()
  try {
    const server = await createServer(cache, { bind: [`${HOST}:0`], ...serving })
    const [address = ''] = server.addresses
    const stop = (): Promise<void> => cache.shutdown()
    return {
      host: HOST,
      port: Number(address.slice(address.lastIndexOf(':') + 1)),
      address,
      cache,
      clear: () => cache.clear(),
      stop,
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await cache.shutdown()
    throw error
  }
}
