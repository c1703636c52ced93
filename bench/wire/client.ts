// One connection of the load program. Requests are collected in an output buffer and sent with one write; replies are
// read into a buffer that all clients share, and checked there before the call returns. No promise, string or object
// per request.

import { connect, type Socket } from 'node:net'
import { type Dataset } from './dataset.ts'
import { type CounterRequests } from './dialect/dialect.ts'
import { Op, Pending } from './pending.ts'
import { type CheckerOptions, ReplyChecker } from './verify.ts'

export interface ClientEvents {
  /** The last `count` requests that were dropped from `client.pending` have been answered. */
  answered(client: Client, count: number): void
  failed(error: Error): void
}

export interface ClientOptions extends Omit<CheckerOptions, 'pending'> {
  readonly port: number
  readonly pendingMax: number
  readonly readBuffer: Buffer
  readonly events: ClientEvents
}

/** Room for a batch of small requests; a larger one makes the buffer grow. */
const OUTPUT_BYTES = 1 << 12
/** The value that counters start from: it keeps the number of digits the same for the first nine million. */
export const COUNTER_START = 1_000_000

export class Client {
  readonly pending: Pending
  readonly checker: ReplyChecker
  readonly #options: ClientOptions
  readonly #socket: Socket
  readonly #requestBytesMax: number
  #output: Buffer = Buffer.allocUnsafeSlow(OUTPUT_BYTES)
  #outputBytes = 0
  #isClosing = false

  private constructor(options: ClientOptions, onConnect: (client: Client) => void) {
    this.#options = options
    this.#requestBytesMax = options.dialect.requestBytesMax(options.dataset, options.multigetWidth)
    this.pending = new Pending(options.pendingMax)
    this.checker = new ReplyChecker({ ...options, pending: this.pending })
    const onread = {
      buffer: options.readBuffer,
      callback: (bytes: number): boolean => {
        this.#read(bytes)
        return true
      },
    }
    this.#socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true, onread })
    this.#socket.once('connect', () => onConnect(this))
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the server closed a connection')))
  }

  static open(options: ClientOptions): Promise<Client> {
    return new Promise((resolve) => new Client(options, resolve))
  }

  get dataset(): Dataset {
    return this.#options.dataset
  }

  /** Whether everything that was written has been handed to the kernel. */
  get isDrained(): boolean {
    return this.#socket.writableLength === 0
  }

  get(key: number, dueMs: number): void {
    this.#reserve()
    this.#outputBytes = this.#options.dialect.writeGet(
      this.#output,
      this.#outputBytes,
      this.dataset,
      key,
    )
    this.pending.push(Op.get, key, dueMs)
  }

  multiget(position: number, dueMs: number): void {
    const { dataset, dialect, keys, multigetWidth } = this.#options
    const write = spoken(dialect.writeMultiget)
    this.#reserve()
    const at = this.#outputBytes
    this.#outputBytes = write(this.#output, at, dataset, keys, position, multigetWidth)
    this.pending.push(Op.multiget, position, dueMs)
  }

  set(key: number, dueMs: number): void {
    this.#writeSet(key, false)
    this.pending.push(Op.set, key, dueMs)
  }

  /** A set that is not answered. */
  setQuietly(key: number): void {
    this.#writeSet(key, true)
  }

  incr(key: number, dueMs: number): void {
    this.#reserve()
    this.#outputBytes = this.#counters.writeIncr(this.#output, this.#outputBytes, this.dataset, key)
    this.pending.push(Op.incr, key, dueMs)
  }

  setCounter(key: number, dueMs: number): void {
    this.#reserve()
    this.#options.counters[key] = COUNTER_START
    this.#outputBytes = this.#counters.writeCounter(
      this.#output,
      this.#outputBytes,
      this.dataset,
      key,
      COUNTER_START,
    )
    this.pending.push(Op.counter, key, dueMs)
  }

  /** Sends what was collected, with one write. */
  flush(): void {
    if (this.#outputBytes === 0) return
    const whole = this.#outputBytes === this.#output.length
    this.#socket.write(whole ? this.#output : this.#output.subarray(0, this.#outputBytes))
    // What the kernel didn't take at once, the socket still refers to: it keeps the buffer, and we take a new one.
    if (!this.isDrained) this.#output = Buffer.allocUnsafeSlow(this.#output.length)
    this.#outputBytes = 0
  }

  close(): void {
    this.#isClosing = true
    this.#socket.destroy()
  }

  get #counters(): CounterRequests {
    return spoken(this.#options.dialect.counters)
  }

  #read(bytes: number): void {
    if (this.#isClosing) return
    try {
      const answered = this.checker.feed(this.#options.readBuffer, bytes)
      if (answered > 0) this.#options.events.answered(this, answered)
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #writeSet(key: number, quiet: boolean): void {
    const { dataset, dialect } = this.#options
    this.#reserve()
    const at = this.#outputBytes
    this.#outputBytes = dialect.writeSet(this.#output, at, dataset, key, quiet)
  }

  #reserve(): void {
    const needed = this.#outputBytes + this.#requestBytesMax
    if (needed <= this.#output.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#output.length * 2))
    this.#output.copy(grown, 0, 0, this.#outputBytes)
    this.#output = grown
  }

  #fail(error: Error): void {
    if (this.#isClosing) return
    this.close()
    this.#options.events.failed(error)
  }
}

function spoken<Requests>(requests: Requests | null): Requests {
  if (requests === null) throw new Error('the dialect of this workload has no such request')
  return requests
}
