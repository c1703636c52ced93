/**
 * The composition root of the server: builds every part of the network's side once, over a cache of
 * `opened-cache.ts`, and owns the order of starting and stopping. Nothing below it knows how the parts are
 * put together.
 */
import type { CommandContext, CommandSettings, Insight } from './commands/context.ts'
import { Audit } from './commands/audit.ts'
import { LoginLimits } from './commands/login-limits.ts'
import type { Authenticator } from './commands/login.ts'
import { settingsStats } from './commands/settings-report.ts'
import { Summary } from './commands/summary.ts'
import { rememberedDefaults } from './commands/tuning.ts'
import { UserList } from './commands/user-list.ts'
import { parseListenAddress } from './config/listen-address.ts'
import type { ListenAddress } from './config/listen-address.ts'
import type { Config } from './config/schema.ts'
import { readUsers } from './config/user-file.ts'
import type { User } from './config/user-file.ts'
import { DiskGate } from './engine/disk-gate.ts'
import { randomSeed } from './engine/key-hash.ts'
import { ServerError, assert } from './errors.ts'
import { ReadinessWatch } from './http/readiness.ts'
import type { OpenSideDoor } from './http/side-door.ts'
import { Counter } from './message/counter.ts'
import { ItemView } from './message/item-view.ts'
import { TurnScratch } from './net/command-in-progress.ts'
import type { ConnectionHost, ConnectionLimits } from './net/connection-host.ts'
import { connectionStats } from './net/connection-report.ts'
import { ConnectionTable } from './net/connection-table.ts'
import { InflightBytes } from './net/inflight-bytes.ts'
import { IO_BYTES, IoArea } from './net/io-area.ts'
import { Listener } from './net/listener.ts'
import { ReplyPins } from './net/reply-pins.ts'
import type { ReadMode } from './net/socket-reader.ts'
import { SocketWriter } from './net/socket-writer.ts'
import { Tls } from './net/tls.ts'
import { TurnRecord } from './net/turn-record.ts'
import type { Clock } from './observe/clock.ts'
import { CommandLatency } from './observe/command-latency.ts'
import { KeySample } from './observe/key-sample.ts'
import { limitLines } from './observe/log.ts'
import type { Logger } from './observe/log.ts'
import { METRIC } from './observe/metrics.ts'
import type { Metrics } from './observe/metrics.ts'
import { SlowLog } from './observe/slow-log.ts'
import { PrefixCounts } from './observe/prefix-counts.ts'
import { TOPIC } from './observe/watchers.ts'
import { createCache } from './opened-cache.ts'
import type { OpenDisk, OpenedCache } from './opened-cache.ts'
import { Protocols } from './protocol/select.ts'
import type { ProtocolChoice } from './protocol/select.ts'
import { Reloader } from './server/reload.ts'
import type { LiveParts } from './server/reload.ts'

/**
 * The version of memcached whose behaviour this server has. Clients take `version` apart and
 * choose what they speak by it, so it has to be that one; the own version is in `stats`.
 */
const COMPATIBLE_VERSION = '1.6.45'
/** Idle clients are looked for this often. */
const TICK_MS = 250
const US_PER_MS = 1000
/** Levels of the log by memcached's verbosity. */
const VERBOSE_LEVELS = ['debug', 'trace'] as const
/** Clients that are cut off for what they have under way are logged at most this often. */
const CUT_OFF_LOG_INTERVAL_MS = 10_000

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
  /** The address of the side door, "127.0.0.1:9150"; null if it is not open. */
  sideDoor(): string | null
  /**
   * Takes another configuration, which `read` reads: what of it can change while the server runs. The files
   * of users and certificates are read again in any case. What is bad is logged, and changes nothing.
   * Returns whether all was good. Without `read` the configuration is as it was.
   */
  reload(read?: () => Config): boolean
}

export interface ServerOptions {
  /** What `stats` shows as this program's own version. */
  readonly version?: string
  /** Who may log in, instead of the users of `auth.file`. */
  readonly authenticator?: Authenticator
  /** Users beside those of `auth.file`. Where there are any, clients have to log in. */
  readonly users?: readonly User[]
  /** Called when a client asks to stop the server; left out, it stops. */
  readonly onShutdown?: (graceful: boolean) => void
  /** Lines of the log that could not be written, where that is known. */
  readonly logLinesLost?: () => number
  /** Called when another configuration is in force. */
  readonly onReload?: (config: Config) => void
  /** Opens the data directory with other rights than those that bind addresses. */
  readonly openDisk?: OpenDisk
  /** Lets clients change the clock: `debugtime`. */
  readonly debug?: boolean
  /** How sockets are read; 'data' is the fallback, for tests and for runtimes without 'onread'. */
  readonly readMode?: ReadMode
}

