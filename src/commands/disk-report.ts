/**
 * The figures of the disk tier: memcached's `extstore_*` names in `stats`, so that what draws those
 * draws this tier, and everything there is to know in `stats l2`. Made when asked for.
 *
 * A page of extstore is a generation here, and a page that is compacted is a generation that is
 * dropped and whose items in use are carried forward. What has no counterpart is 0.
 */
import type { DiskTier } from '../engine/disk-tier.ts'
import { LATENCY, METRIC } from '../observe/metrics.ts'
import type { LatencySlot, MetricSlot } from '../observe/metrics.ts'
import type { CommandContext } from './context.ts'
import type { Stat } from './stats-report.ts'

const PERCENT = 100
/** LevelDB writes every byte twice, to its log and to a table, and merges nothing (docs/decisions/0009). */
const WRITES_OF_A_BYTE = 2
const COUNTER_PREFIX = 'L2_'

/** What memcached shows of gets that went to disk, behind `get_flushed`. Empty without a disk tier. */
export function extstoreGetStats(context: CommandContext): Stat[] {
  if (context.cache.tier === null) return []
  const { metrics } = context
  const count = (slot: MetricSlot): string => String(metrics.value(slot))
  const asked = metrics.value(METRIC.L2_HITS) + metrics.value(METRIC.L2_MISSES)
  return [
    ['get_extstore', String(asked)],
    ['get_aborted_extstore', '0'],
    ['get_oom_extstore', count(METRIC.L2_NO_MEMORY)],
    ['recache_from_extstore', count(METRIC.L2_PROMOTIONS)],
    ['miss_from_extstore', count(METRIC.L2_MISSES)],
    ['badcrc_from_extstore', count(METRIC.L2_BAD_RECORDS)],
  ]
}

/** What memcached shows of the store itself, behind `log_watchers`. Empty without a disk tier. */
export function extstoreStats(context: CommandContext): Stat[] {
  const { tier } = context.cache
  if (tier === null) return []
  const { metrics } = context
  const { keys, list, options } = tier.l2
  const count = (slot: MetricSlot): string => String(metrics.value(slot))
  const used = list.slots.length
  const written = metrics.value(METRIC.L2_WRITES) + metrics.value(METRIC.L2_CARRIED)
  const room = Math.max(0, used * list.generationBytes - list.bytes)
  return [
    ['extstore_memory_pressure', stagedPercent(tier).toFixed(2)],
    ['extstore_compact_lost', '0'],
    ['extstore_compact_rescues', count(METRIC.L2_CARRIED)],
    ['extstore_compact_resc_cold', '0'],
    ['extstore_compact_resc_old', '0'],
    ['extstore_compact_skipped', '0'],
    ['extstore_page_allocs', String(used + list.droppedCount + list.setAsideCount)],
    ['extstore_page_evictions', String(list.droppedCount)],
    ['extstore_page_reclaims', String(list.droppedCount + list.setAsideCount)],
    ['extstore_pages_free', String(Math.max(0, Math.round(pagesMax(tier)) - used))],
    ['extstore_pages_used', String(used)],
    ['extstore_objects_evicted', count(METRIC.L2_DROPPED)],
    ['extstore_objects_read', count(METRIC.L2_HITS)],
    ['extstore_objects_written', String(written)],
    ['extstore_objects_used', String(keys.count)],
    ['extstore_bytes_evicted', String(list.droppedBytes)],
    ['extstore_bytes_written', count(METRIC.L2_BYTES_WRITTEN)],
    ['extstore_bytes_read', count(METRIC.L2_BYTES_READ)],
    ['extstore_bytes_used', String(list.bytes)],
    ['extstore_bytes_fragmented', String(room)],
    ['extstore_limit_maxbytes', String(options.diskBytesMax)],
    ['extstore_io_queue', String(tier.loadingCount)],
  ]
}

