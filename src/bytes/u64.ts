/**
 * Unsigned 64-bit integers as pairs of 32-bit words, because a BigInt costs 36 to 69 ns where a
 * pair costs 1 to 5. A pair is two numbers (`hi`, `lo`), each from 0 to 2^32 - 1; where a function
 * has to return one, it writes it into a `U64` that the caller owns.
 */
import { NINE, ZERO, printPadded, printU32 } from './ascii.ts'

const WORD = 4_294_967_296
/** The largest integer below which every digit of a double is exact, over one word. */
const HI_EXACT = 0x1f_ffff
const BILLION = 1_000_000_000
/** A number of so many digits fits 31 bits. */
const SMI_DIGITS = 9
/** A number of so many digits is exact in a double. */
const EXACT_DIGITS = 15
/** 2^64 - 1 has twenty digits. */
export const U64_DIGITS_MAX = 20

export interface U64 {
  hi: number
  lo: number
}

/**
 * Parses decimal digits and nothing else. Returns false for an empty range, for any other byte
 * and for what does not fit 64 bits; `out` is then undefined.
 */
export function parseU64(buffer: Buffer, start: number, end: number, out: U64): boolean {
  const length = end - start
  if (length <= 0) return false
  if (length <= SMI_DIGITS) {
    let small = 0
    for (let i = start; i < end; i++) {
      const digit = buffer[i]! - ZERO
      if (digit < 0 || digit > 9) return false
      small = (small * 10 + digit) | 0
    }
    out.hi = 0
    out.lo = small
    return true
  }
  let value = 0
  if (length <= EXACT_DIGITS) {
    for (let i = start; i < end; i++) {
      const digit = buffer[i]!
      if (digit < ZERO || digit > NINE) return false
      value = value * 10 + (digit - ZERO)
    }
    out.hi = Math.floor(value / WORD)
    out.lo = value - out.hi * WORD
    return true
  }
  let hi = 0
  let lo = 0
  for (let i = start; i < end; i++) {
    const digit = buffer[i]!
    if (digit < ZERO || digit > NINE) return false
    const loNext = lo * 10 + (digit - ZERO)
    const carry = Math.floor(loNext / WORD)
    lo = loNext - carry * WORD
    hi = hi * 10 + carry
    if (hi >= WORD) return false
  }
  out.hi = hi
  out.lo = lo
  return true
}

/** Writes the decimal digits of a pair. Returns the position after them. */
export function printU64(buffer: Buffer, at: number, hi: number, lo: number): number {
  if (hi === 0) return printU32(buffer, at, lo)
  if (hi <= HI_EXACT) {
    const value = hi * WORD + lo
    const billions = Math.floor(value / BILLION)
    return printPadded(buffer, printSmall(buffer, at, billions), value - billions * BILLION, 9)
  }
  // Long division by a billion in base 2^16: every step stays below 2^46.
  let rest = 0
  let q3 = Math.floor(hi / 65536)
  rest = q3 % BILLION
  q3 = Math.floor(q3 / BILLION)
  let step = rest * 65536 + (hi % 65536)
  const q2 = Math.floor(step / BILLION)
  step = (step - q2 * BILLION) * 65536 + Math.floor(lo / 65536)
  const q1 = Math.floor(step / BILLION)
  step = (step - q1 * BILLION) * 65536 + (lo % 65536)
  const q0 = Math.floor(step / BILLION)
  rest = step - q0 * BILLION
  // The quotient is below 2^64 / 10^9, so it fits a double: (q3, q2, q1, q0) in base 2^16.
  const quotient = ((q3 * 65536 + q2) * 65536 + q1) * 65536 + q0
  return printPadded(buffer, printSmall(buffer, at, quotient), rest, 9)
}

/** Writes an integer below 10^18 that a double holds exactly. */
function printSmall(buffer: Buffer, at: number, value: number): number {
  if (value < WORD) return printU32(buffer, at, value)
  const billions = Math.floor(value / BILLION)
  return printPadded(buffer, printU32(buffer, at, billions), value - billions * BILLION, 9)
}

/** `out` = a + b, modulo 2^64. */
export function addU64(aHi: number, aLo: number, bHi: number, bLo: number, out: U64): void {
  const lo = aLo + bLo
  const hi = aHi + bHi + (lo >= WORD ? 1 : 0)
  out.lo = lo >= WORD ? lo - WORD : lo
  out.hi = hi >= WORD ? hi - WORD : hi
}

/** `out` = a - b, or 0 where b is larger. */
export function subtractU64(aHi: number, aLo: number, bHi: number, bLo: number, out: U64): void {
  if (aHi < bHi || (aHi === bHi && aLo <= bLo)) {
    out.hi = 0
    out.lo = 0
    return
  }
  const lo = aLo - bLo
  const borrow = lo < 0 ? 1 : 0
  out.lo = lo + borrow * WORD
  out.hi = aHi - bHi - borrow
}

/** The pair as a BigInt, for reports and tests. */
export function toBigInt(hi: number, lo: number): bigint {
  return (BigInt(hi) << 32n) | BigInt(lo)
}
