/** All connections of the server: how many there may be, who is idle, how they end. */
import type { Clock } from '../observe/clock.ts'
import { limitLines } from '../observe/log.ts'
import type { Logger } from '../observe/log.ts'
import { METRIC } from '../observe/metrics.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Connection } from './connection.ts'

/** Refusals are logged at most this often. */
const REFUSAL_LOG_INTERVAL_MS = 10_000
/** How often it is looked whether everything has been answered while stopping. */
const STOP_POLL_MS = 5

export interface ConnectionTableOptions {
  readonly connectionsMax: number
  /** 0 = never. */
  readonly idleTimeoutMs: number
}

export class ConnectionTable {
  readonly #connections = new Set<Connection>()
  readonly #options: ConnectionTableOptions
  readonly #clock: Clock
  readonly #metrics: Metrics
  readonly #log: Logger
  /** Called when the last connection is gone, while somebody waits for that. */
  #emptied: (() => void) | undefined
  /** Logs a refusal, unless that was done a moment ago. */
  readonly noteRefusal: () => void

  constructor(options: ConnectionTableOptions, clock: Clock, metrics: Metrics, log: Logger) {
    this.#options = options
    this.#clock = clock
    this.#metrics = metrics
    this.#log = log
    this.noteRefusal = limitLines(
      REFUSAL_LOG_INTERVAL_MS,
      () => clock.elapsedMs(),
      (leftOut) =>
        log.warn(
          { max_connections: options.connectionsMax, not_logged: leftOut },
          'refused a connection: server.max_connections is reached',
        ),
    )
  }

  get count(): number {
    return this.#connections.size
  }
  get full(): boolean {
    return this.#connections.size >= this.#options.connectionsMax
  }

  add(connection: Connection): void {
    this.#connections.add(connection)
    if (this.#log.level === 'debug' || this.#log.level === 'trace') {
      const { remoteAddress, remotePort } = connection.socket
      this.#log.debug({ remoteAddress, remotePort, connections: this.count }, 'connection opened')
    }
  }

  remove(connection: Connection, error: Error | null): void {
    if (!this.#connections.delete(connection)) return
    if (error !== null) this.#metrics.count(METRIC.CONN_ERRORS)
    this.#log.debug(error === null ? {} : { reason: error.message }, 'connection closed')
    if (this.#connections.size === 0) this.#emptied?.()
  }

  /** Closes those that have sent nothing for too long. */
  closeIdle(): void {
    if (this.#options.idleTimeoutMs === 0) return
    const idleSinceS = this.#clock.nowS - this.#options.idleTimeoutMs / 1000
    for (const connection of this.#connections) {
      if (connection.activeAtS >= idleSinceS || connection.busy) continue
      this.#metrics.count(METRIC.IDLE_KICKS)
      connection.destroy()
    }
  }

  /**
   * Ends all connections once what they have sent is answered, and at the latest after
   * `timeoutMs`. Resolves when none is left.
   */
  async closeAll(timeoutMs: number): Promise<void> {
    const deadlineMs = this.#clock.elapsedMs() + timeoutMs
    // Two turns of the event loop read what the system had received when stopping began.
    await nextTurn()
    await nextTurn()
    while (this.#connections.size > 0) {
      const late = this.#clock.elapsedMs() >= deadlineMs
      for (const connection of this.#connections) {
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
