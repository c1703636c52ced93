/**
 * Where this server may answer otherwise than memcached: the one table, each row with a reason. A row
 * is looked up for two replies that are not the same; it says which of them may differ, and how.
 * `docs/PROTOCOL.md` has the same differences for people, and those that no reply shows by itself: the
 * commands that would show them are not drawn (`unseen`).
 */
import type { LinePiece, Piece } from './replies.ts'

export interface Setting {
  /** Of the reference: 1.6.18 is 10618. */
  readonly version: number
  readonly hasDisk: boolean
}

interface Rule {
  readonly name: string
  readonly reason: string
  /** Only of a reference older than this. */
  readonly before?: number
}

/** A word of a line, as memcached and as we say it. Cas numbers are compared elsewhere. */
interface WordRule extends Rule {
  readonly may: (theirs: string, ours: string, line: string, setting: Setting) => boolean
}

/** A whole line or frame. */
interface PieceRule extends Rule {
  readonly may: (theirs: Piece, ours: Piece) => boolean
}

/** A piece of the reference that has no counterpart. */
interface ExtraRule extends Rule {
  readonly isExtra: (theirs: Piece, before: Piece | undefined) => boolean
}

/** Statuses of the binary protocol. */
const EXISTS = 2
const NON_NUMERIC = 6
const VERSION_OPCODE = 0x0b
const CLOCK_SLACK_S = 3
const OVERFLOWN_S = 4_000_000_000

/**
 * The version whose answers are wanted byte for byte, to what is broken, too. 1.6.18 swallows other values
 * after an error, answers `ERROR` where `noreply` is the last word of what it does not know, counts the
 * words of a `delete`, and reads other numbers as times: nothing behind such a command could be compared.
 * So an older reference is asked what is sound, and its errors are those of sound commands.
 */
export const EXACT_SINCE = 10_645

export const WORD_RULES: readonly WordRule[] = [
  {
    name: 'seconds to live',
    reason: 'each server has read its clock at another time',
    may: (theirs, ours) => {
      const [a, b] = [numberBehind('t', theirs), numberBehind('t', ours)]
      return a >= 0 && b >= 0 && Math.abs(a - b) <= CLOCK_SLACK_S
    },
  },
  {
    name: 'no seconds left',
    reason: 't of an item whose time is over by T is 0 here, a number near 2^32 there',
    may: (theirs, ours) => numberBehind('t', theirs) > OVERFLOWN_S && ours === 't0',
  },
  {
    name: 'seconds since the last use',
    reason: 'l and la count from the last use here; there some uses do not count',
    may: (theirs, ours) => /^(?:l|la=)\d+$/.test(theirs) && /^(?:l|la=)\d+$/.test(ours),
  },
  {
    name: 'expiry of a clock',
    reason: 'exp= counts seconds from another instant',
    may: (theirs, ours) =>
      Math.abs(numberBehind('exp=', theirs) - numberBehind('exp=', ours)) <= CLOCK_SLACK_S,
  },
  {
    name: 'expiry in the next century',
    reason: 'me prints it with a sign there, and it has none',
    may: (theirs, ours) => /^exp=-\d{9,}$/.test(theirs) && /^exp=\d{10,}$/.test(ours),
  },
  {
    name: 'class and size of an item',
    reason: 'memory is laid out differently',
    may: (theirs, ours) => /^(?:cls|size)=\d+$/.test(theirs) && /^(?:cls|size)=\d+$/.test(ours),
  },
  {
    name: 'read before it went to disk',
    reason:
      'h says whether an item was read before it was written: a read would have to be written',
    may: (theirs, ours, line, { hasDisk }) =>
      hasDisk &&
      ((/^h[01]$/.test(theirs) && /^h[01]$/.test(ours)) ||
        (line.startsWith('ME ') && theirs.startsWith('fetch=') && ours.startsWith('fetch='))),
  },
]

