/**
 * The words of the meta commands: two letters, then what the flags of the request ask for, in their
 * order. Quiet silences a miss of mg and success of the others, and never an error.
 */
import { CR, LF, MINUS, SPACE, ZERO, copyBytes, printU32 } from '../../bytes/ascii.ts'
import type { Bytes } from '../../bytes/ascii.ts'
import { PINNED_VALUE_FROM } from '../../bytes/output-buffer.ts'
import type { OutputBuffer } from '../../bytes/output-buffer.ts'
import { U64_DIGITS_MAX, printU64, toBigInt } from '../../bytes/u64.ts'
import { OP, OPTION, OUTCOME } from '../../message/codes.ts'
import type { Outcome } from '../../message/codes.ts'
import type { Counter } from '../../message/counter.ts'
import type { ItemView } from '../../message/item-view.ts'
import { TOKEN_BYTES_MAX } from '../../message/request.ts'
import type { Request } from '../../message/request.ts'
import { KEY_BYTES_MAX } from '../text/fields.ts'
import type { TextReply } from '../text/reply.ts'
import { encode, encodedBytes } from './base64.ts'
import { FLAG } from './flags.ts'

/** Two letters and a length, a key in base64, an opaque token, six numbers, ` Z X`, and line ends. */
const LINE_BYTES_MAX =
  2 + 11 + 4 + encodedBytes(KEY_BYTES_MAX) + 1 + TOKEN_BYTES_MAX + 6 * (2 + U64_DIGITS_MAX) + 8
const LINE_END_BYTES = 2

/** Words of two letters, as they stand in memory, little endian. */
const WORD = { HD: 0x4448, VA: 0x4156, EN: 0x4e45, NS: 0x534e, EX: 0x5845, NF: 0x464e, MN: 0x4e4d }
const NO_WORD = 0
const Z = 90
const X = 88
const W = 87
const ONE = ZERO + 1

/** Replies to meta commands. The words of errors are those of the text protocol. */
export class MetaReply {
  readonly #text: TextReply

  constructor(text: TextReply) {
    this.#text = text
  }

  hit(out: OutputBuffer, request: Request, view: ItemView): void {
    if (request.op === OP.META_DEBUG) {
      this.#describe(out, view)
      return
    }
    out.reserve(LINE_BYTES_MAX)
    const { buffer } = out.bytes
    // A client that has this very version does not get its value again.
    const hasIt = request.ifCas && view.casLo === request.casLo && view.casHi === request.casHi
    const withValue = (request.options & OPTION.VALUE) !== 0 && !hasIt
    let at = this.#begin(out, withValue, view.valueBytes)
    if (request.shownCount > 0) at = putFlags(out.bytes, at, request, view)
    if (view.isWon) at = putLetter(buffer, at, Z)
    if (view.isStale) at = putLetter(buffer, at, X)
    if (view.wins) at = putLetter(buffer, at, W)
    at = putLineEnd(buffer, at)
    if (!withValue) {
      out.position = at
      return
    }
    const length = view.valueBytes
    if (length < PINNED_VALUE_FROM && length <= out.limit - at - LINE_END_BYTES) {
      copyBytes(out.bytes, at, view.bytes, view.valueStart, length)
      out.position = at + length
    } else {
      out.position = at
      out.value(view.bytes, view.valueStart, length, view.item)
      out.reserve(LINE_END_BYTES)
    }
    out.position = putLineEnd(out.bytes.buffer, out.position)
  }

  miss(out: OutputBuffer, request: Request): void {
    if (!request.quiet) this.#say(out, request, WORD.EN)
  }

  outcome(out: OutputBuffer, request: Request, outcome: Outcome): void {
    const word = request.op === OP.NOOP ? WORD.MN : wordOf(outcome)
    if (word === NO_WORD) this.#text.say(out, outcome)
    else if (word !== WORD.HD || !request.quiet) this.#say(out, request, word)
  }

  changed(out: OutputBuffer, request: Request, outcome: Outcome, view: ItemView): void {
    if (request.quiet) return
    out.reserve(LINE_BYTES_MAX)
    const { bytes } = out
    bytes.view.setUint16(out.position, wordOf(outcome), true)
    const at = putFlags(bytes, out.position + 2, request, view)
    out.position = putLineEnd(bytes.buffer, at)
  }

  counter(out: OutputBuffer, request: Request, counter: Counter, view: ItemView): void {
    if (request.quiet) return
    out.reserve(LINE_BYTES_MAX + U64_DIGITS_MAX + LINE_END_BYTES)
    const { bytes } = out
    const withValue = (request.options & OPTION.VALUE) !== 0
    let at = this.#begin(out, withValue, counter.digitCount)
    if (request.shownCount > 0) at = putFlags(bytes, at, request, view)
    at = putLineEnd(bytes.buffer, at)
    if (withValue) {
      copyBytes(bytes, at, counter.digits, 0, counter.digitCount)
      at = putLineEnd(bytes.buffer, at + counter.digitCount)
    }
    out.position = at
  }

