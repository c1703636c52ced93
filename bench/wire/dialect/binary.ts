// The binary protocol: get, set, and gets of many keys as clients of this protocol do them, with a quiet get (GETKQ,
// which says nothing of a miss) for every key and a NOOP that tells the end. The opaque is the index of the key in the
// dataset; of a NOOP, where its multiget begins in the list of drawn keys. Only the cas of an item can't be known: those
// eight bytes may be anything.

import { clientFlagsOf, type Dataset, MARK_BYTES } from '../dataset.ts'
import { expectAnything, expectBytes, type Expectation, expectInstead } from '../expectation.ts'
import { writeKey, writeMark, writeValue } from '../item-bytes.ts'
import { Op } from '../pending.ts'
import {
  CAS_AT,
  CAS_BYTES,
  HEADER_BYTES,
  HIT_EXTRAS_BYTES,
  Magic,
  Opcode,
  SET_EXTRAS_BYTES,
  Status,
  writeHeader,
  writeWord,
} from './binary-frame.ts'
import { type Dialect, expectBody, keyInReply, type Replies, type ReplyOptions } from './dialect.ts'

const NOT_FOUND = Buffer.from('Not found')

export const binary: Dialect = {
  requestBytesMax: (dataset, multigetWidth) =>
    Math.max(
      HEADER_BYTES + SET_EXTRAS_BYTES + dataset.keyBytes + dataset.valueBytesMax,
      multigetWidth * (HEADER_BYTES + dataset.keyBytes) + HEADER_BYTES,
    ),
  writeGet: (out, at, dataset, key) => writeGet(out, at, dataset, key, Opcode.get),
  writeSet,
  writeMultiget,
  counters: null,
  replies: (options) => new BinaryReplies(options),
}

function writeGet(out: Buffer, at: number, dataset: Dataset, key: number, opcode: number): number {
  const { keyBytes } = dataset
  at = writeHeader(out, at, Magic.request, opcode, keyBytes, 0, 0, keyBytes, key)
  return writeKey(out, at, dataset, key)
}

function writeMultiget(
  out: Buffer,
  at: number,
  dataset: Dataset,
  keys: Uint32Array,
  from: number,
  width: number,
): number {
  for (let i = 0; i < width; i++)
    at = writeGet(out, at, dataset, keys[(from + i) & (keys.length - 1)]!, Opcode.getkq)
  return writeHeader(out, at, Magic.request, Opcode.noop, 0, 0, 0, 0, from)
}

function writeSet(out: Buffer, at: number, dataset: Dataset, key: number, quiet: boolean): number {
  const { keyBytes } = dataset
  const opcode = quiet ? Opcode.setq : Opcode.set
  const bodyBytes = SET_EXTRAS_BYTES + keyBytes + valueBytesOf(dataset, key)
  at = writeHeader(out, at, Magic.request, opcode, keyBytes, SET_EXTRAS_BYTES, 0, bodyBytes, key)
  at = writeWord(out, at, clientFlagsOf(key))
  at = writeWord(out, at, 0)
  at = writeKey(out, at, dataset, key)
  return writeValue(out, at, dataset, key)
}

function valueBytesOf(dataset: Dataset, key: number): number {
  return dataset.recordBytes[key]! - dataset.markAt[key]! + dataset.bodyBytes[key]!
}

// Where in a reply we are: `header` is that of a hit up to its cas, `head` its extras, key and the mark of its value.
const Part = { header: 0, cas: 1, head: 2, body: 3, stored: 4, last: 5 } as const
type Part = (typeof Part)[keyof typeof Part]

class BinaryReplies implements Replies {
  readonly #options: ReplyOptions
  /** The beginning of the expected reply, as far as it has to be made, and room for another that may be there instead. */
  #reply: Buffer
  #other: Buffer
  #headEnd = 0
  #part: Part = Part.last
  /** Which key of a multiget; after the last one comes the NOOP. */
  #place = 0

  constructor(options: ReplyOptions) {
    const { keyBytes } = options.dataset
    this.#options = options
    this.#reply = Buffer.alloc(HEADER_BYTES + HIT_EXTRAS_BYTES + keyBytes + MARK_BYTES)
    this.#other = Buffer.alloc(this.#reply.length)
  }

