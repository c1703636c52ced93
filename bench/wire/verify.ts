// Checks what a server answers, byte for byte, as it arrives. The checker knows from the pending requests which bytes
// must come next and compares them in place, in however small pieces they come; nothing is collected. A reply that is
// wrong, belongs to another key, is too short, too long or unasked for throws `WrongReply`, and the run counts for
// nothing. The only freedom a server has is to answer a get with a miss, which is counted and judged at the end, and,
// where a workload allows it, to refuse a set for want of memory.

import { type Dataset, keyName } from './dataset.ts'

/** What a pending request expects. A plain record of numbers, as it is kept in a ring of typed arrays. */
export const Op = { get: 0, multiget: 1, set: 2, incr: 3, counter: 4 } as const
export type Op = (typeof Op)[keyof typeof Op]

export class WrongReply extends Error {
  override name = 'WrongReply'
}

/** Requests sent and not yet answered, oldest first. The capacity is a power of two. */
export class Pending {
  readonly #ops: Uint8Array
  readonly #keys: Uint32Array
  readonly #dueMs: Float64Array
  readonly #mask: number
  #head = 0
  #tail = 0

  constructor(capacity: number) {
    this.#ops = new Uint8Array(capacity)
    this.#keys = new Uint32Array(capacity)
    this.#dueMs = new Float64Array(capacity)
    this.#mask = capacity - 1
  }

  get count(): number {
    return this.#tail - this.#head
  }

  get full(): boolean {
    return this.count > this.#mask
  }

  /** `key` is an index into the dataset; of a multiget, into the list of drawn keys. */
  push(op: Op, key: number, dueMs: number): void {
    const slot = this.#tail++ & this.#mask
    this.#ops[slot] = op
    this.#keys[slot] = key
    this.#dueMs[slot] = dueMs
  }

  op(): number {
    return this.#ops[this.#head & this.#mask]!
  }

  key(): number {
    return this.#keys[this.#head & this.#mask]!
  }

  drop(): void {
    this.#head++
  }

  /** When the request answered `ago` answers before the oldest pending one was due; valid until the next push. */
  dueMsOfAnswered(ago: number): number {
    return this.#dueMs[(this.#head - ago) & this.#mask]!
  }
}

export interface CheckerOptions {
  readonly dataset: Dataset
  readonly pending: Pending
  /** The drawn keys of multigets and how many each has. */
  readonly keys: Uint32Array
  readonly multigetWidth: number
  /** The counters of this connection, by index of their key: only one connection touches a counter. */
  readonly counters: Float64Array
  readonly mayRefuse: boolean
}

// Where in a reply the checker is.
const Part = { start: 0, head: 1, body: 2, tail: 3, line: 4 } as const
type Part = (typeof Part)[keyof typeof Part]

const STORED = Buffer.from('STORED\r\n')
const END = Buffer.from('END\r\n')
const ITEM_END = Buffer.from('\r\n')
const LAST_ITEM_END = Buffer.from('\r\nEND\r\n')
const REFUSAL = 'SERVER_ERROR out of memory'
const LETTER_E = 0x45
const LINE_FEED = 0x0a
/** Below this a loop beats the call of a native comparison. */
const LOOP_BYTES_MAX = 48
/** How much of a wrong line is shown. */
const EXCERPT_BYTES = 60

export class ReplyChecker {
  readonly #options: CheckerOptions
  readonly #digits: Buffer = Buffer.alloc(24)
  #part: Part = Part.start
  /** The bytes that must come next: `#expected[#from, #to)`. */
  #expected: Buffer = END
  #from = 0
  #to = 0
  #item = 0
  #line = ''

  hits = 0
  misses = 0
  refusals = 0

  constructor(options: CheckerOptions) {
    this.#options = options
  }

