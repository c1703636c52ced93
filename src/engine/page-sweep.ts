/**
 * Takes dead items out of memory, page by page, a slice at a time.
 *
 * Items lie in pages side by side, so a sweep reads memory in order, which costs a fraction of following
 * the index or the order of eviction. Each page knows from when on one of its items may be over, so that
 * a sweep can leave out the others: where nothing is over, it looks at the pages only.
 *
 * What is stored behind the place that a sweep has come to is for the next one.
 */
import type { Clock } from '../observe/clock.ts'
import { CLASS_METRIC, METRIC } from '../observe/metrics.ts'
import type { Metrics } from '../observe/metrics.ts'
import { STATE, expiresAt, hasState } from '../store/l1/layout.ts'
import { LARGE } from '../store/l1/size-classes.ts'
import type { Cache } from './cache.ts'

/** Commands wait for a slice: it ends when it has taken so long. */
const SLICE_MS = 0.5
/** Removing an item costs up to a microsecond, looking at one far less; reading the clock, a tenth. */
const REMOVED_PER_CLOCK = 32
const CHECKED_PER_CLOCK = 1024

export interface SweepScope {
  /** Only pages in which something may be over. */
  readonly onlyDue: boolean
  /** Which size classes, by their ids. */
  readonly classes: Uint8Array
  /** Items of each class to look at, 0 for all. */
  readonly itemsPerClassMax: number
}

export class PageSweep {
  /** Items that were looked at, and those of them that were dead and are gone. */
  checked = 0
  removed = 0
  readonly #cache: Cache
  readonly #clock: Clock
  readonly #metrics: Metrics
  readonly #scope: SweepScope
  readonly #checkedOf = new Int32Array(LARGE + 1)
  #page = 0
  /** The place in the page. */
  #chunk = 0

  constructor(cache: Cache, clock: Clock, metrics: Metrics, scope: SweepScope) {
    this.#cache = cache
    this.#clock = clock
    this.#metrics = metrics
    this.#scope = scope
  }

  /** Goes on for half a millisecond. Returns whether all pages have been swept. */
  slice(): boolean {
    const { slabs } = this.#cache.store
    const endMs = this.#clock.elapsedMs() + SLICE_MS
    while (this.#page < slabs.pageCount) {
      if (this.#chunk === 0 && !this.#begins(this.#page)) {
        this.#page++
        continue
      }
      if (!this.#sweepPage(endMs)) return false
      this.#page++
      this.#chunk = 0
    }
    return true
  }

  /** Whether a page is to be swept. */
  #begins(page: number): boolean {
    const { onlyDue, classes } = this.#scope
    const { slabs } = this.#cache.store
    const classId = slabs.pageClass(page)
    if (slabs.isFree(page) || classId > LARGE || classes[classId] === 0) return false
    if (!onlyDue) return true
    if (!slabs.isDue(page, this.#clock.nowS)) return false
    slabs.forgetExpiries(page)
    return true
  }

  /** Sweeps the present page from where it was left. Returns false if the time was over before its end. */
  #sweepPage(endMs: number): boolean {
    const { slabs, heap } = this.#cache.store
    const page = this.#page
    let untilClock = CHECKED_PER_CLOCK
    // The page is free when its last item is gone; what it is used for later was not there now.
    while (!slabs.isFree(page) && slabs.pageClass(page) <= LARGE) {
      const classId = slabs.pageClass(page)
      const chunks = classId === LARGE ? 1 : slabs.pageCarved(page)
      if (this.#chunk >= chunks) return true
      const item = slabs.chunkAt(page, this.#chunk++)
      if (hasState(heap.words, item, STATE.ALLOCATED) && this.#look(item, classId)) {
        untilClock -= CHECKED_PER_CLOCK / REMOVED_PER_CLOCK
      } else {
        untilClock--
      }
      if (untilClock > 0) continue
      untilClock = CHECKED_PER_CLOCK
      if (this.#clock.elapsedMs() >= endMs) return false
    }
    return true
  }

  /** Returns whether the item was dead. */
  #look(item: number, classId: number): boolean {
    const cache = this.#cache
    const { heap, slabs } = cache.store
    const { itemsPerClassMax } = this.#scope
    if (itemsPerClassMax !== 0 && this.#checkedOf[classId]! >= itemsPerClassMax) return false
    const isLinked = hasState(heap.words, item, STATE.LINKED)
    if (!isLinked || !cache.isDead(item)) {
      slabs.noteExpiry(item, expiresAt(heap.words, item))
      if (isLinked) this.#count(classId)
      return false
    }
    this.#count(classId)
    this.removed++
    this.#metrics.count(METRIC.CRAWLER_RECLAIMED)
    this.#metrics.countClass(CLASS_METRIC.CRAWLER_RECLAIMED, classId)
    cache.removeDead(item)
    return true
  }

  #count(classId: number): void {
    this.checked++
    this.#checkedOf[classId]!++
    this.#metrics.count(METRIC.CRAWLER_ITEMS_CHECKED)
    this.#metrics.countClass(CLASS_METRIC.CRAWLER_ITEMS_CHECKED, classId)
  }
}
