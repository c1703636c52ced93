/**
 * The meta commands with a key: mg, ms, md, ma and me, parsed in place in one pass.
 *
 * ```
 * mg <key> <flag>*        ms <key> <length> <flag>*        a flag is a letter and what follows it
 * ```
 * What is wrong with the flags is said as memcached says it: a letter that is none or comes twice ends
 * the reading; of values that are none the last one is reported.
 *
 * Never throws and never reads at or past `input.end`, but for the sentinel that it puts there.
 */
import { CR, LF, SPACE, copyBytes } from '../../bytes/ascii.ts'
import type { Bytes } from '../../bytes/ascii.ts'
import type { InputWindow } from '../../bytes/input-window.ts'
import { parseU64 } from '../../bytes/u64.ts'
import type { U64 } from '../../bytes/u64.ts'
import { OP, OPTION, OUTCOME, PARSED } from '../../message/codes.ts'
import type { Op, Outcome, Parsed } from '../../message/codes.ts'
import { TOKEN_BYTES_MAX } from '../../message/request.ts'
import type { Request } from '../../message/request.ts'
import { KEY_BYTES_MAX, TRAILER_BYTES, parseExptime, parseLength } from '../text/fields.ts'
import { decode } from './base64.ts'
import {
  ARITHMETIC_ITEM_LOWER,
  ARITHMETIC_ITEM_UPPER,
  FLAG,
  LETTER_MAX,
  LETTER_MIN,
  LOWER_CASE,
  PLAIN_GET,
  PLAIN_QUIET,
  PLAIN_SHOWN,
  SET_ITEM_LOWER,
  VERB,
  WORDS_MAX,
  bitOf,
  shownLower,
  shownUpper,
} from './flags.ts'

