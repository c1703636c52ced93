/**
 * Removes what is dead before somebody asks for it or needs the room: on demand, in the background, a
 * slice at a time. Also the one who may walk over all items: a dump of the keys takes its place.
 *
 * The `Sweeper` does the same by itself, where something may be over; both go over the pages with a
 * `PageSweep`, and who disables the crawler stops both.
 */
import type { Clock } from '../observe/clock.ts'
import { METRIC } from '../observe/metrics.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Cache } from './cache.ts'
import { PageSweep } from './page-sweep.ts'

const US_PER_MS = 1000

export class Crawler {
  isEnabled = true
  /** Pause between slices; no timer is finer than a millisecond. */
  sleepUs = 100
  /** Items of each class to look at, 0 for all. */
  itemsPerClassMax = 0
  readonly #cache: Cache
  readonly #clock: Clock
  readonly #metrics: Metrics
  #isRunning = false

  constructor(cache: Cache, clock: Clock, metrics: Metrics) {
    this.#cache = cache
    this.#clock = clock
    this.#metrics = metrics
  }

  /** Somebody walks over all items. */
  get isRunning(): boolean {
    return this.#isRunning
  }

  /** Lets somebody else walk; `release` ends that. Returns false if somebody does already. */
  take(): boolean {
    if (this.#isRunning) return false
    this.#isRunning = true
    this.#metrics.count(METRIC.LRU_CRAWLER_STARTS)
    return true
  }

  release(): void {
    this.#isRunning = false
  }

  /** Begins to remove the dead of some classes, by their ids. Returns false if somebody walks already. */
  crawl(classes: Uint8Array): boolean {
    if (!this.take()) return false
    const { itemsPerClassMax } = this
    const scope = { onlyDue: false, classes, itemsPerClassMax }
    this.#later(new PageSweep(this.#cache, this.#clock, this.#metrics, scope))
    return true
  }

  #later(sweep: PageSweep): void {
    this.#clock.after(Math.max(1, this.sleepUs / US_PER_MS), () => {
      // Who disables the crawler stops it, too.
      if (!this.isEnabled || sweep.slice()) this.release()
      else this.#later(sweep)
    })
  }
}
