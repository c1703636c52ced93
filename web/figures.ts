/**
 * The figures over time: the charts, their lines, and how each is made of two documents. A line is added
 * here and nowhere else.
 */
import type { CommandClass, CommandTier, StatsDocument } from '../src/http/stats-document.ts'
import type { ChartSpec, Colour } from './chart.ts'
import { bytes, bytesPerSecond, count, durationUs, percent, perSecond } from './format.ts'
import { rateOf, shareOf } from './history.ts'
import type { Figure } from './history.ts'
import { quantileBetween } from './latency.ts'

type Make = Figure<StatsDocument>

export interface FigureLine {
  /** Under this name the tiles find it. */
  readonly name: string
  readonly label: string
  readonly colour: Colour
  readonly dashed?: boolean
  readonly filled?: boolean
  readonly make: Make
}

export type FigureChart = Omit<ChartSpec, 'lines'> & {
  readonly lines: readonly FigureLine[]
  /** Left out where there is no disk tier. */
  readonly needsDisk?: boolean
}

const READS: readonly CommandClass[] = ['get', 'touch']
const WRITES: readonly CommandClass[] = ['set', 'delete', 'arithmetic']
const NOT_DISK: readonly CommandTier[] = ['memory', 'miss']
const ALL_TIERS: readonly CommandTier[] = ['memory', 'disk', 'miss']

/** The sum of the rates of counters. */
function rate(...names: readonly string[]): Make {
  return (now, before, seconds) => rateOf(sum(now, names), sum(before, names), seconds)
}

const sum = ({ counters }: StatsDocument, names: readonly string[]): number =>
  names.reduce((total, name) => total + (counters[name] ?? 0), 0)

const gets = rate('cmd_get')
const hits = rate('get_hits')
const misses = rate('get_misses')
const diskHits: Make = (now, before, seconds) => {
  // What is loaded is not for gets only; of a get it is never more than its hits.
  const loaded = rate('l2_hits')(now, before, seconds)
  const found = hits(now, before, seconds)
  return loaded === null || found === null ? null : Math.min(loaded, found)
}
const memoryHits: Make = (now, before, seconds) => {
  const found = hits(now, before, seconds)
  const loaded = diskHits(now, before, seconds)
  return loaded === null || found === null ? null : found - loaded
}

function share(part: Make, ...parts: readonly Make[]): Make {
  return (now, before, seconds) =>
    shareOf(part(now, before, seconds), ...parts.map((make) => make(now, before, seconds)))
}

function quantile(
  commands: readonly CommandClass[],
  tiers: readonly CommandTier[],
  portion: number,
): Make {
  return (now, before) => quantileBetween(now.latency, before.latency, { commands, tiers }, portion)
}

const gauge =
  (read: (document: StatsDocument) => number | null | undefined): Make =>
  (now) =>
    read(now) ?? null

const cpu =
  (name: 'cpuUserS' | 'cpuSystemS'): Make =>
  (now, before, seconds) =>
    rateOf(now.gauges[name], before.gauges[name], seconds)

