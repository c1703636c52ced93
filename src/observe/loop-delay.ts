/**
 * By how much the event loop is late: how long a command waits that comes while others are at work.
 *
 * A timer that is due every PERIOD_MS looks at the clock. Timers have steps of a millisecond, so this is
 * not for less than that.
 */
import type { Clock, Repeating } from './clock.ts'
import { Histogram } from './histogram.ts'

/** Ten times a second costs nothing, and finds what lasts longer than this with certainty. */
const PERIOD_MS = 100
/** Two of these make the minute that is shown. */
const HALF_WINDOW_MS = 30_000

export class LoopDelay {
  readonly #clock: Clock
  readonly #ticking: Repeating
  #now = new Histogram()
  #before = new Histogram()
  #lastMs: number
  #beganMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#lastMs = clock.elapsedMs()
    this.#beganMs = this.#lastMs
    this.#ticking = clock.every(PERIOD_MS, () => this.#look())
  }

  stop(): void {
    this.#ticking.stop()
  }

  /** The delays of the last minute, or at least of its last half. */
  read(): Histogram {
    const both = new Histogram()
    both.add(this.#before)
    both.add(this.#now)
    return both
  }

  #look(): void {
    const nowMs = this.#clock.elapsedMs()
    this.#now.record((nowMs - this.#lastMs - PERIOD_MS) * 1000)
    this.#lastMs = nowMs
    if (nowMs - this.#beganMs < HALF_WINDOW_MS) return
    this.#beganMs = nowMs
    this.#before = this.#now
    this.#now = new Histogram()
  }
}
