/** The words of the text protocol. Not found is silence in a get; quiet silences all the rest. */
import { CR, LF, SPACE, ZERO, bytesOf, copyBytes, printU32 } from '../../bytes/ascii.ts'
import type { Bytes } from '../../bytes/ascii.ts'
import { PINNED_VALUE_FROM } from '../../bytes/output-buffer.ts'
import type { OutputBuffer } from '../../bytes/output-buffer.ts'
import { U64_DIGITS_MAX, printU64 } from '../../bytes/u64.ts'
import { OUTCOME } from '../../message/codes.ts'
import type { Outcome } from '../../message/codes.ts'
import type { Counter } from '../../message/counter.ts'
import type { ItemView } from '../../message/item-view.ts'
import type { Reply } from '../../message/reply.ts'
import type { Request } from '../../message/request.ts'

/** `VALUE `, a key, three numbers, spaces and line ends around a value. */
const HIT_FRAME_BYTES_MAX = 6 + 250 + 3 * (1 + U64_DIGITS_MAX) + 2 + 2 + 5
/** A line end and `END`. */
const END_BYTES = 7

const WORDS: Record<Outcome, string> = {
  [OUTCOME.NONE]: '',
  [OUTCOME.STORED]: 'STORED\r\n',
  [OUTCOME.NOT_STORED]: 'NOT_STORED\r\n',
  [OUTCOME.EXISTS]: 'EXISTS\r\n',
  [OUTCOME.NOT_FOUND]: 'NOT_FOUND\r\n',
  [OUTCOME.DELETED]: 'DELETED\r\n',
  [OUTCOME.TOUCHED]: 'TOUCHED\r\n',
  [OUTCOME.OK]: 'OK\r\n',
  [OUTCOME.RESET]: 'RESET\r\n',
  [OUTCOME.TOO_LARGE]: 'SERVER_ERROR object too large for cache\r\n',
  [OUTCOME.NO_MEMORY]: 'SERVER_ERROR out of memory storing object\r\n',
  [OUTCOME.NON_NUMERIC]: 'CLIENT_ERROR cannot increment or decrement non-numeric value\r\n',
  [OUTCOME.BAD_DELTA]: 'CLIENT_ERROR invalid numeric delta argument\r\n',
  [OUTCOME.BAD_EXPTIME]: 'CLIENT_ERROR invalid exptime argument\r\n',
  [OUTCOME.BAD_FORMAT]: 'CLIENT_ERROR bad command line format\r\n',
  [OUTCOME.BAD_CHUNK]: 'CLIENT_ERROR bad data chunk\r\n',
  [OUTCOME.UNKNOWN_COMMAND]: 'ERROR\r\n',
  [OUTCOME.BYE]: '',
  [OUTCOME.AUTHENTICATED]: 'STORED\r\n',
  [OUTCOME.NOT_AUTHENTICATED]: 'CLIENT_ERROR authentication failure\r\n',
  [OUTCOME.BAD_TOKEN]: 'CLIENT_ERROR bad token in command line format\r\n',
  [OUTCOME.BAD_FLAG]: 'CLIENT_ERROR invalid flag\r\n',
  [OUTCOME.DUPLICATE_FLAG]: 'CLIENT_ERROR duplicate flag\r\n',
  [OUTCOME.BAD_OR_DUPLICATE_FLAG]: 'CLIENT_ERROR invalid or duplicate flag\r\n',
  [OUTCOME.TOO_MANY_FLAGS]: 'CLIENT_ERROR options flags are too long\r\n',
  [OUTCOME.OPAQUE_TOO_LONG]: 'CLIENT_ERROR opaque token too long\r\n',
  [OUTCOME.BAD_KEY_ENCODING]: 'CLIENT_ERROR error decoding key\r\n',
  [OUTCOME.BAD_SET_MODE]: 'CLIENT_ERROR invalid mode for ms M token\r\n',
  [OUTCOME.BAD_ARITHMETIC_MODE]: 'CLIENT_ERROR invalid mode for ma M token\r\n',
  [OUTCOME.BAD_INITIAL_VALUE]: 'CLIENT_ERROR invalid numeric initial value\r\n',
  [OUTCOME.BAD_DELTA_VALUE]: 'CLIENT_ERROR invalid numeric delta value\r\n',
  [OUTCOME.UNAUTHENTICATED]: 'CLIENT_ERROR unauthenticated\r\n',
  [OUTCOME.BAD_LOGIN]: 'CLIENT_ERROR bad authentication token format\r\n',
  [OUTCOME.BAD_LOGIN_END]: 'CLIENT_ERROR bad command line termination\r\n',
  [OUTCOME.LOGIN_TOO_LONG]: 'CLIENT_ERROR authentication token too long\r\n',
  [OUTCOME.FLUSH_DISABLED]: 'CLIENT_ERROR flush_all not allowed\r\n',
  [OUTCOME.SHUTDOWN_DISABLED]: 'SERVER_ERROR: shutdown not enabled\r\n',
  [OUTCOME.BAD_SHUTDOWN]: 'CLIENT_ERROR invalid shutdown mode\r\n',
  [OUTCOME.NO_TLS]: 'Error TLS not enabled\r\n',
  [OUTCOME.BAD_CERTIFICATES]: 'Error loading the certificates: see the log\r\n',
}

