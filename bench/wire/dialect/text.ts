// The classic text protocol: get, set, get of many keys, and counters.

import { type Dataset, KEY_AT } from '../dataset.ts'
import { expectBytes, type Expectation, expectInstead, expectLine } from '../expectation.ts'
import { copy, writeKey, writeValue } from '../item-bytes.ts'
import { Op } from '../pending.ts'
import { type Dialect, expectBody, keyInReply, type Replies, type ReplyOptions } from './dialect.ts'

const GET = Buffer.from('get ')
const SET = Buffer.from('set ')
const INCR = Buffer.from('incr ')
const BY_ONE = Buffer.from(' 1\r\n')
const NO_EXPTIME = Buffer.from(' 0')
const NOREPLY = Buffer.from(' noreply\r\n')
const LINE_END = Buffer.from('\r\n')
const SPACE = 0x20
/** What a set adds to record and value at most: command, exptime, noreply, line ends. */
const SET_BYTES_MAX = 32

const STORED = Buffer.from('STORED\r\n')
const END = Buffer.from('END\r\n')
const LAST_ITEM_END = Buffer.from('\r\nEND\r\n')
/** How a refusal for want of memory begins; what follows differs. */
const REFUSAL = Buffer.from('SERVER_ERROR out of memory')

export const text: Dialect = {
  requestBytesMax: (dataset, multigetWidth) =>
    Math.max(
      dataset.recordStride + dataset.valueBytesMax + SET_BYTES_MAX,
      GET.length + multigetWidth * (dataset.keyBytes + 1) + LINE_END.length,
    ),
  writeGet,
  writeSet,
  writeMultiget,
  counters: { writeIncr, writeCounter },
  replies: (options) => new TextReplies(options),
}

function writeGet(out: Buffer, at: number, dataset: Dataset, key: number): number {
  at = copy(GET, 0, GET.length, out, at)
  at = writeKey(out, at, dataset, key)
  return copy(LINE_END, 0, LINE_END.length, out, at)
}

function writeMultiget(
  out: Buffer,
  at: number,
  dataset: Dataset,
  keys: Uint32Array,
  from: number,
  width: number,
): number {
  at = copy(GET, 0, GET.length - 1, out, at)
  for (let i = 0; i < width; i++) {
    out[at++] = SPACE
    at = writeKey(out, at, dataset, keys[(from + i) & (keys.length - 1)]!)
  }
  return copy(LINE_END, 0, LINE_END.length, out, at)
}

function writeSet(out: Buffer, at: number, dataset: Dataset, key: number, quiet: boolean): number {
  const { records } = dataset
  const record = key * dataset.recordStride
  const mark = record + dataset.markAt[key]!
  at = copy(SET, 0, SET.length, out, at)
  at = copy(records, record + KEY_AT, record + dataset.bytesAt, out, at)
  at = copy(NO_EXPTIME, 0, NO_EXPTIME.length, out, at)
  if (quiet) {
    at = copy(records, record + dataset.bytesAt, mark - LINE_END.length, out, at)
    at = copy(NOREPLY, 0, NOREPLY.length, out, at)
  } else {
    at = copy(records, record + dataset.bytesAt, mark, out, at)
  }
  at = writeValue(out, at, dataset, key)
  return copy(LINE_END, 0, LINE_END.length, out, at)
}

function writeIncr(out: Buffer, at: number, dataset: Dataset, key: number): number {
  at = copy(INCR, 0, INCR.length, out, at)
  at = writeKey(out, at, dataset, key)
  return copy(BY_ONE, 0, BY_ONE.length, out, at)
}

/** Sets a counter; flags and exptime are 0. */
function writeCounter(
  out: Buffer,
  at: number,
  dataset: Dataset,
  key: number,
  value: number,
): number {
  at = copy(SET, 0, SET.length, out, at)
  at = writeKey(out, at, dataset, key)
  const digits = String(value)
  return at + out.write(` 0 0 ${digits.length}\r\n${digits}\r\n`, at, 'latin1')
}

// Where in a reply we are: `head` is the line of an item with the mark of its value, `between` the end of an item that
// another follows, `last` whatever the reply ends with.
const Part = { head: 0, body: 1, between: 2, last: 3, refusal: 4, reason: 5 } as const
type Part = (typeof Part)[keyof typeof Part]

class TextReplies implements Replies {
  readonly #options: ReplyOptions
  readonly #digits: Buffer = Buffer.alloc(24)
  #part: Part = Part.last
  /** Which key of a multiget. */
  #place = 0

  constructor(options: ReplyOptions) {
    this.#options = options
  }

  begin(next: Expectation): void {
    const { pending, counters } = this.#options
    this.#part = Part.last
    switch (pending.op()) {
      case Op.get:
      case Op.multiget:
        this.#place = 0
        this.#expectItem(next)
        return
      case Op.incr: {
        const value = ++counters[pending.key()]!
        expectBytes(next, this.#digits, 0, this.#digits.write(`${value}\r\n`, 0, 'latin1'))
        return
      }
      default:
        expectBytes(next, STORED, 0, STORED.length)
    }
  }

  advance(next: Expectation): boolean {
    const { pending, dataset, tally, multigetWidth } = this.#options
    switch (this.#part) {
      case Part.head: {
        const key = keyInReply(this.#options, this.#place)
        this.#part = Part.body
        return expectBody(next, dataset, key) || this.advance(next)
      }
      case Part.body:
        tally.hits++
        if (pending.op() === Op.multiget && ++this.#place < multigetWidth) {
          this.#part = Part.between
          expectBytes(next, LINE_END, 0, LINE_END.length)
        } else {
          this.#part = Part.last
          expectBytes(next, LAST_ITEM_END, 0, LAST_ITEM_END.length)
        }
        return true
      case Part.between:
        this.#expectItem(next)
        return true
      case Part.refusal:
        this.#part = Part.reason
        expectLine(next)
        return true
      case Part.reason:
        tally.refusals++
        return false
      default:
        return false
    }
  }

  otherwise(next: Expectation, byte: number): boolean {
    const { pending, tally, mayRefuse, multigetWidth } = this.#options
    const op = pending.op()
    if (this.#part === Part.head && this.#place === 0) {
      if (!expectInstead(next, END, 0, END.length, byte)) return false
      tally.misses += op === Op.multiget ? multigetWidth : 1
      this.#part = Part.last
      return true
    }
    if (!mayRefuse || op !== Op.set || !expectInstead(next, REFUSAL, 0, REFUSAL.length, byte))
      return false
    this.#part = Part.refusal
    return true
  }

  #expectItem(next: Expectation): void {
    const { records, recordStride, recordBytes } = this.#options.dataset
    const key = keyInReply(this.#options, this.#place)
    this.#part = Part.head
    expectBytes(next, records, key * recordStride, key * recordStride + recordBytes[key]!)
  }
}