  begin(next: Expectation): void {
    const { pending } = this.#options
    this.#place = 0
    if (pending.op() === Op.set) {
      writeHeader(this.#reply, 0, Magic.reply, Opcode.set, 0, 0, Status.ok, 0, pending.key())
      this.#part = Part.stored
      expectBytes(next, this.#reply, 0, CAS_AT)
    } else {
      this.#expectHit(next)
    }
  }

  advance(next: Expectation): boolean {
    const { pending, dataset, tally, multigetWidth } = this.#options
    switch (this.#part) {
      case Part.header:
        this.#part = Part.cas
        expectAnything(next, CAS_BYTES)
        return true
      case Part.stored:
        this.#part = Part.last
        expectAnything(next, CAS_BYTES)
        return true
      case Part.cas:
        this.#part = Part.head
        expectBytes(next, this.#reply, HEADER_BYTES, this.#headEnd)
        return true
      case Part.head: {
        const key = keyInReply(this.#options, this.#place)
        this.#part = Part.body
        return expectBody(next, dataset, key) || this.advance(next)
      }
      case Part.body:
        tally.hits++
        if (pending.op() !== Op.multiget) return false
        if (++this.#place < multigetWidth) {
          this.#expectHit(next)
        } else {
          this.#part = Part.last
          expectBytes(next, this.#reply, 0, this.#writeNoop(this.#reply))
        }
        return true
      default:
        return false
    }
  }

  otherwise(next: Expectation, byte: number): boolean {
    if (this.#part !== Part.header) return false
    const other = this.#other
    const { pending, tally, multigetWidth } = this.#options
    if (pending.op() === Op.get) {
      if (!expectInstead(next, other, 0, writeMiss(other, pending.key()), byte)) return false
      tally.misses++
      this.#part = Part.last
      return true
    }
    // Of a key that is missing nothing comes: this may be the hit of one of the next keys, or the NOOP.
    for (let place = this.#place + 1; place <= multigetWidth; place++) {
      const isNoop = place === multigetWidth
      const headEnd = isNoop ? this.#writeNoop(other) : this.#writeHit(other, place)
      if (!expectInstead(next, other, 0, isNoop ? headEnd : CAS_AT, byte)) continue
      tally.misses += place - this.#place
      this.#place = place
      this.#headEnd = headEnd
      this.#other = this.#reply
      this.#reply = other
      if (isNoop) this.#part = Part.last
      return true
    }
    return false
  }

  #expectHit(next: Expectation): void {
    this.#headEnd = this.#writeHit(this.#reply, this.#place)
    this.#part = Part.header
    expectBytes(next, this.#reply, 0, CAS_AT)
  }

  /** Header, extras, key and mark of the hit at this place. */
  #writeHit(out: Buffer, place: number): number {
    const { pending, dataset } = this.#options
    const key = keyInReply(this.#options, place)
    const isMultiget = pending.op() === Op.multiget
    const opcode = isMultiget ? Opcode.getkq : Opcode.get
    const keyBytes = isMultiget ? dataset.keyBytes : 0
    const extrasBytes = HIT_EXTRAS_BYTES
    const bodyBytes = extrasBytes + keyBytes + valueBytesOf(dataset, key)
    let at = 0
    at = writeHeader(out, at, Magic.reply, opcode, keyBytes, extrasBytes, Status.ok, bodyBytes, key)
    at = writeWord(out, at, clientFlagsOf(key))
    if (isMultiget) at = writeKey(out, at, dataset, key)
    return writeMark(out, at, dataset, key)
  }

  #writeNoop(out: Buffer): number {
    const opaque = this.#options.pending.key()
    return writeHeader(out, 0, Magic.reply, Opcode.noop, 0, 0, Status.ok, 0, opaque)
  }
}

function writeMiss(out: Buffer, key: number): number {
  const bodyBytes = NOT_FOUND.length
  const at = writeHeader(out, 0, Magic.reply, Opcode.get, 0, 0, Status.notFound, bodyBytes, key)
  return at + NOT_FOUND.copy(out, at)
}
