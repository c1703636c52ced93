/**
 * A document of `/stats.json` with something in every field, for tests that decide what the page is told.
 * `tick` moves it on: counters grow by what a second of load would make of them.
 */
import type {
  CommandClass,
  CommandLatency,
  CommandTier,
  HotKey,
  ItemDocument,
  Quantiles,
  StatsDocument,
} from '../../src/http/stats-document.ts'

const MB = 1024 * 1024

/** What is added to each counter by a tick, in the order of hits in memory, hits on disk, misses. */
const PER_TICK = { memoryHits: 700, diskHits: 200, misses: 100, sets: 300 } as const

/** What there is to know about an item, but its value. */
export const ITEM: ItemDocument = {
  tier: 'both',
  valueBytes: 1536,
  clientFlags: 7,
  ttlS: 90,
  cas: '18446744073709551615',
  isFetched: true,
  isStale: false,
  isWon: false,
  idleS: 4,
  sizeClass: 12,
  chunkBytes: 2048,
  generation: 9,
  value: null,
}

/** The document after so many ticks of a second. */
export function documentAfter(ticks: number, change: Partial<StatsDocument> = {}): StatsDocument {
  const { memoryHits, diskHits, misses, sets } = PER_TICK
  const hits = memoryHits + diskHits
  return {
    format: 1,
    version: '9.8.7',
    compatibleVersion: '1.6.45',
    nodeVersion: '20.19.0',
    pid: 4321,
    timeMs: 1_700_000_000_000 + ticks * 1000,
    startedAtS: 1_699_990_000,
    uptimeS: 10_000 + ticks,
    readiness: { ready: true, reasons: [] },
    counters: {
      cmd_get: ticks * (hits + misses),
      get_hits: ticks * hits,
      get_misses: ticks * misses,
      cmd_set: ticks * sets,
      l2_hits: ticks * diskHits,
      l2_demotions: ticks * 40,
      l2_promotions: ticks * 30,
      evictions: ticks * 5,
      bytes_read: ticks * 3 * MB,
      bytes_written: ticks * 2 * MB,
    },
    gauges: {
      items: 12_345,
      bytes: 48 * MB,
      bytesMax: 64 * MB,
      pageBytes: 56 * MB,
      indexBytes: 2 * MB,
      oldestAgeS: 75,
      connections: 51,
      connectionsMax: 1024,
      inflightBytes: 4096,
      inflightBytesMax: 256 * MB,
      rssBytes: 160 * MB,
      heapUsedBytes: 20 * MB,
      heapTotalBytes: 32 * MB,
      arrayBufferBytes: 70 * MB,
      cpuUserS: ticks * 0.25,
      cpuSystemS: ticks * 0.125,
      loopDelayP50Us: 100,
      loopDelayP99Us: 900,
      loopDelayMaxUs: 2500,
    },
    latency: [
      latency('get', 'memory', ticks, [
        [20, 690],
        [100, 10],
      ]),
      latency('get', 'disk', ticks, [
        [400, 150],
        [1500, 50],
      ]),
      latency('get', 'miss', ticks, [[15, 100]]),
      latency('set', 'memory', ticks, [[30, 300]]),
    ],
    memory: {
      policy: { name: 'hybrid', facts: [['share_of_new', '0.25']] },
      classes: [
        sizeClass(1, 96, 4, 40_000),
        sizeClass(2, 112, 10, 80_000),
        sizeClass(3, 1024, 30, 20_000),
        sizeClass(63, MB, 12, 7),
      ],
    },
    disk: {
      state: 'ok',
      items: 98_765,
      bytes: 300 * MB,
      bytesMax: 1024 * MB,
      indexBytes: 3 * MB,
      loading: 2,
      stagedItems: 55,
      stagedBytes: 3 * MB,
      changedBytes: MB,
      stagedBytesMax: 64 * MB,
      isCongested: false,
      journalEntries: 17,
      journalBytes: 1024,
      writeAmplification: 2.125,
      compressionRatio: 0.5,
      read: quantiles(100),
      write: quantiles(7),
      generationsDropped: 1,
      generations: [
        generation(7, 128 * MB, false),
        generation(8, 128 * MB, false),
        generation(9, 44 * MB, true),
      ],
    },
    clients: {
      count: 102,
      shown: [
        {
          number: 1,
          address: 'tcp:127.0.0.1:50001',
          listenAddress: 'tcp:127.0.0.1:11211',
          state: 'conn_read',
          idleS: 3,
        },
      ],
    },
    hotKeys: {
      windowS: 60,
      sampleEvery: 16,
      reads: [hotKey('user:1', 5000), hotKey('user:2', 2500)],
      writes: [hotKey('session:9', 700)],
      bytes: [hotKey('image:4', 33 * MB)],
      misses: [{ key: '/wDigKY=', isBase64: true, count: 12, error: 1 }],
    },
    prefixes: [
      {
        prefix: 'user',
        isBase64: false,
        gets: 1000,
        hits: 900,
        misses: 100,
        sets: 30,
        deletes: 1,
        evictions: 4,
        items: 2000,
        bytes: 5 * MB,
      },
    ],
    slowLog: {
      thresholdUs: 10_000,
      count: 3,
      entries: [
        {
          number: 3,
          timeMs: 1_700_000_000_000,
          command: 'get',
          client: 'tcp:127.0.0.1:50001',
          key: 'report:2026',
          isBase64: false,
          totalUs: 15_500,
          queueUs: 500,
          runUs: 1000,
          diskUs: 14_000,
          commands: 1,
        },
      ],
    },
    configuration: [
      ['server.bind', '["127.0.0.1:11211"]'],
      ['l1.max_memory', '"64MB"'],
      ['l2.max_disk_size', '"1GB"'],
    ],
    allowsValues: false,
    ...change,
  }
}

function latency(
  command: CommandClass,
  tier: CommandTier,
  ticks: number,
  perTick: readonly (readonly [number, number])[],
): CommandLatency {
  const buckets = perTick.map(([upToUs, count]) => [upToUs, count * ticks] as const)
  const count = buckets.reduce((sum, [, part]) => sum + part, 0)
  return { command, tier, buckets, ...quantiles(count) }
}

function quantiles(count: number): Quantiles {
  return { count, meanUs: 20, p50Us: 20, p90Us: 40, p99Us: 80, p999Us: 160, maxUs: 320 }
}

function sizeClass(
  id: number,
  chunkBytes: number,
  pages: number,
  items: number,
): StatsDocument['memory']['classes'][number] {
  const chunks = Math.floor(MB / chunkBytes) * pages
  const usedChunks = Math.min(chunks, items)
  const bytes = Math.floor(usedChunks * chunkBytes * 0.75)
  const counts = { getHits: 10, sets: 20, evictions: 30 }
  return { id, chunkBytes, pages, chunks, usedChunks, items, bytes, ...counts }
}

function generation(
  id: number,
  bytes: number,
  isWritable: boolean,
): NonNullable<StatsDocument['disk']>['generations'][number] {
  return { id, ageS: 3600, bytes, items: 30_000, referenced: 1234, isWritable }
}

function hotKey(key: string, count: number): HotKey {
  return { key, isBase64: false, count, error: 0 }
}
