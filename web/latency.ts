/**
 * Quantiles of the commands between two documents. The server's own are since its start, where a bad
 * minute drowns in a good day; its histograms are counters, so their difference is the histogram of the
 * time between.
 */
import type { CommandClass, CommandLatency, CommandTier } from '../src/http/stats-document.ts'

export interface Selection {
  readonly commands: readonly CommandClass[]
  readonly tiers: readonly CommandTier[]
}

type Buckets = Map<number, number>

/**
 * The duration, in microseconds, that `share` of the commands did not exceed, to within a bucket of the
 * histogram; null if there were none.
 */
export function quantileBetween(
  now: readonly CommandLatency[],
  before: readonly CommandLatency[],
  selection: Selection,
  share: number,
): number | null {
  const counts = bucketsOf(now, selection)
  for (const [upToUs, count] of bucketsOf(before, selection)) {
    counts.set(upToUs, (counts.get(upToUs) ?? 0) - count)
  }
  const buckets = [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => a - b)
  const all = buckets.reduce((sum, [, count]) => sum + count, 0)
  const rank = Math.max(1, Math.ceil(share * all))
  let seen = 0
  for (const [upToUs, count] of buckets) {
    seen += count
    if (seen >= rank) return upToUs
  }
  return null
}

function bucketsOf(latencies: readonly CommandLatency[], { commands, tiers }: Selection): Buckets {
  const sums: Buckets = new Map()
  for (const { command, tier, buckets } of latencies) {
    if (!commands.includes(command) || !tiers.includes(tier)) continue
    for (const [upToUs, count] of buckets) sums.set(upToUs, (sums.get(upToUs) ?? 0) + count)
  }
  return sums
}
