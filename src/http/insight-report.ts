/** What is measured of commands, in `/stats.json`. */
import type { CommandContext } from '../commands/context.ts'
import { COMMAND_CLASSES, COMMAND_TIERS } from '../observe/command-latency.ts'
import { keyName } from './key-name.ts'
import { quantilesOf } from './quantiles.ts'
import type { CommandLatency, SlowLogDocument } from './stats-document.ts'

export function latencyDocument({ insight }: CommandContext): CommandLatency[] {
  const { latency } = insight
  if (latency === null) return []
  return COMMAND_CLASSES.flatMap((command) =>
    COMMAND_TIERS.flatMap((tier) => {
      const durations = latency.of(command, tier)
      if (durations.count === 0) return []
      return [{ command, tier, ...quantilesOf(durations), buckets: durations.buckets() }]
    }),
  )
}

export function slowLogDocument({ insight }: CommandContext): SlowLogDocument | null {
  const { slowLog } = insight
  if (slowLog === null) return null
  const entries = slowLog.latest().map((slow) => ({ ...slow, ...keyName(slow.key) }))
  return { thresholdUs: slowLog.thresholdUs, count: slowLog.count, entries }
}
