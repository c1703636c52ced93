/**
 * A cache with everything that it runs on: its clock, its counters, its memory, its disk; and the order
 * in which these start and stop. The server builds on one, and so does the library; both may share one.
 * Not for: sockets, protocols, or what a program says to a cache.
 */
import type { Config } from './config/schema.ts'
import { Cache } from './engine/cache.ts'
import { Crawler } from './engine/crawler.ts'
import type { DiskTier } from './engine/disk-tier.ts'
import { MemoryLimit, bytesToReserve } from './engine/memory-limit.ts'
import { Sweeper } from './engine/sweeper.ts'
import { TagTable } from './engine/tag-table.ts'
import { tierOptions } from './engine/tier-options.ts'
import { SystemClock } from './observe/clock.ts'
import type { Logger } from './observe/log.ts'
import { Metrics } from './observe/metrics.ts'
import { Watchers } from './observe/watchers.ts'
import { TagFile } from './store/l2/tag-file.ts'

/** Flushes that have become due are looked for this often. */
const TICK_MS = 250

/** Opens the data directory with other rights than those that bind addresses. */
export type OpenDisk = <Disk>(folder: string, open: () => Promise<Disk>) => Promise<Disk>

export interface OpenedCache {
  readonly config: Config
  readonly clock: SystemClock
  readonly metrics: Metrics
  readonly watchers: Watchers
  readonly cache: Cache
  readonly memoryLimit: MemoryLimit
  /** Who walks over all items; one at a time. */
  readonly crawler: Crawler
  readonly sweeper: Sweeper
  /**
   * Opens the disk tier, where there is one. Rejects with ServerError DATA_DIR_…; then `close` has yet
   * to be called.
   */
  open(): Promise<void>
  /**
   * From now on values with a header are judged by their tags and their end; to be called once, after
   * `open`. Throws ServerError DATA_DIR_UNUSABLE.
   */
  judgeByTags(): TagTable
  /** Takes another configuration: what of `next` is different from `before`, and can change while it is open. */
  reconfigure(before: Config, next: Config): void
  /** Writes what is in memory only, and closes. May be called more than once. */
  close(): Promise<void>
}

/**
 * Builds a cache; its memory is there at once, its disk after `open`. The first `ioBytes` of its memory
 * are left to the network.
 */
export function createCache(
  config: Config,
  log: Logger,
  ioBytes: number,
  openDisk?: OpenDisk,
): OpenedCache {
  const clock = new SystemClock()
  const metrics = new Metrics()
  const watchers = new Watchers(clock, metrics)
  const cache = new Cache(
    {
      memoryBytesMax: config.l1.memoryBytesMax,
      memoryBytesReserved: bytesToReserve(config.l1.memoryBytesMax),
      entriesMax: config.l1.entriesMax,
      evictions: config.l1.evictions,
      policy: config.l1.eviction,
      ioBytes,
    },
    clock,
    metrics,
    undefined,
    watchers,
  )
  cache.ttl.replace(config.ttl)
  const crawler = new Crawler(cache, clock, metrics)
  const sweeper = new Sweeper(cache, clock, metrics, crawler)
  const ticking = clock.every(TICK_MS, () => cache.tick())
  let tier: DiskTier | undefined
  let tags: TagFile | undefined
  let closing: Promise<void> | undefined

  async function openTier(): Promise<void> {
    // Loads native code, which a cache without a disk can do without.
    const { DiskTier } = await import('./engine/disk-tier.ts')
    const disk = tierOptions(config)
    const open = (): Promise<DiskTier> =>
      DiskTier.open(disk, cache.store, cache, clock, metrics, log)
    tier = await (openDisk === undefined ? open() : openDisk(disk.folder, open))
    cache.attach(tier)
  }

  async function closeAll(): Promise<void> {
    sweeper.stop()
    await tier?.close()
    tags?.close()
    ticking.stop()
    clock.stop()
  }

  return {
    config,
    clock,
    metrics,
    watchers,
    cache,
    memoryLimit: new MemoryLimit(cache.store, clock),
    crawler,
    sweeper,
    async open() {
      if (config.l2.enabled) await openTier()
      sweeper.intervalMs = config.ttl.sweepIntervalMs
    },
    judgeByTags() {
      const sequence = cache.nextSequence()
      if (tier !== undefined) {
        const { folder } = tierOptions(config)
        tags = TagFile.open(folder, sequence, config.l2.sync === 'always')
      }
      const floor = tags?.floor ?? sequence
      const table = new TagTable(clock, tags ?? null, floor, tags?.voidedAt ?? new Map())
      cache.judge = table
      return table
    },
    reconfigure(before, next) {
      tier?.reconfigure(tierOptions(before), tierOptions(next))
      cache.ttl.replace(next.ttl)
      if (next.ttl.sweepIntervalMs !== before.ttl.sweepIntervalMs) {
        sweeper.intervalMs = next.ttl.sweepIntervalMs
      }
    },
    close() {
      closing ??= closeAll()
      return closing
    },
  }
}
