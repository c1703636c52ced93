/**
 * The lines that are sent most beside a get of one key, each read in a single pass: set, incr and decr with plain
 * numbers and nothing behind them. Any other line, and one that is not whole, is left to the parser of all lines.
 */
import { CR, LF, SPACE, ZERO } from '../../bytes/ascii.ts'
import type { InputWindow } from '../../bytes/input-window.ts'
import { OP } from '../../message/codes.ts'
import type { Request } from '../../message/request.ts'
import { KEY_BYTES_MAX, TRAILER_BYTES } from './fields.ts'
import { LINE_START } from './verbs.ts'

/** Numbers of so many digits are small integers. */
const DIGITS_MAX = 9
const WORD_BYTES = 4

/** Consumes a line, with all that one says which has no arguments. */
export function takeLine(request: Request, input: InputWindow, next: number): void {
  input.start = next
  input.searched = next
  request.options = 0
  request.quiet = false
  request.wantsCas = false
  request.touches = false
  request.wantsItem = false
  request.ifCas = false
  request.vivifies = false
  request.last = true
  request.bytes = input.bytes
  request.keyBytes = 0
  request.swallowBytes = 0
}

/** Reads plain lines. Holds how far it has read. */
export class PlainLines {
  #at = 0

  /** Whether a plain line was read, and consumed: a `set`, whose value follows, or a count. */
  read(input: InputWindow, request: Request): boolean {
    const { start } = input
    const word = input.bytes.view.getInt32(start, true)
    if (word === LINE_START.set) return this.#set(input, request, start + WORD_BYTES)
    if (word !== LINE_START.incr && word !== LINE_START.decr) return false
    if (input.bytes.buffer[start + WORD_BYTES] !== SPACE) return false
    if (!this.#count(input, request, start + WORD_BYTES + 1)) return false
    request.op = word === LINE_START.incr ? OP.INCR : OP.DECR
    return true
  }

  /** set <key> <flags> <exptime> <bytes> */
  #set(input: InputWindow, request: Request, keyStart: number): boolean {
    const keyBytes = this.#key(input, keyStart)
    if (keyBytes < 0) return false
    const clientFlags = this.#number(input)
    if (clientFlags < 0 || input.bytes.buffer[this.#at] !== SPACE) return false
    const exptime = this.#number(input)
    if (exptime < 0 || input.bytes.buffer[this.#at] !== SPACE) return false
    const valueBytes = this.#number(input)
    if (valueBytes < 0 || !this.#isAtEnd(input)) return false
    takeLine(request, input, this.#at + 2)
    request.op = OP.SET
    request.keyStart = keyStart
    request.keyBytes = keyBytes
    request.clientFlags = clientFlags
    request.exptime = exptime
    request.valueBytes = valueBytes
    request.trailerBytes = TRAILER_BYTES
    request.swallowBytes = valueBytes + TRAILER_BYTES
    return true
  }

  /** incr|decr <key> <delta> */
  #count(input: InputWindow, request: Request, keyStart: number): boolean {
    const keyBytes = this.#key(input, keyStart)
    if (keyBytes < 0) return false
    const delta = this.#number(input)
    if (delta < 0 || !this.#isAtEnd(input)) return false
    takeLine(request, input, this.#at + 2)
    request.keyStart = keyStart
    request.keyBytes = keyBytes
    request.deltaHi = 0
    request.deltaLo = delta
    return true
  }

  /** Reads a key and the space behind it. Returns its length, or -1. */
  #key({ ahead, bytes, end }: InputWindow, start: number): number {
    const { buffer } = bytes
    let at = ahead.endOf(start)
    while (at < end && buffer[at]! > SPACE) at++
    this.#at = at
    const length = at - start
    if (length === 0 || length > KEY_BYTES_MAX || at >= end || buffer[at] !== SPACE) return -1
    return length
  }

  /** Reads the digits behind a space. Returns the number, or -1. */
  #number({ bytes, end }: InputWindow): number {
    const { buffer } = bytes
    const start = this.#at + 1
    let at = start
    let value = 0
    for (; at < end; at++) {
      const digit = buffer[at]! - ZERO
      if (digit < 0 || digit > 9) break
      if (at - start === DIGITS_MAX) return -1
      value = (value * 10 + digit) | 0
    }
    this.#at = at
    return at === start || at >= end ? -1 : value
  }

  #isAtEnd({ bytes, end }: InputWindow): boolean {
    const at = this.#at
    return at + 1 < end && bytes.buffer[at] === CR && bytes.buffer[at + 1] === LF
  }
}
