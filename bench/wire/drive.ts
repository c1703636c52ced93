// Drives the clients through one phase: closed loop (a client sends its next batch when the last one is answered), or
// open loop (requests are sent when they are due on a clock, and their latency counts from then, however late they
// were sent). All clients stand still at the end of a phase.

import { Client, type ClientEvents, type ClientOptions } from './client.ts'
import { type Histogram } from './histogram.ts'
import { type Source } from './sources.ts'

export interface Phase {
  readonly source: Source
  readonly pipelineDepth: number
  /** 0 for the closed loop. */
  readonly ratePerS: number
}

/** A phase that answers nothing for this long has failed. */
const STALL_MS = 20_000
const STALL_CHECK_MS = 1000
/** How long to listen, after the last reply, for bytes that nobody asked for. */
const QUIET_MS = 20

export class Driver implements ClientEvents {
  readonly #histogram: Histogram
  readonly #polls: boolean
  #clients: Client[] = []
  readonly #indexOf = new Map<Client, number>()
  #phase: Phase | null = null
  #isStopping = false
  #standing = 0
  #lastAnswerMs = 0
  #settle: { resolve: () => void; reject: (error: Error) => void } | null = null
  #failure: Error | null = null
  #turn: () => void = () => {}

  /** Requests answered since the driver was made. */
  answers = 0

  constructor(histogram: Histogram, polls: boolean) {
    this.#histogram = histogram
    this.#polls = polls
  }

  get hits(): number {
    return this.#clients.reduce((sum, client) => sum + client.checker.tally.hits, 0)
  }

  get misses(): number {
    return this.#clients.reduce((sum, client) => sum + client.checker.tally.misses, 0)
  }

  get refusals(): number {
    return this.#clients.reduce((sum, client) => sum + client.checker.tally.refusals, 0)
  }

  async open(count: number, options: Omit<ClientOptions, 'events'>): Promise<void> {
    const failed = new Promise<never>((_resolve, reject) => {
      this.#settle = { resolve: () => {}, reject }
    })
    // In groups, so that the backlog of the server's listening socket is not what is tested.
    for (let i = 0; i < count; i += 100) {
      const group = Array.from({ length: Math.min(100, count - i) }, () =>
        Client.open({ ...options, events: this }),
      )
      this.#clients.push(...(await Promise.race([Promise.all(group), failed])))
    }
    for (const [i, client] of this.#clients.entries()) this.#indexOf.set(client, i)
    this.#settle = null
  }

  /** Runs a phase until its source has no more or `stop` is called; rejects when anything goes wrong. */
  async run(phase: Phase): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    const done = new Promise<void>((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    this.#phase = phase
    this.#isStopping = false
    this.#standing = 0
    this.#lastAnswerMs = performance.now()
    const watch = setInterval(() => this.#watch(), STALL_CHECK_MS)
    if (phase.ratePerS > 0) this.#startClock(phase)
    else this.#startLoop()
    try {
      await done
    } finally {
      this.#phase = null
      this.#settle = null
      clearInterval(watch)
    }
  }

  stop(): void {
    this.#isStopping = true
  }

  /** Closes all connections, after a moment in which surplus bytes would show. */
  async close(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
    for (const client of this.#clients) client.close()
    if (this.#failure !== null) throw this.#failure
  }

  answered(client: Client, count: number): void {
    const nowMs = performance.now()
    for (let ago = count; ago > 0; ago--) {
      this.#histogram.recordUs((nowMs - client.pending.dueMsOfAnswered(ago)) * 1000)
    }
    this.answers += count
    this.#lastAnswerMs = nowMs
    if (client.pending.count > 0 || this.#phase === null) return
    if (this.#phase.ratePerS === 0) this.#refill(client, nowMs)
    else if (this.#isStopping) this.#endIfAnswered()
  }

  failed(error: Error): void {
    this.#failure ??= error
    this.#phase = null
    for (const client of this.#clients) client.close()
    this.#settle?.reject(error)
  }

  #startLoop(): void {
    const phase = this.#phase
    this.#turn = () => {
      if (this.#phase === phase) setImmediate(this.#turn)
    }
    for (const client of this.#clients) this.#refill(client, performance.now())
    if (this.#polls) this.#turn()
  }

  #refill(client: Client, nowMs: number): void {
    const phase = this.#phase
    if (phase === null) return
    if (!this.#isStopping) {
      const index = this.#indexOf.get(client)!
      for (let i = 0; i < phase.pipelineDepth; i++) {
        if (!phase.source.add(client, index, nowMs)) break
      }
      client.flush()
    }
    if (client.pending.count === 0 && ++this.#standing === this.#clients.length)
      this.#settle?.resolve()
  }

  /** Sends what is due, looks for replies, and so on. Always polls: a timer is too coarse by three powers of ten. */
  #startClock(phase: Phase): void {
    const intervalMs = 1000 / phase.ratePerS
    let dueMs = performance.now() + intervalMs
    let next = 0
    this.#turn = () => {
      if (this.#phase !== phase) return
      if (this.#isStopping) {
        this.#endIfAnswered()
        return
      }
      const nowMs = performance.now()
      while (dueMs <= nowMs) {
        const index = this.#firstWithRoom(next)
        if (index < 0) break
        const client = this.#clients[index]!
        phase.source.add(client, index, dueMs)
        client.flush()
        next = index + 1
        dueMs += intervalMs
      }
      setImmediate(this.#turn)
    }
    this.#turn()
  }

  #firstWithRoom(from: number): number {
    const count = this.#clients.length
    for (let i = 0; i < count; i++) {
      const index = (from + i) % count
      if (!this.#clients[index]!.pending.full) return index
    }
    return -1
  }

  #endIfAnswered(): void {
    if (this.#clients.every((client) => client.pending.count === 0)) this.#settle?.resolve()
  }

  #watch(): void {
    const silentMs = performance.now() - this.#lastAnswerMs
    if (silentMs > STALL_MS) this.failed(new Error(`no reply for ${STALL_MS / 1000} s`))
  }
}
