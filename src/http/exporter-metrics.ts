/**
 * The metrics of Prometheus' memcached_exporter, under its names and from the same figures of `stats`, so
 * that dashboards and alerts made for it go on working. docs/METRICS.md has those that are left out, and why.
 */
import { single } from './metric-row.ts'
import type { MetricRow, Sample, Snapshot } from './metric-row.ts'

const CLASS_LABELS = ['slab'] as const

/** Metric, type, figure of `stats`, help. */
const PLAIN: readonly (readonly [string, MetricRow['type'], string, string])[] = [
  ['uptime_seconds', 'counter', 'uptime', 'Seconds since the server started.'],
  ['time_seconds', 'gauge', 'time', 'Its clock, in seconds since 1970.'],
  ['process_user_cpu_seconds_total', 'counter', 'rusage_user', 'CPU time in the program.'],
  ['process_system_cpu_seconds_total', 'counter', 'rusage_system', 'CPU time in the system.'],
  ['read_bytes_total', 'counter', 'bytes_read', 'Bytes received from clients.'],
  ['written_bytes_total', 'counter', 'bytes_written', 'Bytes of replies.'],
  ['current_connections', 'gauge', 'curr_connections', 'Open connections.'],
  ['connections_total', 'counter', 'total_connections', 'Connections accepted.'],
  ['connections_rejected_total', 'counter', 'rejected_connections', 'Connections refused.'],
  ['connections_yielded_total', 'counter', 'conn_yields', 'Times that a client had its share.'],
  [
    'connections_listener_disabled_total',
    'counter',
    'listen_disabled_num',
    'Times that clients began to wait for a place.',
  ],
  ['accepting_connections', 'gauge', 'accepting_conns', '1 unless clients wait for a place.'],
  ['current_bytes', 'gauge', 'bytes', 'Bytes of items in memory.'],
  ['limit_bytes', 'gauge', 'limit_maxbytes', 'Bytes of memory that there may be.'],
  ['malloced_bytes', 'gauge', 'total_malloced', 'Bytes of memory in pages.'],
  ['current_items', 'gauge', 'curr_items', 'Items in memory.'],
  ['items_total', 'counter', 'total_items', 'Items stored.'],
  ['items_evicted_total', 'counter', 'evictions', 'Live items lost to make room.'],
  ['items_reclaimed_total', 'counter', 'reclaimed', 'Dead items that made room.'],
  ['item_too_large_total', 'counter', 'store_too_large', 'Values refused as too large.'],
  ['item_no_memory_total', 'counter', 'store_no_memory', 'Values refused for want of memory.'],
  ['direct_reclaims_total', 'counter', 'direct_reclaims', 'Times that a command made room.'],
  ['lru_crawler_starts_total', 'counter', 'lru_crawler_starts', 'Walks over all items.'],
  ['lru_crawler_reclaimed_total', 'counter', 'crawler_reclaimed', 'Dead items that they found.'],
  ['lru_crawler_items_checked_total', 'counter', 'crawler_items_checked', 'Items looked at.'],
]

/** The same of `stats settings`. */
const SETTINGS: readonly (readonly [string, string, string])[] = [
  ['max_connections', 'maxconns', 'Connections that there may be.'],
  ['lru_crawler_enabled', 'lru_crawler', 'Whether crawls are allowed.'],
  ['lru_crawler_sleep', 'lru_crawler_sleep', 'Microseconds between steps of a crawl.'],
  ['lru_crawler_to_crawl', 'lru_crawler_tocrawl', 'Items that a crawl looks at; 0 for all.'],
]

/** The same of `stats items` and `stats slabs`, for each size class. */
const OF_CLASS: readonly (readonly [string, MetricRow['type'], string, string])[] = [
  ['current_items', 'gauge', 'number', 'Items of the class.'],
  ['cold_items', 'gauge', 'number_cold', 'The same: there is one queue.'],
  ['items_age_seconds', 'gauge', 'age', 'Seconds since its oldest item was used.'],
  ['items_crawler_reclaimed_total', 'counter', 'crawler_reclaimed', 'Dead items found by crawls.'],
  ['items_evicted_total', 'counter', 'evicted', 'Live items lost to make room.'],
  ['items_evicted_nonzero_total', 'counter', 'evicted_nonzero', 'Of these, with an expiry.'],
  ['items_evicted_time_seconds', 'gauge', 'evicted_time', 'Idle time of the last of them.'],
  ['items_evicted_unfetched_total', 'counter', 'evicted_unfetched', 'Of these, never read.'],
  ['items_expired_unfetched_total', 'counter', 'expired_unfetched', 'Expired and never read.'],
  ['items_outofmemory_total', 'counter', 'outofmemory', 'Values refused for want of memory.'],
  ['items_reclaimed_total', 'counter', 'reclaimed', 'Dead items that made room.'],
  ['mem_requested_bytes', 'gauge', 'mem_requested', 'Bytes of its items.'],
  ['chunk_size_bytes', 'gauge', 'chunk_size', 'Bytes of a chunk.'],
  ['chunks_per_page', 'gauge', 'chunks_per_page', 'Chunks of a page.'],
  ['current_pages', 'gauge', 'total_pages', 'Pages of the class.'],
  ['current_chunks', 'gauge', 'total_chunks', 'Chunks in them.'],
  ['chunks_used', 'gauge', 'used_chunks', 'Chunks with an item.'],
  ['chunks_free', 'gauge', 'free_chunks', 'Chunks without one.'],
]

