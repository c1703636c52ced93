/** One connection to a server under comparison: sends bytes, keeps what comes. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { Patience } from '../helpers/patience.ts'

export class Client {
  readonly #socket: Socket
  #chunks: Buffer[] = []
  #length = 0
  #ended = false
  readonly #patience = new Patience()

  /** Rejects if nobody listens. */
  static open(port: number): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true })
      socket.once('connect', () => resolve(new Client(socket)))
      socket.once('error', reject)
    })
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#length += chunk.length
      this.#patience.wake()
    })
    const over = (): void => {
      this.#ended = true
      this.#patience.wake()
    }
    socket.on('end', over)
    socket.on('close', over)
    // A server that hangs up may do so while we send.
    socket.on('error', over)
  }

  /** Bytes that have come and were not taken. */
  get length(): number {
    return this.#length
  }

  /** The server has ended the connection. */
  get ended(): boolean {
    return this.#ended
  }

  send(bytes: Buffer): void {
    if (!this.#socket.destroyed && !this.#ended) this.#socket.write(bytes)
  }

  /** Whether what has come, and was not taken, ends so. */
  endsWith(bytes: Buffer): boolean {
    if (this.#length < bytes.length) return false
    for (let tail = this.#chunks.at(-1); tail !== undefined; tail = this.#all()) {
      if (tail.length >= bytes.length) {
        return tail.subarray(tail.length - bytes.length).equals(bytes)
      }
    }
    return false
  }

  /** All that has come. */
  take(): Buffer {
    const all = this.#all()
    this.#chunks = []
    this.#length = 0
    return all
  }

  /** Waits until `isDone` holds, or the time is over. */
  until(isDone: () => boolean, patienceMs: number): Promise<boolean> {
    return this.#patience.until(isDone, patienceMs)
  }

  close(): void {
    this.#socket.destroy()
  }

  #all(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0]!
  }
}
