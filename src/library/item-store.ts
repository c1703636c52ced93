/**
 * The commands of the library on items, synchronous: each runs against memory and says WAIT where its key
 * is on disk. Then it has done nothing, and is to be run again once the item has been loaded.
 *
 * What a command of memcached means is in `commands/`, and is asked for there. Only get and set are written
 * out here, because they put the value where it belongs without a detour. Not for: waiting, timing.
 */
import { copyBytes } from '../bytes/ascii.ts'
import type { Bytes } from '../bytes/ascii.ts'
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import { arithmetic } from '../commands/arithmetic.ts'
import type { ItemContext } from '../commands/context.ts'
import { itemSize } from '../commands/context.ts'
import { noteGet, noteStore, keyOf } from '../commands/notes.ts'
import { remove } from '../commands/removal.ts'
import { BEGUN, begin, finish } from '../commands/storage.ts'
import { ON_DISK } from '../engine/cache.ts'
import {
  copyEnvelope,
  envelopeBytesAt,
  envelopedFlags,
  freshUntilMs,
  isEnveloped,
  isNegative,
  stampOf,
  tagsOf,
  typeOfEnveloped,
  writeEnvelope,
} from '../engine/envelope.ts'
import type { TagTable } from '../engine/tag-table.ts'
import { OP, OUTCOME, RAN } from '../message/codes.ts'
import type { Op, Outcome } from '../message/codes.ts'
import { Request } from '../message/request.ts'
import { METRIC } from '../observe/metrics.ts'
import { Answer, noOutput } from './answer.ts'
import type { Duration } from './duration.ts'
import { Key } from './key.ts'
import { failure } from './outcome-error.ts'
import { TYPE } from './serializer.ts'
import { planOf } from './store-plan.ts'
import type { StorePlan } from './store-plan.ts'
import type { ValueCoding } from './value-coding.ts'

/** The key is on disk: to be run again. */
export const WAIT: unique symbol = Symbol('wait')
export type Wait = typeof WAIT

/** Numbers that incr and decr count with. */
const DIGITS = /^\d{1,20} *$/
const WORD = 2 ** 32

/** What is known of an item that was found. Borrowed, like the item. */
export interface Found {
  item: number
  /** Where the value stands behind its header, and its type. */
  start: number
  length: number
  type: number
  /** Where the header stands; -1 where there is none. */
  headerAt: number
  isNegative: boolean
  /** It was made for a client of the network that was told to fill it. */
  isPromised: boolean
  /** When it stops being good, in milliseconds; Infinity where the end of the item is the only end. */
  freshUntilMs: number
}

export class ItemStore {
  readonly context: ItemContext
  readonly key: Key = new Key()
  readonly found: Found = {
    item: 0,
    start: 0,
    length: 0,
    type: 0,
    headerAt: -1,
    isNegative: false,
    isPromised: false,
    freshUntilMs: 0,
  }
  readonly #coding: ValueCoding
  readonly #tags: TagTable
  readonly #heap: Bytes
  readonly #request: Request
  readonly #answer = new Answer()
  readonly #out: OutputBuffer = noOutput()

  constructor(context: ItemContext, coding: ValueCoding, tags: TagTable) {
    this.context = context
    this.#coding = coding
    this.#tags = tags
    this.#heap = context.heap
    this.#request = new Request(this.key.bytes)
  }

  // ----------------------------------------------------------------- looking

  /** Finds the item of a key and shows it in `found`. Returns 0 for none, ON_DISK to wait. */
  look(key: string): number {
    const { cache } = this.context
    const item = cache.find(this.key.bytes, 0, this.key.write(key))
    if (item > 0) this.#show(item)
    return item
  }

  /** Whether what was found is good, and no note that there is nothing. */
  get isUsable(): boolean {
    return !this.found.isNegative && !this.found.isPromised && this.isFresh
  }
  /** Milliseconds since 1970. */
  get nowMs(): number {
    return this.#tags.nowMs
  }
  get isFresh(): boolean {
    const { freshUntilMs: untilMs } = this.found
    return untilMs === Infinity || untilMs > this.#tags.nowMs
  }

