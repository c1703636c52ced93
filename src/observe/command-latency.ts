/**
 * How long clients wait for their commands, by class of command and by tier: where the item was, or that
 * there was none.
 *
 * All commands whose replies leave in one write have waited until then from the arrival of their bytes. So
 * a turn looks at the clock twice, and not once a command; a command costs an addition, and is recorded,
 * with all of its kind in the turn, when the replies have left. Nothing is sampled
 * (docs/decisions/0021).
 */
import { Histogram } from './histogram.ts'

export const COMMAND_CLASSES = ['get', 'set', 'delete', 'arithmetic', 'touch', 'other'] as const
export const COMMAND_TIERS = ['memory', 'disk', 'miss'] as const

export type CommandClass = (typeof COMMAND_CLASSES)[number]
export type CommandTier = (typeof COMMAND_TIERS)[number]

const SLOTS = COMMAND_CLASSES.length * COMMAND_TIERS.length
const HIGHEST_BIT = 31

/** Where a class and a tier are counted. */
export function latencySlot(command: CommandClass, tier: CommandTier): number {
  return COMMAND_CLASSES.indexOf(command) * COMMAND_TIERS.length + COMMAND_TIERS.indexOf(tier)
}

/** Commands that have been answered, and whose replies have not left. */
export interface Answered {
  readonly counts: Uint32Array
  readonly mask: number
}

export function countOf({ counts }: Answered): number {
  return counts.reduce((sum, count) => sum + count, 0)
}

export class CommandLatency {
  readonly #histograms: readonly Histogram[] = Array.from({ length: SLOTS }, () => new Histogram())
  readonly #counts = new Uint32Array(SLOTS)
  /** Bits of the slots whose count is not 0. */
  #mask = 0

  /** A command was answered. */
  count(slot: number): void {
    this.#counts[slot]!++
    this.#mask |= 1 << slot
  }

  /** Whether commands have been answered whose replies have not left. */
  get hasAnswered(): boolean {
    return this.#mask !== 0
  }

  /** How many they are. */
  get answeredCount(): number {
    return countOf({ counts: this.#counts, mask: this.#mask })
  }

  /** Their replies have left, so long after their bytes came. */
  sent(us: number): void {
    this.#record(this.#counts, this.#mask, us)
    this.#mask = 0
  }

  /** Takes them away, because their replies are held back. */
  take(): Answered {
    const answered = { counts: this.#counts.slice(), mask: this.#mask }
    this.#counts.fill(0)
    this.#mask = 0
    return answered
  }

  /** Replies that were held back have left. */
  sentLate({ counts, mask }: Answered, us: number): void {
    this.#record(counts, mask, us)
  }

  of(command: CommandClass, tier: CommandTier): Histogram {
    return this.#histograms[latencySlot(command, tier)]!
  }

  reset(): void {
    for (const histogram of this.#histograms) histogram.reset()
  }

  #record(counts: Uint32Array, mask: number, us: number): void {
    let left = mask
    while (left !== 0) {
      const slot = HIGHEST_BIT - Math.clz32(left)
      this.#histograms[slot]!.recordMany(us, counts[slot]!)
      counts[slot] = 0
      left ^= 1 << slot
    }
  }
}
