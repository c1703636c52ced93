/**
 * The classic text commands, parsed in place (protocol.txt of memcached 1.6.45).
 *
 * A line ends with LF, with or without CR before it; tokens are separated by one or more spaces;
 * any other byte may stand in a key. A multiget is handed out key by key: `request.continues` says
 * that its line goes on, and the next call reads the next key.
 *
 * Never throws and never reads at or past `input.end`, but for the sentinel that it puts there.
 */
import { CR, LF, SPACE, startsWith } from '../../bytes/ascii.ts'
import type { InputWindow } from '../../bytes/input-window.ts'
import { parseU64 } from '../../bytes/u64.ts'
import type { U64 } from '../../bytes/u64.ts'
import { OP, OPTION, OUTCOME, PARSED } from '../../message/codes.ts'
import type { Op, Outcome, Parsed } from '../../message/codes.ts'
import type { Request } from '../../message/request.ts'
import { MetaParser, isMetaVerb } from '../meta/parse.ts'
import {
  KEY_BYTES_MAX,
  TRAILER_BYTES,
  parseExptime,
  parseLength,
  parseNumber,
  parseStorageExptime,
  parseWord,
} from './fields.ts'
import { PlainLines, takeLine } from './plain-lines.ts'
import { adminVerbOf, verbOf } from './verbs.ts'

/** memcached hangs up on a longer line unless it is a multiget. */
const LINE_BYTES_MAX = 2048
/** A line shorter than this, line end included, holds no command. */
const LINE_BYTES_MIN = 4
/** Leading spaces that are tolerated before the `get` of an overlong line. */
const LEADING_SPACES_MAX = 100
const NOREPLY = 'noreply'

const G = 103
const E = 101
const T = 116
const S = 115
const M = 109

/** The tokens of a line that can mean anything: a verb and its arguments. */
const TOKENS_KEPT = 7

/** Parses the text protocol. Holds limits and scratch space, no state of a connection. */
export class TextParser {
  /** Bounds the line of a multiget, the only one that may be long. */
  getLineBytesMax: number
  /** Start and end of the first tokens of the line at hand. */
  readonly #tokens: Int32Array = new Int32Array(TOKENS_KEPT * 2)
  #tokenCount = 0
  #lastTokenStart = 0
  #lastTokenEnd = 0
  #longestToken = 0
  readonly #number: U64 = { hi: 0, lo: 0 }
  readonly #meta: MetaParser = new MetaParser()
  readonly #plain: PlainLines = new PlainLines()

