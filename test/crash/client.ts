/**
 * A client that pipelines requests over one connection and hands every reply to an observer,
 * together with when its request was sent. It judges nothing but the form of a reply.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { Patience } from '../helpers/patience.ts'
import { encode, retrieves } from './operation.ts'
import type { Hit, Interval, Operation, Reply } from './operation.ts'

export interface Observer {
  sending(op: Operation, sentMs: number): void
  /** `reply` is undefined for a request without one that a later reply has confirmed. */
  answered(op: Operation, reply: Reply | undefined, at: Interval): void
}

interface Waiting {
  readonly operations: readonly Operation[]
  readonly sentMs: number
}

const LF = 10
/** A line that is longer than this is none of ours. */
const LINE_BYTES_MAX = 4096

export class Client {
  readonly #socket: Socket
  readonly #observer: Observer
  readonly #waiting: Waiting[] = []
  #input: Buffer = Buffer.alloc(0)
  #chunks: Buffer[] = []
  #chunkBytes = 0
  /** So many bytes have to be there before parsing can get on. */
  #neededBytes = 1
  #hits = new Map<string, Hit>()
  readonly #patience = new Patience()
  /** The connection is over, because the server ended it or said what cannot be understood. */
  isOver = false
  /** Why, where it is the server's fault. */
  complaint: string | undefined

  constructor(socket: Socket, observer: Observer) {
    this.#socket = socket
    this.#observer = observer
    const over = (): void => {
      this.isOver = true
      this.#patience.wake()
    }
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('close', over)
    socket.on('end', over)
    socket.on('error', over)
  }

  /** Resolves to undefined where nobody listens any more. */
  static open(port: number, observer: Observer): Promise<Client | undefined> {
    return new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      socket.once('connect', () => resolve(new Client(socket, observer)))
      socket.once('error', () => resolve(undefined))
    })
  }

  /** What was sent and has no answer yet, in order. */
  get unanswered(): { op: Operation; sentMs: number }[] {
    return this.#waiting.flatMap(({ operations, sentMs }) =>
      operations.map((op) => ({ op, sentMs })),
    )
  }

  send(requests: readonly (readonly Operation[])[]): void {
    const sentMs = Date.now()
    this.#socket.cork()
    for (const operations of requests) {
      for (const op of operations) this.#observer.sending(op, sentMs)
      this.#waiting.push({ operations, sentMs })
      for (const bytes of encode(operations)) this.#socket.write(bytes)
    }
    this.#socket.uncork()
  }

  /** Waits until everything is answered; false if the connection is over or takes too long. */
  async settled(patienceMs: number): Promise<boolean> {
    await this.#patience.until(() => this.isOver || this.#waiting.length === 0, patienceMs)
    return !this.isOver && this.#waiting.length === 0
  }

  destroy(): void {
    this.#socket.destroy()
    this.isOver = true
    this.#patience.wake()
  }

  #receive(chunk: Buffer): void {
    if (this.isOver) return
    this.#chunks.push(chunk)
    this.#chunkBytes += chunk.length
    // A long value is put together once, not with every piece of it.
    if (this.#input.length + this.#chunkBytes < this.#neededBytes) return
    this.#input = Buffer.concat([this.#input, ...this.#chunks])
    this.#chunks = []
    this.#chunkBytes = 0
    const receivedMs = Date.now()
    let at = 0
    for (;;) {
      const next = this.#parse(at, receivedMs)
      if (next < 0) break
      at = next
    }
    // What remains must not keep a large buffer alive.
    this.#input = at === 0 ? this.#input : Buffer.from(this.#input.subarray(at))
    if (this.#waiting.length === 0 || this.isOver) this.#patience.wake()
  }

  /** Takes one line, with the value behind it; returns where the next begins, or -1. */
  #parse(at: number, receivedMs: number): number {
    const input = this.#input
    if (this.isOver) return -1
    const lineFeed = input.indexOf(LF, at)
    if (lineFeed < 0) {
      this.#neededBytes = input.length - at + 1
      if (input.length - at > LINE_BYTES_MAX) this.#complain('a line without end')
      return -1
    }
    const line = input.toString('latin1', at, lineFeed - 1)
    const next = lineFeed + 1
    const value = /^VALUE (\S+) (\d+) (\d+) (\d+)$/.exec(line)
    if (value === null) {
      this.#neededBytes = 1
      this.#line(line, receivedMs)
      return next
    }
    const [, key = '', flags, length, cas = ''] = value
    const end = next + Number(length)
    if (input.length < end + 2) {
      this.#neededBytes = end + 2 - at
      return -1
    }
    if (input.toString('latin1', end, end + 2) !== '\r\n') this.#complain(`no end after ${line}`)
    if (this.#hits.has(key)) this.#complain(`twice in one reply: ${line}`)
    this.#hits.set(key, {
      value: Buffer.from(input.subarray(next, end)),
      flags: Number(flags),
      cas,
    })
    this.#neededBytes = 1
    return end + 2
  }

  #line(line: string, receivedMs: number): void {
    const waiting = this.#nextReplying(receivedMs)
    if (waiting === undefined) {
      this.#complain(`a reply that nobody has asked for: ${line}`)
      return
    }
    const { operations, sentMs } = waiting
    const at = { sentMs, receivedMs }
    const isError = /^(?:CLIENT_|SERVER_)?ERROR/.test(line)
    if (retrieves(operations[0]!) && line !== 'END' && !isError) {
      this.#complain(`in reply to ${operations[0]!.verb}: ${line}`)
      return
    }
    if (line !== 'END') {
      for (const op of operations) this.#observer.answered(op, { kind: 'line', line }, at)
      return
    }
    if (!retrieves(operations[0]!)) this.#complain(`END, in reply to ${operations[0]!.verb}`)
    const hits = this.#hits
    this.#hits = new Map()
    for (const op of operations) {
      const hit = hits.get(op.key)
      hits.delete(op.key)
      this.#observer.answered(op, hit === undefined ? { kind: 'miss' } : { kind: 'hit', hit }, at)
    }
    for (const key of hits.keys()) this.#complain(`${key}, which nobody has asked for`)
  }

  /** The request that the next reply belongs to; those before it that have none are confirmed. */
  #nextReplying(receivedMs: number): Waiting | undefined {
    for (;;) {
      const waiting = this.#waiting.shift()
      if (waiting === undefined) return undefined
      const op = waiting.operations[0]!
      if (!op.quiet) return waiting
      this.#observer.answered(op, undefined, { sentMs: waiting.sentMs, receivedMs })
    }
  }

  #complain(what: string): void {
    this.complaint ??= what
    this.isOver = true
    this.#socket.destroy()
  }
}
