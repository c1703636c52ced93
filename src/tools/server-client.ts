/**
 * One connection of a tool to a server that speaks memcached's text protocol, this one or another.
 *
 * What comes is kept in the pieces in which it comes, and no more is read from the socket while much is
 * kept, so that a tool which is slow slows down the server, and takes no memory. Whoever reads knows what
 * it waits for: a line, or a number of bytes.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { ServerError } from '../errors.ts'
import type { Clock } from '../observe/clock.ts'
import type { Target } from './target.ts'

/** No more is read from the socket while so much is kept. */
const KEPT_BYTES_MAX = 1_048_576
/** A line of any server is shorter. */
const LINE_BYTES_MAX = 65_536
/** A server that is asked and says nothing for so long is given up. */
const PATIENCE_MS = 30_000
/** How often it is looked whether a server is silent. */
const SILENCE_CHECK_MS = 1000
const LINE_FEED = 10
const RETURN = 13

export class ServerClient {
  readonly target: Target
  readonly #socket: Socket
  readonly #watch: { stop(): void }
  #pieces: Buffer[] = []
  #keptBytes = 0
  /** Bytes that somebody waits for; more than usual may be kept then. */
  #wantedBytes = 0
  #error: Error | undefined
  #wake: (() => void) | undefined
  #heardMs: number

  private constructor(target: Target, socket: Socket, clock: Clock) {
    this.target = target
    this.#socket = socket
    this.#heardMs = clock.elapsedMs()
    this.#watch = clock.every(SILENCE_CHECK_MS, () => {
      const now = clock.elapsedMs()
      if (this.#wake === undefined) this.#heardMs = now
      else if (now - this.#heardMs > PATIENCE_MS) this.#fail(new Error('it does not answer'))
    })
    socket.on('data', (piece: Buffer) => {
      this.#heardMs = clock.elapsedMs()
      this.#pieces.push(piece)
      this.#keptBytes += piece.length
      if (this.#keptBytes > Math.max(KEPT_BYTES_MAX, this.#wantedBytes)) socket.pause()
      this.#wakeUp()
    })
    socket.on('drain', () => {
      this.#heardMs = clock.elapsedMs()
      this.#wakeUp()
    })
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('it closed the connection')))
  }

  /** Connects and logs in. Rejects with SERVER_UNREACHABLE or LOGIN_REFUSED. */
  static async open(target: Target, clock: Clock): Promise<ServerClient> {
    const socket = await connected(target, clock)
    const client = new ServerClient(target, socket, clock)
    if (target.login !== null) await client.#logIn(target.login)
    return client
  }

  /** What is kept and was not taken. */
  get keptBytes(): number {
    return this.#keptBytes
  }

  /** Sends; resolves when the socket takes more. */
  async send(data: string | Buffer): Promise<void> {
    if (this.#error !== undefined) throw this.#error
    if (typeof data === 'string') this.#socket.write(data, 'latin1')
    else this.#socket.write(data)
    while (this.#socket.writableNeedDrain) await this.#somethingNew()
  }

  /** Takes a line, without its end, one character a byte. */
  async line(): Promise<string> {
    for (;;) {
      const line = this.takeLine()
      if (line !== undefined) return line
      await this.#somethingNew()
    }
  }

  /** A line that is there already. */
  takeLine(): string | undefined {
    const [first] = this.#pieces
    if (first === undefined) return undefined
    let end = first.indexOf(LINE_FEED)
    let piece = first
    if (end < 0) {
      piece = Buffer.concat(this.#pieces)
      this.#pieces = [piece]
      end = piece.indexOf(LINE_FEED)
      if (end < 0) {
        if (piece.length > LINE_BYTES_MAX) throw this.#strange('a line without an end')
        return undefined
      }
    }
    const textEnd = end > 0 && piece[end - 1] === RETURN ? end - 1 : end
    const line = piece.toString('latin1', 0, textEnd)
    this.#drop(piece, end + 1)
    return line
  }

  /** Takes so many bytes. They may be a part of what was received, and are the caller's. */
  async bytes(length: number): Promise<Buffer> {
    this.#wantedBytes = length
    while (this.#keptBytes < length) {
      if (this.#socket.isPaused()) this.#socket.resume()
      await this.#somethingNew()
    }
    this.#wantedBytes = 0
    const [first] = this.#pieces
    if (first !== undefined && first.length >= length) {
      const taken = first.subarray(0, length)
      this.#drop(first, length)
      return taken
    }
    const taken = Buffer.allocUnsafe(length)
    let at = 0
    while (at < length) {
      const piece = this.#pieces[0]!
      const part = Math.min(piece.length, length - at)
      piece.copy(taken, at, 0, part)
      at += part
      this.#drop(piece, part)
    }
    return taken
  }

  /** A server that does not say what it should: says so, and ends the connection. */
  unexpected(line: string): ServerError {
    const shown = line.length > 80 ? `${line.slice(0, 80)}…` : line
    return this.#strange(JSON.stringify(shown))
  }

  close(): void {
    this.#watch.stop()
    this.#socket.destroy()
  }

  #strange(what: string): ServerError {
    this.close()
    return new ServerError('SERVER_UNEXPECTED', `${this.target.name} answers with ${what}`)
  }

  /** Takes `length` bytes off the first piece. */
  #drop(piece: Buffer, length: number): void {
    this.#keptBytes -= length
    if (length === piece.length) this.#pieces.shift()
    else this.#pieces[0] = piece.subarray(length)
    if (this.#keptBytes <= KEPT_BYTES_MAX / 2 && this.#socket.isPaused()) this.#socket.resume()
  }

  /** Resolves when something was received, or can be sent again. Rejects when the connection is over. */
  #somethingNew(): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error)
    const { promise, resolve, reject } = withResolvers()
    const before = this.#wake
    this.#wake = () => {
      before?.()
      if (this.#error === undefined) resolve()
      else reject(this.#error)
    }
    return promise
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  #fail(error: Error): void {
    this.#error ??= new ServerError(
      'SERVER_UNREACHABLE',
      `${this.target.name}: ${error.message}`,
      error,
    )
    this.#watch.stop()
    this.#wakeUp()
  }

  async #logIn(login: string): Promise<void> {
    await this.send(`set login 0 0 ${login.length}\r\n${login}\r\n`)
    const reply = await this.line()
    if (reply === 'STORED') return
    this.close()
    throw new ServerError('LOGIN_REFUSED', `${this.target.name} refuses the login: ${reply}`)
  }
}

