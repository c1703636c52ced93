/**
 * What all views of one cache share: the cache that is open, its items, its events, and the order in which
 * all of it stops. Made by the builder.
 */
import { PrefixCounts } from '../observe/prefix-counts.ts'
import { METRIC } from '../observe/metrics.ts'
import type { Logger } from '../observe/log.ts'
import type { Config } from '../config/schema.ts'
import type { ItemContext } from '../commands/context.ts'
import type { TagTable } from '../engine/tag-table.ts'
import { Counter } from '../message/counter.ts'
import { ItemView } from '../message/item-view.ts'
import type { OpenedCache } from '../opened-cache.ts'
import type { CacheStats, DiskStats } from './cache-types.ts'
import { DiskWait } from './disk-wait.ts'
import { EventSources } from './events.ts'
import { FactoryRuns } from './factory-runs.ts'
import { tellOfItems } from './item-events.ts'
import { ItemStore } from './item-store.ts'
import { KeyWalk } from './key-walk.ts'
import { closed } from './outcome-error.ts'
import { Renewal } from './renewal.ts'
import { Serializers } from './serializer.ts'
import type { SerializerChoice } from './serializer.ts'
import { ValueCoding } from './value-coding.ts'

/** Something that uses the cache and is to stop before it: a server. */
export interface Dependent {
  stop(): Promise<void>
}

export class CacheCore {
  readonly opened: OpenedCache
  readonly config: Config
  readonly log: Logger
  readonly tags: TagTable
  readonly items: ItemStore
  readonly wait: DiskWait
  readonly events: EventSources
  readonly runs: FactoryRuns
  readonly renewal: Renewal
  readonly walk: KeyWalk
  readonly dependents: Set<Dependent> = new Set()
  isClosed: boolean = false
  #closing: Promise<void> | undefined

  /** Of a cache that is open; `name` is what channels of diagnostics call it. */
  constructor(opened: OpenedCache, log: Logger, name: string, serializer: SerializerChoice) {
    const { cache, clock, metrics, watchers, config } = opened
    this.opened = opened
    this.config = config
    this.log = log
    this.tags = opened.judgeByTags()
    const heap = cache.store.heap.bytes
    const context: ItemContext = {
      cache,
      metrics,
      clock,
      settings: { itemBytesMax: config.server.itemBytesMax, ...config.commands },
      view: new ItemView(heap),
      heap,
      watchers,
      prefixes: new PrefixCounts(config.commands.prefixDelimiter),
      counter: new Counter(),
      client: null,
    }
    this.items = new ItemStore(context, new ValueCoding(new Serializers(serializer)), this.tags)
    this.wait = new DiskWait(cache)
    this.events = new EventSources(name)
    this.runs = new FactoryRuns(cache, this.items, this.wait, this.tags, this.events)
    this.renewal = new Renewal(cache, this.items, this.wait, this.runs, this.events, clock)
    this.walk = new KeyWalk(cache, opened.crawler, clock)
    tellOfItems(cache, this.events)
    this.events.on('error', ({ error, key }) => log.warn({ err: error, key }, 'a cache has failed'))
  }

  /** Fails with CACHE_CLOSED after the end. */
  use(): void {
    if (this.isClosed) throw closed()
  }

  /** Makes void what carries a tag; all that is stored, if it could not be noted for after a restart. */
  makeVoid(tag: number): void {
    const { cache } = this.opened
    if (this.tags.makeVoid(tag, cache.nextSequence())) return
    cache.flush(0)
    this.events.failed(new Error('a tag cannot be noted on disk: the cache was emptied instead'))
  }

  get stats(): CacheStats {
    const { cache, metrics, memoryLimit } = this.opened
    const count = (slot: (typeof METRIC)[keyof typeof METRIC]): number => metrics.value(slot)
    return {
      items: cache.count,
      bytes: cache.usedBytes,
      memoryBytes: cache.store.memoryBytes,
      memoryBytesMax: memoryLimit.bytes,
      gets: count(METRIC.CMD_GET),
      hits: count(METRIC.GET_HITS),
      misses: count(METRIC.GET_MISSES),
      sets: count(METRIC.CMD_SET),
      evictions: count(METRIC.EVICTIONS),
      expirations: count(METRIC.GET_EXPIRED) + count(METRIC.RECLAIMED),
      factories: this.runs.count,
      disk: this.#diskStats(),
    }
  }

  #diskStats(): DiskStats | null {
    const { cache, metrics } = this.opened
    if (cache.tier === null) return null
    const { keys, list, degraded, options } = cache.tier.l2
    return {
      items: keys.count,
      bytes: list.bytes,
      bytesMax: options.diskBytesMax,
      hits: metrics.value(METRIC.L2_HITS),
      promotions: metrics.value(METRIC.L2_PROMOTIONS),
      demotions: metrics.value(METRIC.L2_DEMOTIONS),
      isDegraded: degraded,
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([...this.dependents].map((dependent) => dependent.stop()))
    this.isClosed = true
    this.runs.stop()
    await this.wait.idle()
    await this.opened.close()
  }
}