  /** The value of what was found. */
  value(): unknown {
    const { start, length, type } = this.found
    return this.#coding.read(this.#heap, start, length, type)
  }

  /** The value of a key, undefined for none. With `stale`, also one whose time of grace it is. */
  get(key: string, stale: boolean): unknown {
    const item = this.look(key)
    if (item === ON_DISK) return WAIT
    const { cache, metrics } = this.context
    metrics.count(METRIC.CMD_GET)
    if (this.context.watchers.topics !== 0) noteGet(this.context, this.#ask(OP.GET), item)
    const isHit = item !== 0 && (this.isUsable || (stale && !this.found.isNegative))
    if (!isHit) {
      metrics.count(METRIC.GET_MISSES)
      return undefined
    }
    metrics.countGetHit(cache.sizeClass(item))
    cache.touch(item)
    return this.value()
  }

  /** The number that `cas` compares. */
  token(): bigint {
    const { cache, view } = this.context
    cache.show(this.found.item, view)
    return (BigInt(view.casHi) << 32n) | BigInt(view.casLo)
  }

  // ----------------------------------------------------------------- storing

  /** Stores a value, whatever there was. Fails with VALUE_TOO_LARGE or CACHE_FULL, the old value gone. */
  set(key: string, value: unknown, plan: StorePlan): void {
    this.#coding.measure(value)
    const { length, type } = this.#coding
    this.#put(key, plan, type, length, (at) => this.#coding.write(this.#heap, at))
    this.#coding.clear()
  }

  /** Notes that there is no value for a key. */
  setNegative(key: string, plan: StorePlan): void {
    this.#put(key, plan, TYPE.BYTES, 0, () => undefined)
  }

  #put(
    key: string,
    plan: StorePlan,
    type: number,
    length: number,
    write: (at: number) => void,
  ): void {
    const { cache, metrics, settings } = this.context
    const keyLength = this.key.write(key)
    const { bytes } = this.key
    const flags = plan.envelope === null ? type : envelopedFlags(type)
    const total = plan.envelopeBytes + length
    const hash = cache.hash(bytes, 0, keyLength)
    let outcome: Outcome = OUTCOME.NO_MEMORY
    if (itemSize(keyLength, total, flags) > settings.itemBytesMax) {
      outcome = OUTCOME.TOO_LARGE
    } else {
      const old = cache.findInMemory(hash, bytes, 0, keyLength)
      let item = old
      if (old === 0 || !cache.rewrite(old, total, flags, plan.exptimeS)) {
        item = cache.reserve(hash, bytes, 0, keyLength, total, flags, plan.exptimeS)
        if (item !== 0) this.#fill(cache.valueStart(item), plan, write)
        // Making room may have evicted the old item.
        if (item !== 0 && !cache.link(item, cache.findSameKeyInMemory(item))) item = 0
      } else {
        this.#fill(cache.valueStart(old), plan, write)
      }
      if (item !== 0) {
        metrics.countSet(cache.sizeClass(item))
        outcome = OUTCOME.STORED
      }
    }
    if (this.context.watchers.topics !== 0) {
      const request = this.#ask(OP.SET)
      noteStore(this.context, request, outcome, keyOf(request))
    }
    if (outcome === OUTCOME.STORED) return
    const isTooLarge = outcome === OUTCOME.TOO_LARGE
    metrics.count(isTooLarge ? METRIC.STORE_TOO_LARGE : METRIC.STORE_NO_MEMORY)
    cache.discard(hash, bytes, 0, keyLength)
    throw failure(outcome, key)
  }

  #fill(at: number, plan: StorePlan, write: (at: number) => void): void {
    if (plan.envelope !== null) writeEnvelope(this.#heap, at, plan.envelope)
    write(at + plan.envelopeBytes)
  }

