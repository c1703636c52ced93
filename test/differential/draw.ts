/** Choices that come from one seed. */
import { seededRandom } from '../../bench/wire/draws.ts'

export class Draw {
  readonly #random: () => number

  constructor(seed: number) {
    this.#random = seededRandom(seed)
  }

  /** At least 0, less than 1. */
  share(): number {
    return this.#random()
  }

  /** An integer from 0, below `end`. */
  below(end: number): number {
    return Math.floor(this.#random() * end)
  }

  /** An integer, both ends included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  chance(share: number): boolean {
    return this.#random() < share
  }

  /** One of some choices, of which there must be any. */
  of<const T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }

  /** What one of the makers makes, chosen by its weight. */
  weighted<T>(choices: readonly (readonly [number, () => T])[]): T {
    let left = this.#random() * choices.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, make] of choices) {
      left -= weight
      if (left < 0) return make()
    }
    return choices.at(-1)![1]()
  }
}
