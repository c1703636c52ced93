/** The numbers of changes, which are also the cas values: 64 bits as two words, growing for ever. */

const WORD = 2 ** 32
const WORD_MAX = WORD - 1

export class CasSequence {
  hi = 0
  lo = 0

  /** The last number as an integer; it is exact up to 2^53, which no server gets to. */
  get value(): number {
    return this.hi * WORD + this.lo
  }

  startAfter(value: number): void {
    this.hi = Math.floor(value / WORD)
    this.lo = value % WORD
  }

  advance(): void {
    if (this.lo === WORD_MAX) {
      this.lo = 0
      this.hi++
    } else {
      this.lo++
    }
  }
}
