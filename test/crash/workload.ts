/**
 * Random requests that try everything the text protocol can do to a key.
 *
 * A key is changed by one connection only, so that its history is a sequence; which one that is
 * changes from round to round. A few keys are only read, by all. The choices come from a seed, but
 * when a reply comes does not: the same seed gives the same kind of round, not the same bytes.
 */
import { seededRandom } from '../../bench/wire/draws.ts'
import type { Random } from '../../bench/wire/draws.ts'
import type { Model } from './model.ts'
import { operation } from './operation.ts'
import type { Operation, Verb } from './operation.ts'
import type { ValueMaker } from './values.ts'

type Request = readonly Operation[]

const KEYS = 2000
const COUNTERS = 60
const LARGE_KEYS = 6
const SHARED_KEYS = 24
const PIPELINE_MAX = 32
const MULTIGET_MAX = 12
const U32 = 2 ** 32
/** Appends stop here, or values would grow without bound. */
const GROWN_BYTES_MAX = 100_000
const LARGE_BYTES = 600_000
const DAY_S = 24 * 60 * 60

/** How often what is asked, in parts of their sum. */
const MIX: readonly (readonly [Verb, number])[] = [
  ['set', 28],
  ['get', 32],
  ['delete', 6],
  ['add', 5],
  ['replace', 5],
  ['append', 5],
  ['prepend', 3],
  ['cas', 6],
  ['touch', 4],
  ['gat', 3],
  ['incr', 2],
  ['decr', 1],
]
const MIX_SUM = MIX.reduce((sum, [, part]) => sum + part, 0)
const QUIET_PART = 0.08
const LARGE_PART = 0.0015
const COUNTER_PART = 0.05

export interface WorkloadShape {
  readonly connections: number
  /** Which connection changes which key. */
  readonly turn: number
  /** Chance that a batch begins with a flush_all. */
  readonly flushPart: number
}

export class Workload {
  readonly #random: Random
  readonly #model: Model
  readonly #values: ValueMaker
  readonly #shape: WorkloadShape
  /** Bytes of values sent. */
  sentBytes = 0

  constructor(seed: number, model: Model, values: ValueMaker, shape: WorkloadShape) {
    this.#random = seededRandom(seed)
    this.#model = model
    this.#values = values
    this.#shape = shape
  }

  /** The keys that are only read: to be stored before the load begins. */
  prepare(): Request[] {
    const requests = Array.from({ length: SHARED_KEYS }, (_, index) => [
      this.#store('set', `shared:${index}`),
    ])
    return [...requests, [operation('version', '')]]
  }

