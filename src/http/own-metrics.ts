/**
 * What `/metrics` shows beyond memcached_exporter: both tiers, the process, and every counter of this
 * server that has no name there.
 */
import { writeAmplification } from '../commands/disk-report.ts'
import { COMMAND_CLASSES, COMMAND_TIERS } from '../observe/command-latency.ts'
import { LATENCY, METRIC } from '../observe/metrics.ts'
import type { DiskTier } from '../engine/disk-tier.ts'
import { single } from './metric-row.ts'
import type { HistogramRow, MetricRow, Sample, Snapshot } from './metric-row.ts'

const US_PER_S = 1_000_000

/** Counters that have a name of memcached_exporter. */
const ELSEWHERE: ReadonlySet<string> = new Set<keyof typeof METRIC>([
  'CMD_SET',
  'CMD_FLUSH',
  'GET_HITS',
  'GET_MISSES',
  'DELETE_HITS',
  'DELETE_MISSES',
  'INCR_HITS',
  'INCR_MISSES',
  'DECR_HITS',
  'DECR_MISSES',
  'CAS_HITS',
  'CAS_MISSES',
  'CAS_BADVAL',
  'TOUCH_HITS',
  'TOUCH_MISSES',
  'STORE_TOO_LARGE',
  'STORE_NO_MEMORY',
  'TOTAL_ITEMS',
  'EVICTIONS',
  'RECLAIMED',
  'BYTES_READ',
  'BYTES_WRITTEN',
  'TOTAL_CONNECTIONS',
  'REJECTED_CONNECTIONS',
  'CONN_YIELDS',
  'LISTEN_DISABLED_NUM',
  'LRU_CRAWLER_STARTS',
  'CRAWLER_ITEMS_CHECKED',
  'CRAWLER_RECLAIMED',
])

const BOTH_TIERS = ['tier'] as const

export const OWN_METRICS: readonly MetricRow[] = [
  {
    ...gauge('info', 'What runs: always 1.', ({ sources }) => {
      const { context, config } = sources
      const labels = {
        version: context.facts.ownVersion,
        node: process.versions.node,
        policy: config.l1.eviction,
      }
      return [[labels, 1]]
    }),
    labels: ['version', 'node', 'policy'],
  },
  gauge('ready', '1 if clients should be sent here: /readyz.', ({ sources }) =>
    single(sources.readiness().ready ? 1 : 0),
  ),
  {
    ...gauge('items', 'Items in each tier; most of those in memory are on disk, too.', (snapshot) =>
      ofTiers(snapshot, snapshot.sources.context.cache.count, ({ l2 }) => l2.keys.count),
    ),
    labels: BOTH_TIERS,
  },
  {
    ...gauge('bytes', 'Bytes of items in memory; of files on disk.', (snapshot) =>
      ofTiers(snapshot, snapshot.sources.context.cache.usedBytes, ({ l2 }) => l2.list.bytes),
    ),
    labels: BOTH_TIERS,
  },
  {
    ...gauge('bytes_max', 'Bytes that each tier may take.', (snapshot) =>
      ofTiers(
        snapshot,
        snapshot.sources.context.memoryLimit.bytes,
        ({ l2 }) => l2.options.diskBytesMax,
      ),
    ),
    labels: BOTH_TIERS,
  },
  {
    ...gauge('index_bytes', 'Memory that the index of each tier takes.', (snapshot) =>
      ofTiers(
        snapshot,
        snapshot.sources.context.cache.store.index.memoryBytes,
        ({ l2 }) => l2.keys.memoryBytes,
      ),
    ),
    labels: BOTH_TIERS,
  },
  gauge('oldest_age_seconds', 'Since the next item to be evicted was used.', ({ sources }) =>
    single(sources.context.cache.oldestAgeS),
  ),
  ofDisk('l2_degraded', '1 while the disk refuses what is written.', ({ l2 }) => flag(l2.degraded)),
  ofDisk('l2_recovering', '1 while the index is rebuilt.', ({ l2 }) => flag(l2.isRecovering)),
  ofDisk('l2_trusted', '0 while a crash would empty the tier.', ({ l2 }) => flag(l2.facts.trusted)),
  ofDisk('l2_congested_now', '1 while who changes something waits.', ({ l2 }) =>
    flag(l2.writer.isCongested),
  ),
  ofDisk('l2_generations', 'Generations.', ({ l2 }) => l2.list.slots.length),
  ofDisk('l2_staged_items', 'Items gathered to be written.', ({ l2 }) => l2.writer.stagedItems),
  ofDisk('l2_staged_bytes', 'Memory that they take.', ({ l2 }) => l2.writer.stagedBytes),
  ofDisk(
    'l2_staged_bytes_max',
    'Memory that they may take.',
    ({ l2 }) => l2.options.stagedBytesMax,
  ),
  ofDisk(
    'l2_changed_bytes',
    'Bytes of changed items not gathered yet.',
    (tier) => tier.changedBytes,
  ),
  ofDisk('l2_loading', 'Keys that are being loaded.', (tier) => tier.loadingCount),
  ofDisk('l2_journal_entries', 'Keys named in the journal.', ({ l2 }) => l2.journal.entries),
  ofDisk('l2_journal_bytes', 'Bytes of its files.', ({ l2 }) => l2.journal.bytes),
  gauge('l2_write_amplification', 'Bytes written for one of a value.', ({ sources }) =>
    single(writeAmplification(sources.context) ?? undefined),
  ),
  ofDisk('l2_compression_ratio', 'Bytes stored for one of a value.', ({ l2 }) => {
    const { storedBytes, valueBytes } = l2.compression
    return valueBytes === 0 ? undefined : storedBytes / valueBytes
  }),
  gauge('inflight_bytes', 'Bytes that clients have under way.', ({ sources }) =>
    single(sources.context.facts.inflightBytes()),
  ),
  gauge('rss_bytes', 'Memory of the process.', () => single(process.memoryUsage.rss())),
  gauge('heap_used_bytes', 'Of it, objects of the program.', () =>
    single(process.memoryUsage().heapUsed),
  ),
  gauge('loop_delay_p99_seconds', 'How late timers were in the last minute.', ({ sources }) =>
    single(sources.loopDelay.read().quantileUs(0.99) / US_PER_S),
  ),
  gauge('loop_delay_max_seconds', 'How late one was at most.', ({ sources }) =>
    single(sources.loopDelay.read().maxUs / US_PER_S),
  ),
  ...Object.entries(METRIC)
    .filter(([name]) => !ELSEWHERE.has(name))
    .map(([name, slot]): MetricRow => {
      const isTime = name.endsWith('_US')
      const shown = name
        .toLowerCase()
        .replace(/_us$/, '_seconds')
        .replace(/^total_/, '')
      return {
        name: `rat_memcached_${shown}_total`,
        type: 'counter',
        help: `The counter ${name.toLowerCase()} of docs/METRICS.md.`,
        read: ({ sources }) =>
          single(sources.context.metrics.value(slot) / (isTime ? US_PER_S : 1)),
      }
    }),
]

