/**
 * Base64 in place, from bytes to bytes, as memcached reads and writes it: bytes that are no digit of
 * it are skipped, and what stands behind the padding counts for nothing.
 */
import type { Bytes } from '../../bytes/ascii.ts'

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const PADDING = 61
const NO_DIGIT = 0x80

/** Digit by value, and value by digit; padding is worth 0. */
const DIGIT = Uint8Array.from(DIGITS, (digit) => digit.charCodeAt(0))
const VALUE = new Uint8Array(256).fill(NO_DIGIT)
for (let value = 0; value < DIGIT.length; value++) VALUE[DIGIT[value]!] = value
VALUE[PADDING] = 0

/** Bytes that encoded bytes take, with padding. */
export function encodedBytes(length: number): number {
  return Math.ceil(length / 3) * 4
}

/** Writes bytes as base64. Returns the position behind. */
export function encode(
  target: Buffer,
  at: number,
  source: Bytes,
  start: number,
  length: number,
): number {
  const { buffer } = source
  const end = start + length
  let to = at
  for (let from = start; from < end; from += 3) {
    const a = buffer[from]!
    const b = from + 1 < end ? buffer[from + 1]! : 0
    const c = from + 2 < end ? buffer[from + 2]! : 0
    target[to] = DIGIT[a >>> 2]!
    target[to + 1] = DIGIT[((a & 3) << 4) | (b >>> 4)]!
    target[to + 2] = from + 1 < end ? DIGIT[((b & 15) << 2) | (c >>> 6)]! : PADDING
    target[to + 3] = from + 2 < end ? DIGIT[c & 63]! : PADDING
    to += 4
  }
  return to
}

/** Writes what base64 stands for to the start of `target`. Returns its length, 0 if it is none. */
export function decode(target: Buffer, source: Buffer, start: number, end: number): number {
  let digits = 0
  for (let at = start; at < end; at++) if (VALUE[source[at]!] !== NO_DIGIT) digits++
  if (digits === 0 || digits % 4 !== 0) return 0
  let word = 0
  let padding = 0
  let to = 0
  digits = 0
  for (let at = start; at < end; at++) {
    const byte = source[at]!
    const value = VALUE[byte]!
    if (value === NO_DIGIT) continue
    if (byte === PADDING) padding++
    word = (word << 6) | value
    if (++digits % 4 !== 0) continue
    target[to] = word >>> 16
    target[to + 1] = word >>> 8
    target[to + 2] = word
    to += 3
    word = 0
    if (padding > 0) return padding > 2 ? 0 : to - padding
  }
  return to
}
