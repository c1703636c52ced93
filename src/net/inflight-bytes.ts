/**
 * What clients have under way, all together: lines and values that have come in part, replies that were
 * not taken. It is bounded, so that no number of slow or greedy clients takes all memory: beyond the
 * limit the one that has most is cut off, until it is enough. Like that, one who asks for too much pays
 * for it, and not who comes next.
 *
 * A client whose commands are over when their event is has nothing here, and costs nothing.
 */

/** A client that has bytes under way. */
export interface InflightHolder {
  /** Ends the connection at once. */
  destroy(): void
}

export class InflightBytes {
  #bytesMax = Infinity
  readonly #cutOff: (bytes: number) => void
  readonly #holders = new Map<InflightHolder, number>()
  #bytes = 0

  /** `bytesMax` 0 is no limit; `cutOff` is told of each client that had to go. */
  constructor(bytesMax: number, cutOff: (bytes: number) => void) {
    this.#cutOff = cutOff
    this.limitTo(bytesMax)
  }

  get bytes(): number {
    return this.#bytes
  }

  /** A new limit, 0 for none. Who has too much by it is cut off when something is noted next. */
  limitTo(bytesMax: number): void {
    this.#bytesMax = bytesMax === 0 ? Infinity : bytesMax
  }

  /** Notes how much a client has now. It may be cut off for it, or others. */
  note(holder: InflightHolder, bytes: number): void {
    this.#bytes += bytes - (this.#holders.get(holder) ?? 0)
    if (bytes === 0) this.#holders.delete(holder)
    else this.#holders.set(holder, bytes)
    while (this.#bytes > this.#bytesMax) this.#cutOffGreediest()
  }

  #cutOffGreediest(): void {
    let greediest: InflightHolder | undefined
    let most = 0
    for (const [holder, bytes] of this.#holders) {
      if (bytes > most) {
        most = bytes
        greediest = holder
      }
    }
    if (greediest === undefined) return
    this.#holders.delete(greediest)
    this.#bytes -= most
    this.#cutOff(most)
    greediest.destroy()
  }
}
