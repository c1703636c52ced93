/**
 * The frames that the binary protocol answers with. Quiet requests are not told of success, and those for
 * an item not that there is none; every other failure is said.
 */
import { bytesOf, copyBytes } from '../../bytes/ascii.ts'
import type { Bytes } from '../../bytes/ascii.ts'
import { PINNED_VALUE_FROM } from '../../bytes/output-buffer.ts'
import type { OutputBuffer } from '../../bytes/output-buffer.ts'
import { OP, OUTCOME } from '../../message/codes.ts'
import type { Outcome } from '../../message/codes.ts'
import type { Counter } from '../../message/counter.ts'
import type { ItemView } from '../../message/item-view.ts'
import type { Reply } from '../../message/reply.ts'
import type { Request } from '../../message/request.ts'
import {
  COUNTER_BYTES,
  FLAGS_BYTES,
  HEADER_BYTES,
  KEY_BYTES_MAX,
  STATUS_CODE,
  writeCas,
  writeClientFlags,
  writeCounter,
  writeHeader,
} from './layout.ts'
import type { StatusCode } from './layout.ts'

const HIT_FRAME_BYTES_MAX = HEADER_BYTES + FLAGS_BYTES + KEY_BYTES_MAX

/** Outcomes that have one meaning, whatever was asked. All others are success. */
const STATUS_OF: Partial<Record<Outcome, StatusCode>> = {
  [OUTCOME.NOT_STORED]: STATUS_CODE.NOT_STORED,
  [OUTCOME.EXISTS]: STATUS_CODE.EXISTS,
  [OUTCOME.NOT_FOUND]: STATUS_CODE.NOT_FOUND,
  [OUTCOME.TOO_LARGE]: STATUS_CODE.TOO_LARGE,
  [OUTCOME.NO_MEMORY]: STATUS_CODE.NO_MEMORY,
  [OUTCOME.NON_NUMERIC]: STATUS_CODE.NON_NUMERIC,
  [OUTCOME.BAD_DELTA]: STATUS_CODE.INVALID,
  [OUTCOME.BAD_EXPTIME]: STATUS_CODE.INVALID,
  [OUTCOME.BAD_FORMAT]: STATUS_CODE.INVALID,
  [OUTCOME.BAD_CHUNK]: STATUS_CODE.INVALID,
  [OUTCOME.UNKNOWN_COMMAND]: STATUS_CODE.UNKNOWN_COMMAND,
  [OUTCOME.NOT_AUTHENTICATED]: STATUS_CODE.NOT_AUTHENTICATED,
  // memcached's choice of words.
  [OUTCOME.FLUSH_DISABLED]: STATUS_CODE.NOT_AUTHENTICATED,
}

/** What goes with a status, as memcached says it. */
const TEXTS: Record<StatusCode, string> = {
  [STATUS_CODE.OK]: '',
  [STATUS_CODE.NOT_FOUND]: 'Not found',
  [STATUS_CODE.EXISTS]: 'Data exists for key.',
  [STATUS_CODE.TOO_LARGE]: 'Too large.',
  [STATUS_CODE.INVALID]: 'Invalid arguments',
  [STATUS_CODE.NOT_STORED]: 'Not stored.',
  [STATUS_CODE.NON_NUMERIC]: 'Non-numeric server-side value for incr or decr',
  [STATUS_CODE.NOT_AUTHENTICATED]: 'Auth failure.',
  [STATUS_CODE.UNKNOWN_COMMAND]: 'Unknown command',
  [STATUS_CODE.NO_MEMORY]: 'Out of memory allocating item',
}
const STATUSES = 256
const NO_MEMORY_FOR_A_COUNTER = 'Out of memory incrementing value'
const AUTHENTICATED = 'Authenticated'

export class BinaryReply implements Reply {
  readonly hasLines = false
  /** By outcome. */
  readonly #statusOf: Int32Array
  /** All texts one after another, and by status where each begins and how long it is. */
  readonly #texts: Bytes
  readonly #textStart: Int32Array = new Int32Array(STATUSES)
  readonly #textBytes: Int32Array = new Int32Array(STATUSES)

