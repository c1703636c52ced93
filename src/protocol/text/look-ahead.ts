/**
 * Finds the keys of commands before their turn, at a glance: what is no command of the usual form ends the
 * looking, and nothing is judged. Never reads past `input.end`, but for the sentinel that it puts there.
 */
import { CR, LF, NINE, SPACE, ZERO } from '../../bytes/ascii.ts'
import type { InputWindow } from '../../bytes/input-window.ts'
import { TRAILER_BYTES } from './fields.ts'
import { LINE_START } from './verbs.ts'

/** A shorter line has no key. */
const LINE_BYTES_MIN = 6
const M = 109
const S = 115
const META_VERB_BYTES = 3
/** Of what follows the key: numbers before the length of a value. */
const NUMBERS_BEFORE_LENGTH = 2
/** What is longer does not end in this window. */
const LENGTH_MAX = 2 ** 24

/** Looks at the commands from the next one on. */
export function lookAhead(input: InputWindow): void {
  const { ahead, bytes, end } = input
  const { buffer } = bytes
  let at = input.start
  ahead.begin(bytes, at)
  buffer[end] = LF
  while (!ahead.isFull && end - at >= LINE_BYTES_MIN) {
    const word = bytes.view.getInt32(at, true)
    const isMeta = buffer[at] === M && buffer[at + 2] === SPACE
    const keyStart = at + (isMeta ? META_VERB_BYTES : verbBytes(word))
    if (keyStart === at) break
    let position = keyStart
    while (buffer[position]! > SPACE) position++
    if (position >= end) break
    ahead.add(keyStart, position)
    if (word === LINE_START.get || word === LINE_START.gets) {
      at = addKeys(input, position)
      continue
    }
    let valueBytes = 0
    if (isMeta ? buffer[at + 1] === S : hasValue(word)) {
      valueBytes = valueBytesAfter(buffer, position, isMeta ? 0 : NUMBERS_BEFORE_LENGTH)
    }
    while (buffer[position] !== LF) position++
    at = position + 1 + valueBytes
  }
  ahead.until = at
}

/** Looks at the keys of a line that is known to be whole, from the next one on. */
export function lookAlongLine(input: InputWindow): void {
  const { ahead, bytes, start } = input
  ahead.begin(bytes, start)
  ahead.until = addKeys(input, start)
}

/** Notes the keys of a line from a position on. Returns the position behind them, or behind the line. */
function addKeys({ ahead, bytes, end }: InputWindow, from: number): number {
  const { buffer } = bytes
  let at = from
  while (!ahead.isFull) {
    while (buffer[at] === SPACE) at++
    const keyStart = at
    while (buffer[at]! > SPACE) at++
    if (at >= end) return at
    if (at > keyStart) ahead.add(keyStart, at)
    if (buffer[at] === SPACE) continue
    if (buffer[at] === CR) at++
    // Another byte in the middle of a key: it is looked at again when the key has had its turn.
    return buffer[at] === LF ? at + 1 : at
  }
  return at
}

/** Bytes of a verb that a key follows, with the space between them; 0 if it is none. */
function verbBytes(word: number): number {
  switch (word) {
    case LINE_START.get:
    case LINE_START.set:
    case LINE_START.add:
    case LINE_START.cas:
      return 4
    case LINE_START.gets:
    case LINE_START.incr:
    case LINE_START.decr:
      return 5
    case LINE_START.touch:
      return 6
    case LINE_START.delete:
    case LINE_START.append:
      return 7
    case LINE_START.prepend:
    case LINE_START.replace:
      return 8
    default:
      return 0
  }
}

function hasValue(word: number): boolean {
  switch (word) {
    case LINE_START.set:
    case LINE_START.add:
    case LINE_START.cas:
    case LINE_START.append:
    case LINE_START.prepend:
    case LINE_START.replace:
      return true
    default:
      return false
  }
}

/** The length of a value, with the line end behind it, that stands behind some other numbers. */
function valueBytesAfter(buffer: Buffer, from: number, numbersBefore: number): number {
  let at = from + 1
  for (let skipped = 0; skipped < numbersBefore; skipped++) {
    while (buffer[at]! > SPACE) at++
    if (buffer[at++] !== SPACE) return 0
  }
  let length = 0
  for (let byte = buffer[at]!; byte >= ZERO && byte <= NINE; byte = buffer[++at]!) {
    length = length * 10 + (byte - ZERO)
    if (length > LENGTH_MAX) return 0
  }
  return length + TRAILER_BYTES
}