/** A mode that was not given, and one that is empty. */
const NO_MODE = 0
const EMPTY_MODE = SPACE
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
  readonly #number: U64 = { hi: 0, lo: 0 }
  #mode = NO_MODE
  /** The line could not be obeyed: for the letter of a flag, or for the value of one. */
  #badFlag: Outcome = OUTCOME.NONE
  #badValue: Outcome = OUTCOME.NONE
  #isOpaqueTooLong = false
  /** Letters that were given. */
  #upper = 0
  #lower = 0

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
    this.#mode = NO_MODE
    this.#badFlag = OUTCOME.NONE
    this.#badValue = OUTCOME.NONE
    this.#isOpaqueTooLong = false
    this.#upper = 0
    this.#lower = 0
    at = this.#readFlags(request, input.bytes, at, verb, words)
    if (at === end) return PARSED.NEED_MORE
    input.start = at + 1
    input.searched = at + 1
    if (keyBytes === 0 || keyBytes > KEY_BYTES_MAX || valueBytes === NO_LENGTH) {
      this.#badFlag = OUTCOME.BAD_FORMAT
    }
    switch (verb) {
      case VERB.set:
        return this.#set(request, valueBytes)
      case VERB.arithmetic:
        return this.#arithmetic(request)
      case VERB.debug:
        return this.#debug(request)
      default: {
        const refusal = this.#refusal
        request.swallowBytes = 0
        if (refusal !== OUTCOME.NONE) return refuse(request, refusal)
        request.op = verb === VERB.get ? OP.META_GET : OP.DELETE
        return PARSED.READY
      }
    }
  }

  /** Reads flags up to the end of the line, and returns its position. */
  #readFlags(request: Request, bytes: Bytes, start: number, verb: number, words: number): number {
    const { buffer } = bytes
    const wantedUpper = shownUpper(verb)
    const wantedLower = shownLower(verb)
    let options = request.options
    let count = words
    let at = start
    let byte = buffer[at]!
    for (;;) {
      while (byte === SPACE) byte = buffer[++at]!
      if (byte === LF || (byte === CR && buffer[at + 1] === LF)) break
      const from = at
      const letter = byte
      do byte = buffer[++at]!
      while (byte !== SPACE && byte !== LF)
      if (letter < LETTER_MIN || letter > LETTER_MAX) {
        this.#badFlag = OUTCOME.BAD_FORMAT
        continue
      }
      if (++count > WORDS_MAX && this.#badFlag !== OUTCOME.BAD_FORMAT) {
        this.#badFlag = OUTCOME.TOO_MANY_FLAGS
      }
      if (this.#badFlag !== OUTCOME.NONE) continue
      const bit = bitOf(letter)
      let isWanted: boolean
      if (letter < LOWER_CASE) {
        if ((this.#upper & bit) !== 0) {
          this.#badFlag = OUTCOME.DUPLICATE_FLAG
          continue
        }
        this.#upper |= bit
        isWanted = (wantedUpper & bit) !== 0
        options |= this.#readValue(request, bytes, letter, from, wordEnd(buffer, from, at), options)
      } else {
        if ((this.#lower & bit) !== 0) {
          this.#badFlag = OUTCOME.DUPLICATE_FLAG
          continue
        }
        this.#lower |= bit
        isWanted = (wantedLower & bit) !== 0
        options |= this.#readSwitch(request, buffer, letter)
      }
      if (isWanted) request.shown[request.shownCount++] = letter
    }
    request.options = options
    return byte === LF ? at : at + 1
  }

  /** A flag that is its letter alone. Returns the bits of the request that it sets. */
  #readSwitch(request: Request, buffer: Buffer, letter: number): number {
    switch (letter) {
      case FLAG.showValue:
        return OPTION.VALUE
      case FLAG.quiet:
        request.quiet = true
        return 0
      case FLAG.showKey:
        request.wantsKey = true
        return OPTION.DETAILS
      case FLAG.showHit:
      case FLAG.showIdle:
      case FLAG.showTtl:
        return OPTION.DETAILS
      case FLAG.showCas:
      case FLAG.showClientFlags:
      case FLAG.showSize:
        return 0
      case FLAG.peek:
        return OPTION.PEEK
      case FLAG.empty:
        return OPTION.EMPTY
      case FLAG.base64:
        return this.#decodeKey(request, buffer)
      default:
        this.#badFlag = OUTCOME.BAD_FLAG
        return 0
    }
  }

  /** A flag with a value, from its letter on. Returns the bits of the request that it sets. */
  #readValue(
    request: Request,
    bytes: Bytes,
    letter: number,
    from: number,
    end: number,
    options: number,
  ): number {
    const { buffer } = bytes
    const number = this.#number
    const start = from + 1
    switch (letter) {
      case FLAG.opaque:
        return this.#keepToken(request, bytes, from, end)
      case FLAG.touch:
        if (!parseExptime(buffer, start, end, number)) return this.#refuseValue(OUTCOME.BAD_TOKEN)
        request.exptime = number.lo | 0
        return OPTION.TOUCH
      case FLAG.vivify:
        if (!parseExptime(buffer, start, end, number)) return this.#refuseValue(OUTCOME.BAD_TOKEN)
        request.vivifies = true
        request.vivifyS = number.lo | 0
        return (options & OPTION.TOUCH) === 0 ? 0 : OPTION.TOUCH_BEFORE_VIVIFY
      case FLAG.recache:
        if (!parseExptime(buffer, start, end, number)) return this.#refuseValue(OUTCOME.BAD_TOKEN)
        request.recacheS = number.lo | 0
        return (options & OPTION.TOUCH) === 0
          ? OPTION.RECACHE
          : OPTION.RECACHE | OPTION.TOUCH_BEFORE_RECACHE
      case FLAG.cas:
        if (!parseU64(buffer, start, end, number)) return this.#refuseValue(OUTCOME.BAD_TOKEN)
        request.ifCas = true
        request.casHi = number.hi
        request.casLo = number.lo
        return 0
      case FLAG.newCas:
        if (!parseU64(buffer, start, end, number)) return this.#refuseValue(OUTCOME.BAD_TOKEN)
        request.newCasHi = number.hi
        request.newCasLo = number.lo
        // No item has the cas number 0: that stands for none.
        return number.hi === 0 && number.lo === 0 ? 0 : OPTION.NEW_CAS
      case FLAG.invalidate:
        return OPTION.INVALIDATE
      case FLAG.clientFlags:
        // memcached has no word of its own for this, and reports what else is wrong if something is.
        if (!parseU64(buffer, start, end, number) || number.hi !== 0) {
          return this.#refuseValue(
            this.#badValue === OUTCOME.NONE ? OUTCOME.BAD_FORMAT : this.#badValue,
          )
        }
        request.clientFlags = number.lo
        return 0
      case FLAG.mode:
        this.#mode = end > start ? buffer[start]! : EMPTY_MODE
        return 0
      case FLAG.delta:
        if (!parseU64(buffer, start, end, number)) return this.#refuseValue(OUTCOME.BAD_DELTA_VALUE)
        request.deltaHi = number.hi
        request.deltaLo = number.lo
        return 0
      case FLAG.initial:
        if (!parseU64(buffer, start, end, number))
          return this.#refuseValue(OUTCOME.BAD_INITIAL_VALUE)
        request.initialHi = number.hi
        request.initialLo = number.lo
        return 0
      case FLAG.path:
      case FLAG.proxy:
        return 0
      default:
        this.#badFlag = OUTCOME.BAD_FLAG
        return 0
    }
  }

  #refuseValue(outcome: Outcome): number {
    this.#badValue = outcome
    return 0
  }

  /** Puts what the key stands for in the place of the key. */
  #decodeKey(request: Request, buffer: Buffer): number {
    const { keyStart, keyBytes, ownKey } = request
    // A key that is too long is refused for that.
    if (keyBytes > KEY_BYTES_MAX) return 0
    const length = decode(ownKey.buffer, buffer, keyStart, keyStart + keyBytes)
    if (length === 0) return this.#refuseValue(OUTCOME.BAD_KEY_ENCODING)
    request.bytes = ownKey
    request.keyStart = 0
    request.keyBytes = length
    return OPTION.BINARY_KEY
  }

  /** Keeps a flag with its letter, for the reply. */
  #keepToken(request: Request, bytes: Bytes, from: number, end: number): number {
    const length = end - from
    if (length > TOKEN_BYTES_MAX) {
      this.#isOpaqueTooLong = true
    } else {
      copyBytes(request.token, 0, bytes, from, length)
      request.tokenBytes = length
    }
    return 0
  }

  /** What is wrong with the flags, in the order of what counts. */
  get #refusal(): Outcome {
    if (this.#badFlag !== OUTCOME.NONE) return this.#badFlag
    if (this.#badValue !== OUTCOME.NONE) return this.#badValue
    return this.#isOpaqueTooLong ? OUTCOME.OPAQUE_TOO_LONG : OUTCOME.NONE
  }

  /** ms: its mode, and the value that follows. */
  #set(request: Request, valueBytes: number): Parsed {
    request.swallowBytes = valueBytes === NO_LENGTH ? 0 : valueBytes + TRAILER_BYTES
    if (this.#badFlag !== OUTCOME.NONE) return refuse(request, this.#badFlag)
    if (this.#badValue !== OUTCOME.NONE) return refuse(request, this.#badValue)
    const op = storageOf(this.#mode)
    if (op === OP.NONE) return refuse(request, OUTCOME.BAD_SET_MODE)
    if (this.#isOpaqueTooLong) return refuse(request, OUTCOME.OPAQUE_TOO_LONG)
    request.op = op
    if (op === OP.APPEND || op === OP.PREPEND) {
      ignoreCasZero(request)
      if (request.vivifies) request.exptime = request.vivifyS
    } else if (request.ifCas && op !== OP.ADD) {
      request.op = OP.CAS
    }
    request.options |= OPTION.DISCARD
    request.wantsItem = (this.#lower & SET_ITEM_LOWER) !== 0
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
    const badFlag = this.#badFlag
    if (badFlag === OUTCOME.BAD_FORMAT || badFlag === OUTCOME.TOO_MANY_FLAGS) {
      return refuse(request, badFlag)
    }
    if (badFlag !== OUTCOME.NONE || this.#badValue !== OUTCOME.NONE) {
      return refuse(request, OUTCOME.BAD_OR_DUPLICATE_FLAG)
    }
    switch (this.#mode) {
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
    if (this.#isOpaqueTooLong) return refuse(request, OUTCOME.OPAQUE_TOO_LONG)
    ignoreCasZero(request)
    request.wantsItem =
      (this.#upper & ARITHMETIC_ITEM_UPPER) !== 0 || (this.#lower & ARITHMETIC_ITEM_LOWER) !== 0
    return PARSED.READY
  }

  /** me: only the key matters; one that is no base64 is taken as it stands. */
  #debug(request: Request): Parsed {
    request.swallowBytes = 0
    if (this.#badFlag === OUTCOME.BAD_FORMAT) return refuse(request, OUTCOME.BAD_FORMAT)
    request.op = OP.META_DEBUG
    request.options = OPTION.META_FORM
    request.quiet = false
    return PARSED.READY
  }
}

/**
 * Reads the most frequent form in a single pass: mg, a key, and flags that are letters alone. Returns
 * false, with nothing consumed, if the line is another one or is not whole.
 */
function readPlainGet(input: InputWindow, request: Request): boolean {
  const { buffer } = input.bytes
  const { end } = input
  const keyStart = input.start + 3
  let at = keyStart
  while (at < end && buffer[at]! > SPACE) at++
  const keyBytes = at - keyStart
  if (keyBytes === 0 || keyBytes > KEY_BYTES_MAX) return false
  let options: number = OPTION.META_FORM
  let seen = 0
  let shownCount = 0
  while (at + 2 < end && buffer[at] === SPACE) {
    const letter = buffer[at + 1]!
    const meaning = PLAIN_GET[letter]!
    const bit = bitOf(letter)
    if (meaning === 0 || (seen & bit) !== 0) return false
    seen |= bit
    options |= meaning
    if ((meaning & PLAIN_SHOWN) !== 0) request.shown[shownCount++] = letter
    at += 2
  }
  if (at + 1 >= end || buffer[at] !== CR || buffer[at + 1] !== LF) return false
  input.start = at + 2
  input.searched = at + 2
  request.op = OP.META_GET
  request.options = options & ~(PLAIN_SHOWN | PLAIN_QUIET)
  request.quiet = (options & PLAIN_QUIET) !== 0
  request.ifCas = false
  request.vivifies = false
  request.shownCount = shownCount
  request.bytes = input.bytes
  request.keyStart = keyStart
  request.keyBytes = keyBytes
  return true
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

/** The end of a word: a carriage return in front of the line feed is none of it. */
function wordEnd(buffer: Buffer, start: number, at: number): number {
  return buffer[at] === LF && at > start && buffer[at - 1] === CR ? at - 1 : at
}
