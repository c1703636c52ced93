/**
 * The last commands that took long, and where their time went. Each is an object, and that is well: a
 * command comes here a thousand times as late as it should.
 */

export interface SlowCommand {
  /** From 1 on, since the start or the last reset. */
  readonly number: number
  readonly timeMs: number
  readonly command: string
  /** One character a byte. */
  readonly key: string
  readonly client: string
  /** From the arrival of its bytes to the write of its reply: the sum of the three below. */
  readonly totalUs: number
  /** Until its turn came. */
  readonly queueUs: number
  /** Of the turn in which it was answered: parsing, running, writing, with all its other commands. */
  readonly runUs: number
  /** Waiting for the disk. */
  readonly diskUs: number
  /** Commands that were answered together with it. */
  readonly commands: number
}

export class SlowLog {
  readonly thresholdUs: number
  readonly #entriesMax: number
  /** The oldest first. */
  readonly #entries: SlowCommand[] = []
  #count = 0

  constructor(thresholdUs: number, entriesMax: number) {
    this.thresholdUs = thresholdUs
    this.#entriesMax = entriesMax
  }

  /** Slow commands so far, also those that are not kept any more. */
  get count(): number {
    return this.#count
  }

  add(command: Omit<SlowCommand, 'number'>): void {
    this.#count++
    if (this.#entries.length === this.#entriesMax) this.#entries.shift()
    this.#entries.push({ number: this.#count, ...command })
  }

  /** The latest first. */
  latest(): SlowCommand[] {
    return this.#entries.toReversed()
  }

  reset(): void {
    this.#count = 0
    this.#entries.length = 0
  }
}