  /** Checks `chunk[0, bytes)` and returns how many requests it completed. */
  feed(chunk: Buffer, bytes: number): number {
    let at = 0
    let answered = 0
    while (at < bytes) {
      if (this.#part === Part.start) this.#begin(chunk, at, bytes)
      if (this.#part === Part.line) {
        at = this.#readLine(chunk, at, bytes)
      } else {
        const count = Math.min(bytes - at, this.#to - this.#from)
        if (equal(chunk, at, this.#expected, this.#from, count)) {
          at += count
          this.#from += count
          if (this.#from === this.#to) this.#advance()
        } else {
          at = this.#mismatch(chunk, at, bytes)
        }
      }
      if (this.#part === Part.start) answered++
    }
    return answered
  }

  /** Sets what the first byte of a reply promises. */
  #begin(chunk: Buffer, at: number, bytes: number): void {
    const { pending, dataset, counters } = this.#options
    if (pending.count === 0)
      throw new WrongReply(`bytes nobody asked for: ${excerpt(chunk, at, bytes)}`)
    this.#part = Part.tail
    switch (pending.op()) {
      case Op.get:
        if (chunk[at] === LETTER_E) this.#missed(1)
        else this.#expectItem(pending.key())
        return
      case Op.multiget:
        this.#item = 0
        if (chunk[at] === LETTER_E) this.#missed(this.#options.multigetWidth)
        else this.#expectItem(this.#multigetKey())
        return
      case Op.incr: {
        const key = pending.key()
        const value = counters[key]! + 1
        counters[key] = value
        this.#expect(this.#digits, 0, this.#digits.write(`${value}\r\n`, 0, 'latin1'))
        return
      }
      case Op.set:
      case Op.counter:
        this.#expect(STORED, 0, STORED.length)
        return
      default:
        throw new WrongReply(`a request of no known kind for ${keyName(dataset, pending.key())}`)
    }
  }

  #missed(count: number): void {
    this.misses += count
    this.#expect(END, 0, END.length)
  }

  #multigetKey(): number {
    const { pending, keys } = this.#options
    return keys[(pending.key() + this.#item) & (keys.length - 1)]!
  }

  #expectItem(key: number): void {
    const { records, recordStride, recordBytes } = this.#options.dataset
    this.#part = Part.head
    this.#expect(records, key * recordStride, key * recordStride + recordBytes[key]!)
  }

  #expect(expected: Buffer, from: number, to: number): void {
    this.#expected = expected
    this.#from = from
    this.#to = to
  }

  /** The expected bytes have come: on to the next part of the reply, or to the next reply. */
  #advance(): void {
    const { pending, dataset, multigetWidth } = this.#options
    const isMultiget = pending.op() === Op.multiget
    if (this.#part === Part.head) {
      const key = isMultiget ? this.#multigetKey() : pending.key()
      const offset = dataset.bodyOffset[key]!
      this.#part = Part.body
      this.#expect(dataset.block, offset, offset + dataset.bodyBytes[key]!)
      if (this.#from < this.#to) return
    }
    if (this.#part === Part.body) {
      this.hits++
      const isLast = !isMultiget || this.#item + 1 === multigetWidth
      const end = isLast ? LAST_ITEM_END : ITEM_END
      this.#part = Part.tail
      this.#expect(end, 0, end.length)
      return
    }
    if (isMultiget && this.#expected === ITEM_END) {
      this.#item++
      this.#expectItem(this.#multigetKey())
      return
    }
    this.#finish()
  }

  #finish(): void {
    this.#options.pending.drop()
    this.#part = Part.start
  }

  /** Not what was expected: a refusal, if the workload allows it and the whole line says so. Otherwise throws. */
  #mismatch(chunk: Buffer, at: number, bytes: number): number {
    const { pending, mayRefuse, dataset } = this.#options
    if (mayRefuse && pending.op() === Op.set) {
      this.#line = this.#expected.toString('latin1', 0, this.#from)
      this.#part = Part.line
      return this.#readLine(chunk, at, bytes)
    }
    const { keys } = this.#options
    const isMultiget = pending.op() === Op.multiget
    const key = isMultiget ? keys[pending.key() & (keys.length - 1)]! : pending.key()
    let wrong = 0
    while (this.#expected[this.#from + wrong] === chunk[at + wrong]) wrong++
    throw new WrongReply(
      `reply to ${opName(pending.op())} of ${keyName(dataset, key)}: expected ` +
        `${excerpt(this.#expected, this.#from + wrong, this.#to)}, got ${excerpt(chunk, at + wrong, bytes)}`,
    )
  }

  #readLine(chunk: Buffer, at: number, bytes: number): number {
    const lineFeed = chunk.indexOf(LINE_FEED, at)
    const isWhole = lineFeed >= 0 && lineFeed < bytes
    const end = isWhole ? lineFeed + 1 : bytes
    this.#line += chunk.toString('latin1', at, end)
    if (!REFUSAL.startsWith(this.#line.slice(0, REFUSAL.length)))
      throw new WrongReply(`reply to a set: ${JSON.stringify(this.#line.slice(0, EXCERPT_BYTES))}`)
    if (isWhole) {
      this.refusals++
      this.#finish()
    }
    return end
  }
}

function opName(op: number): string {
  return Object.entries(Op).find(([, value]) => value === op)?.[0] ?? 'an unknown request'
}

function excerpt(bytes: Buffer, from: number, to: number): string {
  const text = JSON.stringify(bytes.toString('latin1', from, Math.min(to, from + EXCERPT_BYTES)))
  return text.replaceAll(/[\x7f-\xff]/g, (byte) => `\\u00${byte.charCodeAt(0).toString(16)}`)
}

function equal(a: Buffer, aFrom: number, b: Buffer, bFrom: number, count: number): boolean {
  if (count > LOOP_BYTES_MAX) return a.compare(b, bFrom, bFrom + count, aFrom, aFrom + count) === 0
  for (let i = 0; i < count; i++) if (a[aFrom + i] !== b[bFrom + i]) return false
  return true
}
