/**
 * `stats latency` and `stats slow`: how long commands take, and which took too long. Words of this server:
 * memcached has none for it.
 */
import { uriEncoded } from '../bytes/uri.ts'
import { COMMAND_CLASSES, COMMAND_TIERS } from '../observe/command-latency.ts'
import type { CommandContext } from './context.ts'
import type { Stat } from './stats-report.ts'

const US_PER_MS = 1000

/** `stats latency`: a group for each class of commands and tier that there was a command of. */
export function* latencyStats({ insight }: CommandContext): Generator<Stat, void, undefined> {
  const { latency } = insight
  yield ['latency_enabled', latency === null ? '0' : '1']
  if (latency === null) return
  for (const command of COMMAND_CLASSES) {
    for (const tier of COMMAND_TIERS) {
      const durations = latency.of(command, tier)
      const { count, maxUs, sumUs } = durations
      if (count === 0) continue
      const rows: [string, number][] = [
        ['count', count],
        ['mean_us', Math.round(sumUs / count)],
        ['p50_us', durations.quantileUs(0.5)],
        ['p90_us', durations.quantileUs(0.9)],
        ['p99_us', durations.quantileUs(0.99)],
        ['p999_us', durations.quantileUs(0.999)],
        ['max_us', maxUs],
      ]
      for (const [name, value] of rows) yield [`${command}:${tier}:${name}`, String(value)]
    }
  }
}

/** `stats slow`: a group for each command of the slow log, the latest first. */
export function* slowStats({ insight }: CommandContext): Generator<Stat, void, undefined> {
  const { slowLog } = insight
  yield ['slow_threshold_us', String(slowLog === null ? 0 : slowLog.thresholdUs)]
  if (slowLog === null) return
  yield ['slow_commands', String(slowLog.count)]
  for (const slow of slowLog.latest()) {
    const rows: [string, string | number][] = [
      ['time', Math.floor(slow.timeMs / US_PER_MS)],
      ['command', slow.command],
      ['key', uriEncoded(slow.key)],
      ['client', slow.client],
      ['total_us', slow.totalUs],
      ['queue_us', slow.queueUs],
      ['run_us', slow.runUs],
      ['disk_us', slow.diskUs],
      ['commands', slow.commands],
    ]
    for (const [name, value] of rows) yield [`${slow.number}:${name}`, String(value)]
  }
}
