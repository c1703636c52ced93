/** Random steps without end, from one seed. */
import { binaryCommand } from './binary-commands.ts'
import { Draw } from './draw.ts'
import { metaCommand } from './meta-commands.ts'
import { CONNECTIONS, command } from './steps.ts'
import type { Burst, Command, Step } from './steps.ts'
import { casCommand, showCas, textCommand } from './text-commands.ts'
import { Vocabulary } from './vocabulary.ts'
import type { Sizes } from './vocabulary.ts'

const COMMANDS_MAX = 12
const PARALLEL_SHARE = 0.15
const CAS_SHARE = 0.1
const EXPIRY_SHARE = 0.002
/** After so long what was to live a second has gone, on a server that counts whole seconds, too. */
const EXPIRY_PAUSE_MS = 2600
/** Of the bursts in text, those in which something may be wrong: their values are short. */
const BROKEN_SHARE = 0.4
const META_SHARE = 0.4

export class Sequence {
  readonly #draw: Draw
  readonly #words: Vocabulary
  readonly #pending: Step[] = []

  constructor(seed: number, sizes: Sizes, version: number) {
    this.#draw = new Draw(seed)
    this.#words = new Vocabulary(this.#draw, sizes, version)
  }

  /** Bytes of all values so far. */
  get bytesMade(): number {
    return this.#words.bytesMade
  }

  next(): Step {
    const draw = this.#draw
    const pending = this.#pending.shift()
    if (pending !== undefined) return pending
    if (draw.chance(EXPIRY_SHARE)) return this.#expiry()
    if (draw.chance(CAS_SHARE)) return this.#underCas()
    if (!draw.chance(PARALLEL_SHARE))
      return { bursts: [this.#burst(this.#connection())], pauseMs: 0 }
    const connections = CONNECTIONS.map((_, index) => index).filter(() => draw.chance(0.6))
    // Each has keys of its own: whose command comes first is nobody's choice.
    return { bursts: connections.map((index) => this.#burst(index, index)), pauseMs: 0 }
  }

  #connection(): number {
    return this.#draw.below(CONNECTIONS.length)
  }

  #burst(connection: number, ownLane?: number): Burst {
    const draw = this.#draw
    const isBinary = CONNECTIONS[connection] === 'binary'
    this.#words.mayBeLines = !isBinary && this.#words.isExact && draw.chance(BROKEN_SHARE)
    const commands = Array.from({ length: draw.between(1, COMMANDS_MAX) }, () => {
      const lane = ownLane ?? this.#connection()
      if (isBinary) return binaryCommand(draw, this.#words, lane)
      if (draw.chance(META_SHARE)) return metaCommand({ draw, words: this.#words, lane })
      return textCommand(draw, this.#words, lane)
    })
    const alone =
      ownLane === undefined
        ? commands
        : commands.filter((one) => !isForm(FLUSHES, one, FLUSH_OPCODES))
    return this.#cut(connection, inOrder(alone))
  }

  #cut(connection: number, commands: readonly Command[]): Burst {
    const draw = this.#draw
    const count = draw.of([0, 0, 0, 1, 2, 5, 20])
    const cuts = Array.from({ length: count }, () => draw.share()).sort((a, b) => a - b)
    return { connection, commands, cuts }
  }

  /** A key shows its cas number; then there are commands that depend on it. */
  #underCas(): Step {
    const draw = this.#draw
    const key = this.#words.key(this.#connection())
    const connection = this.#connection()
    this.#words.mayBeLines = false
    const commands = Array.from({ length: draw.between(1, 3) }, () => {
      const wanted = { draw, words: this.#words, lane: 0, shown: key }
      if (CONNECTIONS[connection] === 'binary') return binaryCommand(draw, this.#words, 0, key)
      return draw.chance(0.5) ? metaCommand(wanted) : casCommand(draw, this.#words, key)
    })
    this.#pending.push({ bursts: [this.#cut(connection, inOrder(commands))], pauseMs: 0 })
    return { bursts: [this.#cut(0, [showCas(key)])], pauseMs: 0 }
  }

  /** Some items that are to live for a second, and then it is over. */
  #expiry(): Step {
    const commands = Array.from({ length: 5 }, (_, lane) => {
      const value = this.#words.value()
      return command(`set ${this.#words.key(lane)} 0 1 ${value.length} noreply\r\n${value}\r\n`)
    })
    return { bursts: [this.#cut(0, commands)], pauseMs: EXPIRY_PAUSE_MS }
  }
}

const COUNTS = /^\s*(?:incr|decr|ma)\s/
const COUNT_OPCODES: readonly number[] = [0x05, 0x06, 0x15, 0x16]
const FLUSHES = /^\s*flush_all/
const FLUSH_OPCODES: readonly number[] = [0x08, 0x18]
/** Only a space and a line end end a key. */
const KEY_TOO_LONG = /^\s*(?:get|gets|gat|gats)\s[^\n]*[^ \n]{250}(?:[^ \r\n]|\r(?!\n))/
const KEYS_BEFORE = /^(\s*(?:gets?|gats? +[^ \n]+) +)(?:[^ \n]{1,250} +)+(?=[^ \n]{251})/

/**
 * What depends in memcached on whether replies have left, put where it does not: see the table of known
 * differences. Counters come before an item is held by a reply; a `get` that takes replies back is alone.
 */
function inOrder(commands: readonly Command[]): readonly Command[] {
  const taking = commands.find((one) => isForm(KEY_TOO_LONG, one))
  if (taking !== undefined) return [withoutKeysBefore(taking)]
  const counts = commands.filter((one) => isForm(COUNTS, one, COUNT_OPCODES))
  return [...counts, ...commands.filter((one) => !isForm(COUNTS, one, COUNT_OPCODES))]
}

/** A `get` with a key too long, without the keys in front of that: memcached has read them by then. */
function withoutKeysBefore(given: Command): Command {
  const [head, ...rest] = given.parts
  if (typeof head !== 'string') return given
  return { parts: [head.replace(KEYS_BEFORE, '$1'), ...rest] }
}

function isForm(
  form: RegExp,
  { parts: [head] }: Command,
  opcodes: readonly number[] = [],
): boolean {
  if (typeof head !== 'string') return false
  return form.test(head) || (head.startsWith('\x80') && opcodes.includes(head.charCodeAt(1)))
}