  /** Writes `VA` and a length, or `HD`, for which there is room. Returns the position behind. */
  #begin(out: OutputBuffer, withValue: boolean, valueBytes: number): number {
    const { bytes } = out
    const at = out.position
    if (!withValue) {
      bytes.view.setUint16(at, WORD.HD, true)
      return at + 2
    }
    bytes.view.setUint16(at, WORD.VA, true)
    bytes.buffer[at + 2] = SPACE
    return printU32(bytes.buffer, at + 3, valueBytes)
  }

  /** A word, with what can be shown without an item. */
  #say(out: OutputBuffer, request: Request, word: number): void {
    out.reserve(LINE_BYTES_MAX)
    const { bytes } = out
    bytes.view.setUint16(out.position, word, true)
    let at = out.position + 2
    if (request.shownCount > 0) at = putFlags(bytes, at, request, null)
    out.position = putLineEnd(bytes.buffer, at)
  }

  /** The line of me, for people; the sign of its expiry is memcached's. */
  #describe(out: OutputBuffer, view: ItemView): void {
    out.reserve(LINE_BYTES_MAX)
    out.text('ME ')
    const { keyStart, keyBytes } = view
    if (view.hasBinaryKey) {
      out.position = encode(out.bytes.buffer, out.position, view.bytes, keyStart, keyBytes)
    } else {
      out.copy(view.bytes, keyStart, keyBytes)
    }
    // allocates: nobody asks for this often
    const expiry = String(view.ttlS)
    const cas = String(toBigInt(view.casHi, view.casLo))
    const fetched = view.isFetched ? 'yes' : 'no'
    out.text(` exp=${expiry} la=${view.idleS} cas=${cas} fetch=${fetched}`)
    out.text(` cls=${view.sizeClass} size=${view.itemBytes}\r\n`)
  }
}

function wordOf(outcome: Outcome): number {
  switch (outcome) {
    case OUTCOME.STORED:
    case OUTCOME.DELETED:
    case OUTCOME.TOUCHED:
    case OUTCOME.OK:
      return WORD.HD
    case OUTCOME.NOT_STORED:
      return WORD.NS
    case OUTCOME.EXISTS:
      return WORD.EX
    case OUTCOME.NOT_FOUND:
      return WORD.NF
    default:
      return NO_WORD
  }
}

/**
 * Writes what the flags of a request ask for, in their order. Without an item there is the key, the
 * opaque token, and for a storage command what was not stored.
 */
function putFlags(bytes: Bytes, start: number, request: Request, view: ItemView | null): number {
  const { buffer } = bytes
  let at = start
  let ttlS = view === null ? 0 : view.ttlS
  for (let i = 0; i < request.shownCount; i++) {
    const letter = request.shown[i]!
    if (letter === FLAG.opaque) {
      buffer[at] = SPACE
      copyBytes(bytes, at + 1, request.token, 0, request.tokenBytes)
      at += 1 + request.tokenBytes
    } else if (letter === FLAG.showKey) {
      const shows = view !== null && request.op === OP.META_GET
      at = shows ? putItemKey(bytes, at, view) : putRequestKey(bytes, at, request)
    } else if (view === null) {
      at = putFailure(buffer, at, request, letter)
    } else if (letter === FLAG.showTtl) {
      at = putTtl(buffer, putLetter(buffer, at, letter), ttlS)
    } else if (letter === FLAG.touch) {
      ttlS = view.touchedTtlS
    } else if (letter === FLAG.vivify) {
      if (view.isNew) ttlS = view.vivifiedTtlS
    } else {
      at = putNumber(buffer, putLetter(buffer, at, letter), view, letter)
    }
  }
  return at
}

/** A number of an item that a flag asks for. */
function putNumber(buffer: Buffer, at: number, view: ItemView, letter: number): number {
  switch (letter) {
    case FLAG.showCas:
      return printU64(buffer, at, view.casHi, view.casLo)
    case FLAG.showSize:
      return printU32(buffer, at, view.valueBytes)
    case FLAG.showClientFlags:
      return printU32(buffer, at, view.clientFlags)
    case FLAG.showIdle:
      return printU32(buffer, at, view.idleS)
    default:
      buffer[at] = view.isFetched ? ONE : ZERO
      return at + 1
  }
}

/** What a storage command that has failed says of the item that there is not. */
function putFailure(buffer: Buffer, at: number, request: Request, letter: number): number {
  switch (request.op) {
    case OP.META_GET:
    case OP.INCR:
    case OP.DECR:
      return at
    default:
      return letter === FLAG.showSize
        ? printU32(buffer, putLetter(buffer, at, letter), request.valueBytes)
        : printU32(buffer, putLetter(buffer, at, letter), 0)
  }
}

/** An item shows its key as it was given when it was stored. */
function putItemKey(bytes: Bytes, start: number, view: ItemView): number {
  const { buffer } = bytes
  const at = putLetter(buffer, start, FLAG.showKey)
  if (view.hasBinaryKey) {
    return putLetter(
      buffer,
      encode(buffer, at, view.bytes, view.keyStart, view.keyBytes),
      FLAG.base64,
    )
  }
  copyBytes(bytes, at, view.bytes, view.keyStart, view.keyBytes)
  return at + view.keyBytes
}

function putRequestKey(bytes: Bytes, start: number, request: Request): number {
  const { buffer } = bytes
  const at = putLetter(buffer, start, FLAG.showKey)
  if ((request.options & OPTION.BINARY_KEY) !== 0) {
    return putLetter(
      buffer,
      encode(buffer, at, request.bytes, request.keyStart, request.keyBytes),
      FLAG.base64,
    )
  }
  copyBytes(bytes, at, request.bytes, request.keyStart, request.keyBytes)
  return at + request.keyBytes
}

/** Seconds, or -1 for ever. */
function putTtl(buffer: Buffer, at: number, ttlS: number): number {
  if (ttlS >= 0) return printU32(buffer, at, ttlS)
  buffer[at] = MINUS
  buffer[at + 1] = ONE
  return at + 2
}

function putLetter(buffer: Buffer, at: number, letter: number): number {
  buffer[at] = SPACE
  buffer[at + 1] = letter
  return at + 2
}

function putLineEnd(buffer: Buffer, at: number): number {
  buffer[at] = CR
  buffer[at + 1] = LF
  return at + 2
}