/** Builds a server with a cache of its own; nothing is open before `listen`. */
export function createServer(config: Config, log: Logger, options: ServerOptions = {}): RatServer {
  const opened = createCache(config, log, IO_BYTES, options.openDisk)
  const server = serveCache(opened, config, log, { onShutdown: () => void stop(), ...options })
  async function stop(): Promise<void> {
    await server.stop()
    await opened.close()
  }
  return {
    async listen() {
      try {
        await opened.open()
        return await server.listen()
      } catch (error) {
        await stop()
        throw error
      }
    },
    stop,
    sideDoor: () => server.sideDoor(),
    reload: (read) => server.reload(read),
  }
}

/**
 * Builds a server for a cache that is open, and that is not closed with it. Its memory must begin with
 * IO_BYTES for the network, and only one server can use these.
 */
export function serveCache(
  opened: OpenedCache,
  config: Config,
  log: Logger,
  options: ServerOptions = {},
): RatServer {
  const { cache, clock, crawler, metrics, watchers, memoryLimit } = opened
  const { bind } = config.server
  // What may change while the server runs is held in records whose values change.
  const serverLimits = { ...config.server }
  const loginLimits = { ...config.auth }
  const settings = commandSettings(config)
  const limits = connectionLimits(config)
  const table = new ConnectionTable(serverLimits, clock, metrics, log, watchers, bind.length)
  const remembered = rememberedDefaults()
  watchers.countPrefixes(config.commands.detail)
  let configuredLevel = log.level
  let verbosity = 0
  let addresses: readonly string[] = []

  const heap = cache.store.heap.bytes
  const users = usersOf(config, options)
  const authenticator = options.authenticator ?? users
  const tls = config.tls.enabled ? new Tls(config.tls, clock, metrics, log) : null
  const inflight = createInflight(config, clock, metrics, log)
  const parts: LiveParts = { prepare, refuse, enforce }
  const reloader = new Reloader(config, parts, clock, metrics, log)
  const allProtocols: Protocols[] = []
  const context: CommandContext = {
    cache,
    metrics,
    clock,
    settings,
    facts: {
      compatibleVersion: COMPATIBLE_VERSION,
      ownVersion: options.version ?? 'unknown',
      startedAtS: clock.nowS,
      get maxConnections() {
        return reloader.config.server.connectionsMax
      },
      configReloadedAtS: () => reloader.reloadedAtS,
      currentConnections: () => table.count,
      connections: (asking) => {
        const { nowS } = clock
        return connectionStats(table.all, addresses, asking, nowS, nowS - context.facts.startedAtS)
      },
      settings: () =>
        settingsStats(reloader.config, {
          tcpPort: tcpPortOf(addresses),
          verbosity,
          slabChunkMax: cache.store.slabs.classes.chunkBytesMax,
          requiresLogin: authenticator !== null,
          memoryBytesMax: memoryLimit.bytes,
          countsPrefixes: (watchers.topics & TOPIC.PREFIXES) !== 0,
          crawler,
          remembered,
          rules: cache.tier?.rules,
        }),
      audit: new Audit(clock, log),
      logLinesLost: options.logLinesLost ?? (() => 0),
      adjustableClock: options.debug === true ? clock : null,
      inflightBytes: () => inflight.bytes,
      isAccepting: () => table.accepting,
      certificatesReadAtS: () => tls?.readAtS ?? 0,
      refreshCertificates: () => {
        if (tls === null) return 'no-tls'
        return tls.refresh() ? 'refreshed' : 'failed'
      },
      shutDown: (graceful) => {
        log.info({ graceful }, 'a client asks to stop')
        if (options.onShutdown === undefined) void stop()
        else options.onShutdown(graceful)
      },
      setVerbosity: (level) => {
        verbosity = Math.min(level, VERBOSE_LEVELS.length)
        log.level = VERBOSE_LEVELS[verbosity - 1] ?? configuredLevel
      },
    },
    view: new ItemView(heap),
    heap,
    authenticator,
    loginLimits: new LoginLimits(loginLimits, clock),
    watchers,
    prefixes: new PrefixCounts(config.commands.prefixDelimiter),
    crawler,
    memoryLimit,
    remembered,
    client: null,
    counter: new Counter(),
    insight: createInsight(config),
  }
  if (config.metrics.hotKeys) {
    const { hotKeysWindowMs } = config.metrics
    const seed = randomSeed().k0
    const { prefixDelimiter } = config.commands
    watchers.sample = new KeySample(hotKeysWindowMs, prefixDelimiter, seed, clock, watchers)
  }
  const turns = turnRecordOf(context)
  const readMode = options.readMode ?? 'onread'
  const protocolsOf = (choice: ProtocolChoice): Protocols => {
    const { getLineBytesMax } = config.server
    const requiresLogin = authenticator !== null
    const protocols = new Protocols({ choice, getLineBytesMax, requiresLogin })
    allProtocols.push(protocols)
    return protocols
  }
  const host: ConnectionHost = {
    io: new IoArea(heap),
    scratch: new TurnScratch(heap),
    protocols: protocolsOf(config.server.protocol),
    context,
    disk: new DiskGate(cache),
    turns,
    pins: new ReplyPins(cache, () => memoryLimit.bytes),
    metrics,
    limits,
    inflight,
    readMode,
    writer: new SocketWriter(readMode),
    copiesOutput: false,
    closed: (connection, error) => table.remove(connection, error),
  }
  const listeners = config.server.bind.map((text) => {
    const address = parseListenAddress(text)
    assert(address !== undefined, 'the configuration has checked its addresses')
    const { backlog, unixMode } = config.server
    const encrypted = isEncrypted(address) ? tls : null
    const ownHost = hostFor(address, host, encrypted !== null, protocolsOf)
    return new Listener({ address, backlog, unixMode, tls: encrypted }, ownHost, table, log)
  })
  const summary = new Summary(context, log)
  const readiness = new ReadinessWatch(context, config.metrics.degradedLimitMs)
  let sideDoor: OpenSideDoor | null = null
  const ticking = clock.every(TICK_MS, () => {
    table.closeIdle()
    readiness.tick()
    watchers.sample?.tick()
  })

  let stopping: Promise<void> | undefined
  async function shutDown(): Promise<void> {
    readiness.isDraining = true
    for (const listener of listeners) listener.close()
    await table.closeAll(serverLimits.shutdownTimeoutMs)
    await sideDoor?.close()
    summary.intervalMs = 0
    ticking.stop()
  }

  function stop(): Promise<void> {
    stopping ??= shutDown()
    return stopping
  }

  return {
    async listen() {
      try {
        // One after the other: the order of the log is that of the configuration.
        const bound: string[] = []
        for (const listener of listeners) bound.push(await listener.open())
        addresses = bound
        summary.intervalMs = config.logging.summaryIntervalMs
        sideDoor = await openSideDoor(() => reloader.config, context, readiness, log)
        return bound
      } catch (error) {
        for (const listener of listeners) listener.close()
        ticking.stop()
        throw error instanceof ServerError
          ? error
          : new ServerError('CANNOT_BIND', 'cannot listen', error)
      }
    },
    stop,
    sideDoor: () => sideDoor?.address ?? null,
    reload(read) {
      const isGood = reloader.reload(read ?? (() => reloader.config))
      if (isGood) options.onReload?.(reloader.config)
      return isGood
    },
  }

  /** Reads the files that a configuration names. */
  function prepare(next: Config): () => void {
    // Without a file the users stay those that they are: see `refuse`.
    const { auth } = next.auth.file === '' ? reloader.config : next
    const nextUsers = users === null ? null : usersIn({ auth }, options)
    const useCertificates = tls === null || !next.tls.enabled ? null : tls.prepare(next.tls)
    return () => {
      if (nextUsers !== null) users?.replace(nextUsers)
      useCertificates?.()
    }
  }

  /** Keys whose new values do not fit what was made at the start. */
  function refuse(next: Config, isChanged: (key: string) => boolean): readonly string[] {
    const refused: string[] = []
    if (isChanged('l1.max_memory') && !memoryLimit.set(next.l1.memoryBytesMax)) {
      refused.push('l1.max_memory')
    }
    if (next.server.itemBytesMax > memoryLimit.bytes / 2) refused.push('server.max_item_size')
    // Whether clients have to log in was settled when their protocols were made.
    if (users === null || next.auth.file === '') refused.push('auth.file')
    return refused
  }

  function enforce(next: Config, before: Config): void {
    Object.assign(serverLimits, next.server)
    Object.assign(loginLimits, next.auth)
    Object.assign(settings, commandSettings(next))
    Object.assign(limits, connectionLimits(next))
    inflight.limitTo(inflightBytesMax(next))
    for (const protocols of allProtocols) protocols.limitGetLine(next.server.getLineBytesMax)
    table.limitsChanged()
    if (next.commands.detail !== before.commands.detail) {
      watchers.countPrefixes(next.commands.detail)
    }
    if (next.logging.level !== before.logging.level) {
      configuredLevel = next.logging.level
      verbosity = 0
      log.level = configuredLevel
    }
    if (next.logging.summaryIntervalMs !== before.logging.summaryIntervalMs) {
      summary.intervalMs = next.logging.summaryIntervalMs
    }
    readiness.limitDegraded(next.metrics.degradedLimitMs)
    opened.reconfigure(before, next)
  }
}