  constructor() {
    this.#statusOf = Int32Array.from(
      Object.values(OUTCOME),
      (outcome) => STATUS_OF[outcome] ?? STATUS_CODE.OK,
    )
    let all = ''
    for (const status of Object.values(STATUS_CODE)) {
      this.#textStart[status] = all.length
      this.#textBytes[status] = TEXTS[status].length
      all += TEXTS[status]
    }
    this.#texts = bytesOf(Buffer.from(all))
  }

  hit(out: OutputBuffer, request: Request, view: ItemView): void {
    out.reserve(HIT_FRAME_BYTES_MAX)
    const frame = out.position
    const length = view.valueBytes
    const keyBytes = request.wantsKey ? view.keyBytes : 0
    const bytes = out.bytes
    const target = bytes.view
    writeHeader(
      target,
      frame,
      request.opcode,
      STATUS_CODE.OK,
      FLAGS_BYTES,
      keyBytes,
      FLAGS_BYTES + keyBytes + length,
      request.opaque,
    )
    writeCas(target, frame, view.casHi, view.casLo)
    writeClientFlags(target, frame, view.clientFlags)
    let at = frame + HEADER_BYTES + FLAGS_BYTES
    if (keyBytes > 0) {
      copyBytes(bytes, at, view.bytes, view.keyStart, keyBytes)
      at += keyBytes
    }
    if (length < PINNED_VALUE_FROM && length <= out.limit - at) {
      copyBytes(bytes, at, view.bytes, view.valueStart, length)
      out.position = at + length
    } else {
      out.position = at
      out.value(view.bytes, view.valueStart, length, view.item)
    }
  }

  miss(out: OutputBuffer, request: Request): void {
    if (request.quiet) return
    if (!request.wantsKey) {
      this.#say(out, request, STATUS_CODE.NOT_FOUND)
      return
    }
    const { keyBytes } = request
    out.reserve(HEADER_BYTES + keyBytes)
    const frame = out.position
    const { opcode, opaque } = request
    const status = STATUS_CODE.NOT_FOUND
    writeHeader(out.bytes.view, frame, opcode, status, 0, keyBytes, keyBytes, opaque)
    copyBytes(out.bytes, frame + HEADER_BYTES, request.bytes, request.keyStart, keyBytes)
    out.position = frame + HEADER_BYTES + keyBytes
  }

  outcome(out: OutputBuffer, request: Request, outcome: Outcome): void {
    if (outcome === OUTCOME.AUTHENTICATED) this.#text(out, request, STATUS_CODE.OK, AUTHENTICATED)
    else this.#say(out, request, statusFor(request, outcome, this.#statusOf[outcome]!))
  }

  changed(out: OutputBuffer, request: Request, _outcome: Outcome, view: ItemView): void {
    if (request.quiet) return
    // The flags of the item are shown by a touch only.
    const extrasBytes = request.op === OP.TOUCH ? FLAGS_BYTES : 0
    const length = HEADER_BYTES + extrasBytes
    out.reserve(length)
    const frame = out.position
    const target = out.bytes.view
    const { opcode, opaque } = request
    writeHeader(target, frame, opcode, STATUS_CODE.OK, extrasBytes, 0, extrasBytes, opaque)
    writeCas(target, frame, view.casHi, view.casLo)
    if (extrasBytes > 0) writeClientFlags(target, frame, view.clientFlags)
    out.position = frame + length
  }

  counter(out: OutputBuffer, request: Request, counter: Counter, view: ItemView): void {
    if (request.quiet) return
    out.reserve(HEADER_BYTES + COUNTER_BYTES)
    const frame = out.position
    const target = out.bytes.view
    const { opcode, opaque } = request
    writeHeader(target, frame, opcode, STATUS_CODE.OK, 0, 0, COUNTER_BYTES, opaque)
    writeCas(target, frame, view.casHi, view.casLo)
    writeCounter(target, frame, counter.hi, counter.lo)
    out.position = frame + HEADER_BYTES + COUNTER_BYTES
  }

  version(out: OutputBuffer, request: Request, version: string): void {
    this.#text(out, request, STATUS_CODE.OK, version)
  }

  stat(out: OutputBuffer, request: Request, name: string, value: string): void {
    const bodyBytes = name.length + value.length
    this.#header(out, request, STATUS_CODE.OK, name.length, bodyBytes)
    out.text(name)
    out.text(value)
  }

  endOfStats(out: OutputBuffer, request: Request): void {
    this.#header(out, request, STATUS_CODE.OK, 0, 0)
  }

  /** Nobody can ask for such a line in this protocol; who asks for a part of it gets none. */
  line(out: OutputBuffer, request: Request, _text: string): void {
    this.#say(out, request, STATUS_CODE.NOT_FOUND)
  }

  mechanisms(out: OutputBuffer, request: Request, names: string): void {
    this.#text(out, request, STATUS_CODE.OK, names)
  }

  /** A status, and the words that memcached has for it. */
  #say(out: OutputBuffer, request: Request, status: number): void {
    if (status === STATUS_CODE.OK) {
      if (!request.quiet) this.#header(out, request, status, 0, 0)
    } else if (status === STATUS_CODE.NO_MEMORY && isArithmetic(request)) {
      this.#text(out, request, status, NO_MEMORY_FOR_A_COUNTER)
    } else {
      const length = this.#textBytes[status]!
      this.#header(out, request, status, 0, length)
      out.copy(this.#texts, this.#textStart[status]!, length)
    }
  }

  #text(out: OutputBuffer, request: Request, status: number, text: string): void {
    this.#header(out, request, status, 0, text.length)
    out.text(text)
  }

  #header(
    out: OutputBuffer,
    request: Request,
    status: number,
    keyBytes: number,
    bodyBytes: number,
  ): void {
    out.reserve(HEADER_BYTES)
    const { opcode, opaque } = request
    writeHeader(out.bytes.view, out.position, opcode, status, 0, keyBytes, bodyBytes, opaque)
    out.position += HEADER_BYTES
  }
}

/** Some outcomes are called by what was asked for. */
function statusFor(request: Request, outcome: Outcome, status: number): number {
  if (outcome === OUTCOME.NOT_STORED) {
    if (request.op === OP.ADD) return STATUS_CODE.EXISTS
    if (request.op === OP.REPLACE) return STATUS_CODE.NOT_FOUND
  }
  if (outcome === OUTCOME.UNKNOWN_COMMAND && request.op === OP.STATS) return STATUS_CODE.NOT_FOUND
  return status
}

function isArithmetic(request: Request): boolean {
  return request.op === OP.INCR || request.op === OP.DECR
}
