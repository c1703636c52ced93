/**
 * The settings of the hybrid policy that compete; see docs/decisions/0010.
 *
 * All are settings of one structure: a small FIFO for what is new, a main CLOCK for what was used
 * again, and a rule that says what becomes of an item that has come to the end of the small FIFO.
 */

export interface Setting {
  /** Share of the store that the small FIFO may take; with 0, everything goes to the CLOCK. */
  readonly share: number
  /** Uses in the small FIFO that let an item into the CLOCK. */
  readonly hits: number
  /**
   * What else lets a key into the CLOCK: that it was a ghost when it came, or else that the sketch
   * holds it more frequent than the CLOCK's next victim, which then leaves in its place.
   */
  readonly byGhost: boolean
}

/** More uses than an item counts. */
const NEVER = 4

/** The first one is in force to begin with. */
export const SETTINGS: readonly Setting[] = [
  { share: 0.1, hits: 2, byGhost: false },
  { share: 0.01, hits: NEVER, byGhost: false },
  { share: 0.1, hits: 2, byGhost: true },
  { share: 0.4, hits: 2, byGhost: false },
  { share: 0.01, hits: 2, byGhost: true },
  { share: 0, hits: 0, byGhost: false },
]

/** The one without a small FIFO: what was used is given further rounds, and of the rest the oldest goes. */
export const PLAIN_CLOCK = 5

/** Most uses that an item counts. */
export const USES_MAX = 3
/** How many evictions from the small FIFO a ghost outlives, per item of the store. */
export const GHOST_SHARE = 0.9

/**
 * Whether the CLOCK turns past an item that has held its own against the key with this hash, as it
 * does once in 32 times. Without that, one item that the sketch takes for a frequent one would
 * shield all those behind it for ever.
 */
export function isSpared(hash: number): boolean {
  return ((hash >>> 8) & 31) === 0
}
