/**
 * Accepts clients on one address, and refuses them, or lets them wait, beyond the limits on connections.
 * What becomes of a connection after that is the business of `connection-table.ts`.
 */
import { createServer, createConnection } from 'node:net'
import type { Server, Socket } from 'node:net'
import { unlinkSync } from 'node:fs'
import type { ListenAddress } from '../config/listen-address.ts'
import { ServerError } from '../errors.ts'
import type { Logger } from '../observe/log.ts'
import { METRIC } from '../observe/metrics.ts'
import { Connection } from './connection.ts'
import type { ConnectionHost } from './connection-host.ts'
import type { ConnectionTable, Place } from './connection-table.ts'
import type { Tls, TlsDoor } from './tls.ts'

const REFUSAL = 'ERROR Too many open connections\r\n'

export interface ListenerOptions {
  readonly address: ListenAddress
  readonly backlog: number
  readonly unixMode: number
  /** How clients of this address are encrypted; null if they are not. */
  readonly tls: Tls | null
}

export class Listener {
  readonly #options: ListenerOptions
  readonly #host: ConnectionHost
  readonly #table: ConnectionTable
  readonly #log: Logger
  readonly #server: Server
  readonly #door: TlsDoor | null

  constructor(options: ListenerOptions, host: ConnectionHost, table: ConnectionTable, log: Logger) {
    this.#options = options
    this.#host = host
    this.#table = table
    this.#log = log
    this.#server = createServer(
      { pauseOnConnect: true, noDelay: true, allowHalfOpen: true },
      (socket) => this.#accept(socket),
    )
    const { address, tls } = options
    this.#door =
      tls === null || address.kind === 'unix'
        ? null
        : tls.door(address.security, (socket) => this.#serve(socket, null))
  }

  /** Opens the address. Resolves to it, with the port that the system chose where that was left to it. */
  async open(): Promise<string> {
    const { address } = this.#options
    if (address.kind === 'unix') await removeStaleSocket(address.path)
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause) => {
        reject(
          new ServerError(
            'CANNOT_BIND',
            `cannot listen on ${name(address)}: ${cause.message}`,
            cause,
          ),
        )
      })
      this.#listen(() => {
        this.#server.removeAllListeners('error')
        this.#server.on('error', (err) => this.#log.error({ err }, 'the listener failed'))
        resolve(this.#boundName())
      })
    })
  }

  /** Takes no further clients. Connections that exist go on. */
  close(): void {
    this.#server.close()
  }

  #listen(opened: () => void): void {
    const { address, backlog, unixMode } = this.#options
    if (address.kind === 'tcp') {
      const { host, port } = address
      this.#server.listen(host === '' ? { port, backlog } : { port, host, backlog }, opened)
      return
    }
    // The socket file is made within the call, and must never have wider permissions than these.
    const umask = process.umask(0o777 & ~unixMode)
    this.#server.listen({ path: address.path, backlog }, opened)
    process.umask(umask)
  }

  #boundName(): string {
    const bound = this.#server.address()
    if (bound === null || typeof bound === 'string') return `unix:${bound ?? ''}`
    const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
    return `${host}:${bound.port}`
  }

  #accept(socket: Socket): void {
    const place = this.#table.take(socket)
    if (place !== null) this.#admit(socket, place)
    else if (!this.#table.wait(socket, (freed) => this.#admit(socket, freed))) this.#refuse(socket)
  }

  #admit(socket: Socket, place: Place): void {
    if (this.#door === null) {
      this.#serve(socket, place)
      return
    }
    // The place of a client with TLS is taken from before its handshake until its socket is gone.
    socket.on('close', () => place.free())
    this.#door.enter(socket)
  }

  #serve(socket: Socket, place: Place | null): void {
    this.#host.metrics.count(METRIC.TOTAL_CONNECTIONS)
    this.#table.add(new Connection(socket, this.#host), place)
  }

  #refuse(socket: Socket): void {
    this.#host.metrics.count(METRIC.REJECTED_CONNECTIONS)
    socket.on('error', ignore)
    // Who expects encryption would not understand.
    if (this.#door === null) socket.end(REFUSAL, () => socket.destroy())
    else socket.destroy()
  }
}

function name(address: ListenAddress): string {
  return address.kind === 'unix' ? `unix:${address.path}` : `${address.host}:${address.port}`
}

function ignore(): void {
  // A refused client that is gone before it has read why needs nothing more.
}

/** Removes a socket file that nobody listens on, as a killed server leaves it. */
function removeStaleSocket(path: string): Promise<void> {
  return new Promise((resolve) => {
    const probe = createConnection({ path })
    probe.on('connect', () => {
      probe.destroy()
      resolve()
    })
    probe.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') removeFile(path)
      resolve()
    })
  })
}

function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Binding to it will fail and say why.
  }
}
