/**
 * The binary protocol, parsed in place (doc/protocol-binary.txt and proto_bin.c of memcached 1.6.45).
 *
 * A header is judged as soon as it is there: lengths that contradict each other or their command
 * end the connection before anything is waited for or stored. What is waited for is at most a
 * header, extras and a key; a value goes on to its item without being gathered here.
 *
 * Never throws and never reads at or past `input.end`.
 */
import type { InputWindow } from '../../bytes/input-window.ts'
import { OP, OUTCOME, PARSED } from '../../message/codes.ts'
import type { Outcome, Parsed } from '../../message/codes.ts'
import type { Request } from '../../message/request.ts'
import {
  FORM,
  HEADER_BYTES,
  KEY_BYTES_MAX,
  MAGIC_REQUEST,
  NOT_TO_BE_MADE,
  bodyBytesAt,
  casHiAt,
  casLoAt,
  clientFlagsAt,
  commandTable,
  counterExptimeAt,
  deltaHiAt,
  deltaLoAt,
  exptimeAt,
  extrasBytesAt,
  formOf,
  initialHiAt,
  initialLoAt,
  isQuiet,
  isTouching,
  isWithKey,
  keyBytesAt,
  opOf,
  opaqueAt,
  opcodeAt,
  storageExptimeAt,
} from './layout.ts'
import type { Access, Form } from './layout.ts'

/** memcached has the length of a value as a signed integer; what is beyond is nobody's value. */
const VALUE_BYTES_MAX = 0x7fff_ffff
/** The name of a SASL mechanism; memcached's MAX_SASL_MECH_LEN. */
const MECHANISM_BYTES_MAX = 32
/** What a client may send to log in: names and passwords are shorter, and it is gathered. */
const LOGIN_BYTES_MAX = 1024

/** Parses frames. Has no state of a connection. */
export class BinaryParser {
  readonly #commands: Int32Array

  constructor(access: Access) {
    this.#commands = commandTable(access)
  }

  parse(input: InputWindow, request: Request): Parsed {
    const { view } = input.bytes
    const start = input.start
    if (view.getUint8(start) !== MAGIC_REQUEST) return PARSED.HANG_UP
    const available = input.end - start
    if (available < HEADER_BYTES) return PARSED.NEED_MORE
    const opcode = opcodeAt(view, start)
    const keyBytes = keyBytesAt(view, start)
    const extrasBytes = extrasBytesAt(view, start)
    const bodyBytes = bodyBytesAt(view, start)
    const command = this.#commands[opcode]!
    const form = formOf(command)
    request.opcode = opcode
    request.opaque = opaqueAt(view, start)
    if (keyBytes + extrasBytes > bodyBytes) return malformed(request, OUTCOME.UNKNOWN_COMMAND)
    if (form === FORM.LOCKED) return malformed(request, OUTCOME.NOT_AUTHENTICATED)
    if (keyBytes > KEY_BYTES_MAX || !isOfForm(form, extrasBytes, keyBytes, bodyBytes)) {
      return malformed(request, OUTCOME.BAD_FORMAT)
    }
    const op = opOf(command)
    if (op === OP.NONE) {
      input.start = start + HEADER_BYTES
      return refuse(request, OUTCOME.UNKNOWN_COMMAND, bodyBytes)
    }
    const keyStart = start + HEADER_BYTES + extrasBytes
    const next = keyStart + keyBytes
    if (next > input.end) return PARSED.NEED_MORE
    request.op = op
    request.options = 0
    request.wantsItem = false
    request.vivifies = false
    request.quiet = isQuiet(command)
    request.bytes = input.bytes
    request.keyStart = keyStart
    request.keyBytes = keyBytes
    if (form === FORM.KEY) {
      input.start = next
      request.touches = false
      request.wantsKey = isWithKey(command)
      // Of the commands with nothing but a key, one has a condition.
      if (op === OP.DELETE) readCondition(request, view, start)
      return PARSED.READY
    }
    if (form === FORM.SASL) return readLogin(input, request, next, bodyBytes - keyBytes)
    input.start = next
    return readExtras(request, view, start, command, bodyBytes - extrasBytes - keyBytes)
  }
}