export const PIECE_RULES: readonly PieceRule[] = [
  {
    name: 'an empty value and another cas number',
    reason: 'counting under a cas number, memcached looks first whether there is any value at all',
    may: (theirs, ours) =>
      (isLine(theirs, /^CLIENT_ERROR cannot increment or decrement non-numeric value$/) &&
        isLine(ours, /^EX/)) ||
      (isFailure(theirs, NON_NUMERIC) && isFailure(ours, EXISTS)),
  },
  {
    name: 'version',
    reason: 'it is that of the memcached at hand; here always that of 1.6.45',
    before: EXACT_SINCE,
    may: (theirs, ours) =>
      (isLine(theirs, /^VERSION 1\.6\.\d+$/) && isLine(ours, /^VERSION 1\.6\.45$/)) ||
      (isVersion(theirs) && isVersion(ours)),
  },
  {
    name: 'an empty line is a malformed one',
    reason: '1.6.18 answers ERROR to it, and to a line of too few words',
    before: EXACT_SINCE,
    may: (theirs, ours) =>
      isLine(theirs, /^ERROR$/) && isLine(ours, /^CLIENT_ERROR bad command line format$/),
  },
  {
    name: 'words of errors',
    reason: '1.6.18 has other words for what is wrong with a flag, and for a shutdown',
    before: EXACT_SINCE,
    may: (theirs, ours) =>
      (isLine(theirs, /^CLIENT_ERROR /) && isLine(ours, /^CLIENT_ERROR /)) ||
      (isLine(theirs, /^ERROR: shutdown/) && isLine(ours, /^SERVER_ERROR: shutdown/)),
  },
  {
    name: 'a miss repeats key and token',
    reason: '1.6.18 answers EN, NF, NS and EX alone',
    before: EXACT_SINCE,
    may: (theirs, ours) =>
      theirs.kind === 'line' &&
      ours.kind === 'line' &&
      /^(?:EN|NF|NS|EX)$/.test(theirs.line) &&
      ours.line.startsWith(`${theirs.line} `),
  },
]

export const EXTRA_RULES: readonly ExtraRule[] = [
  {
    name: 'a line too many',
    reason: 'memcached sends an empty line behind the error of a get whose key is too long',
    isExtra: (theirs, before) =>
      isLine(theirs, /^$/) && before !== undefined && isLine(before, /^CLIENT_ERROR /),
  },
]

/** Differences that no reply shows by itself, and how they are kept out of the draw. */
export const UNSEEN: readonly Rule[] = [
  {
    name: 'counter under way',
    reason:
      'there it is not filled up with spaces while a reply that shows it has not left: counters come first',
  },
  {
    name: 'a counter with its highest bit',
    before: EXACT_SINCE,
    reason:
      '1.6.18 looks for a minus in the memory behind it, and calls it no number where one is left over: not drawn',
  },
  {
    name: 'replies taken back',
    reason: 'there a get with a key too long drops the replies before it: such a get is alone',
  },
  {
    name: 'keys before a key too long',
    reason: 'there they have been read, and touched, when the error is found: not drawn',
  },
  {
    name: 'signs and white space in a number',
    reason:
      'there they may stand around flags and expiry of a storage command, here a number has digits: not drawn',
  },
  { name: 'zero byte in a number', reason: 'none is drawn beside a digit' },
  { name: 'only spaces as a number', reason: 'memcached reads memory behind it: no such value' },
  { name: 'digits in a large value', reason: 'large values begin with a letter' },
  { name: 'shortened names', reason: 'fl is flush_all there: no slip in such a command' },
  { name: 'T and E of ma', reason: 'they are lost there where the counter grows: not drawn' },
  {
    name: 'opaque too long',
    reason: 'mg has touched and ma has counted there before it is noticed: of ms and md only',
  },
  { name: 'E0', reason: 'a cas number of 0 there, none here: not drawn' },
  { name: 'key of me in base64', reason: 'ignored there: not drawn' },
  { name: 'body of an unknown command', reason: 'skipped twice there: not drawn' },
  { name: 'value behind GAT, TOUCH and STAT', reason: 'read as a request there: not drawn' },
  {
    name: 'flush_all with a delay',
    reason:
      'a second more or less there, and some of what an earlier flush has hidden is shown again: not drawn',
  },
  {
    name: 'overlong line',
    reason: 'whether it ends the connection depends on its cuts: not drawn',
  },
  { name: 'stats', reason: 'different programs have different figures: only errors are drawn' },
  {
    name: 'meta commands by prefix',
    reason: 'stats detail does not count them there: no dump is drawn',
  },
]

function isVersion(piece: Piece): boolean {
  return piece.kind === 'frame' && piece.frame.opcode === VERSION_OPCODE
}

function isFailure(piece: Piece, status: number): boolean {
  return piece.kind === 'frame' && piece.frame.status === status
}

function numberBehind(prefix: string, word: string): number {
  return word.startsWith(prefix) && /^\d+$/.test(word.slice(prefix.length))
    ? Number(word.slice(prefix.length))
    : Number.NaN
}

function isLine(piece: Piece, form: RegExp): piece is LinePiece {
  return piece.kind === 'line' && piece.value === undefined && form.test(piece.line)
}
