/**
 * The composition root: builds every part once, from the bottom up, and owns the order of
 * starting and stopping. Nothing below it knows how the parts are put together.
 */
import type { CommandContext } from './commands/context.ts'
import type { Authenticator } from './commands/login.ts'
import { settingsStats } from './commands/settings-report.ts'
import { parseListenAddress } from './config/listen-address.ts'
import type { Config } from './config/schema.ts'
import { Cache } from './engine/cache.ts'
import { DiskGate } from './engine/disk-gate.ts'
import { DiskTier } from './engine/disk-tier.ts'
import { tierOptions } from './engine/tier-options.ts'
import { ServerError, assert } from './errors.ts'
import { Counter } from './message/counter.ts'
import { ItemView } from './message/item-view.ts'
import { TurnScratch } from './net/command-in-progress.ts'
import type { ConnectionHost } from './net/connection.ts'
import { ConnectionTable } from './net/connection-table.ts'
import { IO_BYTES, IoArea } from './net/io-area.ts'
import { Listener } from './net/listener.ts'
import type { ReadMode } from './net/socket-reader.ts'
import { SocketWriter } from './net/socket-writer.ts'
import { SystemClock } from './observe/clock.ts'
import type { Logger } from './observe/log.ts'
import { Metrics } from './observe/metrics.ts'
import { Protocols } from './protocol/select.ts'

/**
 * The version of memcached whose behaviour this server has. Clients take `version` apart and
 * choose what they speak by it, so it has to be that one; the own version is in `stats`.
 */
const COMPATIBLE_VERSION = '1.6.45'
/** Flushes that have become due and idle clients are looked for this often. */
const TICK_MS = 250
/** Levels of the log by memcached's verbosity. */
const VERBOSE_LEVELS = ['debug', 'trace'] as const

export interface RatServer {
  /**
   * Opens every listener. Resolves to the addresses that are bound, "127.0.0.1:11211" or
   * "unix:/path". Rejects with ServerError CANNOT_BIND, or DATA_DIR_… for a disk tier that cannot be
   * used, and nothing is open then.
   */
  listen(): Promise<readonly string[]>
  /**
   * Stops accepting, answers what has been received, closes. Resolves within
   * `server.shutdown_timeout`. May be called more than once.
   */
  stop(): Promise<void>
}

export interface ServerOptions {
  /** What `stats` shows as this program's own version. */
  readonly version?: string
  /** Who may log in; left out, nobody has to. */
  readonly authenticator?: Authenticator
  /** Opens the data directory with other rights than those that bind addresses. */
  readonly openDisk?: <Disk>(folder: string, open: () => Promise<Disk>) => Promise<Disk>
  /** How sockets are read; 'data' is the fallback, for tests and for runtimes without 'onread'. */
  readonly readMode?: ReadMode
}

/** Builds a server; nothing is open before `listen`. */
export function createServer(config: Config, log: Logger, options: ServerOptions = {}): RatServer {
  const clock = new SystemClock()
  const metrics = new Metrics()
  const cache = new Cache(
    {
      memoryBytesMax: config.l1.memoryBytesMax,
      entriesMax: config.l1.entriesMax,
      evictions: config.l1.evictions,
      policy: config.l1.eviction,
      ioBytes: IO_BYTES,
    },
    clock,
    metrics,
  )
  const table = new ConnectionTable(config.server, clock, metrics, log)
  const configuredLevel = log.level
  let verbosity = 0
  let addresses: readonly string[] = []

  const heap = cache.store.heap.bytes
  const authenticator = options.authenticator ?? null
  const context: CommandContext = {
    cache,
    metrics,
    clock,
    settings: { itemBytesMax: config.server.itemBytesMax },
    facts: {
      compatibleVersion: COMPATIBLE_VERSION,
      ownVersion: options.version ?? 'unknown',
      startedAtS: clock.nowS,
      maxConnections: config.server.connectionsMax,
      memoryBytesMax: config.l1.memoryBytesMax,
      currentConnections: () => table.count,
      settings: () =>
        settingsStats(
          config,
          tcpPortOf(addresses),
          verbosity,
          cache.store.slabs.classes.chunkBytesMax,
        ),
      setVerbosity: (level) => {
        verbosity = Math.min(level, VERBOSE_LEVELS.length)
        log.level = VERBOSE_LEVELS[verbosity - 1] ?? configuredLevel
      },
    },
    view: new ItemView(heap),
    heap,
    authenticator,
    counter: new Counter(),
  }
  const readMode = options.readMode ?? 'onread'
  const host: ConnectionHost = {
    io: new IoArea(heap),
    scratch: new TurnScratch(heap),
    protocols: new Protocols({
      choice: config.server.protocol,
      getLineBytesMax: config.server.getLineBytesMax,
      requiresLogin: authenticator !== null,
    }),
    context,
    disk: new DiskGate(cache),
    pins: cache,
    metrics,
    limits: {
      commandsPerTurn: config.server.commandsPerTurnMax,
      pendingOutputBytes: config.server.pendingOutputBytesMax,
    },
    readMode,
    writer: new SocketWriter(readMode),
    closed: (connection, error) => table.remove(connection, error),
  }
  const listeners = config.server.bind.map((text) => {
    const address = parseListenAddress(text)
    assert(address !== undefined, 'the configuration has checked its addresses')
    const { backlog, unixMode } = config.server
    return new Listener({ address, backlog, unixMode }, host, table, log)
  })
  const ticking = clock.every(TICK_MS, () => {
    cache.tick()
    table.closeIdle()
  })
  let tier: DiskTier | undefined

  let stopping: Promise<void> | undefined
  async function shutDown(): Promise<void> {
    for (const listener of listeners) listener.close()
    await table.closeAll(config.server.shutdownTimeoutMs)
    await tier?.close()
    ticking.stop()
    clock.stop()
  }

  return {
    async listen() {
      try {
        if (config.l2.enabled) {
          const disk = tierOptions(config)
          const open = (): Promise<DiskTier> =>
            DiskTier.open(disk, cache.store, cache, clock, metrics, log)
          tier = await (options.openDisk === undefined ? open() : options.openDisk(disk.folder, open))
          cache.attach(tier)
        }
        // One after the other: the order of the log is that of the configuration.
        const bound: string[] = []
        for (const listener of listeners) bound.push(await listener.open())
        addresses = bound
        return bound
      } catch (error) {
        for (const listener of listeners) listener.close()
        await tier?.close()
        ticking.stop()
        clock.stop()
        throw error instanceof ServerError
          ? error
          : new ServerError('CANNOT_BIND', 'cannot listen', error)
      }
    },
    stop() {
      stopping ??= shutDown()
      return stopping
    },
  }
}

function tcpPortOf(addresses: readonly string[]): number {
  const tcp = addresses.find((address) => !address.startsWith('unix:'))
  return tcp === undefined ? 0 : Number(tcp.slice(tcp.lastIndexOf(':') + 1))
}
