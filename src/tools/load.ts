/**
 * A load for a server that speaks memcached's text protocol: gets and sets of random keys on some connections,
 * some commands in a packet, for a time. It measures from sending a packet to its last reply.
 *
 * One thread sends it all, so it is no match for a large server: how busy it was is part of the result.
 */
import type { Clock } from '../observe/clock.ts'
import { Histogram } from '../observe/histogram.ts'
import type { ServerClient } from './server-client.ts'

export interface LoadOptions {
  readonly seconds: number
  /** Commands that are sent at once on a connection, and answered before the next are. */
  readonly pipeline: number
  readonly keys: number
  readonly valueBytes: number
  /** Of 100 commands so many are gets. */
  readonly getPercent: number
  /** Seconds that items live, so that a load leaves nothing behind for ever. */
  readonly ttlS: number
}

export interface LoadResult {
  readonly seconds: number
  readonly gets: number
  readonly hits: number
  readonly sets: number
  /** Replies that were errors, and the first of them. */
  readonly errors: number
  readonly firstError: string
  readonly receivedBytes: number
  readonly sentBytes: number
  /** Of packets. */
  readonly latency: Histogram
}

const KEY_PREFIX = 'rat-bench:'
/** Keys have one length, so that items have one size. */
const KEY_DIGITS = 10
const FILL_SETS = 256
const US_PER_MS = 1000

/** Stores every key once. Returns how many the server did not take. */
export async function fill(client: ServerClient, options: LoadOptions): Promise<number> {
  let refused = 0
  for (let from = 0; from < options.keys; from += FILL_SETS) {
    const end = Math.min(options.keys, from + FILL_SETS)
    const requests: string[] = []
    for (let key = from; key < end; key++) requests.push(setOf(key, options))
    await client.send(requests.join(''))
    for (let key = from; key < end; key++) {
      const line = client.takeLine() ?? (await client.line())
      if (line === 'STORED') continue
      if (!line.startsWith('SERVER_ERROR')) throw client.unexpected(line)
      refused++
    }
  }
  return refused
}

/** Puts the load on all connections until the time is over. */
export async function load(
  clients: readonly ServerClient[],
  options: LoadOptions,
  clock: Clock,
): Promise<LoadResult> {
  const worker = new Worker(options, clock)
  const beganMs = clock.elapsedMs()
  const endMs = beganMs + options.seconds * 1000
  await Promise.all(clients.map((client) => worker.run(client, endMs)))
  const seconds = (clock.elapsedMs() - beganMs) / 1000
  const { gets, hits, sets, errors, firstError, receivedBytes, sentBytes, latency } = worker
  return { seconds, gets, hits, sets, errors, firstError, receivedBytes, sentBytes, latency }
}

class Worker {
  readonly latency: Histogram = new Histogram()
  readonly #options: LoadOptions
  readonly #clock: Clock
  gets = 0
  hits = 0
  sets = 0
  errors = 0
  firstError = ''
  receivedBytes = 0
  sentBytes = 0

  constructor(options: LoadOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
  }

  async run(client: ServerClient, endMs: number): Promise<void> {
    const { keys, pipeline, getPercent } = this.#options
    /** Whether each command of the packet is a get. */
    const asked = new Uint8Array(pipeline)
    while (this.#clock.elapsedMs() < endMs) {
      let packet = ''
      for (let i = 0; i < pipeline; i++) {
        const key = Math.floor(Math.random() * keys)
        const isGet = Math.random() * 100 < getPercent
        asked[i] = isGet ? 1 : 0
        packet += isGet ? `get ${nameOf(key)}\r\n` : setOf(key, this.#options)
      }
      const sentMs = this.#clock.elapsedMs()
      this.sentBytes += packet.length
      await client.send(packet)
      for (const isGet of asked) {
        if (isGet === 1) await this.#takeGet(client)
        else await this.#takeSet(client)
      }
      this.latency.record((this.#clock.elapsedMs() - sentMs) * US_PER_MS)
    }
  }

  async #takeGet(client: ServerClient): Promise<void> {
    this.gets++
    let line = client.takeLine() ?? (await client.line())
    this.receivedBytes += line.length + 2
    if (line.startsWith('VALUE ')) {
      this.hits++
      const length = Number(line.slice(line.lastIndexOf(' ') + 1)) + 2
      await client.bytes(length)
      line = client.takeLine() ?? (await client.line())
      this.receivedBytes += length + line.length + 2
    }
    if (line !== 'END') this.#failed(client, line)
  }

  async #takeSet(client: ServerClient): Promise<void> {
    this.sets++
    const line = client.takeLine() ?? (await client.line())
    this.receivedBytes += line.length + 2
    if (line !== 'STORED') this.#failed(client, line)
  }

  #failed(client: ServerClient, line: string): void {
    if (!line.startsWith('SERVER_ERROR')) throw client.unexpected(line)
    this.errors++
    if (this.firstError === '') this.firstError = line
  }
}

function setOf(key: number, { valueBytes, ttlS }: LoadOptions): string {
  return `set ${nameOf(key)} 0 ${ttlS} ${valueBytes}\r\n${'x'.repeat(valueBytes)}\r\n`
}

function nameOf(key: number): string {
  return KEY_PREFIX + String(key).padStart(KEY_DIGITS, '0')
}