export class TextReply implements Reply {
  readonly hasLines = true
  /** All words one after another, and where each begins. */
  readonly #words: Bytes
  readonly #wordStart: Int32Array

  constructor() {
    const outcomes = Object.values(OUTCOME)
    this.#words = bytesOf(Buffer.from(outcomes.map((outcome) => WORDS[outcome]).join('')))
    this.#wordStart = new Int32Array(outcomes.length + 1)
    for (const outcome of outcomes) {
      this.#wordStart[outcome + 1] = this.#wordStart[outcome]! + WORDS[outcome].length
    }
  }

  hit(out: OutputBuffer, request: Request, view: ItemView): void {
    out.reserve(HIT_FRAME_BYTES_MAX)
    const buffer = out.bytes.buffer
    let at = out.position
    buffer[at] = 86
    buffer[at + 1] = 65
    buffer[at + 2] = 76
    buffer[at + 3] = 85
    buffer[at + 4] = 69
    buffer[at + 5] = SPACE
    at += 6
    copyBytes(out.bytes, at, view.bytes, view.keyStart, view.keyBytes)
    at += view.keyBytes
    buffer[at++] = SPACE
    if (view.clientFlags === 0) buffer[at++] = ZERO
    else at = printU32(buffer, at, view.clientFlags)
    buffer[at++] = SPACE
    at = printU32(buffer, at, view.valueBytes)
    if (request.wantsCas) {
      buffer[at++] = SPACE
      at = printU64(buffer, at, view.casHi, view.casLo)
    }
    buffer[at++] = CR
    buffer[at++] = LF
    const length = view.valueBytes
    if (length < PINNED_VALUE_FROM && length <= out.limit - at - END_BYTES) {
      copyBytes(out.bytes, at, view.bytes, view.valueStart, length)
      out.position = at + length
    } else {
      out.position = at
      out.value(view.bytes, view.valueStart, length, view.item)
      out.reserve(END_BYTES)
    }
    this.#endOfValue(out, request)
  }

  miss(out: OutputBuffer, request: Request): void {
    if (request.last) this.#end(out)
  }

  outcome(out: OutputBuffer, request: Request, outcome: Outcome): void {
    if (!request.quiet) this.say(out, outcome)
  }

  /** The words of an outcome, whoever asks. */
  say(out: OutputBuffer, outcome: Outcome): void {
    const start = this.#wordStart[outcome]!
    const length = this.#wordStart[outcome + 1]! - start
    out.reserve(length)
    copyBytes(out.bytes, out.position, this.#words, start, length)
    out.position += length
  }

  changed(out: OutputBuffer, request: Request, outcome: Outcome): void {
    this.outcome(out, request, outcome)
  }

  counter(out: OutputBuffer, request: Request, counter: Counter): void {
    if (request.quiet) return
    out.reserve(U64_DIGITS_MAX + 2)
    copyBytes(out.bytes, out.position, counter.digits, 0, counter.digitCount)
    const at = out.position + counter.digitCount
    const buffer = out.bytes.buffer
    buffer[at] = CR
    buffer[at + 1] = LF
    out.position = at + 2
  }

  version(out: OutputBuffer, request: Request, version: string): void {
    if (!request.quiet) out.text(`VERSION ${version}\r\n`)
  }

  stat(out: OutputBuffer, _request: Request, name: string, value: string): void {
    out.text(`STAT ${name} ${value}\r\n`)
  }

  endOfStats(out: OutputBuffer): void {
    this.#end(out)
  }

  line(out: OutputBuffer, request: Request, text: string): void {
    if (!request.quiet) out.text(`${text}\r\n`)
  }

  mechanisms(out: OutputBuffer, _request: Request, names: string): void {
    out.text(`${names}\r\n`)
  }

  #endOfValue(out: OutputBuffer, request: Request): void {
    const buffer = out.bytes.buffer
    const at = out.position
    buffer[at] = CR
    buffer[at + 1] = LF
    out.position = at + 2
    if (request.last) this.#end(out)
  }

  #end(out: OutputBuffer): void {
    out.reserve(END_BYTES)
    const buffer = out.bytes.buffer
    const at = out.position
    buffer[at] = 69
    buffer[at + 1] = 78
    buffer[at + 2] = 68
    buffer[at + 3] = CR
    buffer[at + 4] = LF
    out.position = at + 5
  }
}