  constructor(getLineBytesMax: number) {
    this.getLineBytesMax = getLineBytesMax
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
      let at = input.ahead.endOf(keyStart)
      while (at < end && buffer[at]! > SPACE) at++
      if (at + 1 < end && buffer[at] === CR && buffer[at + 1] === LF) {
        const length = at - keyStart
        if (length > 0 && length <= KEY_BYTES_MAX) {
          input.start = at + 2
          input.searched = at + 2
          request.op = OP.GET
          request.options = 0
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
    if (
      buffer[start] === M &&
      input.end - start > LINE_BYTES_MIN &&
      buffer[start + 2] === SPACE &&
      isMetaVerb(buffer[start + 1]!)
    ) {
      return this.#metaLine(input, request)
    }
    if (input.end - start > LINE_BYTES_MIN && this.#plain.read(input, request)) {
      return request.op === OP.SET ? PARSED.READY_WITH_VALUE : PARSED.READY
    }
    return this.#line(input, request)
  }

  /** A meta command: it has a parser of its own, which takes a whole line. */
  #metaLine(input: InputWindow, request: Request): Parsed {
    if (input.searched <= input.start || findLineFeed(input)) {
      const parsed = this.#meta.parse(input, request)
      if (parsed !== PARSED.NEED_MORE) return parsed
      input.searched = input.end
    }
    return this.#incomplete(input)
  }

  /** Any line: one pass finds its end and its tokens. */
  #line(input: InputWindow, request: Request): Parsed {
    const buffer = input.bytes.buffer
    const start = input.start
    // A line that was looked at before is not taken apart again before its end is known to be there.
    if (input.searched > start && !findLineFeed(input)) return this.#incomplete(input)
    const lineFeed = this.#scan(input)
    if (lineFeed < 0) {
      input.searched = input.end
      return this.#incomplete(input)
    }
    const next = lineFeed + 1
    takeLine(request, input, next)
    if (next - start < LINE_BYTES_MIN) return refuse(request, OUTCOME.BAD_FORMAT)

    const op =
      buffer[start] === SPACE
        ? this.#indentedVerb(buffer)
        : verbOf(input.bytes, start, this.#tokens[1]!)
    switch (op) {
      case OP.GET:
        return this.#beginGet(input, request, start)
      case OP.SET:
      case OP.ADD:
      case OP.REPLACE:
      case OP.APPEND:
      case OP.PREPEND:
      case OP.CAS:
        return this.#storage(request, op, buffer)
      case OP.INCR:
      case OP.DECR:
        return this.#arithmetic(request, op, buffer)
      case OP.TOUCH:
        return this.#touch(request, buffer)
      case OP.DELETE:
        if (this.#tokenCount < 2) return refuse(request, OUTCOME.BAD_FORMAT)
        this.#readQuiet(request, buffer)
        return this.#readKey(request, op)
      case OP.FLUSH_ALL:
        return this.#flushAll(request, buffer)
      case OP.VERBOSITY:
        this.#readQuiet(request, buffer)
        if (!this.#readLevel(request, buffer)) return refuse(request, OUTCOME.BAD_FORMAT)
        request.op = op
        return PARSED.READY
      case OP.LRU_CRAWLER:
      case OP.CACHE_MEMLIMIT:
      case OP.SLABS:
      case OP.LRU:
      case OP.EXTSTORE:
      case OP.DEBUGTIME:
        this.#readQuiet(request, buffer)
        return this.#readWords(request, op)
      case OP.STATS:
      case OP.WATCH:
        return this.#readWords(request, op)
      case OP.SHUTDOWN:
        this.#readQuiet(request, buffer)
        request.keyStart = this.#tokens[2]!
        request.keyBytes = this.#tokenCount < 2 ? 0 : this.#tokens[3]! - this.#tokens[2]!
        request.op = op
        return PARSED.READY
      case OP.NOOP:
        request.options = OPTION.META_FORM
        request.shownCount = 0
        request.op = op
        return PARSED.READY
      case OP.META_GET:
        // One with a key does not come here.
        return refuse(request, OUTCOME.BAD_FORMAT)
      case OP.VERSION:
      case OP.QUIT:
      case OP.REFRESH_CERTS:
        request.op = op
        return PARSED.READY
      default:
        if (
          this.#tokenCount > 1 &&
          startsWith(buffer, this.#lastTokenStart, this.#lastTokenEnd, 'HTTP/')
        ) {
          return PARSED.HANG_UP
        }
        this.#readQuiet(request, buffer)
        return refuse(request, OUTCOME.UNKNOWN_COMMAND)
    }
  }

  /** get, gets, gat, gats with any number of keys: checks the line, then hands out its first key. */
  #beginGet(input: InputWindow, request: Request, start: number): Parsed {
    const buffer = input.bytes.buffer
    const tokens = this.#tokens
    request.op = OP.GET
    request.wantsCas = buffer[tokens[1]! - 1] === S
    request.touches = buffer[start + 1] !== E
    let firstKey = 2
    if (request.touches) {
      if (this.#tokenCount < 3) return refuse(request, OUTCOME.BAD_FORMAT)
      if (!parseExptime(buffer, tokens[2]!, tokens[3]!, this.#number)) {
        return refuse(request, OUTCOME.BAD_EXPTIME)
      }
      request.exptime = this.#number.lo | 0
      firstKey = 4
    }
    if (this.#tokenCount < firstKey / 2 + 1) return refuse(request, OUTCOME.BAD_FORMAT)
    const at = tokens[firstKey]!
    // One key too long makes the whole command an error, so that is looked for before any reply.
    if (this.#longestToken > KEY_BYTES_MAX) return refuse(request, OUTCOME.BAD_FORMAT)
    request.continues = true
    input.start = at
    return this.#nextKey(input, request)
  }

  /** The next key of a multiget whose line is known to be whole and well formed. */
  #nextKey(input: InputWindow, request: Request): Parsed {
    const buffer = input.bytes.buffer
    const keyStart = input.start
    let at = input.ahead.endOf(keyStart)
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
  #storage(request: Request, op: Op, buffer: Buffer): Parsed {
    const tokens = this.#tokens
    if (this.#tokenCount < 5) return refuse(request, OUTCOME.BAD_FORMAT)
    const valueBytes = parseLength(buffer, tokens[8]!, tokens[9]!)
    if (valueBytes < 0) return refuse(request, OUTCOME.BAD_FORMAT)
    this.#readQuiet(request, buffer)
    // From here on the length is known, so whatever else is wrong, the value is swallowed.
    request.swallowBytes = valueBytes + TRAILER_BYTES
    const keyBytes = tokens[3]! - tokens[2]!
    if (keyBytes > KEY_BYTES_MAX) return refuse(request, OUTCOME.BAD_FORMAT)
    if (!parseU64(buffer, tokens[4]!, tokens[5]!, this.#number)) {
      return refuse(request, OUTCOME.BAD_FORMAT)
    }
    request.clientFlags = this.#number.lo
    if (!parseStorageExptime(buffer, tokens[6]!, tokens[7]!, this.#number)) {
      return refuse(request, OUTCOME.BAD_FORMAT)
    }
    request.exptime = this.#number.lo | 0
    if (op === OP.CAS) {
      if (this.#tokenCount < 6 || !parseNumber(buffer, tokens[10]!, tokens[11]!, this.#number)) {
        return refuse(request, OUTCOME.BAD_FORMAT)
      }
      request.casHi = this.#number.hi
      request.casLo = this.#number.lo
    }
    request.op = op
    request.keyStart = tokens[2]!
    request.keyBytes = keyBytes
    request.valueBytes = valueBytes
    request.trailerBytes = TRAILER_BYTES
    return PARSED.READY_WITH_VALUE
  }

  /** incr|decr <key> <delta> [noreply] */
  #arithmetic(request: Request, op: Op, buffer: Buffer): Parsed {
    const tokens = this.#tokens
    if (this.#tokenCount < 3) return refuse(request, OUTCOME.BAD_FORMAT)
    this.#readQuiet(request, buffer)
    if (tokens[3]! - tokens[2]! > KEY_BYTES_MAX) return refuse(request, OUTCOME.BAD_FORMAT)
    if (!parseNumber(buffer, tokens[4]!, tokens[5]!, this.#number)) {
      return refuse(request, OUTCOME.BAD_DELTA)
    }
    request.deltaHi = this.#number.hi
    request.deltaLo = this.#number.lo
    return this.#readKey(request, op)
  }

  /** touch <key> <exptime> [noreply] */
  #touch(request: Request, buffer: Buffer): Parsed {
    const tokens = this.#tokens
    if (this.#tokenCount < 3) return refuse(request, OUTCOME.BAD_FORMAT)
    this.#readQuiet(request, buffer)
    if (tokens[3]! - tokens[2]! > KEY_BYTES_MAX) return refuse(request, OUTCOME.BAD_FORMAT)
    if (!parseExptime(buffer, tokens[4]!, tokens[5]!, this.#number)) {
      return refuse(request, OUTCOME.BAD_EXPTIME)
    }
    request.exptime = this.#number.lo | 0
    return this.#readKey(request, OP.TOUCH)
  }

  /** flush_all [<exptime>] [noreply] */
  #flushAll(request: Request, buffer: Buffer): Parsed {
    this.#readQuiet(request, buffer)
    request.op = OP.FLUSH_ALL
    request.exptime = 0
    request.outcome = OUTCOME.NONE
    if (this.#tokenCount > (request.quiet ? 2 : 1)) {
      // Where no flush is allowed, that is what is said, and not what is wrong with its time.
      if (parseExptime(buffer, this.#tokens[2]!, this.#tokens[3]!, this.#number)) {
        request.exptime = this.#number.lo | 0
      } else {
        request.outcome = OUTCOME.BAD_EXPTIME
      }
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
    return isGet && length <= this.getLineBytesMax ? PARSED.NEED_MORE : PARSED.LINE_TOO_LONG
  }

  /** The verb of a line that begins with a space. */
  #indentedVerb(buffer: Buffer): Op {
    if (this.#tokenCount === 0) return OP.NONE
    return adminVerbOf(buffer, this.#tokens[0]!, this.#tokens[1]!)
  }

  #readKey(request: Request, op: Op): Parsed {
    const keyBytes = this.#tokens[3]! - this.#tokens[2]!
    if (keyBytes > KEY_BYTES_MAX) return refuse(request, OUTCOME.BAD_FORMAT)
    request.op = op
    request.keyStart = this.#tokens[2]!
    request.keyBytes = keyBytes
    return PARSED.READY
  }

  /** All words behind the verb, as they stand there. */
  #readWords(request: Request, op: Op): Parsed {
    request.op = op
    request.keyStart = this.#tokens[2]!
    request.keyBytes = this.#tokenCount < 2 ? 0 : this.#lastTokenEnd - this.#tokens[2]!
    return PARSED.READY
  }

  #readQuiet(request: Request, buffer: Buffer): void {
    const start = this.#lastTokenStart
    request.quiet =
      this.#lastTokenEnd - start === NOREPLY.length &&
      startsWith(buffer, start, this.#lastTokenEnd, NOREPLY)
  }

  #readLevel(request: Request, buffer: Buffer): boolean {
    if (this.#tokenCount < 2) return false
    if (!parseWord(buffer, this.#tokens[2]!, this.#tokens[3]!, this.#number)) return false
    request.deltaLo = this.#number.lo
    return true
  }

  /**
   * Finds the end of a line and its tokens: the first few, how many there are, and the last one.
   * Returns the position of the line feed, or -1 if the window ends before it.
   */
  #scan({ ahead, bytes, start, end }: InputWindow): number {
    const { buffer } = bytes
    const tokens = this.#tokens
    let count = 0
    let at = start
    let lastStart = start
    let lastEnd = start
    let longest = 0
    // The sentinel ends the search at the end of the window without a comparison per byte.
    buffer[end] = LF
    let byte = buffer[at]!
    for (;;) {
      while (byte === SPACE) byte = buffer[++at]!
      if (byte === LF) break
      const tokenStart = at
      // Of a key that was looked for ahead, the end is known.
      if (count === 1) at = Math.max(at, ahead.endOf(at) - 1)
      do {
        byte = buffer[++at]!
      } while (byte !== SPACE && byte !== LF)
      let tokenEnd = at
      if (byte === LF && buffer[at - 1] === CR) {
        tokenEnd = at - 1
        if (tokenEnd === tokenStart) break
      }
      if (count < TOKENS_KEPT) {
        tokens[count * 2] = tokenStart
        tokens[count * 2 + 1] = tokenEnd
      }
      if (tokenEnd - tokenStart > longest) longest = tokenEnd - tokenStart
      lastStart = tokenStart
      lastEnd = tokenEnd
      count++
    }
    this.#tokenCount = count
    this.#lastTokenStart = lastStart
    this.#lastTokenEnd = lastEnd
    this.#longestToken = longest
    return at === end ? -1 : at
  }
}

function refuse(request: Request, outcome: Outcome): Parsed {
  request.outcome = outcome
  return PARSED.REFUSED
}

/** Looks for a line feed where none was looked for before. */
function findLineFeed(input: InputWindow): boolean {
  const buffer = input.bytes.buffer
  // The sentinel stops the search at the end of the window instead of at the end of the buffer.
  buffer[input.end] = LF
  const found = buffer.indexOf(LF, input.searched)
  if (found !== input.end) return true
  input.searched = input.end
  return false
}

function skipSpaces(buffer: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && buffer[at] === SPACE) at++
  return at
}