/** `stats l2`. Without a disk tier it says so. */
export function diskStats(context: CommandContext): Stat[] {
  const { tier } = context.cache
  if (tier === null) return [['l2_enabled', '0']]
  const { compression, facts, isRecovering, degraded, journal, keys, list, writer } = tier.l2
  return [
    ['l2_enabled', '1'],
    ['l2_degraded', flag(degraded)],
    ['l2_recovering', flag(isRecovering)],
    ['l2_trusted', flag(facts.trusted)],
    ...counters(context),
    ['l2_items', String(keys.count)],
    ['l2_index_bytes', String(keys.memoryBytes)],
    ['l2_loading', String(tier.loadingCount)],
    ['l2_staged_items', String(writer.stagedItems)],
    ['l2_staged_bytes', String(writer.stagedBytes)],
    ['l2_changed_bytes', String(tier.changedBytes)],
    ['l2_congested_now', flag(writer.isCongested)],
    ['l2_journal_entries', String(journal.entries)],
    ['l2_journal_bytes', String(journal.bytes)],
    ['l2_journal_errors', String(journal.failedWrites + journal.failedRemovals)],
    ['l2_compression_ratio', ratio(compression.storedBytes, compression.valueBytes)],
    ['l2_compressed_values', String(compression.compressedCount)],
    ['l2_not_worth_compressing', String(compression.notWorthItCount)],
    ['l2_write_amplification', (writeAmplification(context) ?? 0).toFixed(2)],
    ...latencies(context, 'l2_read', LATENCY.L2_READ),
    ...latencies(context, 'l2_write', LATENCY.L2_WRITE),
    ['l2_disk_bytes', String(list.bytes)],
    ['l2_limit_maxbytes', String(tier.l2.options.diskBytesMax)],
    ['l2_generations', String(list.slots.length)],
    ['l2_generations_dropped', String(list.droppedCount)],
    ['l2_generations_set_aside', String(list.setAsideCount)],
    ...generations(context, tier),
  ]
}

/** Every counter of the tier, under its name in lower case. */
function counters({ metrics }: CommandContext): Stat[] {
  return Object.entries(METRIC)
    .filter(([name]) => name.startsWith(COUNTER_PREFIX))
    .map(([name, slot]) => [name.toLowerCase(), String(Math.round(metrics.value(slot)))])
}

function latencies({ metrics }: CommandContext, name: string, slot: LatencySlot): Stat[] {
  const latency = metrics.latency(slot)
  const quantile = (share: number): string => String(latency.quantileUs(share))
  return [
    [`${name}_p50_us`, quantile(0.5)],
    [`${name}_p90_us`, quantile(0.9)],
    [`${name}_p99_us`, quantile(0.99)],
    [`${name}_max_us`, String(latency.maxUs)],
  ]
}

/** One group of figures for each generation, the oldest first; memcached writes its groups so, too. */
function generations({ clock }: CommandContext, { l2 }: DiskTier): Stat[] {
  const { keys, list } = l2
  return list.slots.flatMap((slot): Stat[] => {
    const name = `generation:${slot.number}`
    return [
      [`${name}:age`, String(Math.max(0, clock.nowS - slot.createdAtS))],
      [`${name}:bytes`, String(list.bytesOf(slot))],
      [`${name}:items`, String(keys.countOf(slot.id))],
      [`${name}:referenced`, String(keys.referencedOf(slot.id))],
      [`${name}:writable`, flag(slot === list.newest && slot.db.isWritable)],
    ]
  })
}

/** How much of what may wait to be written waits. */
function stagedPercent({ changedBytes, l2 }: DiskTier): number {
  return (PERCENT * (l2.writer.stagedBytes + changedBytes)) / l2.options.stagedBytesMax
}

function pagesMax({ l2 }: DiskTier): number {
  return l2.list.bytesMax / l2.list.generationBytes
}

/** Bytes that the disk has to take for a byte of a value; null before there was one. */
export function writeAmplification({ metrics }: CommandContext): number | null {
  const written = WRITES_OF_A_BYTE * metrics.value(METRIC.L2_BYTES_WRITTEN)
  const accepted = metrics.value(METRIC.L2_BYTES_ACCEPTED)
  return accepted === 0 ? null : written / accepted
}

/** Two decimals; 0 where nothing has been counted yet. */
function ratio(part: number, whole: number): string {
  return whole === 0 ? '0.00' : (part / whole).toFixed(2)
}

function flag(is: boolean): string {
  return is ? '1' : '0'
}
