/** A server over a cache that a program uses at the same time. */
import type { Config } from '../config/schema.ts'
import { loadConfig } from '../config/load.ts'
import { ServerError } from '../errors.ts'
import type { RatMemCache } from './rat-mem-cache.ts'
import { settingsFrom, settingsOf } from './settings.ts'
import type { SectionSettings } from './settings.ts'

/** Where clients are served, and what they may do. What is left out is as the cache was built. */
export interface ServeOptions extends SectionSettings<'server'> {
  readonly commands?: SectionSettings<'commands'>
  readonly auth?: SectionSettings<'auth'>
  readonly tls?: SectionSettings<'tls'>
  /** `bind` opens the side door: /metrics, /healthz and a page for browsers. */
  readonly metrics?: SectionSettings<'metrics'>
}

/** Clients of memcached are served until it is stopped, or its cache is shut down. */
export interface CacheServer {
  /** "127.0.0.1:11211", or "unix:/path", for each listener. */
  readonly addresses: readonly string[]
  /** "127.0.0.1:9150", where there is a side door. */
  readonly sideDoor: string | null
  /** Answers what has been received, and closes. The cache stays open. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Serves a cache to clients of memcached, by default at 127.0.0.1:11211. There is one server to a cache at a
 * time. Fails with CONFIG_INVALID, CANNOT_BIND, or ARGUMENT_INVALID where the cache has a server.
 */
export async function createServer<Schema extends object>(
  cache: RatMemCache<Schema>,
  options: ServeOptions = {},
): Promise<CacheServer> {
  const { core } = cache
  core.use()
  if (core.runs.isShared) {
    throw new ServerError('ARGUMENT_INVALID', 'this cache has a server already')
  }
  core.runs.isShared = true
  try {
    const config = configOf(core.config, options)
    // The network is loaded by those who serve.
    const { serveCache } = await import('../server.ts')
    const server = serveCache(core.opened, config, core.log, { onShutdown: () => void stop() })
    const dependent = { stop: () => stop() }
    let stopping: Promise<void> | undefined
    const stopOnce = async (): Promise<void> => {
      await server.stop()
      core.dependents.delete(dependent)
      core.runs.isShared = false
    }
    const stop = (): Promise<void> => {
      stopping ??= stopOnce()
      return stopping
    }
    core.dependents.add(dependent)
    try {
      const addresses = await server.listen()
      return { addresses, sideDoor: server.sideDoor(), stop, [Symbol.asyncDispose]: stop }
    } catch (error) {
      await stop()
      throw error
    }
  } catch (error) {
    core.runs.isShared = false
    throw error
  }
}

/** The configuration of the cache with what is to be different, checked like a file. */
function configOf(config: Config, options: ServeOptions): Config {
  const { commands = {}, auth = {}, tls = {}, metrics = {}, ...server } = options
  const checked = loadConfig({
    env: {},
    settings: [
      ...settingsFrom(config),
      ...settingsOf('server', server),
      ...settingsOf('commands', commands),
      ...settingsOf('auth', auth),
      ...settingsOf('tls', tls),
      ...settingsOf('metrics', metrics),
    ],
  })
  // What the cache itself goes by stays as it was built.
  const { l1, l2, compression, ttl, performance, logging } = config
  return { ...checked, l1, l2, compression, ttl, performance, logging }
}