function commandSettings({ server, commands }: Config): CommandSettings {
  const { flushEnabled, dumpEnabled, watchEnabled, shutdownEnabled } = commands
  const { itemBytesMax } = server
  return { itemBytesMax, flushEnabled, dumpEnabled, watchEnabled, shutdownEnabled }
}

function connectionLimits({ server }: Config): ConnectionLimits {
  const { commandsPerTurnMax, pendingOutputBytesMax } = server
  return { commandsPerTurn: commandsPerTurnMax, pendingOutputBytes: pendingOutputBytesMax }
}

/** What is measured of commands, as the configuration says. */
function createInsight({ metrics }: Config): Insight {
  const { latency, slowEntriesMax, slowThresholdMs } = metrics
  const isLogged = latency && slowThresholdMs > 0
  return {
    latency: latency ? new CommandLatency() : null,
    slowLog: isLogged ? new SlowLog(slowThresholdMs * US_PER_MS, slowEntriesMax) : null,
  }
}

/** Null where nothing is measured. */
function turnRecordOf(context: CommandContext): TurnRecord | null {
  const { clock, heap, insight, watchers } = context
  const { latency, slowLog } = insight
  if (latency === null && watchers.sample === null) return null
  return new TurnRecord(
    clock,
    latency ?? new CommandLatency(),
    slowLog,
    watchers.sample,
    heap.buffer,
  )
}

