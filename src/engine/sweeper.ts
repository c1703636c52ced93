/**
 * Takes what is over out of both tiers by itself, again and again, so that its memory is free before
 * somebody needs it: the pages of memory first, then the index of the disk.
 *
 * Everything is done in slices of half a millisecond, with a millisecond for commands in between. After a
 * round it rests for its interval, or for twenty times as long as the round took if that is longer and
 * the round has found little: where expiries are spread evenly, each round has to look at everything.
 */
import type { Clock, Repeating } from '../observe/clock.ts'
import { METRIC } from '../observe/metrics.ts'
import type { Metrics } from '../observe/metrics.ts'
import { LARGE } from '../store/l1/size-classes.ts'
import type { Cache } from './cache.ts'
import type { Crawler } from './crawler.ts'
import { PageSweep } from './page-sweep.ts'

const PAUSE_MS = 1
/** Of the time, at most one part in so many goes into rounds that find little. */
const REST_FACTOR = 20
/** A round that has removed one in so many of the items that it looked at was worth it. */
const WORTH_PART = 8
const ALL_CLASSES: Uint8Array = new Uint8Array(LARGE + 1).fill(1)

export class Sweeper {
  readonly #cache: Cache
  readonly #clock: Clock
  readonly #metrics: Metrics
  readonly #crawler: Crawler
  #intervalMs = 0
  #timer: Repeating | null = null
  #sweep: PageSweep | null = null
  /** Where the round is in the index of the disk; 0 once it is through, and before. */
  #diskCursor = 0
  #isOnDisk = false
  #busyMs = 0

  constructor(cache: Cache, clock: Clock, metrics: Metrics, crawler: Crawler) {
    this.#cache = cache
    this.#clock = clock
    this.#metrics = metrics
    this.#crawler = crawler
  }

  /** Between two rounds; 0 stops it. Counts from now on. */
  set intervalMs(ms: number) {
    this.#intervalMs = ms
    this.#timer?.stop()
    this.#timer = null
    if (ms !== 0) this.#after(this.#sweep === null ? ms : PAUSE_MS)
  }

  stop(): void {
    this.intervalMs = 0
  }

  #after(delayMs: number): void {
    this.#timer = this.#clock.after(delayMs, () => this.#slice())
  }

  #slice(): void {
    if (!this.#crawler.isEnabled) {
      this.#after(this.#intervalMs)
      return
    }
    const startMs = this.#clock.elapsedMs()
    const isOver = this.#isOnDisk ? this.#sweepDisk() : this.#sweepMemory()
    this.#busyMs += this.#clock.elapsedMs() - startMs
    if (isOver) this.#rest()
    else this.#after(PAUSE_MS)
  }

  #sweepMemory(): boolean {
    this.#sweep ??= new PageSweep(this.#cache, this.#clock, this.#metrics, {
      onlyDue: true,
      classes: ALL_CLASSES,
      itemsPerClassMax: 0,
    })
    const before = this.#sweep.removed
    const isOver = this.#sweep.slice()
    this.#metrics.add(METRIC.SWEPT, this.#sweep.removed - before)
    if (!isOver) return false
    this.#isOnDisk = this.#cache.tier !== null
    return !this.#isOnDisk
  }

  #sweepDisk(): boolean {
    this.#diskCursor = this.#cache.tier!.l2.sweep(this.#diskCursor)
    this.#isOnDisk = this.#diskCursor !== 0
    return !this.#isOnDisk
  }

  /** A round is over. */
  #rest(): void {
    const { checked, removed } = this.#sweep!
    const wasWorthIt = removed > 0 && removed * WORTH_PART >= checked
    const longest = wasWorthIt ? 0 : this.#busyMs * REST_FACTOR
    this.#sweep = null
    this.#busyMs = 0
    this.#after(Math.max(this.#intervalMs, longest))
  }
}
