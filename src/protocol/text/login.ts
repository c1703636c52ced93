/**
 * The text protocol of a client that has not logged in: nothing but `set <any key> <flags> <exptime> <bytes>`
 * with "NAME PASSWORD" as its value (proto_text.c of memcached 1.6.45). Every other line is refused, and
 * no value is swallowed; a line too short for any of that is hung up on.
 *
 * Never throws and never reads at or past `input.end`, but for the sentinel that it puts there.
 */
import { CR, LF, SPACE, equalsText } from '../../bytes/ascii.ts'
import type { InputWindow } from '../../bytes/input-window.ts'
import { OP, OUTCOME, PARSED } from '../../message/codes.ts'
import type { Outcome, Parsed } from '../../message/codes.ts'
import type { Protocol } from '../../message/protocol.ts'
import type { Reply } from '../../message/reply.ts'
import type { Request } from '../../message/request.ts'
import { TRAILER_BYTES, parseLength } from './fields.ts'

/** memcached hangs up on a longer line, and on a shorter one. */
const LINE_BYTES_MAX = 2048
const LINE_BYTES_MIN = 6
/** Name and password; it is gathered until it is whole. */
const LOGIN_BYTES_MAX = 1024
/** set, key, flags, exptime, bytes. */
const TOKENS_MIN = 5

export class TextLoginProtocol implements Protocol {
  readonly reply: Reply
  readonly #tokens: Int32Array = new Int32Array(TOKENS_MIN * 2)

  /** Answers in the words of the text protocol. */
  constructor(reply: Reply) {
    this.reply = reply
  }

  /** Who has not logged in has no keys. */
  lookAhead(): void {}

  parse(input: InputWindow, request: Request): Parsed {
    const { buffer } = input.bytes
    const { start } = input
    buffer[input.end] = LF
    const lineFeed = buffer.indexOf(LF, start)
    if (lineFeed === input.end) {
      return input.length > LINE_BYTES_MAX ? PARSED.LINE_TOO_LONG : PARSED.NEED_MORE
    }
    if (lineFeed - start < LINE_BYTES_MIN) return PARSED.HANG_UP
    resetRequest(request, input)
    const valueStart = lineFeed + 1
    const valueBytes = this.#readLength(buffer, start, lineFeed)
    if (valueBytes < 0) {
      input.start = valueStart
      return refuse(request, OUTCOME.UNAUTHENTICATED)
    }
    if (valueBytes > LOGIN_BYTES_MAX) {
      input.start = valueStart
      request.swallowBytes = valueBytes + TRAILER_BYTES
      return refuse(request, OUTCOME.LOGIN_TOO_LONG)
    }
    const valueEnd = valueStart + valueBytes
    if (valueEnd + TRAILER_BYTES > input.end) return PARSED.NEED_MORE
    input.start = valueEnd + TRAILER_BYTES
    if (buffer[valueEnd] !== CR || buffer[valueEnd + 1] !== LF) {
      return refuse(request, OUTCOME.BAD_LOGIN_END)
    }
    let nameEnd = valueStart
    while (nameEnd < valueEnd && buffer[nameEnd] !== SPACE) nameEnd++
    if (nameEnd === valueEnd) return refuse(request, OUTCOME.BAD_LOGIN)
    request.op = OP.LOG_IN
    request.keyStart = valueStart
    request.keyBytes = nameEnd - valueStart
    request.valueBytes = valueEnd - nameEnd - 1
    return PARSED.READY
  }

  /** The length of the value that a line announces, or -1 if it is no set. */
  #readLength(buffer: Buffer, start: number, lineFeed: number): number {
    const tokens = this.#tokens
    const end = buffer[lineFeed - 1] === CR ? lineFeed - 1 : lineFeed
    let at = start
    for (let i = 0; i < TOKENS_MIN; i++) {
      while (at < end && buffer[at] === SPACE) at++
      if (at === end) return -1
      tokens[i * 2] = at
      while (at < end && buffer[at] !== SPACE) at++
      tokens[i * 2 + 1] = at
    }
    if (tokens[0] !== start || !equalsText(buffer, start, tokens[1]!, 'set')) return -1
    return parseLength(buffer, tokens[8]!, tokens[9]!)
  }
}

function resetRequest(request: Request, input: InputWindow): void {
  request.op = OP.NONE
  request.options = 0
  request.quiet = false
  request.continues = false
  request.last = true
  request.bytes = input.bytes
  request.keyBytes = 0
  request.valueBytes = 0
  request.swallowBytes = 0
}

function refuse(request: Request, outcome: Outcome): Parsed {
  request.outcome = outcome
  return PARSED.REFUSED
}
