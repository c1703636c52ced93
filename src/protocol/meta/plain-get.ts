/** The meta command that is sent most, read in a single pass; the parser of all the others is slower. */
import { CR, LF, SPACE } from '../../bytes/ascii.ts'
import type { InputWindow } from '../../bytes/input-window.ts'
import { OP, OPTION } from '../../message/codes.ts'
import type { Request } from '../../message/request.ts'
import { KEY_BYTES_MAX } from '../text/fields.ts'
import { FLAG, bitOf } from './flags.ts'

/** Beside the bits of a request: the reply shows something for the letter; nothing is said of a miss. */
const PLAIN_SHOWN: number = 1 << 29
const PLAIN_QUIET: number = 1 << 30

/** What a letter that stands alone means for mg: bits of the request, or 0 for one that does not. */
const PLAIN_GET: Int32Array = new Int32Array(256)
PLAIN_GET[FLAG.showValue] = OPTION.VALUE
PLAIN_GET[FLAG.quiet] = PLAIN_QUIET
PLAIN_GET[FLAG.showCas] = PLAIN_SHOWN
PLAIN_GET[FLAG.showClientFlags] = PLAIN_SHOWN
PLAIN_GET[FLAG.showSize] = PLAIN_SHOWN
PLAIN_GET[FLAG.showKey] = PLAIN_SHOWN | OPTION.DETAILS
PLAIN_GET[FLAG.showTtl] = PLAIN_SHOWN | OPTION.DETAILS
PLAIN_GET[FLAG.showIdle] = PLAIN_SHOWN | OPTION.DETAILS
PLAIN_GET[FLAG.showHit] = PLAIN_SHOWN | OPTION.DETAILS

/**
 * Reads mg, a key, and flags that are letters alone. Returns
 * false, with nothing consumed, if the line is another one or is not whole.
 */
export function readPlainGet(input: InputWindow, request: Request): boolean {
  const { buffer } = input.bytes
  const { end } = input
  const keyStart = input.start + 3
  let at = input.ahead.endOf(keyStart)
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