/** The same of `stats` where there is a disk tier: a page is a generation. */
const EXTSTORE: readonly (readonly [string, MetricRow['type'], string, string])[] = [
  ['compact_rescued_total', 'counter', 'extstore_compact_rescues', 'Items carried forward.'],
  ['pages_allocated_total', 'counter', 'extstore_page_allocs', 'Generations opened.'],
  ['pages_evicted_total', 'counter', 'extstore_page_evictions', 'Generations dropped.'],
  ['pages_reclaimed_total', 'counter', 'extstore_page_reclaims', 'Generations dropped or damaged.'],
  ['pages_free', 'gauge', 'extstore_pages_free', 'Generations that may yet be opened.'],
  ['pages_used', 'gauge', 'extstore_pages_used', 'Generations.'],
  ['objects_evicted_total', 'counter', 'extstore_objects_evicted', 'Items dropped with them.'],
  ['objects_read_total', 'counter', 'extstore_objects_read', 'Items read.'],
  ['objects_written_total', 'counter', 'extstore_objects_written', 'Items written.'],
  ['objects_used', 'gauge', 'extstore_objects_used', 'Items on disk.'],
  ['bytes_evicted_total', 'counter', 'extstore_bytes_evicted', 'Bytes of dropped generations.'],
  ['bytes_written_total', 'counter', 'extstore_bytes_written', 'Bytes written.'],
  ['bytes_read_total', 'counter', 'extstore_bytes_read', 'Bytes read.'],
  ['bytes_used', 'gauge', 'extstore_bytes_used', 'Bytes of the files.'],
  ['bytes_fragmented', 'gauge', 'extstore_bytes_fragmented', 'Bytes they may yet grow by.'],
  ['bytes_limit', 'gauge', 'extstore_limit_maxbytes', 'Bytes that there may be.'],
  ['io_queue_depth', 'gauge', 'extstore_io_queue', 'Items being loaded.'],
]

const LOOKUPS = ['get', 'delete', 'incr', 'decr', 'cas', 'touch'] as const

export const EXPORTER_METRICS: readonly MetricRow[] = [
  row('memcached_up', 'gauge', '1: the server answers.', () => single(1)),
  {
    ...row('memcached_version', 'gauge', 'The version of memcached it stands in for.', (snapshot) =>
      single(1).map(([, value]) => [{ version: snapshot.stats.get('version') ?? '' }, value]),
    ),
    labels: ['version'],
  },
  ...PLAIN.map(([name, type, stat, help]) =>
    row(`memcached_${name}`, type, help, ({ stats }) => single(numberOf(stats.get(stat)))),
  ),
  ...SETTINGS.map(([name, setting, help]) =>
    row(`memcached_${name}`, 'gauge', help, ({ settings }) =>
      single(numberOf(settings.get(setting))),
    ),
  ),
  {
    ...row('memcached_commands_total', 'counter', 'Commands by their kind and outcome.', commands),
    labels: ['command', 'status'],
  },
  ...OF_CLASS.map(([name, type, stat, help]) => ({
    ...row(`memcached_slab_${name}`, type, help, ({ classes }) =>
      [...classes].flatMap(([slab, figures]) => {
        const value = numberOf(figures.get(stat))
        return value === undefined ? [] : [[{ slab }, value] as const]
      }),
    ),
    labels: CLASS_LABELS,
  })),
  {
    ...row('memcached_slab_lru_hits_total', 'counter', 'Gets that found an item.', classHits),
    labels: ['slab', 'lru'],
  },
  {
    ...row('memcached_slab_commands_total', 'counter', 'Commands by size class.', classCommands),
    labels: ['slab', 'command', 'status'],
  },
  ...EXTSTORE.map(([name, type, stat, help]) =>
    row(`memcached_extstore_${name}`, type, help, ({ stats }) => single(numberOf(stats.get(stat)))),
  ),
]

function row(
  name: string,
  type: MetricRow['type'],
  help: string,
  read: MetricRow['read'],
): MetricRow {
  return { name, type, help, read }
}

function commands({ stats }: Snapshot): Sample[] {
  const count = (stat: string): number => numberOf(stats.get(stat)) ?? 0
  const cas = count('cas_hits') + count('cas_misses') + count('cas_badval')
  return [
    ...LOOKUPS.flatMap((command): Sample[] => [
      [{ command, status: 'hit' }, count(`${command}_hits`)],
      [{ command, status: 'miss' }, count(`${command}_misses`)],
    ]),
    [{ command: 'cas', status: 'badval' }, count('cas_badval')],
    [{ command: 'flush', status: 'hit' }, count('cmd_flush')],
    // cmd_set counts cas commands, too.
    [{ command: 'set', status: 'hit' }, Math.max(0, count('cmd_set') - cas)],
  ]
}

function classHits({ classes }: Snapshot): Sample[] {
  return [...classes].flatMap(([slab, figures]): Sample[] => {
    const hits = numberOf(figures.get('hits_to_cold'))
    return hits === undefined ? [] : [[{ slab, lru: 'cold' }, hits]]
  })
}

function classCommands({ classes }: Snapshot): Sample[] {
  return [...classes].flatMap(([slab, figures]): Sample[] => {
    // A class that has items and no pages of its own does not exist.
    if (!figures.has('cmd_set')) return []
    const count = (stat: string): number => numberOf(figures.get(stat)) ?? 0
    const cas = count('cas_hits') + count('cas_badval')
    return [
      ...LOOKUPS.map((command): Sample => [
        { slab, command, status: 'hit' },
        count(`${command}_hits`),
      ]),
      [{ slab, command: 'cas', status: 'badval' }, count('cas_badval')],
      [{ slab, command: 'set', status: 'hit' }, Math.max(0, count('cmd_set') - cas)],
    ]
  })
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (text === 'yes' || text === 'no') return text === 'yes' ? 1 : 0
  return Number(text)
}
