/**
 * Removes what is dead before somebody asks for it or needs the room: on demand, in the background, a
 * slice at a time. Also the one who may walk over all items: a dump of the keys takes its place.
 */
import type { Clock } from '../observe/clock.ts'
import { CLASS_METRIC, METRIC } from '../observe/metrics.ts'
import type { Metrics } from '../observe/metrics.ts'
import { WALK_END } from '../store/l1/key-index.ts'
import type { Cache } from './cache.ts'

/** Size classes have ids from 1 up to this. */
const CLASS_MAX = 63
/** Items that are looked at in one go, memcached's number: some 20 us. */
const ITEMS_PER_SLICE = 1000
/** And buckets, where most are empty. */
const BUCKETS_PER_SLICE = 8192
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
  #cursor = 0
  #classes: Uint8Array = new Uint8Array(CLASS_MAX + 1)
  readonly #checked = new Int32Array(CLASS_MAX + 1)
  #dead: number[] = []
  readonly #visit = (item: number): void => this.#look(item)

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
    this.#classes = classes
    this.#checked.fill(0)
    this.#cursor = 0
    this.#later()
    return true
  }

  #later(): void {
    this.#clock.after(Math.max(1, this.sleepUs / US_PER_MS), () => this.#slice())
  }

  #slice(): void {
    const { index } = this.#cache.store
    const before = this.#metrics.value(METRIC.CRAWLER_ITEMS_CHECKED)
    for (let buckets = 0; buckets < BUCKETS_PER_SLICE && this.#cursor < WALK_END; buckets++) {
      this.#cursor = index.walk(this.#cursor, this.#visit)
      for (const item of this.#dead) this.#cache.removeDead(item)
      this.#dead.length = 0
      if (this.#metrics.value(METRIC.CRAWLER_ITEMS_CHECKED) - before >= ITEMS_PER_SLICE) break
    }
    // Who disables the crawler stops it, too.
    if (this.#cursor < WALK_END && this.isEnabled) this.#later()
    else this.release()
  }

  #look(item: number): void {
    const metrics = this.#metrics
    const classId = this.#cache.sizeClass(item)
    if (this.#classes[classId] === 0) return
    const checked = ++this.#checked[classId]!
    if (this.itemsPerClassMax !== 0 && checked > this.itemsPerClassMax) return
    metrics.count(METRIC.CRAWLER_ITEMS_CHECKED)
    metrics.countClass(CLASS_METRIC.CRAWLER_ITEMS_CHECKED, classId)
    if (!this.#cache.isDead(item)) return
    metrics.count(METRIC.CRAWLER_RECLAIMED)
    metrics.countClass(CLASS_METRIC.CRAWLER_RECLAIMED, classId)
    this.#dead.push(item)
  }
}
