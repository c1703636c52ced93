/**
 * The flags of one line, read into a request; and what is wrong with them, which memcached says so: a
 * letter that is none or comes twice ends the reading; of values that are none the last is reported.
 */
import { CR, LF, NINE, SPACE, ZERO, copyBytes } from '../../bytes/ascii.ts'
import type { Bytes } from '../../bytes/ascii.ts'
import type { U64 } from '../../bytes/u64.ts'
import { OPTION, OUTCOME } from '../../message/codes.ts'
import type { Outcome } from '../../message/codes.ts'
import { TOKEN_BYTES_MAX } from '../../message/request.ts'
import type { Request } from '../../message/request.ts'
import { KEY_BYTES_MAX, parseExptime, parseNumber, parseWord } from '../text/fields.ts'
import { decode } from './base64.ts'
import {
  FLAG,
  LETTER_MAX,
  LETTER_MIN,
  LOWER_CASE,
  WORDS_MAX,
  bitOf,
  shownLower,
  shownUpper,
} from './flags.ts'

/** A mode that was not given, and one that is empty. */
export const NO_MODE = 0
const EMPTY_MODE = SPACE

export class FlagReader {
  /** The letter behind `M`. */
  mode: number = NO_MODE
  /** Letters that were given. */
  upper = 0
  lower = 0
  /** What is wrong with a letter, and with the value of one. */
  badFlag: Outcome = OUTCOME.NONE
  badValue: Outcome = OUTCOME.NONE
  isOpaqueTooLong = false
  /** A word does not begin with a letter or a digit: the line is none, and so announces no value. */
  isNoLine = false
  readonly #number: U64 = { hi: 0, lo: 0 }

  /** What is wrong with the flags, in the order of what counts. */
  get refusal(): Outcome {
    if (this.badFlag !== OUTCOME.NONE) return this.badFlag
    if (this.badValue !== OUTCOME.NONE) return this.badValue
    return this.isOpaqueTooLong ? OUTCOME.OPAQUE_TOO_LONG : OUTCOME.NONE
  }

  /** Reads flags up to the end of the line, and returns its position. */
  read(request: Request, bytes: Bytes, start: number, verb: number, words: number): number {
    const { buffer } = bytes
    this.mode = NO_MODE
    this.badFlag = OUTCOME.NONE
    this.badValue = OUTCOME.NONE
    this.isOpaqueTooLong = false
    this.isNoLine = false
    this.upper = 0
    this.lower = 0
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
      const isLetter = letter >= LETTER_MIN && letter <= LETTER_MAX
      if (!isLetter && (letter < ZERO || letter > NINE)) {
        this.badFlag = OUTCOME.BAD_FORMAT
        this.isNoLine = true
        continue
      }
      if (++count > WORDS_MAX && this.badFlag !== OUTCOME.BAD_FORMAT) {
        this.badFlag = OUTCOME.TOO_MANY_FLAGS
      }
      if (this.badFlag !== OUTCOME.NONE) continue
      if (!isLetter) {
        this.badFlag = OUTCOME.BAD_FLAG
        continue
      }
      const bit = bitOf(letter)
      let isWanted: boolean
      if (letter < LOWER_CASE) {
        if ((this.upper & bit) !== 0) {
          this.badFlag = OUTCOME.DUPLICATE_FLAG
          continue
        }
        this.upper |= bit
        isWanted = (wantedUpper & bit) !== 0
        options |= this.#readValue(request, bytes, letter, from, wordEnd(buffer, from, at), options)
      } else {
        if ((this.lower & bit) !== 0) {
          this.badFlag = OUTCOME.DUPLICATE_FLAG
          continue
        }
        this.lower |= bit
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
        this.badFlag = OUTCOME.BAD_FLAG
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
        if (!parseNumber(buffer, start, end, number)) return this.#refuseValue(OUTCOME.BAD_TOKEN)
        request.ifCas = true
        request.casHi = number.hi
        request.casLo = number.lo
        return 0
      case FLAG.newCas:
        if (!parseNumber(buffer, start, end, number)) return this.#refuseValue(OUTCOME.BAD_TOKEN)
        request.newCasHi = number.hi
        request.newCasLo = number.lo
        // No item has the cas number 0: that stands for none.
        return number.hi === 0 && number.lo === 0 ? 0 : OPTION.NEW_CAS
      case FLAG.invalidate:
        return OPTION.INVALIDATE
      case FLAG.clientFlags:
        // memcached has no word of its own for this, and reports what else is wrong if something is.
        if (!parseWord(buffer, start, end, number)) {
          return this.#refuseValue(
            this.badValue === OUTCOME.NONE ? OUTCOME.BAD_FORMAT : this.badValue,
          )
        }
        request.clientFlags = number.lo
        return 0
      case FLAG.mode:
        this.mode = end > start ? buffer[start]! : EMPTY_MODE
        return 0
      case FLAG.delta:
        if (!parseNumber(buffer, start, end, number))
          return this.#refuseValue(OUTCOME.BAD_DELTA_VALUE)
        request.deltaHi = number.hi
        request.deltaLo = number.lo
        return 0
      case FLAG.initial:
        if (!parseNumber(buffer, start, end, number))
          return this.#refuseValue(OUTCOME.BAD_INITIAL_VALUE)
        request.initialHi = number.hi
        request.initialLo = number.lo
        return 0
      case FLAG.path:
      case FLAG.proxy:
        return 0
      default:
        this.badFlag = OUTCOME.BAD_FLAG
        return 0
    }
  }

  #refuseValue(outcome: Outcome): number {
    this.badValue = outcome
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
      this.isOpaqueTooLong = true
    } else {
      copyBytes(request.token, 0, bytes, from, length)
      request.tokenBytes = length
    }
    return 0
  }
}

/** The end of a word: a carriage return in front of the line feed is none of it. */
export function wordEnd(buffer: Buffer, start: number, at: number): number {
  return buffer[at] === LF && at > start && buffer[at - 1] === CR ? at - 1 : at
}
