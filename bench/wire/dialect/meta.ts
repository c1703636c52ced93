// The meta protocol: `mg <key> v` and `ms <key> <bytes> F<flags>`. The flags are there although no reply shows them:
// what was set with meta commands may be got with others.

import { type Dataset } from '../dataset.ts'
import { expectBytes, type Expectation, expectInstead } from '../expectation.ts'
import { copy, writeKey, writeValue } from '../item-bytes.ts'
import { Op } from '../pending.ts'
import { type Dialect, expectBody, type Replies, type ReplyOptions } from './dialect.ts'

const GET = Buffer.from('mg ')
const WITH_VALUE = Buffer.from(' v\r\n')
const SET = Buffer.from('ms ')
const FLAGS = Buffer.from(' F')
const QUIET = Buffer.from(' q')
const LINE_END = Buffer.from('\r\n')
/** What a set adds to record and value at most: command, letters of the flags, line ends. */
const SET_BYTES_MAX = 16

const VALUE = Buffer.from('VA')
const MISS = Buffer.from('EN\r\n')
const STORED = Buffer.from('HD\r\n')

export const meta: Dialect = {
  requestBytesMax: (dataset) => dataset.recordStride + dataset.valueBytesMax + SET_BYTES_MAX,
  writeGet,
  writeSet,
  writeMultiget: null,
  counters: null,
  replies: (options) => new MetaReplies(options),
}

function writeGet(out: Buffer, at: number, dataset: Dataset, key: number): number {
  at = copy(GET, 0, GET.length, out, at)
  at = writeKey(out, at, dataset, key)
  return copy(WITH_VALUE, 0, WITH_VALUE.length, out, at)
}

function writeSet(out: Buffer, at: number, dataset: Dataset, key: number, quiet: boolean): number {
  const { records, flagsAt, bytesAt } = dataset
  const record = key * dataset.recordStride
  const mark = record + dataset.markAt[key]!
  at = copy(SET, 0, SET.length, out, at)
  at = writeKey(out, at, dataset, key)
  at = copy(records, record + bytesAt, mark - LINE_END.length, out, at)
  at = copy(FLAGS, 0, FLAGS.length, out, at)
  // The record has a space before the digits.
  at = copy(records, record + flagsAt + 1, record + bytesAt, out, at)
  if (quiet) at = copy(QUIET, 0, QUIET.length, out, at)
  at = copy(LINE_END, 0, LINE_END.length, out, at)
  at = writeValue(out, at, dataset, key)
  return copy(LINE_END, 0, LINE_END.length, out, at)
}

// Where in a reply we are: `head` is the rest of the line of an item, with the mark of its value.
const Part = { word: 0, head: 1, body: 2, last: 3 } as const
type Part = (typeof Part)[keyof typeof Part]

class MetaReplies implements Replies {
  readonly #options: ReplyOptions
  #part: Part = Part.last

  constructor(options: ReplyOptions) {
    this.#options = options
  }

  begin(next: Expectation): void {
    if (this.#options.pending.op() === Op.get) {
      this.#part = Part.word
      expectBytes(next, VALUE, 0, VALUE.length)
    } else {
      this.#part = Part.last
      expectBytes(next, STORED, 0, STORED.length)
    }
  }

  advance(next: Expectation): boolean {
    const { pending, dataset, tally } = this.#options
    const key = pending.key()
    switch (this.#part) {
      case Part.word: {
        const record = key * dataset.recordStride
        const end = record + dataset.recordBytes[key]!
        this.#part = Part.head
        expectBytes(next, dataset.records, record + dataset.bytesAt, end)
        return true
      }
      case Part.head:
        this.#part = Part.body
        return expectBody(next, dataset, key) || this.advance(next)
      case Part.body:
        tally.hits++
        this.#part = Part.last
        expectBytes(next, LINE_END, 0, LINE_END.length)
        return true
      default:
        return false
    }
  }

  otherwise(next: Expectation, byte: number): boolean {
    if (this.#part !== Part.word || !expectInstead(next, MISS, 0, MISS.length, byte)) return false
    this.#options.tally.misses++
    this.#part = Part.last
    return true
  }
}
