/** The fields of a command line, of text and meta commands alike: their limits, and their numbers. */
import { MINUS, NINE, ZERO } from '../../bytes/ascii.ts'
import { parseU64 } from '../../bytes/u64.ts'
import type { U64 } from '../../bytes/u64.ts'

/** memcached's KEY_MAX_LENGTH. */
export const KEY_BYTES_MAX = 250
/** memcached's INT_MAX - 2: above this a length is no length. */
const VALUE_BYTES_MAX = 2_147_483_645
/** The largest number of 32 bits with sign, and the upper word of the largest of 64. */
const EXPTIME_MAX = 0x7fff_ffff
const HIGH_WORD_MAX = 0x7fff_ffff
/** memcached's MCMC_TOKTO32_MAX and MCMC_TOKTO64_MAX: a longer word is no number, whatever it would be. */
const NUMBER_32_CHARACTERS_MAX = 11
const NUMBER_64_CHARACTERS_MAX = 22
/** Line end that follows a value. */
export const TRAILER_BYTES = 2

/** A length in decimal digits, or -1. As in memcached, a minus alone and one of zeros are 0. */
export function parseLength(buffer: Buffer, start: number, end: number): number {
  if (end - start > NUMBER_32_CHARACTERS_MAX) return -1
  let value = 0
  const isNegative = start < end && buffer[start] === MINUS
  for (let at = isNegative ? start + 1 : start; at < end; at++) {
    const byte = buffer[at]!
    if (byte < ZERO || byte > NINE) return -1
    value = value * 10 + (byte - ZERO)
    if (value > VALUE_BYTES_MAX) return -1
  }
  return isNegative && value > 0 ? -1 : value
}

/** An unsigned number of 64 bits, in as many characters as memcached reads. */
export function parseNumber(buffer: Buffer, start: number, end: number, out: U64): boolean {
  return end - start <= NUMBER_64_CHARACTERS_MAX && parseU64(buffer, start, end, out)
}

/** An unsigned number of 32 bits. */
export function parseWord(buffer: Buffer, start: number, end: number, out: U64): boolean {
  if (end - start > NUMBER_32_CHARACTERS_MAX) return false
  return parseU64(buffer, start, end, out) && out.hi === 0
}

/** An expiry: 32 bits with sign. As in memcached, a minus alone is 0. */
export function parseExptime(buffer: Buffer, start: number, end: number, out: U64): boolean {
  if (end - start > NUMBER_32_CHARACTERS_MAX) return false
  if (end - start === 1 && buffer[start] === MINUS) {
    out.hi = 0
    out.lo = 0
    return true
  }
  if (!parseStorageExptime(buffer, start, end, out)) return false
  return out.hi === 0 && out.lo <= EXPTIME_MAX && out.lo >= -EXPTIME_MAX - 1
}

/**
 * The expiry of a classic storage command, which memcached reads otherwise than all others: 64 bits with
 * sign, of which the lower 32 count.
 */
export function parseStorageExptime(buffer: Buffer, start: number, end: number, out: U64): boolean {
  const isNegative = start < end && buffer[start] === MINUS
  if (!parseU64(buffer, isNegative ? start + 1 : start, end, out)) return false
  if (out.hi > HIGH_WORD_MAX && !(isNegative && out.hi === HIGH_WORD_MAX + 1 && out.lo === 0)) {
    return false
  }
  if (isNegative) out.lo = -out.lo
  return true
}
