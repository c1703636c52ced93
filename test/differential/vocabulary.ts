/** Keys, values and numbers that commands are made of: mostly sound ones, some at the edge, some wrong. */
import type { Draw } from './draw.ts'
import { EXACT_SINCE } from './known-differences.ts'

export interface Sizes {
  /** Keys that are seldom asked for, for each connection. */
  readonly coldKeys: number
  /** Share of the values that are large, up to `largeBytesMax`. */
  readonly largeShare: number
  readonly largeBytesMax: number
  /** Share of the values about as large as an item may be. */
  readonly limitShare: number
}

const HOT_KEYS = 6
const HOT_SHARE = 0.6
/** An overlong line ends the connection or not, depending on its cuts. */
const LINE_VALUE_BYTES_MAX = 1000
const MEBIBYTE = 1_048_576
/** Header, key and line end of an item are counted: about here is the limit of a value. */
const LIMIT_SPREAD = 300

/** From here on an older memcached looks for a minus in whatever memory lies behind a number. */
const SIGN_BIT = 2n ** 63n
const UINT64_MAX = 2n ** 64n - 1n
const NUMBERS = [
  '0',
  '1',
  '9',
  '10',
  '99',
  '100',
  '4294967295',
  '18446744073709551615',
  '18446744073709551616',
  '99999999999999999999',
  ' 10',
  '10 ',
  '-1',
  '1a0',
  'abc',
  '007',
] as const
const DELTAS = ['1', '1', '5', '99', '0', '18446744073709551615', '4294967296'] as const
const INITIALS = ['0', '10', '18446744073709551615'] as const
/** Never a few seconds, also if a digit gets lost: each server looks at its clock at another time. */
const EXPTIMES = ['0', '0', '0', '0', '0', '100000', '200000', '2592000', '2147483647'] as const
const EXPTIMES_AT_THE_EDGE = ['-1', '-100', '2592001', '4294967296', '2147483648'] as const
const WRONG_NUMBERS = [
  'x',
  '-1',
  '1.5',
  '99999999999999999999',
  '4294967296',
  '2147483648',
  '0x10',
  '1a',
  '--',
  '18446744073709551616',
  'noreply',
  '0',
  '100000',
  '00070000',
  '2147483646',
  '1e3',
] as const
/** Wrong, or at the edge, where a number is not one of the flags and expiry of a storage command. */
const ODD_NUMBERS = [
  '-',
  '-0',
  '00000000000',
  '000000000000',
  '0000000000000000000001',
  '00000000000000000000001',
] as const

export class Vocabulary {
  readonly #draw: Draw
  readonly #sizes: Sizes
  /** What may come to be counted. */
  readonly #numbers: readonly string[]
  readonly #deltas: readonly string[]
  readonly #initials: readonly string[]
  #bytesMade = 0
  /** Values may come to be read as lines: they are shorter than a line may be. */
  mayBeLines = false
  /** Of the reference: what it does not know is not said. */
  readonly version: number

  constructor(draw: Draw, sizes: Sizes, version: number) {
    this.#draw = draw
    this.#sizes = sizes
    this.version = version
    // See `a counter with its highest bit` in the table of known differences.
    const counted = (texts: readonly string[]): readonly string[] =>
      this.isExact ? texts : texts.filter((text) => !hasHighestBit(text))
    this.#numbers = counted(NUMBERS)
    this.#deltas = counted(DELTAS)
    this.#initials = counted(INITIALS)
  }

  /** Bytes of all values so far. */
  get bytesMade(): number {
    return this.#bytesMade
  }

  /** What is broken may be said, too. */
  get isExact(): boolean {
    return this.version >= EXACT_SINCE
  }

  /** A key of one lane: those of different lanes are never the same. */
  key(lane: number): string {
    const draw = this.#draw
    const name = `${lane}`
    if (draw.chance(HOT_SHARE)) return `${name}hot${draw.below(HOT_KEYS)}`
    return draw.weighted([
      [30, () => `${name}cold${draw.below(this.#sizes.coldKeys)}`],
      [1, () => `${name}\xc3\xa4\xe2\x82\xac`],
      [1, () => `${name}\t\x01\x7f\xff`],
      [1, () => name + 'k'.repeat(250 - name.length)],
      [1, () => `${name}VALUE`],
      [1, () => name],
    ])
  }

  /** What is no key. */
  wrongKey(): string {
    return this.#draw.of(['', 'k'.repeat(251), 'k'.repeat(300)])
  }

  value(): string {
    const made = this.mayBeLines ? this.#value().slice(0, LINE_VALUE_BYTES_MAX) : this.#value()
    this.#bytesMade += made.length
    return made
  }

  #value(): string {
    const draw = this.#draw
    const { largeShare, largeBytesMax, limitShare } = this.#sizes
    if (draw.chance(limitShare)) {
      return 'y'.repeat(MEBIBYTE - LIMIT_SPREAD + draw.below(2 * LIMIT_SPREAD))
    }
    if (draw.chance(largeShare)) return this.#text(draw.below(largeBytesMax))
    return draw.weighted([
      [6, () => draw.of(this.#numbers)],
      [2, () => ''],
      [6, () => this.#text(draw.below(30))],
      [4, () => this.#text(draw.below(1000))],
      [1, () => this.#text(draw.below(10_000))],
      [1, () => 'END\r\n'],
      [1, () => 'VALUE 0hot1 0 3\r\nabc\r\nEND\r\nHD\r\nSTORED\r\n'],
      // Letters around the zero bytes: where one follows digits, servers differ on purpose.
      [2, () => `z${Array.from({ length: draw.below(40) }, () => this.#byte()).join('')}z`],
    ])
  }

  #byte(): string {
    return String.fromCharCode(this.#draw.below(256))
  }

  /** Begins with a letter, so that it is no number whatever its length; shrinks well, or hardly. */
  #text(length: number): string {
    if (length === 0) return ''
    const unit = this.#draw.chance(0.5) ? 97 : 0
    let text = 't'
    let state = this.#draw.below(2 ** 30)
    while (text.length < Math.min(length, 2000)) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      text += String.fromCharCode(unit + ((state >>> 16) % (unit === 0 ? 256 : 6)))
    }
    // A byte that is zero must not follow a digit: see above.
    text = text.replaceAll('\0', '~')
    return text.repeat(Math.ceil(length / text.length)).slice(0, length)
  }

  exptime(): string {
    return this.isExact && this.#draw.chance(0.08)
      ? this.#draw.of(EXPTIMES_AT_THE_EDGE)
      : this.#draw.of([...EXPTIMES])
  }

  flags(): string {
    return this.#draw.of(['0', '0', '0', '1', '7', '65535', '4294967295'])
  }

  delta(): string {
    return this.#draw.of(this.#deltas)
  }

  /** What a counter begins with, in the binary protocol. */
  initial(): string {
    return this.#draw.of(this.#initials)
  }

  oddNumber(): string {
    return this.#draw.chance(0.3) ? this.#draw.of(ODD_NUMBERS) : this.wrongNumber()
  }

  wrongNumber(): string {
    return this.#draw.of(WRONG_NUMBERS)
  }
}

/** Of a number of 64 bits. */
function hasHighestBit(text: string): boolean {
  return /^\d+$/.test(text) && BigInt(text) >= SIGN_BIT && BigInt(text) <= UINT64_MAX
}
