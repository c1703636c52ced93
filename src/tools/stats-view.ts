/** The figures of a server as a table for a terminal, and as plain lines for a file or a pipe. */
import { bar, printBytes, printCount, printRate, printShare, printSpan } from './amounts.ts'
import { figure } from './stats-figures.ts'
import type { Figures, Sample } from './stats-figures.ts'

const BAR_COLUMNS = 20
const NAME_COLUMNS = 16
const VALUE_COLUMNS = 14

type Row = readonly [name: string, show: (figures: Figures) => string]

const ROWS: readonly Row[] = [
  ['gets /s', ({ getsPerS }) => printRate(getsPerS)],
  ['sets /s', ({ setsPerS }) => printRate(setsPerS)],
  ['deletes /s', ({ deletesPerS }) => printRate(deletesPerS)],
  ['touches /s', ({ touchesPerS }) => printRate(touchesPerS)],
  ['incr, decr /s', ({ arithmeticPerS }) => printRate(arithmeticPerS)],
  ['hit ratio', ({ hitRatio }) => printShare(hitRatio)],
  ['evictions /s', ({ evictionsPerS }) => printRate(evictionsPerS)],
  ['received /s', ({ readBytesPerS }) => printBytes(readBytesPerS)],
  ['sent /s', ({ writtenBytesPerS }) => printBytes(writtenBytesPerS)],
  ['new clients /s', ({ connectsPerS }) => printRate(connectsPerS)],
  ['CPU user', ({ userCpu }) => printShare(userCpu)],
  ['CPU system', ({ systemCpu }) => printShare(systemCpu)],
]

const DISK_ROWS: readonly Row[] = [
  ['disk reads /s', ({ disk }) => printRate(disk?.readsPerS ?? 0)],
  ['disk writes /s', ({ disk }) => printRate(disk?.writesPerS ?? 0)],
  ['disk drops /s', ({ disk }) => printRate(disk?.droppedPerS ?? 0)],
  ['hits from disk', ({ disk }) => printShare(disk?.shareOfHits ?? null)],
]

/** The whole table. `now` is of the last interval; null for the first sample, of which there is none. */
export function screen(name: string, sample: Sample, start: Figures, now: Figures | null): string {
  const { stats } = sample
  const own = stats.get('rat_memcached_version')
  const speaks = `memcached ${stats.get('version') ?? '?'}`
  const program = own === undefined ? speaks : `rat-memcached ${own}, as ${speaks}`
  const table = [...ROWS, ...(start.disk === null ? [] : DISK_ROWS)].map(
    ([row, show]) =>
      row.padEnd(NAME_COLUMNS) + (now === null ? '' : cell(show(now))) + cell(show(start)),
  )
  const head = (now === null ? '' : cell('now')) + cell('since start')
  return [
    `${name}  ${program}, up ${printSpan(figure(sample, 'uptime'))}`,
    '',
    ''.padEnd(NAME_COLUMNS) + head,
    ...table,
    '',
    ...levels(sample),
    '',
  ].join('\n')
}

function cell(text: string): string {
  return text.padStart(VALUE_COLUMNS)
}

function level(name: string, used: number, limit: number, rest: string): string {
  const part = limit === 0 ? 0 : used / limit
  return `${name.padEnd(NAME_COLUMNS)}${bar(part, BAR_COLUMNS)}${printShare(part).padStart(9)}  ${rest}`
}

/** How full it is. */
function levels(sample: Sample): string[] {
  const bytes = figure(sample, 'total_malloced') || figure(sample, 'bytes')
  const limit = figure(sample, 'limit_maxbytes')
  const items = printCount(figure(sample, 'curr_items'))
  const lines = [
    level('memory', bytes, limit, `${printBytes(bytes)} of ${printBytes(limit)}, ${items} items`),
  ]
  if (sample.stats.has('extstore_limit_maxbytes')) {
    const used = figure(sample, 'extstore_bytes_used')
    const most = figure(sample, 'extstore_limit_maxbytes')
    const records = printCount(figure(sample, 'extstore_objects_used'))
    lines.push(
      level('disk', used, most, `${printBytes(used)} of ${printBytes(most)}, ${records} items`),
    )
  }
  const clients = figure(sample, 'curr_connections')
  const clientsMax = figure(sample, 'max_connections')
  const refused = printCount(figure(sample, 'rejected_connections'))
  lines.push(
    level(
      'connections',
      clients,
      clientsMax,
      `${printCount(clients)} of ${printCount(clientsMax)}, ${refused} refused`,
    ),
  )
  return lines
}

interface Column {
  readonly name: string
  readonly show: (figures: Figures, sample: Sample) => string
}

/** Without blanks in a value, so that programs can take a line apart. */
const COLUMNS: readonly Column[] = [
  { name: 'gets/s', show: ({ getsPerS }) => getsPerS.toFixed(0) },
  { name: 'sets/s', show: ({ setsPerS }) => setsPerS.toFixed(0) },
  { name: 'hit%', show: ({ hitRatio }) => percent(hitRatio) },
  { name: 'evict/s', show: ({ evictionsPerS }) => evictionsPerS.toFixed(0) },
  { name: 'in_KB/s', show: ({ readBytesPerS }) => (readBytesPerS / 1024).toFixed(0) },
  { name: 'out_KB/s', show: ({ writtenBytesPerS }) => (writtenBytesPerS / 1024).toFixed(0) },
  { name: 'items', show: (_, sample) => String(figure(sample, 'curr_items')) },
  {
    name: 'mem%',
    show: (_, sample) =>
      percent(
        share(sample, 'total_malloced', 'limit_maxbytes') ??
          share(sample, 'bytes', 'limit_maxbytes'),
      ),
  },
  {
    name: 'disk_items',
    show: (_, { stats }) => stats.get('extstore_objects_used') ?? '-',
  },
  {
    name: 'disk%',
    show: (_, sample) => percent(share(sample, 'extstore_bytes_used', 'extstore_limit_maxbytes')),
  },
  { name: 'disk_rd/s', show: ({ disk }) => (disk === null ? '-' : disk.readsPerS.toFixed(0)) },
  { name: 'conns', show: (_, sample) => String(figure(sample, 'curr_connections')) },
  { name: 'cpu%', show: ({ userCpu, systemCpu }) => percent(userCpu + systemCpu) },
]
const TIME_COLUMNS = 8
const COLUMNS_MIN = 8

/** `time gets/s sets/s …` */
export function plainHead(): string {
  return ['time'.padEnd(TIME_COLUMNS), ...COLUMNS.map(({ name }) => name.padStart(widthOf(name)))]
    .join(' ')
    .concat('\n')
}

/** One line of the same columns. `time` is that of the server, in UTC. */
export function plainRow(sample: Sample, figures: Figures): string {
  const time = new Date(figure(sample, 'time') * 1000).toISOString().slice(11, 19)
  const cells = COLUMNS.map(({ name, show }) => show(figures, sample).padStart(widthOf(name)))
  return `${[time, ...cells].join(' ')}\n`
}

function widthOf(name: string): number {
  return Math.max(COLUMNS_MIN, name.length)
}

function share(sample: Sample, used: string, limit: string): number | null {
  const most = figure(sample, limit)
  return most === 0 || !sample.stats.has(used) ? null : figure(sample, used) / most
}

function percent(part: number | null): string {
  return part === null ? '-' : (100 * part).toFixed(1)
}
