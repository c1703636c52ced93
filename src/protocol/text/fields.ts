/** The fields of a command line, of text and meta commands alike: their limits, and their numbers. */
import { MINUS, NINE, ZERO } from '../../bytes/ascii.ts'
import { parseU64 } from '../../bytes/u64.ts'
import type { U64 } from '../../bytes/u64.ts'

/** memcached's KEY_MAX_LENGTH. */
export const KEY_BYTES_MAX = 250
/** memcached's INT_MAX - 2: above this a length is no length. */
const VALUE_BYTES_MAX = 2_147_483_645
/** Line end that follows a value. */
export const TRAILER_BYTES = 2

/** A length in decimal digits, or -1. */
export function parseLength(buffer: Buffer, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at++) {
    const byte = buffer[at]!
    if (byte < ZERO || byte > NINE) return -1
    value = value * 10 + (byte - ZERO)
    if (value > VALUE_BYTES_MAX) return -1
  }
  return value
}

/** A signed number; its low 32 bits are what counts, as memcached reads an expiry. */
export function parseExptime(buffer: Buffer, start: number, end: number, out: U64): boolean {
  if (start < end && buffer[start] === MINUS) {
    if (!parseU64(buffer, start + 1, end, out)) return false
    out.lo = -out.lo
    return true
  }
  return parseU64(buffer, start, end, out)
}
