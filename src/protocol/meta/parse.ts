/**
 * The meta commands with a key: mg, ms, md, ma and me, parsed in place.
 *
 * ```
 * mg <key> <flag>*        ms <key> <length> <flag>*        a flag is a letter and what follows it
 * ```
 * A line that is refused has no effect; the value of an `ms` is swallowed if its length could be read.
 *
 * Never throws and never reads at or past `input.end`, but for the sentinel that it puts there.
 */
import { LF, SPACE, copyBytes } from '../../bytes/ascii.ts'
import type { InputWindow } from '../../bytes/input-window.ts'
import { OP, OPTION, OUTCOME, PARSED } from '../../message/codes.ts'
import type { Op, Outcome, Parsed } from '../../message/codes.ts'
import type { Request } from '../../message/request.ts'
import { KEY_BYTES_MAX, TRAILER_BYTES, parseLength } from '../text/fields.ts'
import { FlagReader, NO_MODE, wordEnd } from './flag-reader.ts'
import { ARITHMETIC_ITEM_LOWER, ARITHMETIC_ITEM_UPPER, SET_ITEM_LOWER, VERB } from './flags.ts'
import { readPlainGet } from './plain-get.ts'

/** The modes of ms, and those of ma. */
const MODE = {
  add: 0x45,
  append: 0x41,
  prepend: 0x50,
  replace: 0x52,
  set: 0x53,
  incr: 0x49,
  decr: 0x44,
  plus: 0x2b,
  minus: 0x2d,
} as const
/** No length could be read: nothing is swallowed. */
const NO_LENGTH = -1

/** Whether a letter makes a meta verb, with an `m` before it, that needs a key. */
export function isMetaVerb(letter: number): boolean {
  return (
    letter === VERB.get ||
    letter === VERB.set ||
    letter === VERB.delete ||
    letter === VERB.arithmetic ||
    letter === VERB.debug
  )
}

/** Parses meta commands. Holds scratch space for one line. */
export class MetaParser {
  readonly #flags: FlagReader = new FlagReader()

  /** Reads a line whose first bytes are a meta verb and a space. */
  parse(input: InputWindow, request: Request): Parsed {
    const { buffer } = input.bytes
    const verb = buffer[input.start + 1]!
    if (verb === VERB.get && readPlainGet(input, request)) return PARSED.READY
    return this.#line(input, request, verb)
  }

