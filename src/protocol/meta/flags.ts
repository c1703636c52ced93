/**
 * The letters of the meta commands (doc/protocol.txt of memcached 1.6.45, "Meta commands"), and what
 * each verb shows of them.
 *
 * A set of letters is two words, one bit for each of 32 upper case and 32 lower case letters.
 */

/** The second letter of a verb. */
export const VERB = { get: 103, set: 115, delete: 100, arithmetic: 97, debug: 101 } as const

export const FLAG = {
  cas: 0x43,
  delta: 0x44,
  newCas: 0x45,
  clientFlags: 0x46,
  invalidate: 0x49,
  initial: 0x4a,
  /** For proxies, as `P` is. */
  path: 0x4c,
  mode: 0x4d,
  vivify: 0x4e,
  opaque: 0x4f,
  proxy: 0x50,
  recache: 0x52,
  touch: 0x54,
  base64: 0x62,
  showCas: 0x63,
  showClientFlags: 0x66,
  showHit: 0x68,
  showKey: 0x6b,
  showIdle: 0x6c,
  quiet: 0x71,
  showSize: 0x73,
  showTtl: 0x74,
  peek: 0x75,
  showValue: 0x76,
  empty: 0x78,
} as const

/** memcached takes flags within these bounds; another byte makes the line one that it cannot read. */
export const LETTER_MIN = 0x41
export const LETTER_MAX = 0x7a
/** From here on letters are lower case. */
export const LOWER_CASE = 0x60
/** memcached's MFLAG_MAX_OPT_LENGTH: words of a line, verb and key among them. */
export const WORDS_MAX = 20

/** The bit of a letter in the word of its case. */
export function bitOf(letter: number): number {
  return 1 << (letter & 31)
}

/** A set of letters of one case. */
function lettersOf(letters: string): number {
  let set = 0
  for (const letter of letters) set |= bitOf(letter.charCodeAt(0))
  return set
}

/** Flags that matter for the reply of a verb in their order. The expiry is one where `t` shows it. */
const GET_UPPER = lettersOf('OTN')
const GET_LOWER = lettersOf('kstcfhl')
const ARITHMETIC_LOWER = lettersOf('ktc')
const SET_LOWER = lettersOf('kcs')
const DELETE_LOWER = lettersOf('k')
const OPAQUE_ONLY = lettersOf('O')

/** A `ma` or `ms` with one of these has something to show of the item as it became. */
export const ARITHMETIC_ITEM_UPPER: number = lettersOf('TNE')
export const ARITHMETIC_ITEM_LOWER: number = lettersOf('tc')
export const SET_ITEM_LOWER: number = lettersOf('cs')

/** Upper case letters that the reply of a verb has to know. */
export function shownUpper(verb: number): number {
  switch (verb) {
    case VERB.get:
    case VERB.arithmetic:
      return GET_UPPER
    case VERB.set:
    case VERB.delete:
      return OPAQUE_ONLY
    default:
      return 0
  }
}

/** Lower case letters that it has to know. */
export function shownLower(verb: number): number {
  switch (verb) {
    case VERB.get:
      return GET_LOWER
    case VERB.arithmetic:
      return ARITHMETIC_LOWER
    case VERB.set:
      return SET_LOWER
    case VERB.delete:
      return DELETE_LOWER
    default:
      return 0
  }
}
