/**
 * The classic text commands, parsed in place (protocol.txt of memcached 1.6.45).
 *
 * A line ends with LF, with or without CR before it; tokens are separated by one or more spaces;
 * any other byte may stand in a key. A multiget is handed out key by key: `request.continues` says
 * that its line goes on, and the next call reads the next key.
 *
 * Never throws and never reads at or past `input.end`, but for the sentinel that it puts there.
 */
import { CR, LF, MINUS, NINE, SPACE, ZERO, equalsText, startsWith } from '../../bytes/ascii.ts'
import type { InputWindow } from '../../bytes/input-window.ts'
import { parseU64 } from '../../bytes/u64.ts'
import type { U64 } from '../../bytes/u64.ts'
import { OP, OUTCOME, PARSED } from '../../message/codes.ts'
import type { Op, Outcome, Parsed } from '../../message/codes.ts'
import type { Request } from '../../message/request.ts'

/** memcached's KEY_MAX_LENGTH. */
export const KEY_BYTES_MAX = 250
/** memcached hangs up on a longer line unless it is a multiget. */
const LINE_BYTES_MAX = 2048
/** A line shorter than this, line end included, holds no command. */
const LINE_BYTES_MIN = 4
/** memcached's INT_MAX - 2: above this a length is no length. */
const VALUE_BYTES_MAX = 2_147_483_645
/** Line end that follows a value. */
const TRAILER_BYTES = 2
/** Leading spaces that are tolerated before the `get` of an overlong line. */
const LEADING_SPACES_MAX = 100
/** Up to this many bytes a line end is searched in a loop, beyond by the native search. */
const LOOP_SEARCH_BYTES = 64

const G = 103
const E = 101
const T = 116
const S = 115

/** Where the tokens of a line are; a line has at most these that mean anything. */
const TOKENS_KEPT = 6

/** Parses the text protocol. Holds limits and scratch space, no state of a connection. */
export class TextParser {
  readonly #getLineBytesMax: number
  /** Start and end of the first tokens of the line at hand. */
  readonly #tokens: Int32Array = new Int32Array(TOKENS_KEPT * 2)
  #tokenCount = 0
  #lastTokenStart = 0
  #lastTokenEnd = 0
  readonly #number: U64 = { hi: 0, lo: 0 }

  /** `getLineBytesMax` bounds the line of a multiget, the only one that may be long. */
  constructor(getLineBytesMax: number) {
    this.#getLineBytesMax = getLineBytesMax
  }

  parse(input: InputWindow, request: Request): Parsed {
    if (request.continues) return this.#nextKey(input, request)
    const buffer = input.bytes.buffer
    const start = input.start
    // The most frequent request by far, a get of one key, is read in a single pass.
    if (
      input.end - start > 6 &&
      buffer[start + 3] === SPACE &&
      buffer[start] === G &&
      buffer[start + 1] === E &&
      buffer[start + 2] === T
    ) {
      const keyStart = start + 4
      const end = input.end
      let at = keyStart
      while (at < end && buffer[at]! > SPACE) at++
      if (at + 1 < end && buffer[at] === CR && buffer[at + 1] === LF) {
        const length = at - keyStart
        if (length > 0 && length <= KEY_BYTES_MAX) {
          input.start = at + 2
          input.searched = at + 2
          request.op = OP.GET
          request.quiet = false
          request.wantsCas = false
          request.touches = false
          request.last = true
          request.bytes = input.bytes
          request.keyStart = keyStart
          request.keyBytes = length
          return PARSED.READY
        }
      }
    }
    return this.#line(input, request)
  }

  /** Any line, in two passes: find its end, then its tokens. */
  #line(input: InputWindow, request: Request): Parsed {
    const buffer = input.bytes.buffer
    const start = input.start
    const lineFeed = findLineFeed(buffer, input)
    if (lineFeed < 0) return this.#incomplete(input)
    const next = lineFeed + 1
    let end = lineFeed
    if (end > start && buffer[end - 1] === CR) end--
    input.start = next
    input.searched = next
    request.quiet = false
    request.wantsCas = false
    request.touches = false
    request.last = true
    request.bytes = input.bytes
    request.keyBytes = 0
    request.swallowBytes = 0
    if (next - start < LINE_BYTES_MIN) return refuse(request, OUTCOME.BAD_FORMAT)