/** Opens `metrics.bind`, where there is one. What it takes is not loaded before. */
async function openSideDoor(
  inForce: () => Config,
  context: CommandContext,
  readiness: ReadinessWatch,
  log: Logger,
): Promise<OpenSideDoor | null> {
  if (inForce().metrics.bind === '') return null
  const { openSideDoor: open } = await import('./http/side-door.ts')
  return open(inForce, context, readiness, log)
}

/** The users that may log in; null where nobody has to. */
function usersOf({ auth }: Config, { users = [] }: ServerOptions): UserList | null {
  if (auth.file === '' && users.length === 0 && !auth.required) return null
  return new UserList(usersIn({ auth }, { users }))
}

function usersIn({ auth }: Pick<Config, 'auth'>, { users = [] }: ServerOptions): User[] {
  return [...(auth.file === '' ? [] : readUsers(auth.file)), ...users]
}

/** Bytes that clients may have under way. */
function inflightBytesMax({ server }: Config): number {
  const { itemBytesMax, getLineBytesMax } = server
  if (server.inflightBytesMax === 0) return 0
  // Nobody is cut off for one item, or one line, that the other limits let through.
  return Math.max(server.inflightBytesMax, 2 * (itemBytesMax + getLineBytesMax))
}

function createInflight(
  config: Config,
  clock: Clock,
  metrics: Metrics,
  log: Logger,
): InflightBytes {
  let bytesCut = 0
  const warn = limitLines(
    CUT_OFF_LOG_INTERVAL_MS,
    () => clock.elapsedMs(),
    (leftOut) =>
      log.warn(
        { bytes: bytesCut, not_logged: leftOut },
        'cut a client off: server.max_inflight is reached, and it had most under way',
      ),
  )
  return new InflightBytes(inflightBytesMax(config), (bytes) => {
    bytesCut = bytes
    metrics.count(METRIC.INFLIGHT_KICKS)
    warn()
  })
}

function isEncrypted(address: ListenAddress): boolean {
  return address.kind === 'tcp' && address.security !== 'clear'
}

/** What the connections of one address have in common: its protocol, and how bytes get in and out. */
function hostFor(
  address: ListenAddress,
  host: ConnectionHost,
  encrypted: boolean,
  protocolsOf: (choice: ProtocolChoice) => Protocols,
): ConnectionHost {
  const choice = address.kind === 'tcp' ? address.protocol : undefined
  const protocols = choice === undefined ? host.protocols : protocolsOf(choice)
  if (!encrypted) return choice === undefined ? host : { ...host, protocols }
  // The handle of such a socket is not where its bytes are.
  const writer = new SocketWriter('data')
  return { ...host, protocols, readMode: 'data', writer, copiesOutput: true }
}

function tcpPortOf(addresses: readonly string[]): number {
  const tcp = addresses.find((address) => !address.startsWith('unix:'))
  return tcp === undefined ? 0 : Number(tcp.slice(tcp.lastIndexOf(':') + 1))
}
