/** All connections of the server: how many there may be, who is idle, how they end. */
import type { Socket } from 'node:net'
import type { Clock } from '../observe/clock.ts'
import { limitLines } from '../observe/log.ts'
import type { Logger } from '../observe/log.ts'
import { METRIC } from '../observe/metrics.ts'
import type { Metrics } from '../observe/metrics.ts'
import { TOPIC, Watchers } from '../observe/watchers.ts'
import type { Connection } from './connection.ts'
import { ConnectionPlaces } from './connection-places.ts'
import type { Place, PlaceLimits } from './connection-places.ts'

export type { Place } from './connection-places.ts'

/** Refusals are logged at most this often. */
const REFUSAL_LOG_INTERVAL_MS = 10_000
/** How often it is looked whether everything has been answered while stopping. */
const STOP_POLL_MS = 5

export interface ConnectionTableOptions extends PlaceLimits {
  /** Whether those wait for whom there is no place, or are refused. */
  readonly whenFull: 'refuse' | 'wait'
  /** So many may wait. */
  readonly backlog: number
  /** 0 = never. */
  readonly idleTimeoutMs: number
}

export class ConnectionTable {
  /** With the place of each, where the place is not freed by its socket. */
  readonly #connections = new Map<Connection, Place | null>()
  readonly #places: ConnectionPlaces
  /** Clients for whom there is no place yet, in the order in which they came. */
  readonly #waiting: { readonly socket: Socket; readonly admit: (place: Place) => void }[] = []
  readonly #options: ConnectionTableOptions
  readonly #clock: Clock
  readonly #metrics: Metrics
  readonly #log: Logger
  /** Called when the last connection is gone, while somebody waits for that. */
  #emptied: (() => void) | undefined
  /** Logs a refusal, unless that was done a moment ago. */
  readonly #noteRefusal: () => void

  readonly #watchers: Watchers
  /** Those that are being closed because they were idle. */
  readonly #idle = new Set<Connection>()
  #isStopping = false
  /** The number of the connection that came last. */
  #lastNumber: number

  constructor(
    options: ConnectionTableOptions,
    clock: Clock,
    metrics: Metrics,
    log: Logger,
    watchers: Watchers = new Watchers(clock, metrics),
    listeners = 1,
  ) {
    this.#options = options
    this.#clock = clock
    this.#metrics = metrics
    this.#log = log
    this.#watchers = watchers
    this.#lastNumber = listeners
    this.#places = new ConnectionPlaces(options, () => this.#admitNext())
    this.#noteRefusal = limitLines(
      REFUSAL_LOG_INTERVAL_MS,
      () => clock.elapsedMs(),
      (leftOut) =>
        log.warn(
          { max_connections: options.connectionsMax, not_logged: leftOut },
          'refused a connection: server.max_connections, or max_connections_per_address, is reached',
        ),
    )
  }

  get count(): number {
    return this.#connections.size
  }
  get all(): Iterable<Connection> {
    return this.#connections.keys()
  }
  /** Whether one who comes now is served or refused, and not made to wait. */
  get accepting(): boolean {
    return this.#waiting.length === 0
  }

  /** The options have changed: clients that wait may come in now. */
  limitsChanged(): void {
    this.#admitNext()
  }

  /** A place for a client that was just accepted; null if there is none. */
  take(socket: Socket): Place | null {
    if (this.#places.fullFor(socket.remoteAddress)) {
      this.#metrics.count(METRIC.REJECTED_BY_ADDRESS)
      this.#noteRefusal()
      return null
    }
    if (!this.#places.full) return this.#places.take(socket.remoteAddress)
    if (this.#options.whenFull === 'refuse') this.#noteRefusal()
    return null
  }

  /** Lets a client wait until there is a place. False if it may not wait. */
  wait(socket: Socket, admit: (place: Place) => void): boolean {
    const { backlog, whenFull } = this.#options
    if (whenFull === 'refuse' || this.#waiting.length >= backlog) return false
    if (this.#places.fullFor(socket.remoteAddress)) return false
    if (this.#waiting.length === 0) this.#metrics.count(METRIC.LISTEN_DISABLED_NUM)
    this.#waiting.push({ socket, admit })
    return true
  }

  #admitNext(): void {
    while (!this.#places.full) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      const { socket, admit } = next
      if (!socket.destroyed) admit(this.#places.take(socket.remoteAddress))
    }
  }

  add(connection: Connection, place: Place | null): void {
    this.#connections.set(connection, place)
    connection.number = ++this.#lastNumber
    this.#tell(connection, 'conn_new', '')
    if (this.#log.level === 'debug' || this.#log.level === 'trace') {
      const { remoteAddress, remotePort } = connection.socket
      this.#log.debug({ remoteAddress, remotePort, connections: this.count }, 'connection opened')
    }
  }

  remove(connection: Connection, error: Error | null): void {
    const place = this.#connections.get(connection)
    if (!this.#connections.delete(connection)) return
    if (error !== null) this.#metrics.count(METRIC.CONN_ERRORS)
    const reason = this.#reasonOf(connection, error)
    this.#tell(connection, 'conn_close', ` reason=${reason}`)
    this.#log.debug(error === null ? {} : { reason: error.message }, 'connection closed')
    place?.free()
    if (this.#connections.size === 0) this.#emptied?.()
  }

  /** Tells those who watch connections. */
  #tell(connection: Connection, event: string, reason: string): void {
    if ((this.#watchers.topics & TOPIC.CONNEVENTS) === 0) return
    const { remoteAddress, remotePort } = connection.socket
    const isLocal = remoteAddress === undefined
    const place = `rip=${remoteAddress ?? 'unix'} rport=${remotePort ?? 0}`
    const transport = isLocal ? 'local' : 'tcp'
    this.#watchers.tell(
      TOPIC.CONNEVENTS,
      `type=${event} ${place} transport=${transport}${reason} cfd=${connection.number}`,
    )
  }

  #reasonOf(connection: Connection, error: Error | null): string {
    if (error !== null || connection.hasErred) return 'error'
    if (this.#idle.delete(connection)) return 'idle_timeout'
    return this.#isStopping ? 'shutdown' : 'normal'
  }

  /** Closes those that have sent nothing for too long. */
  closeIdle(): void {
    if (this.#options.idleTimeoutMs === 0) return
    const idleSinceS = this.#clock.nowS - this.#options.idleTimeoutMs / 1000
    for (const connection of this.#connections.keys()) {
      if (connection.activeAtS >= idleSinceS || connection.busy) continue
      if (connection.isWatching) continue
      this.#metrics.count(METRIC.IDLE_KICKS)
      this.#idle.add(connection)
      connection.destroy()
    }
  }

  /**
   * Ends all connections once what they have sent is answered, and at the latest after
   * `timeoutMs`. Resolves when none is left.
   */
  async closeAll(timeoutMs: number): Promise<void> {
    this.#isStopping = true
    for (const { socket } of this.#waiting.splice(0)) socket.destroy()
    const deadlineMs = this.#clock.elapsedMs() + timeoutMs
    // Two turns of the event loop read what the system had received when stopping began.
    await nextTurn()
    await nextTurn()
    while (this.#connections.size > 0) {
      const late = this.#clock.elapsedMs() >= deadlineMs
      for (const connection of this.#connections.keys()) {
        if (late) connection.destroy()
        else if (!connection.busy) connection.close()
      }
      await new Promise<void>((resolve) => {
        // The timer keeps no process alive, and without a connection nothing else may either.
        this.#emptied = resolve
        this.#clock.after(STOP_POLL_MS, resolve)
      })
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