function withResolvers(): {
  promise: Promise<void>
  resolve: () => void
  reject: (error: Error) => void
} {
  let resolve!: () => void
  let reject!: (error: Error) => void
  const promise = new Promise<void>((ok, failed) => {
    resolve = ok
    reject = failed
  })
  return { promise, resolve, reject }
}

function connected(target: Target, clock: Clock): Promise<Socket> {
  const { place, tls } = target
  return new Promise((resolve, reject) => {
    const socket =
      tls === null
        ? connect({ ...place, noDelay: true })
        : connectTls({
            ...place,
            ...('host' in place && !/^[\d.]+$|:/.test(place.host)
              ? { servername: place.host }
              : {}),
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
            ...(tls.cert === undefined ? {} : { cert: tls.cert, key: tls.key }),
            rejectUnauthorized: tls.isVerified,
          })
    const late = clock.after(PATIENCE_MS, () => socket.destroy(new Error('it does not answer')))
    const failed = (error: Error): void => {
      late.stop()
      const message = `cannot connect to ${target.name}: ${error.message || String(error)}`
      reject(new ServerError('SERVER_UNREACHABLE', message, error))
    }
    socket.once('error', failed)
    socket.once(tls === null ? 'connect' : 'secureConnect', () => {
      late.stop()
      socket.removeListener('error', failed)
      resolve(socket)
    })
  })
}