  /** add, replace, append, prepend; and cas, with the token that the item must have. */
  storeIf(op: Op, key: string, value: unknown, plan: StorePlan, token = 0n): boolean | Wait {
    const item = this.look(key)
    if (item === ON_DISK) return WAIT
    const { cache } = this.context
    // That there is nothing is no item to the conditions.
    if (item !== 0 && !this.isUsable) cache.remove(item)
    this.#coding.measure(value)
    const isAdding = op === OP.APPEND || op === OP.PREPEND
    if (isAdding && item !== 0 && this.isUsable && this.found.headerAt >= 0) {
      return this.#extend(op, key)
    }
    const request = this.#ask(op)
    request.clientFlags =
      plan.envelope === null ? this.#coding.type : envelopedFlags(this.#coding.type)
    request.exptime = plan.exptimeS
    request.valueBytes = plan.envelopeBytes + this.#coding.length
    request.ifCas = op === OP.CAS
    request.casHi = Number(token >> 32n)
    request.casLo = Number(token & 0xffff_ffffn)
    const begun = begin(this.context, request, -1, this.#answer, this.#out)
    if (begun === BEGUN.REFUSED) throw failure(request.outcome, key)
    this.#fill(request.valueStart, plan, (at) => this.#coding.write(this.#heap, at))
    this.#coding.clear()
    const ran = finish(this.context, request, this.#answer, this.#out)
    if (ran === RAN.FAULT) {
      // Making room has moved the old item to disk.
      cache.abandon(request.item)
      request.item = 0
      return WAIT
    }
    const { outcomeSaid } = this.#answer
    if (outcomeSaid === OUTCOME.NO_MEMORY) throw failure(outcomeSaid, key)
    return outcomeSaid === OUTCOME.STORED
  }

  /** append and prepend to a value with a header, which stays in front. */
  #extend(op: Op, key: string): boolean {
    const { length } = this.found
    const added = this.#coding.length
    this.#replace(key, length + added, (at, from) => {
      const isBehind = op === OP.APPEND
      copyBytes(this.#heap, isBehind ? at : at + added, this.#heap, from, length)
      this.#coding.write(this.#heap, isBehind ? at + length : at)
    })
    return true
  }

  // ---------------------------------------------------------------- counting

  /** Adds to the number of a key. Undefined where there is none. */
  add(key: string, delta: number): number | undefined | Wait {
    const item = this.look(key)
    if (item === ON_DISK) return WAIT
    if (item === 0 || !this.isUsable) {
      this.context.metrics.count(delta < 0 ? METRIC.DECR_MISSES : METRIC.INCR_MISSES)
      return undefined
    }
    if (this.found.headerAt >= 0) return this.#addBehindHeader(key, delta)
    const request = this.#ask(delta < 0 ? OP.DECR : OP.INCR)
    const amount = Math.abs(delta)
    request.deltaHi = Math.floor(amount / WORD)
    request.deltaLo = amount % WORD
    const ran = arithmetic(this.context, request, this.#answer, this.#out)
    if (ran === RAN.FAULT) return WAIT
    if (this.#answer.outcomeSaid !== OUTCOME.OK) throw failure(this.#answer.outcomeSaid, key)
    return this.#answer.count
  }

  #addBehindHeader(key: string, delta: number): number {
    const { start, length } = this.found
    const digits = this.#heap.buffer.toString('latin1', start, start + length)
    if (!DIGITS.test(digits)) throw failure(OUTCOME.NON_NUMERIC, key)
    const sum = Math.max(0, Number(digits) + delta)
    const { metrics } = this.context
    metrics.count(delta < 0 ? METRIC.DECR_HITS : METRIC.INCR_HITS)
    // A counter keeps its length, as memcached's does.
    const text = String(sum).padEnd(length, ' ')
    this.#replace(key, text.length, (at) =>
      this.#heap.buffer.write(text, at, text.length, 'latin1'),
    )
    return sum
  }

  // ---------------------------------------------------------------- removing

