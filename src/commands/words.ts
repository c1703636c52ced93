/** The words behind the verb of a command to the server. None of these is frequent, so they are strings. */
import type { Request } from '../message/request.ts'

const U32_MAX = 0xffff_ffff
const I32_MAX = 0x7fff_ffff
/** A longer word is no number, in memcached neither. */
const NUMBER_CHARACTERS_MAX = 11

/** One string for each word, one character a byte. */
export function wordsOf(request: Request): string[] {
  const { bytes, keyStart, keyBytes } = request
  const text = bytes.buffer.toString('latin1', keyStart, keyStart + keyBytes)
  return text.split(' ').filter((word) => word !== '')
}

/** Whether a word is the beginning of a name: memcached compares as many letters as it is given. */
export function names(word: string | undefined, name: string): boolean {
  return word !== undefined && word !== '' && name.startsWith(word)
}

/** An unsigned integer of 32 bits; NaN where a word is none. */
export function unsigned(word: string | undefined): number {
  if (word === undefined || word.length > NUMBER_CHARACTERS_MAX || !/^\d+$/.test(word)) {
    return Number.NaN
  }
  const value = Number(word)
  return value <= U32_MAX ? value : Number.NaN
}

/** A signed one. */
export function signed(word: string | undefined): number {
  if (word === undefined || !/^-?\d+$/.test(word)) return Number.NaN
  const value = Number(word)
  return value <= I32_MAX && value >= -I32_MAX - 1 ? value : Number.NaN
}

/** A number with a fraction. */
export function fractional(word: string | undefined): number {
  return word === undefined || word === '' ? Number.NaN : Number(word)
}
