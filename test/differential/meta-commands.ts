/** Meta commands, sound and broken. */
import type { Draw } from './draw.ts'
import { command } from './steps.ts'
import type { Command, Part } from './steps.ts'
import { slipped } from './text-commands.ts'
import type { Vocabulary } from './vocabulary.ts'

type Verb = 'mg' | 'ms' | 'md' | 'ma'

/**
 * Flags by their command, those more than once that should come often. Left out is what differs on
 * purpose and cannot be told from the replies: `T` and `E` of `ma`.
 */
const FLAGS: Readonly<Record<Verb, string>> = {
  mg: 'vvvvktscfhuqOTNRCEb',
  ms: 'TTFFMMIkcOCENqbs',
  md: 'IIxTkOqCEb',
  ma: 'NNJDDMMqtcvvkOCb',
}
/** Those that 1.6.18 knows and that mean the same in it. */
const FLAGS_OF_OLDER: Readonly<Record<Verb, string>> = {
  mg: 'vvvvktscfhuqOTNRb',
  ms: 'TTFFMMIkcOCqb',
  md: 'IITkOqCb',
  ma: 'NNJDDMMtcvvkOCb',
}
/** A longer key is, in base64, longer than a key may be: it counts so in 1.6.18. */
const ENCODED_BYTES_MAX = 187
const WRONG_FLAGS = 'zy!1~[AS'
const OPAQUE_BYTES_MAX = 31
/** A cas number that no server would come to by itself. */
const EXPLICIT_CAS_BASE = 7_000_000_000_000

export interface Wanted {
  readonly draw: Draw
  readonly words: Vocabulary
  readonly lane: number
  /** A key whose cas number was shown just before. */
  readonly shown?: string
}

export function metaCommand(wanted: Wanted): Command {
  const { draw, words, lane } = wanted
  const verb = draw.of(['mg', 'mg', 'mg', 'ms', 'ms', 'md', 'ma'])
  if (words.isExact && draw.chance(0.02)) return command(`me ${words.key(lane)}\r\n`)
  const made = sound(wanted, verb)
  return words.mayBeLines && draw.chance(0.08) ? slipped(draw, made) : made
}

function sound({ draw, words, lane, shown }: Wanted, verb: Verb): Command {
  const plainKey =
    words.mayBeLines && draw.chance(0.02) ? words.wrongKey() : (shown ?? words.key(lane))
  const parts: Part[] = []
  const known = words.isExact
    ? FLAGS[verb]
    : FLAGS_OF_OLDER[verb].replace(plainKey.length > ENCODED_BYTES_MAX ? 'b' : '', '')
  const letters =
    words.mayBeLines && draw.chance(0.06) ? doubled(draw, known) : distinct(draw, known)
  for (const letter of letters)
    parts.push(...flag({ draw, words, lane, shown: plainKey }, verb, letter))
  let key = plainKey
  if (letters.includes('b') && (!words.isExact || draw.chance(0.95))) {
    key = Buffer.from(plainKey, 'latin1').toString('base64')
  }
  if (verb !== 'ms') return command(`${verb} ${key}`, ...parts, '\r\n')
  const isWrong = words.mayBeLines && draw.chance(0.06)
  const value = words.value()
  const length = isWrong ? words.oddNumber() : String(value.length)
  return command(`ms ${key} ${length}`, ...parts, `\r\n${value}\r\n`)
}

function distinct(draw: Draw, from: string): string[] {
  const letters = new Set<string>()
  for (let count = draw.of([0, 1, 2, 3, 4, 6]); count > 0; count--) {
    letters.add(from.charAt(draw.below(from.length)))
  }
  return [...letters]
}

function doubled(draw: Draw, from: string): string[] {
  const all = from + WRONG_FLAGS
  return Array.from({ length: draw.between(1, 5) }, () => all.charAt(draw.below(all.length)))
}

/** A flag with what stands behind it. */
function flag({ draw, words, shown }: Wanted, verb: Verb, letter: string): Part[] {
  const wrongly = (token: string): string =>
    words.isExact && draw.chance(0.03) ? words.oddNumber() : token
  switch (letter) {
    case 'T':
      return [` T${wrongly(words.exptime())}`]
    case 'N':
      return [` N${wrongly(draw.of(['0', '100', '1000', '-1']))}`]
    case 'R':
      return [` R${wrongly(draw.of(['30', '500', '5000']))}`]
    case 'F':
      return [` F${wrongly(words.flags())}`]
    case 'D':
    case 'J':
      return [` ${letter}${wrongly(words.delta())}`]
    case 'O':
      // In `mg` and `ma` the command has been carried out when the error is noticed.
      if (words.mayBeLines && (verb === 'ms' || verb === 'md') && draw.chance(0.03)) {
        return [` O${'o'.repeat(OPAQUE_BYTES_MAX + draw.between(1, 9))}`]
      }
      return [` O${'o'.repeat(draw.between(0, OPAQUE_BYTES_MAX))}`]
    case 'E':
      return [` E${EXPLICIT_CAS_BASE + draw.below(1e9)}`]
    case 'C':
      // Where a length may be a lie this may come to be part of a value, and each server has its own.
      if (words.mayBeLines || draw.chance(0.2))
        return [` C${wrongly(draw.of(['0', '987654321', '18446744073709551615']))}`]
      return [' C', { key: shown ?? '', age: draw.of([0, 0, 0, 1]), form: 'digits' }]
    case 'M': {
      const modes = verb === 'ms' ? ['S', 'E', 'A', 'P', 'R'] : ['I', 'D', '+', '-']
      return [
        ` M${words.isExact && draw.chance(0.03) ? draw.of(['X', '', 's', 'set']) : modes[draw.below(modes.length)]}`,
      ]
    }
    default:
      return [` ${letter}`]
  }
}