  /** Deletes a key. Returns whether there was a value. */
  delete(key: string): boolean | Wait {
    const item = this.look(key)
    if (item === ON_DISK) return WAIT
    const hadValue = item !== 0 && this.isUsable
    if (remove(this.context, this.#ask(OP.DELETE), this.#answer, this.#out) === RAN.FAULT) {
      return WAIT
    }
    return hadValue
  }

  /** Deletes a key and gives its value. */
  take(key: string): unknown {
    const value = this.get(key, false)
    if (value === WAIT || value === undefined) return value
    this.context.metrics.count(METRIC.DELETE_HITS)
    this.context.cache.remove(this.found.item)
    return value
  }

  /** Marks the value of a key as used. */
  touch(key: string): boolean | Wait {
    const item = this.look(key)
    if (item === ON_DISK) return WAIT
    if (item === 0 || !this.isUsable) return false
    this.context.cache.touch(item)
    return true
  }

  /** Gives the value of a key another end. Its tags stay. */
  expire(key: string, ttl: Duration): boolean | Wait {
    const item = this.look(key)
    if (item === ON_DISK) return WAIT
    if (item === 0 || !this.isUsable) return false
    const { cache } = this.context
    const { headerAt, start, length, type } = this.found
    const scope = headerAt < 0 ? [] : tagsOf(this.#heap, headerAt)
    const stamp = headerAt < 0 ? cache.sequence : stampOf(this.#heap, headerAt)
    const plan = planOf({ ttl }, scope, stamp, this.#tags)
    if (headerAt < 0 && plan.envelope === null) {
      cache.setExpiry(item, plan.exptimeS)
      return true
    }
    const value = Buffer.from(this.#heap.buffer.subarray(start, start + length))
    this.#put(key, plan, type, length, (at) => this.#heap.buffer.set(value, at))
    return true
  }

  // ------------------------------------------------------------------ inside

  #show(item: number): void {
    const { cache } = this.context
    const { found } = this
    const start = cache.valueStart(item)
    const length = cache.valueBytes(item)
    const flags = cache.clientFlags(item)
    found.item = item
    found.isPromised =
      length === 0 && cache.marks.isWon(item) && !isEnveloped(flags) && !cache.marks.isStale(item)
    if (!isEnveloped(flags)) {
      found.start = start
      found.length = length
      found.type = flags
      found.headerAt = -1
      found.isNegative = false
      found.freshUntilMs = Infinity
      return
    }
    const header = envelopeBytesAt(this.#heap, start, length)
    found.start = start + header
    found.length = length - header
    found.type = typeOfEnveloped(flags)
    found.headerAt = start
    found.isNegative = isNegative(this.#heap, start)
    found.freshUntilMs = freshUntilMs(this.#heap, start)
  }

  /**
   * Puts another value behind the header of what was found. `write` is given where it goes, and where the
   * old one stands.
   */
  #replace(key: string, length: number, write: (at: number, from: number) => void): void {
    const { cache, settings } = this.context
    const { item, headerAt, start } = this.found
    const headerBytes = start - headerAt
    const total = headerBytes + length
    if (itemSize(cache.keyBytes(item), total, cache.clientFlags(item)) > settings.itemBytesMax) {
      throw failure(OUTCOME.TOO_LARGE, key)
    }
    // Making room may evict the old item; its pin keeps the bytes until they are copied.
    const isPinned = cache.pin(item)
    const grown = isPinned ? cache.reserveLike(item, total) : 0
    if (grown === 0) {
      if (isPinned) cache.unpin(item)
      throw failure(OUTCOME.NO_MEMORY, key)
    }
    const at = cache.valueStart(grown)
    copyEnvelope(this.#heap, at, this.#heap, headerAt)
    write(at + headerBytes, start)
    const isLinked = cache.link(grown, cache.isLinked(item) ? item : 0)
    cache.unpin(item)
    if (!isLinked) throw failure(OUTCOME.NO_MEMORY, key)
  }

  /** The one request, for the key that was written last. */
  #ask(op: Op): Request {
    const request = this.#request
    request.op = op
    request.keyBytes = this.key.length
    request.ifCas = false
    request.exptime = 0
    request.valueBytes = 0
    return request
  }
}
