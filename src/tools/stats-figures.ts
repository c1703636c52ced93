/**
 * What two answers to `stats` say of the time between them. Of any server that speaks memcached's
 * protocol: a figure that it does not have is 0, and a tier that it does not have is null.
 */
import type { ServerClient } from './server-client.ts'

/** One answer to `stats`, and when it came. */
export interface Sample {
  readonly atMs: number
  readonly stats: ReadonlyMap<string, string>
}

/** Rates are per second. */
export interface Figures {
  readonly getsPerS: number
  readonly setsPerS: number
  readonly deletesPerS: number
  readonly touchesPerS: number
  readonly arithmeticPerS: number
  /** Of the keys asked for; null where none was. */
  readonly hitRatio: number | null
  readonly evictionsPerS: number
  readonly readBytesPerS: number
  readonly writtenBytesPerS: number
  readonly connectsPerS: number
  /** Of one processor, 1 being all of it. */
  readonly userCpu: number
  readonly systemCpu: number
  readonly disk: DiskRates | null
}

export interface DiskRates {
  readonly readsPerS: number
  readonly writesPerS: number
  readonly droppedPerS: number
  /** The share of hits that were read from disk; null where there was no hit. */
  readonly shareOfHits: number | null
}

/** memcached's names of commands that count, beside gets and sets. */
const DELETES: readonly string[] = ['delete_hits', 'delete_misses']
const ARITHMETIC: readonly string[] = ['incr_hits', 'incr_misses', 'decr_hits', 'decr_misses']

export async function askStats(
  client: ServerClient,
  nowMs: () => number,
  what = '',
): Promise<Sample> {
  await client.send(what === '' ? 'stats\r\n' : `stats ${what}\r\n`)
  const stats = new Map<string, string>()
  for (;;) {
    const line = await client.line()
    if (line === 'END') return { atMs: nowMs(), stats }
    const match = /^STAT (\S+) ?(.*)$/.exec(line)
    if (match === null) throw client.unexpected(line)
    stats.set(match[1]!, match[2]!)
  }
}

/** A figure of a sample, 0 if it is not there. */
export function figure({ stats }: Sample, name: string): number {
  const value = Number(stats.get(name) ?? 0)
  return Number.isNaN(value) ? 0 : value
}

/** What happened between two samples. A server that began anew meanwhile counts from its beginning. */
export function between(before: Sample, after: Sample): Figures {
  const isSame =
    before.stats.get('pid') === after.stats.get('pid') &&
    figure(after, 'uptime') >= figure(before, 'uptime')
  const seconds = isSame ? (after.atMs - before.atMs) / 1000 : figure(after, 'uptime')
  return rates(after, isSame ? before : null, Math.max(seconds, 0.001))
}

/** What happened since the server began, or since its counters were set to zero. */
export function sinceStart(sample: Sample): Figures {
  return rates(sample, null, Math.max(1, figure(sample, 'uptime')))
}

function rates(after: Sample, before: Sample | null, seconds: number): Figures {
  // Below 0 the counters have been set to zero meanwhile.
  const grown = (...names: readonly string[]): number => {
    let sum = 0
    for (const name of names) {
      const last = figure(after, name)
      const difference = last - (before === null ? 0 : figure(before, name))
      sum += difference < 0 ? last : difference
    }
    return sum
  }
  const perS = (...names: readonly string[]): number => grown(...names) / seconds
  const hits = grown('get_hits')
  const asked = hits + grown('get_misses')
  const hasDisk = after.stats.has('extstore_limit_maxbytes')
  return {
    getsPerS: perS('cmd_get'),
    setsPerS: perS('cmd_set'),
    deletesPerS: perS(...DELETES),
    touchesPerS: perS('cmd_touch'),
    arithmeticPerS: perS(...ARITHMETIC),
    hitRatio: asked === 0 ? null : hits / asked,
    evictionsPerS: perS('evictions'),
    readBytesPerS: perS('bytes_read'),
    writtenBytesPerS: perS('bytes_written'),
    connectsPerS: perS('total_connections'),
    userCpu: perS('rusage_user'),
    systemCpu: perS('rusage_system'),
    disk: hasDisk
      ? {
          readsPerS: perS('extstore_objects_read'),
          writesPerS: perS('extstore_objects_written'),
          droppedPerS: perS('extstore_objects_evicted'),
          shareOfHits: hits === 0 ? null : Math.min(1, grown('extstore_objects_read') / hits),
        }
      : null,
  }
}