export const OWN_HISTOGRAMS: readonly HistogramRow[] = [
  {
    name: 'rat_memcached_command_duration_seconds',
    help: 'Commands, from the arrival of their bytes to the write of the reply.',
    labels: ['command', 'tier'],
    read: ({ sources }) => {
      const { latency } = sources.context.insight
      if (latency === null) return []
      return COMMAND_CLASSES.flatMap((command) =>
        COMMAND_TIERS.map((tier) => [{ command, tier }, latency.of(command, tier)] as const),
      ).filter(([, durations]) => durations.count > 0)
    },
  },
  {
    name: 'rat_memcached_l2_read_duration_seconds',
    help: 'Reads of the disk: what one turn wants of one generation.',
    labels: [],
    read: ({ sources }) => [[{}, sources.context.metrics.latency(LATENCY.L2_READ)]],
  },
  {
    name: 'rat_memcached_l2_write_duration_seconds',
    help: 'Batches written to the disk.',
    labels: [],
    read: ({ sources }) => [[{}, sources.context.metrics.latency(LATENCY.L2_WRITE)]],
  },
]

function gauge(name: string, help: string, read: MetricRow['read']): MetricRow {
  return { name: `rat_memcached_${name}`, type: 'gauge', help, read }
}

/** A gauge that is there only with a disk tier. */
function ofDisk(
  name: string,
  help: string,
  read: (tier: DiskTier) => number | undefined,
): MetricRow {
  return gauge(name, help, ({ sources }) => {
    const { tier } = sources.context.cache
    return tier === null ? [] : single(read(tier))
  })
}

function ofTiers(
  { sources }: Snapshot,
  inMemory: number,
  onDisk: (tier: DiskTier) => number,
): Sample[] {
  const { tier } = sources.context.cache
  const memory: Sample = [{ tier: 'memory' }, inMemory]
  return tier === null ? [memory] : [memory, [{ tier: 'disk' }, onDisk(tier)]]
}

function flag(is: boolean): number {
  return is ? 1 : 0
}
