/**
 * Whether a record may be read at once, by the one thread that serves everybody.
 *
 * What the system has in its page cache is read in some 3 us; through a thread of the pool it costs 10 to
 * 50 us of processor time and two changes of thread. But what it has not, makes everybody wait for the
 * device. So after a read at once that had to wait for the device for t milliseconds there is none for
 * 1000 t² milliseconds, at most a minute. Then a request that comes at any instant waits half a microsecond
 * for such reads on average, however much of what is asked for has to come from the device:
 *
 *     a wait of t    none for      part of the time
 *        0.1 ms         10 ms             1 %
 *          1 ms          1 s            0.1 %
 *         10 ms         60 s           0.02 %
 *
 * Besides, these reads take at most half of the time: what is more goes through the pool, together.
 * Measured in docs/decisions/0012.
 */
import type { Clock } from '../../observe/clock.ts'

/** A read from the page cache takes less, but for a large value or when the thread lost its core. */
const QUICK_MS = 0.05
/** Milliseconds without such reads after one that waited for a millisecond. */
const REST_MS = 1000
const REST_MS_MAX = 60_000
/** In every window of so many milliseconds, so many may go by with reading. */
const WINDOW_MS = 4
const WINDOW_READING_MS = 2

/**
 * Waits for a device so far, of this process. Where the system does not tell them from others, every
 * question is answered with one more.
 */
export type DeviceWaits = () => number

export class InlineReading {
  readonly #clock: Clock
  readonly #deviceWaits: DeviceWaits
  #waitsSeen = 0
  /** There is none before this. */
  #restUntilMs = 0
  #beganMs = 0
  #windowMs = 0
  #readingMs = 0

  constructor(clock: Clock, deviceWaits: DeviceWaits = deviceWaitsOn(process.platform)) {
    this.#clock = clock
    this.#deviceWaits = deviceWaits
  }

  /** Whether to read now. If so, `end` is to be called behind the read. */
  begin(): boolean {
    const nowMs = this.#clock.elapsedMs()
    if (nowMs < this.#restUntilMs) return false
    if (nowMs - this.#windowMs >= WINDOW_MS) {
      this.#windowMs = nowMs
      this.#readingMs = 0
    } else if (this.#readingMs >= WINDOW_READING_MS) {
      return false
    }
    this.#beganMs = nowMs
    return true
  }

  /** Returns how long the read took. */
  end(): number {
    const nowMs = this.#clock.elapsedMs()
    const tookMs = nowMs - this.#beganMs
    this.#readingMs += tookMs
    if (tookMs < QUICK_MS) return tookMs
    const waits = this.#deviceWaits()
    // Otherwise it was large, or the thread had to give way meanwhile.
    if (waits !== this.#waitsSeen) {
      this.#restUntilMs = nowMs + Math.min(REST_MS_MAX, REST_MS * tookMs * tookMs)
    }
    this.#waitsSeen = waits
    return tookMs
  }
}

/** Linux counts the pages that had to be fetched from a device, and the blocks that were read from one. */
export function deviceWaitsOn(platform: NodeJS.Platform): DeviceWaits {
  if (platform === 'linux') {
    return () => {
      const { majorPageFault, fsRead } = process.resourceUsage()
      return majorPageFault + fsRead
    }
  }
  let asked = 0
  return () => ++asked
}