export const CHARTS: readonly FigureChart[] = [
  {
    title: 'Requests',
    format: perSecond,
    lines: [
      { name: 'gets', label: 'gets', colour: 'blue', filled: true, make: gets },
      { name: 'sets', label: 'sets', colour: 'orange', make: rate('cmd_set') },
      {
        name: 'others',
        label: 'others',
        colour: 'grey',
        make: rate(
          'cmd_touch',
          'delete_hits',
          'delete_misses',
          'incr_hits',
          'incr_misses',
          'decr_hits',
          'decr_misses',
          'cmd_flush',
        ),
      },
    ],
  },
  {
    title: 'Gets, by where the key was',
    format: perSecond,
    lines: [
      { name: 'memoryHits', label: 'memory', colour: 'blue', filled: true, make: memoryHits },
      { name: 'diskHits', label: 'disk', colour: 'violet', make: diskHits },
      { name: 'misses', label: 'nowhere', colour: 'red', make: misses },
    ],
  },
  {
    title: 'Hit ratio',
    format: percent,
    top: 1,
    lines: [
      { name: 'hitRatio', label: 'both tiers', colour: 'green', make: share(hits, hits, misses) },
      {
        name: 'memoryRatio',
        label: 'memory',
        colour: 'blue',
        make: share(memoryHits, hits, misses),
      },
      {
        name: 'diskRatio',
        label: 'disk, of the rest',
        colour: 'violet',
        make: share(diskHits, diskHits, misses),
      },
    ],
  },
  {
    title: 'Time of reads',
    format: durationUs,
    isLogarithmic: true,
    lines: [
      { name: 'readP50', label: 'p50', colour: 'blue', make: quantile(READS, NOT_DISK, 0.5) },
      {
        name: 'readP99',
        label: 'p99',
        colour: 'blue',
        dashed: true,
        make: quantile(READS, NOT_DISK, 0.99),
      },
      {
        name: 'diskReadP50',
        label: 'disk p50',
        colour: 'violet',
        make: quantile(READS, ['disk'], 0.5),
      },
      {
        name: 'diskReadP99',
        label: 'disk p99',
        colour: 'violet',
        dashed: true,
        make: quantile(READS, ['disk'], 0.99),
      },
    ],
  },
  {
    title: 'Time of writes',
    format: durationUs,
    isLogarithmic: true,
    lines: [
      { name: 'writeP50', label: 'p50', colour: 'orange', make: quantile(WRITES, ALL_TIERS, 0.5) },
      {
        name: 'writeP99',
        label: 'p99',
        colour: 'orange',
        dashed: true,
        make: quantile(WRITES, ALL_TIERS, 0.99),
      },
    ],
  },
  {
    title: 'Leaving memory, and coming back',
    format: perSecond,
    lines: [
      { name: 'demotions', label: 'to disk', colour: 'violet', make: rate('l2_demotions') },
      { name: 'promotions', label: 'from disk', colour: 'green', make: rate('l2_promotions') },
      { name: 'evictions', label: 'evicted', colour: 'red', make: rate('evictions') },
      {
        name: 'expiries',
        label: 'expired',
        colour: 'grey',
        make: rate('get_expired', 'reclaimed', 'crawler_reclaimed', 'swept'),
      },
    ],
  },
  {
    title: 'Memory',
    format: bytes,
    isBytes: true,
    lines: [
      {
        name: 'itemBytes',
        label: 'items',
        colour: 'blue',
        filled: true,
        make: gauge((d) => d.gauges.bytes),
      },
      {
        name: 'pageBytes',
        label: 'pages',
        colour: 'green',
        make: gauge((d) => d.gauges.pageBytes),
      },
      { name: 'rssBytes', label: 'process', colour: 'grey', make: gauge((d) => d.gauges.rssBytes) },
    ],
  },
  {
    title: 'Disk',
    needsDisk: true,
    format: bytesPerSecond,
    isBytes: true,
    lines: [
      { name: 'diskRead', label: 'read', colour: 'violet', make: rate('l2_bytes_read') },
      { name: 'diskWritten', label: 'written', colour: 'orange', make: rate('l2_bytes_written') },
    ],
  },
  {
    title: 'Network',
    format: bytesPerSecond,
    isBytes: true,
    lines: [
      { name: 'received', label: 'received', colour: 'orange', make: rate('bytes_read') },
      { name: 'sent', label: 'sent', colour: 'blue', make: rate('bytes_written') },
    ],
  },
  {
    title: 'Connections',
    format: count,
    lines: [
      {
        name: 'connections',
        label: 'open',
        colour: 'blue',
        filled: true,
        make: gauge((d) => d.gauges.connections),
      },
      {
        name: 'accepted',
        label: 'new/s',
        colour: 'green',
        make: rate('total_connections'),
      },
      {
        name: 'rejected',
        label: 'refused/s',
        colour: 'red',
        make: rate('rejected_connections'),
      },
    ],
  },
  {
    title: 'Processor, of one core',
    format: percent,
    topMin: 1,
    lines: [
      { name: 'cpuUser', label: 'program', colour: 'blue', filled: true, make: cpu('cpuUserS') },
      { name: 'cpuSystem', label: 'system', colour: 'orange', make: cpu('cpuSystemS') },
    ],
  },
  {
    title: 'Lateness of the event loop',
    format: durationUs,
    isLogarithmic: true,
    lines: [
      {
        name: 'loopP50',
        label: 'p50',
        colour: 'blue',
        make: gauge((d) => d.gauges.loopDelayP50Us),
      },
      {
        name: 'loopP99',
        label: 'p99',
        colour: 'blue',
        dashed: true,
        make: gauge((d) => d.gauges.loopDelayP99Us),
      },
      {
        name: 'loopMax',
        label: 'longest',
        colour: 'red',
        make: gauge((d) => d.gauges.loopDelayMaxUs),
      },
    ],
  },
]

/** Whether the counters of one document go on in the other. */
export function isSameLife(now: StatsDocument, before: StatsDocument): boolean {
  return now.pid === before.pid && now.startedAtS === before.startedAtS
}
