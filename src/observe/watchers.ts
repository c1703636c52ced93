/**
 * What happens, told to those who watch: `watch` of memcached. As long as nobody does, telling costs the
 * test of `topics`, which is then 0.
 *
 * Who takes the lines more slowly than they come is not waited for: it is told how many it missed.
 */
import type { Clock } from './clock.ts'
import type { KeySample } from './key-sample.ts'
import { METRIC } from './metrics.ts'
import type { Metrics } from './metrics.ts'

/** What can be watched: bits of `topics`. */
export const TOPIC = {
  RAWCMDS: 1,
  EVICTIONS: 2,
  FETCHERS: 4,
  MUTATIONS: 8,
  SYSEVENTS: 16,
  CONNEVENTS: 32,
  PROXYREQS: 64,
  PROXYEVENTS: 128,
  PROXYUSER: 256,
  DELETIONS: 512,
  /** Statistics by prefix are kept: nobody watches, but whoever counts has to be told of keys. */
  PREFIXES: 1024,
  /** The same for the sample of keys, as long as a turn of it lasts. */
  SAMPLE: 2048,
} as const

/** memcached's WATCHER_LIMIT. */
export const WATCHERS_MAX = 20
const US_PER_S = 1_000_000

/** Who watches. */
export interface Watcher {
  readonly topics: number
  /** Takes a line. Returns false if there is no room for it. */
  take(line: string): boolean
}

export class Watchers {
  /** What somebody watches. */
  topics = 0
  readonly #watchers: { readonly watcher: Watcher; skipped: number }[] = []
  readonly #clock: Clock
  readonly #metrics: Metrics
  #countsPrefixes = false
  /** Who is told of keys while SAMPLE is a topic; null where nobody ever is. */
  sample: KeySample | null = null
  #isSampling = false
  /** Number of the line that was written last. */
  #lines = 0

  constructor(clock: Clock, metrics: Metrics) {
    this.#clock = clock
    this.#metrics = metrics
  }

  get count(): number {
    return this.#watchers.length
  }

  /** Returns false where there are as many as may be. */
  add(watcher: Watcher): boolean {
    if (this.#watchers.length >= WATCHERS_MAX) return false
    this.#lines++
    this.#watchers.push({ watcher, skipped: 0 })
    this.#gather()
    return true
  }

  remove(watcher: Watcher): void {
    const at = this.#watchers.findIndex((other) => other.watcher === watcher)
    if (at < 0) return
    this.#watchers.splice(at, 1)
    this.#gather()
  }

  /** Whether those who handle keys have to tell of them for the statistics by prefix. */
  countPrefixes(is: boolean): void {
    this.#countsPrefixes = is
    this.#gather()
  }

  /** Whether they have to tell of them for the sample. */
  sampleKeys(is: boolean): void {
    this.#isSampling = is
    this.#gather()
  }

  /** Tells of something: `event` is the line from "type=" on. */
  tell(topic: number, event: string): void {
    if ((this.topics & topic) === 0) return
    const us = this.#clock.wallUs()
    this.#lines++
    // memcached does not pad the microseconds either.
    const line = `ts=${Math.floor(us / US_PER_S)}.${us % US_PER_S} gid=${this.#lines} ${event}\n`
    for (const entry of this.#watchers) {
      if ((entry.watcher.topics & topic) === 0) continue
      const told = entry.skipped === 0 ? line : `skipped=${entry.skipped}\n${line}`
      if (entry.watcher.take(told)) {
        entry.skipped = 0
        this.#metrics.count(METRIC.LOG_WATCHER_SENT)
      } else {
        entry.skipped++
        this.#metrics.count(METRIC.LOG_WATCHER_SKIPPED)
      }
    }
  }

  #gather(): void {
    this.topics = this.#countsPrefixes ? TOPIC.PREFIXES : 0
    if (this.#isSampling) this.topics |= TOPIC.SAMPLE
    for (const { watcher } of this.#watchers) this.topics |= watcher.topics
  }
}