  #line(input: InputWindow, request: Request, verb: number): Parsed {
    const { buffer } = input.bytes
    const { end } = input
    // The sentinel ends the search at the end of the window without a comparison per byte.
    buffer[end] = LF
    let at = skipSpaces(buffer, input.start + 2)
    const keyStart = at
    at = skipWord(buffer, at)
    const keyBytes = wordEnd(buffer, keyStart, at) - keyStart
    request.op = OP.NONE
    request.options = OPTION.META_FORM
    request.quiet = false
    request.ifCas = false
    request.vivifies = false
    request.shownCount = 0
    request.bytes = input.bytes
    request.keyStart = keyStart
    request.keyBytes = keyBytes
    let words = 2
    let valueBytes = 0
    if (verb !== VERB.get) {
      clearArguments(request)
      if (verb === VERB.set) {
        const lengthStart = skipSpaces(buffer, at)
        at = skipWord(buffer, lengthStart)
        const lengthEnd = wordEnd(buffer, lengthStart, at)
        valueBytes =
          lengthEnd > lengthStart ? parseLength(buffer, lengthStart, lengthEnd) : NO_LENGTH
        words = 3
      }
    }
    at = this.#flags.read(request, input.bytes, at, verb, words)
    if (at === end) return PARSED.NEED_MORE
    input.start = at + 1
    input.searched = at + 1
    if (keyBytes === 0 || keyBytes > KEY_BYTES_MAX || valueBytes === NO_LENGTH) {
      this.#flags.badFlag = OUTCOME.BAD_FORMAT
    }
    switch (verb) {
      case VERB.set:
        return this.#set(request, valueBytes)
      case VERB.arithmetic:
        return this.#arithmetic(request)
      case VERB.debug:
        return this.#debug(request)
      default: {
        const refusal = this.#flags.refusal
        request.swallowBytes = 0
        if (refusal !== OUTCOME.NONE) return refuse(request, refusal)
        request.op = verb === VERB.get ? OP.META_GET : OP.DELETE
        return PARSED.READY
      }
    }
  }

  /** ms: its mode, and the value that follows. */
  #set(request: Request, valueBytes: number): Parsed {
    const announces = valueBytes !== NO_LENGTH && !this.#flags.isNoLine
    request.swallowBytes = announces ? valueBytes + TRAILER_BYTES : 0
    if (this.#flags.badFlag !== OUTCOME.NONE) return refuse(request, this.#flags.badFlag)
    if (this.#flags.badValue !== OUTCOME.NONE) return refuse(request, this.#flags.badValue)
    const op = storageOf(this.#flags.mode)
    if (op === OP.NONE) return refuse(request, OUTCOME.BAD_SET_MODE)
    if (this.#flags.isOpaqueTooLong) return refuse(request, OUTCOME.OPAQUE_TOO_LONG)
    request.op = op
    if (op === OP.APPEND || op === OP.PREPEND) {
      ignoreCasZero(request)
      if (request.vivifies) request.exptime = request.vivifyS
    } else if (request.ifCas && op !== OP.ADD) {
      request.op = OP.CAS
    }
    request.options |= OPTION.DISCARD
    request.wantsItem = (this.#flags.lower & SET_ITEM_LOWER) !== 0
    if (request.wantsKey && (request.options & OPTION.BINARY_KEY) === 0) {
      copyBytes(request.ownKey, 0, request.bytes, request.keyStart, request.keyBytes)
      request.bytes = request.ownKey
      request.keyStart = 0
    }
    request.valueBytes = valueBytes
    request.trailerBytes = TRAILER_BYTES
    return PARSED.READY_WITH_VALUE
  }

  /** ma: its mode. What is wrong with its flags has one name. */
  #arithmetic(request: Request): Parsed {
    request.swallowBytes = 0
    const badFlag = this.#flags.badFlag
    if (this.#flags.isNoLine || request.keyBytes === 0) return refuse(request, OUTCOME.BAD_FORMAT)
    if (badFlag !== OUTCOME.NONE || this.#flags.badValue !== OUTCOME.NONE) {
      return refuse(request, OUTCOME.BAD_OR_DUPLICATE_FLAG)
    }
    switch (this.#flags.mode) {
      case NO_MODE:
      case MODE.incr:
      case MODE.plus:
        request.op = OP.INCR
        break
      case MODE.decr:
      case MODE.minus:
        request.op = OP.DECR
        break
      default:
        return refuse(request, OUTCOME.BAD_ARITHMETIC_MODE)
    }
    if (this.#flags.isOpaqueTooLong) return refuse(request, OUTCOME.OPAQUE_TOO_LONG)
    ignoreCasZero(request)
    request.wantsItem =
      (this.#flags.upper & ARITHMETIC_ITEM_UPPER) !== 0 ||
      (this.#flags.lower & ARITHMETIC_ITEM_LOWER) !== 0
    return PARSED.READY
  }

  /** me: only the key matters; one that is no base64 is taken as it stands. */
  #debug(request: Request): Parsed {
    request.swallowBytes = 0
    if (this.#flags.badFlag === OUTCOME.BAD_FORMAT) return refuse(request, OUTCOME.BAD_FORMAT)
    request.op = OP.META_DEBUG
    request.options = OPTION.META_FORM
    request.quiet = false
    return PARSED.READY
  }
}

function refuse(request: Request, outcome: Outcome): Parsed {
  request.outcome = outcome
  return PARSED.REFUSED
}

/** Sets what the flags may leave out. */
function clearArguments(request: Request): void {
  request.wantsKey = false
  request.wantsItem = false
  request.exptime = 0
  request.clientFlags = 0
  request.deltaHi = 0
  request.deltaLo = 1
  request.initialHi = 0
  request.initialLo = 0
}

/** For some commands the cas number 0 is no condition. */
function ignoreCasZero(request: Request): void {
  if (request.casHi === 0 && request.casLo === 0) request.ifCas = false
}

/** The command that a mode of ms stands for. */
function storageOf(mode: number): Op {
  switch (mode) {
    case NO_MODE:
    case MODE.set:
      return OP.SET
    case MODE.add:
      return OP.ADD
    case MODE.append:
      return OP.APPEND
    case MODE.prepend:
      return OP.PREPEND
    case MODE.replace:
      return OP.REPLACE
    default:
      return OP.NONE
  }
}

function skipSpaces(buffer: Buffer, start: number): number {
  let at = start
  while (buffer[at] === SPACE) at++
  return at
}

/** The space or line feed behind a word that may be empty. */
function skipWord(buffer: Buffer, start: number): number {
  let at = start
  let byte = buffer[at]!
  while (byte !== SPACE && byte !== LF) byte = buffer[++at]!
  return at
}
