/** The value of a counter: as a pair of words, and as the digits that they print as. */
import { bytesOf } from '../bytes/ascii.ts'
import type { Bytes } from '../bytes/ascii.ts'
import { U64_DIGITS_MAX } from '../bytes/u64.ts'
import type { U64 } from '../bytes/u64.ts'

export class Counter implements U64 {
  hi = 0
  lo = 0
  /** The digits, from the start of the buffer on. */
  readonly digits: Bytes = bytesOf(Buffer.alloc(U64_DIGITS_MAX))
  digitCount = 0
}