/** Whether the lengths are those of a frame of this form. */
function isOfForm(form: Form, extrasBytes: number, keyBytes: number, bodyBytes: number): boolean {
  switch (form) {
    case FORM.KEY:
      return extrasBytes === 0 && keyBytes > 0 && bodyBytes === keyBytes
    case FORM.STORAGE:
      return extrasBytes === 8 && keyBytes > 0
    case FORM.BARE:
      return bodyBytes === 0
    case FORM.KEY_VALUE:
    case FORM.SASL:
      return extrasBytes === 0 && keyBytes > 0
    case FORM.COUNTER:
      return extrasBytes === 20 && keyBytes > 0 && bodyBytes === keyBytes + 20
    case FORM.TOUCH:
      return extrasBytes === 4 && keyBytes > 0 && bodyBytes === keyBytes + 4
    case FORM.FLUSH:
      return (extrasBytes === 0 || extrasBytes === 4) && bodyBytes === extrasBytes
    case FORM.STATS:
      return bodyBytes === keyBytes
    default:
      return true
  }
}

/** What stands in front of the key, and the length of what follows it. */
function readExtras(
  request: Request,
  view: DataView,
  frame: number,
  command: number,
  valueBytes: number,
): Parsed {
  switch (formOf(command)) {
    case FORM.STORAGE:
      request.clientFlags = clientFlagsAt(view, frame)
      request.exptime = storageExptimeAt(view, frame)
      return readStorage(request, view, frame, valueBytes)
    case FORM.KEY_VALUE:
      request.clientFlags = 0
      request.exptime = 0
      return readStorage(request, view, frame, valueBytes)
    case FORM.COUNTER:
      readCondition(request, view, frame)
      request.wantsItem = !request.quiet
      request.deltaHi = deltaHiAt(view, frame)
      request.deltaLo = deltaLoAt(view, frame)
      request.initialHi = initialHiAt(view, frame)
      request.initialLo = initialLoAt(view, frame)
      request.vivifyS = counterExptimeAt(view, frame)
      request.vivifies = request.vivifyS !== NOT_TO_BE_MADE
      return PARSED.READY
    case FORM.TOUCH:
      request.exptime = exptimeAt(view, frame)
      request.touches = isTouching(command)
      request.wantsKey = isWithKey(command)
      request.wantsItem = true
      return PARSED.READY
    case FORM.FLUSH:
      request.outcome = OUTCOME.NONE
      request.exptime = request.keyStart === frame + HEADER_BYTES ? 0 : exptimeAt(view, frame)
      return PARSED.READY
    default:
      return PARSED.READY
  }
}

function readStorage(request: Request, view: DataView, frame: number, valueBytes: number): Parsed {
  if (valueBytes > VALUE_BYTES_MAX) return malformed(request, OUTCOME.TOO_LARGE)
  readCondition(request, view, frame)
  // With a cas number an item is replaced that is there, whether this is called add or replace.
  if (request.ifCas && (request.op === OP.ADD || request.op === OP.REPLACE)) request.op = OP.CAS
  request.wantsItem = !request.quiet
  request.valueBytes = valueBytes
  request.trailerBytes = 0
  return PARSED.READY_WITH_VALUE
}

function readCondition(request: Request, view: DataView, frame: number): void {
  const hi = casHiAt(view, frame)
  const lo = casLoAt(view, frame)
  request.ifCas = hi !== 0 || lo !== 0
  request.casHi = hi
  request.casLo = lo
}

/** The name of a mechanism as the key, and right behind it what goes with it, whole. */
function readLogin(input: InputWindow, request: Request, at: number, length: number): Parsed {
  if (request.keyBytes > MECHANISM_BYTES_MAX || length > LOGIN_BYTES_MAX) {
    input.start = at
    return refuse(request, OUTCOME.BAD_FORMAT, length)
  }
  if (at + length > input.end) return PARSED.NEED_MORE
  input.start = at + length
  request.valueBytes = length
  return PARSED.READY
}

/** The frame is not one that can be carried out; its length is known. */
function refuse(request: Request, outcome: Outcome, swallowBytes: number): Parsed {
  request.op = OP.NONE
  request.outcome = outcome
  request.swallowBytes = swallowBytes
  return PARSED.REFUSED
}

/** Nobody knows where the next frame begins. */
function malformed(request: Request, outcome: Outcome): Parsed {
  request.op = OP.NONE
  request.outcome = outcome
  return PARSED.MALFORMED
}