    let verbEnd = start
    while (verbEnd < end && buffer[verbEnd] !== SPACE) verbEnd++
    const op = verbOf(buffer, start, verbEnd)
    switch (op) {
      case OP.GET:
        return this.#beginGet(input, request, buffer, start, verbEnd, end, next)
      case OP.SET:
      case OP.ADD:
      case OP.REPLACE:
      case OP.APPEND:
      case OP.PREPEND:
      case OP.CAS:
        return this.#storage(request, op, buffer, verbEnd, end)
      case OP.INCR:
      case OP.DECR:
        return this.#arithmetic(request, op, buffer, verbEnd, end)
      case OP.TOUCH:
        return this.#touch(request, buffer, verbEnd, end)
      case OP.DELETE:
        this.#tokenize(buffer, verbEnd, end)
        if (this.#tokenCount < 1) return refuse(request, OUTCOME.BAD_FORMAT)
        this.#readQuiet(request, buffer)
        return this.#readKey(request, op)
      case OP.FLUSH_ALL:
        return this.#flushAll(request, buffer, verbEnd, end)
      case OP.VERBOSITY:
        this.#tokenize(buffer, verbEnd, end)
        this.#readQuiet(request, buffer)
        if (!this.#readU32(buffer, 0, request)) return refuse(request, OUTCOME.BAD_FORMAT)
        request.op = op
        return PARSED.READY
      case OP.STATS:
        this.#tokenize(buffer, verbEnd, end)
        request.keyStart = this.#tokens[0]!
        request.keyBytes = this.#tokenCount === 0 ? 0 : this.#tokens[1]! - this.#tokens[0]!
        request.op = op
        return PARSED.READY
      case OP.VERSION:
      case OP.QUIT:
        request.op = op
        return PARSED.READY
      default:
        this.#tokenize(buffer, verbEnd, end)
        if (
          this.#tokenCount > 0 &&
          startsWith(buffer, this.#lastTokenStart, this.#lastTokenEnd, 'HTTP/')
        ) {
          return PARSED.HANG_UP
        }
        return refuse(request, OUTCOME.UNKNOWN_COMMAND)
    }
  }

  /** get, gets, gat, gats with any number of keys: checks the line, then hands out its first key. */
  #beginGet(
    input: InputWindow,
    request: Request,
    buffer: Buffer,
    start: number,
    verbEnd: number,
    end: number,
    next: number,
  ): Parsed {
    request.op = OP.GET
    request.wantsCas = buffer[verbEnd - 1] === S
    request.touches = buffer[start + 1] !== E
    let at = skipSpaces(buffer, verbEnd, end)
    if (request.touches) {
      const exptimeStart = at
      at = skipToken(buffer, at, end)
      const exptimeEnd = at
      at = skipSpaces(buffer, at, end)
      if (at === end) return refuse(request, OUTCOME.BAD_FORMAT)
      if (!parseExptime(buffer, exptimeStart, exptimeEnd, this.#number)) {
        return refuse(request, OUTCOME.BAD_EXPTIME)
      }
      request.exptime = this.#number.lo | 0
    }
    if (at === end) return refuse(request, OUTCOME.BAD_FORMAT)
    // One key too long makes the whole command an error, so that is looked for before any reply.
    if (end - at > KEY_BYTES_MAX && hasLongToken(buffer, at, end)) {
      return refuse(request, OUTCOME.BAD_FORMAT)
    }
    request.continues = true
    input.start = at
    input.searched = next
    return this.#nextKey(input, request)
  }

  /** The next key of a multiget whose line is known to be whole and well formed. */
  #nextKey(input: InputWindow, request: Request): Parsed {
    const buffer = input.bytes.buffer
    const keyStart = input.start
    let at = keyStart
    let byte = buffer[at]!
    while (byte !== SPACE && byte !== LF) byte = buffer[++at]!
    let keyEnd = at
    if (byte === LF && buffer[at - 1] === CR) keyEnd = at - 1
    request.bytes = input.bytes
    request.keyStart = keyStart
    request.keyBytes = keyEnd - keyStart
    while (byte === SPACE) byte = buffer[++at]!
    if (byte === CR && buffer[at + 1] === LF) {
      at++
      byte = LF
    }
    request.last = byte === LF
    request.continues = !request.last
    input.start = request.last ? at + 1 : at
    if (input.searched < input.start) input.searched = input.start
    return PARSED.READY
  }

  /** <verb> <key> <flags> <exptime> <bytes> [<cas>] [noreply] */
  #storage(request: Request, op: Op, buffer: Buffer, verbEnd: number, end: number): Parsed {
    this.#tokenize(buffer, verbEnd, end)
    const tokens = this.#tokens
    if (this.#tokenCount < 4) return refuse(request, OUTCOME.BAD_FORMAT)
    const valueBytes = parseLength(buffer, tokens[6]!, tokens[7]!)
    if (valueBytes < 0) return refuse(request, OUTCOME.BAD_FORMAT)
    this.#readQuiet(request, buffer)
    // From here on the length is known, so whatever else is wrong, the value is swallowed.
    request.swallowBytes = valueBytes + TRAILER_BYTES
    const keyBytes = tokens[1]! - tokens[0]!
    if (keyBytes > KEY_BYTES_MAX) return refuse(request, OUTCOME.BAD_FORMAT)
    if (!parseU64(buffer, tokens[2]!, tokens[3]!, this.#number)) {
      return refuse(request, OUTCOME.BAD_FORMAT)
    }
    request.clientFlags = this.#number.lo
    if (!parseExptime(buffer, tokens[4]!, tokens[5]!, this.#number)) {
      return refuse(request, OUTCOME.BAD_FORMAT)
    }
    request.exptime = this.#number.lo | 0
    if (op === OP.CAS) {
      if (this.#tokenCount < 5 || !parseU64(buffer, tokens[8]!, tokens[9]!, this.#number)) {
        return refuse(request, OUTCOME.BAD_FORMAT)
      }
      request.casHi = this.#number.hi
      request.casLo = this.#number.lo
    }
    request.op = op
    request.keyStart = tokens[0]!
    request.keyBytes = keyBytes
    request.valueBytes = valueBytes
    request.trailerBytes = TRAILER_BYTES
    return PARSED.READY_WITH_VALUE
  }

  /** incr|decr <key> <delta> [noreply] */
  #arithmetic(request: Request, op: Op, buffer: Buffer, verbEnd: number, end: number): Parsed {
    this.#tokenize(buffer, verbEnd, end)
    if (this.#tokenCount < 2) return refuse(request, OUTCOME.BAD_FORMAT)
    this.#readQuiet(request, buffer)
    if (this.#tokens[1]! - this.#tokens[0]! > KEY_BYTES_MAX) {
      return refuse(request, OUTCOME.BAD_FORMAT)
    }
    if (!parseU64(buffer, this.#tokens[2]!, this.#tokens[3]!, this.#number)) {
      return refuse(request, OUTCOME.BAD_DELTA)
    }
    request.deltaHi = this.#number.hi
    request.deltaLo = this.#number.lo
    return this.#readKey(request, op)
  }

  /** touch <key> <exptime> [noreply] */
  #touch(request: Request, buffer: Buffer, verbEnd: number, end: number): Parsed {
    this.#tokenize(buffer, verbEnd, end)
    if (this.#tokenCount < 2) return refuse(request, OUTCOME.BAD_FORMAT)
    this.#readQuiet(request, buffer)
    if (this.#tokens[1]! - this.#tokens[0]! > KEY_BYTES_MAX) {
      return refuse(request, OUTCOME.BAD_FORMAT)
    }
    if (!parseExptime(buffer, this.#tokens[2]!, this.#tokens[3]!, this.#number)) {
      return refuse(request, OUTCOME.BAD_EXPTIME)
    }
    request.exptime = this.#number.lo | 0
    return this.#readKey(request, OP.TOUCH)
  }

  /** flush_all [<exptime>] [noreply] */
  #flushAll(request: Request, buffer: Buffer, verbEnd: number, end: number): Parsed {
    this.#tokenize(buffer, verbEnd, end)
    this.#readQuiet(request, buffer)
    request.op = OP.FLUSH_ALL
    request.exptime = 0
    if (this.#tokenCount > (request.quiet ? 1 : 0)) {
      if (!parseExptime(buffer, this.#tokens[0]!, this.#tokens[1]!, this.#number)) {
        return refuse(request, OUTCOME.BAD_EXPTIME)
      }
      request.exptime = this.#number.lo | 0
    }
    return PARSED.READY
  }

  /** What to do with a line whose end has not come yet. */
  #incomplete(input: InputWindow): Parsed {
    const length = input.length
    if (length <= LINE_BYTES_MAX) return PARSED.NEED_MORE
    const buffer = input.bytes.buffer
    const verb = skipSpaces(buffer, input.start, input.start + LEADING_SPACES_MAX)
    const isGet =
      startsWith(buffer, verb, input.end, 'get ') || startsWith(buffer, verb, input.end, 'gets ')
    return isGet && length <= this.#getLineBytesMax ? PARSED.NEED_MORE : PARSED.LINE_TOO_LONG
  }

  #readKey(request: Request, op: Op): Parsed {
    const keyBytes = this.#tokens[1]! - this.#tokens[0]!
    if (keyBytes > KEY_BYTES_MAX) return refuse(request, OUTCOME.BAD_FORMAT)
    request.op = op
    request.keyStart = this.#tokens[0]!
    request.keyBytes = keyBytes
    return PARSED.READY
  }

  #readQuiet(request: Request, buffer: Buffer): void {
    request.quiet =
      this.#tokenCount > 0 &&
      equalsText(buffer, this.#lastTokenStart, this.#lastTokenEnd, 'noreply')
  }

  #readU32(buffer: Buffer, token: number, request: Request): boolean {
    if (this.#tokenCount <= token) return false
    const start = this.#tokens[token * 2]!
    const end = this.#tokens[token * 2 + 1]!
    if (!parseU64(buffer, start, end, this.#number) || this.#number.hi !== 0) return false
    request.deltaLo = this.#number.lo
    return true
  }

  /** Finds the tokens after the verb: the first few, how many there are, and the last one. */
  #tokenize(buffer: Buffer, verbEnd: number, end: number): void {
    const tokens = this.#tokens
    let count = 0
    let at = verbEnd
    for (;;) {
      while (at < end && buffer[at] === SPACE) at++
      if (at === end) break
      const start = at
      while (at < end && buffer[at] !== SPACE) at++
      if (count < TOKENS_KEPT) {
        tokens[count * 2] = start
        tokens[count * 2 + 1] = at
      }
      this.#lastTokenStart = start
      this.#lastTokenEnd = at
      count++
    }
    this.#tokenCount = count
  }
}

function refuse(request: Request, outcome: Outcome): Parsed {
  request.outcome = outcome
  return PARSED.REFUSED
}

/** The command that a verb names; case matters. */
function verbOf(buffer: Buffer, start: number, end: number): Op {
  switch (end - start) {
    case 3:
      if (buffer[start] === G && buffer[start + 2] === T) {
        const middle = buffer[start + 1]
        return middle === E || middle === 97 ? OP.GET : OP.NONE
      }
      if (equalsText(buffer, start, end, 'set')) return OP.SET
      if (equalsText(buffer, start, end, 'add')) return OP.ADD
      if (equalsText(buffer, start, end, 'cas')) return OP.CAS
      return OP.NONE
    case 4:
      if (equalsText(buffer, start, end, 'gets')) return OP.GET
      if (equalsText(buffer, start, end, 'incr')) return OP.INCR
      if (equalsText(buffer, start, end, 'decr')) return OP.DECR
      if (equalsText(buffer, start, end, 'gats')) return OP.GET
      if (equalsText(buffer, start, end, 'quit')) return OP.QUIT
      return OP.NONE
    case 5:
      if (equalsText(buffer, start, end, 'touch')) return OP.TOUCH
      if (equalsText(buffer, start, end, 'stats')) return OP.STATS
      return OP.NONE
    case 6:
      if (equalsText(buffer, start, end, 'delete')) return OP.DELETE
      if (equalsText(buffer, start, end, 'append')) return OP.APPEND
      return OP.NONE
    case 7:
      if (equalsText(buffer, start, end, 'replace')) return OP.REPLACE
      if (equalsText(buffer, start, end, 'prepend')) return OP.PREPEND
      if (equalsText(buffer, start, end, 'version')) return OP.VERSION
      return OP.NONE
    case 9:
      if (equalsText(buffer, start, end, 'flush_all')) return OP.FLUSH_ALL
      if (equalsText(buffer, start, end, 'verbosity')) return OP.VERBOSITY
      return OP.NONE
    default:
      return OP.NONE
  }
}

/** Position of the first line feed that was not searched for before, or -1. */
function findLineFeed(buffer: Buffer, input: InputWindow): number {
  const end = input.end
  const from = Math.max(input.searched, input.start)
  const loopEnd = Math.min(end, from + LOOP_SEARCH_BYTES)
  for (let at = from; at < loopEnd; at++) {
    if (buffer[at] === LF) return at
  }
  input.searched = loopEnd
  if (loopEnd === end) return -1
  // The sentinel stops the search at the end of the window instead of at the end of the buffer.
  buffer[end] = LF
  const found = buffer.indexOf(LF, loopEnd)
  if (found === end) {
    input.searched = end
    return -1
  }
  return found
}

function skipSpaces(buffer: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && buffer[at] === SPACE) at++
  return at
}

function skipToken(buffer: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && buffer[at] !== SPACE) at++
  return at
}

function hasLongToken(buffer: Buffer, start: number, end: number): boolean {
  let tokenStart = start
  for (let at = start; at < end; at++) {
    if (buffer[at] === SPACE) tokenStart = at + 1
    else if (at - tokenStart >= KEY_BYTES_MAX) return true
  }
  return false
}

/** A length in decimal digits, or -1. */
function parseLength(buffer: Buffer, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at++) {
    const byte = buffer[at]!
    if (byte < ZERO || byte > NINE) return -1
    value = value * 10 + (byte - ZERO)
    if (value > VALUE_BYTES_MAX) return -1
  }
  return value
}

/** A signed number; its low 32 bits are what counts, as memcached reads an expiry. */
function parseExptime(buffer: Buffer, start: number, end: number, out: U64): boolean {
  if (start < end && buffer[start] === MINUS) {
    if (!parseU64(buffer, start + 1, end, out)) return false
    out.lo = -out.lo
    return true
  }
  return parseU64(buffer, start, end, out)
}