  /** What a connection sends next. Its last request always has a reply. */
  batch(connection: number): Request[] {
    const count = this.#chance(0.3) ? 1 : this.#below(PIPELINE_MAX) + 1
    const requests: Request[] = []
    if (this.#chance(this.#shape.flushPart) && this.#model.isCalm(Date.now())) {
      requests.push([operation('flush_all', '', { exptime: this.#chance(0.3) ? 1 : 0 })])
    }
    for (let i = 0; i < count; i++) requests.push(this.#request(connection))
    if (requests.at(-1)![0]!.quiet) requests.push([operation('version', '')])
    return requests
  }

  /** Milliseconds that a connection waits before its next batch; mostly it does not. */
  pauseMs(): number {
    return this.#chance(0.9) ? 0 : this.#below(10)
  }

  #request(connection: number): Request {
    if (this.#chance(0.02)) return [operation('get', `shared:${this.#below(SHARED_KEYS)}`)]
    if (this.#chance(LARGE_PART)) {
      const key = `large:${this.#ownIndex(connection, LARGE_KEYS)}`
      return [this.#store('set', key, LARGE_BYTES + this.#below(1000))]
    }
    if (this.#chance(COUNTER_PART)) return [this.#count(connection)]
    const verb = this.#verb()
    const key = `key:${this.#ownIndex(connection, KEYS)}`
    switch (verb) {
      case 'get':
        return this.#chance(0.7) ? [operation('get', key)] : this.#gets(connection)
      case 'touch':
        return [operation('touch', key, { exptime: this.#exptime(0.8), quiet: this.#isQuiet() })]
      case 'gat':
        return [operation('gat', key, { exptime: this.#exptime(0.8) })]
      case 'delete':
        return [operation('delete', key, { quiet: this.#isQuiet() })]
      case 'incr':
      case 'decr':
        return [operation(verb, key, { delta: 3n })]
      default:
        return [this.#store(verb, key)]
    }
  }

  #gets(connection: number): Request {
    const keys = new Set<string>()
    const count = this.#below(MULTIGET_MAX) + 2
    for (let i = 0; i < count; i++) {
      const shared = this.#chance(0.1)
      if (shared) keys.add(`shared:${this.#below(SHARED_KEYS)}`)
      else if (this.#chance(0.03)) keys.add(`large:${this.#ownIndex(connection, LARGE_KEYS)}`)
      else keys.add(`key:${this.#ownIndex(connection, KEYS)}`)
    }
    return [...keys].map((key) => operation('get', key))
  }

  #store(verb: Verb, key: string, length = this.#length()): Operation {
    const grows = verb === 'append' || verb === 'prepend'
    const states = this.#model.history(key).states
    const isGrown = states.some(({ value }) => value.length > GROWN_BYTES_MAX)
    const chosen = grows && isGrown ? 'set' : verb
    const bytes = grows ? Math.min(length, 2000) : length
    this.sentBytes += bytes
    return operation(chosen, key, {
      value: this.#values.make(key, bytes),
      flags: this.#chance(0.2) ? 0 : this.#below(U32),
      exptime: this.#exptime(0.12),
      token: this.#token(key),
      quiet: this.#isQuiet(),
    })
  }

  #count(connection: number): Operation {
    const key = `count:${this.#ownIndex(connection, COUNTERS)}`
    const part = this.#random()
    if (part < 0.2) {
      const start = this.#chance(0.1) ? '18446744073709551610' : String(this.#below(2000))
      return operation('set', key, { value: Buffer.from(start), flags: this.#below(U32) })
    }
    if (part < 0.3) return operation('get', key)
    const delta = BigInt(this.#below(500) + 1)
    return operation(part < 0.7 ? 'incr' : 'decr', key, { delta, quiet: this.#isQuiet() })
  }

  /** Mostly the token that is known, sometimes one that was, or never was. */
  #token(key: string): string {
    const known = this.#model.history(key).states[0]?.cas
    if (known === undefined || this.#chance(0.1)) return String(this.#below(100_000))
    return this.#chance(0.1) ? String(BigInt(known) - 1n) : known
  }

  /** Soon, far away, or not at all: relative, absolute, and in the past. */
  #exptime(part: number): number {
    if (!this.#chance(part)) return 0
    const nowS = Math.floor(Date.now() / 1000)
    const way = this.#random()
    if (way < 0.45) return 1 + this.#below(3)
    if (way < 0.6) return nowS + 1 + this.#below(4)
    if (way < 0.65) return -1
    if (way < 0.7) return nowS - 10
    return this.#chance(0.5) ? DAY_S : nowS + 2 * DAY_S
  }

  #length(): number {
    const way = this.#random()
    if (way < 0.1) return 1 + this.#below(8)
    if (way < 0.6) return 1 + this.#below(300)
    if (way < 0.95) return 1 + this.#below(4000)
    return 1 + this.#below(65_536)
  }

  #verb(): Verb {
    let left = this.#random() * MIX_SUM
    for (const [verb, part] of MIX) {
      left -= part
      if (left < 0) return verb
    }
    return 'get'
  }

  /** A number below `count` of which the low ones are drawn more often, and that is ours to change. */
  #ownIndex(connection: number, count: number): number {
    const { connections, turn } = this.#shape
    const place = this.#chance(0.5) ? this.#random() : this.#random() ** 4
    const slots = Math.floor(count / connections)
    return Math.floor(place * slots) * connections + ((connection + turn) % connections)
  }

  #isQuiet(): boolean {
    return this.#chance(QUIET_PART)
  }

  #chance(part: number): boolean {
    return this.#random() < part
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }
}
