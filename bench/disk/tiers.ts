// A working set four times as large as memory, cache-aside: hit ratio, CPU and latency, beside memcached with the same
// memory; then gets of what is on disk only, at several loads.
//
//   npm run bench:tiers -- [--full] [--program FILE]

import { buildDataset, type Dataset } from '../wire/dataset.ts'
import { table } from '../wire/report.ts'
import { BASELINE, OURS } from '../wire/servers.ts'
import { populateQuietly, type Source } from '../wire/sources.ts'
import { cacheAside, drawn, sweep, sweepOnce } from './disk-sources.ts'
import { type DiskServer, readStats, startMemcached, startOurs } from './disk-server.ts'
import { Load, ONE_AT_A_TIME, type Pace, type Window } from './load.ts'
import { type DiskBenchOptions, runBench } from './options.ts'

const MEMORY_MB = 64
/** 256 MB of values. */
const VALUE_BYTES = 1000
const KEYS = Math.ceil((4 * MEMORY_MB * 2 ** 20) / VALUE_BYTES)
const DISK_SIZE = '1GB'
const ZIPF = 0.9
const CONNECTIONS = 50
/** Few enough to stay in memory whatever else does. */
const HOT_KEYS = 1000
const SEED = 11_211
const POPULATE: Pace = { pipelineDepth: 4, ratePerS: 0 }
const MS = 1000

/** Ways to ask for what is on disk; an open loop at a rate that leaves the server time to breathe. */
const DISK_LOADS = [
  { connections: 1, pace: ONE_AT_A_TIME },
  { connections: 10, pace: ONE_AT_A_TIME },
  { connections: 50, pace: ONE_AT_A_TIME },
  { connections: 50, pace: { pipelineDepth: 1, ratePerS: 2000 } },
  { connections: 50, pace: { pipelineDepth: 1, ratePerS: 10_000 } },
] as const

const ASIDE_HEAD = ['server', 'gets', 'hit ratio', 'from memory', 'µs CPU/get', 'p50 ms', 'p99 ms']
const DISK_HEAD = [
  'gets of',
  'connections',
  'gets/s',
  'from disk',
  'µs CPU/get',
  'main thread',
  'p50 ms',
  'p99 ms',
  'p99.9 ms',
]

await runBench('tiers', async (options) => {
  const dataset = buildDataset({
    prefix: 'w:',
    keyCount: KEYS,
    values: [{ valueBytes: VALUE_BYTES, share: 1 }],
  })
  const aside: string[][] = []
  const baseline = await startMemcached(MEMORY_MB, options.pin)
  if (baseline !== null) {
    aside.push(await measureAside(baseline, dataset, options))
    await baseline.stop()
  }
  const ours = await startOurs(
    {
      name: OURS,
      memoryMb: MEMORY_MB,
      options: ['--max-disk-size', DISK_SIZE],
      program: options.program,
    },
    options.pin,
  )
  aside.push(await measureAside(ours, dataset, options))
  console.log(
    `${KEYS} values of ${VALUE_BYTES} bytes, ${MEMORY_MB} MB of memory, Zipf ${ZIPF}, cache-aside, ` +
      `${CONNECTIONS} connections\n\n${table([ASIDE_HEAD, ...aside], 1)}\n`,
  )
  const disk = await measureDisk(ours, dataset, options)
  console.log(table([DISK_HEAD, ...disk], 1))
  const stats = await readStats(ours.port, 'l2')
  const read = ['p50', 'p99', 'max'].map((name) => stats.get(`l2_read_${name}_us`)).join(', ')
  console.log(`\nReads of the disk tier took ${read} µs (p50, p99, longest).`)
  await ours.stop()
})

/** Sets everything, then gets and sets what is missing, until what is in memory is what is used most. */
async function measureAside(
  server: DiskServer,
  dataset: Dataset,
  { full, pin }: DiskBenchOptions,
): Promise<string[]> {
  const load = await Load.open(server, dataset, CONNECTIONS, pin)
  await load.all(populateQuietly(dataset), POPULATE)
  const source = cacheAside(KEYS, ZIPF, CONNECTIONS, SEED)
  await load.window(source, ONE_AT_A_TIME, 0, full ? 20 : 5)
  const diskHitsBefore = await diskHits(server)
  const window = await load.window(source, ONE_AT_A_TIME, 0, full ? 30 : 5)
  const fromDisk = (await diskHits(server)) - diskHitsBefore
  await load.close()
  const gets = window.hits + window.misses
  return [
    server.name === BASELINE ? `${BASELINE} ${server.version}` : server.name,
    String(gets),
    percent(window.hits / gets),
    percent((window.hits - fromDisk) / gets),
    (window.cost.processUs / gets).toFixed(1),
    ms(window.p50Us),
    ms(window.p99Us),
  ]
}

async function measureDisk(
  server: DiskServer,
  dataset: Dataset,
  { full, pin }: DiskBenchOptions,
): Promise<string[][]> {
  const rows: string[][] = []
  const seconds = full ? 15 : 3
  const hot = await Load.open(server, dataset, CONNECTIONS, pin)
  const inMemory = drawn(HOT_KEYS, 0, 0, SEED)
  const fromMemory = await measureGets(server, hot, inMemory, ONE_AT_A_TIME, seconds)
  rows.push(row('memory', CONNECTIONS, fromMemory))
  // From here on, every key has left memory when it is asked for.
  await hot.all(sweepOnce(KEYS, SEED), ONE_AT_A_TIME)
  await hot.close()
  const source = sweep(KEYS, SEED)
  for (const { connections, pace } of DISK_LOADS) {
    const load = await Load.open(server, dataset, connections, pin)
    const measured = await measureGets(server, load, source, pace, seconds)
    const name = pace.ratePerS === 0 ? 'disk' : `disk, ${pace.ratePerS}/s on a clock`
    rows.push(row(name, connections, measured))
    await load.close()
  }
  return rows
}

interface Gets {
  readonly window: Window
  readonly fromDisk: number
}

async function measureGets(
  server: DiskServer,
  load: Load,
  source: Source,
  pace: Pace,
  seconds: number,
): Promise<Gets> {
  const before = await diskHits(server)
  const window = await load.window(source, pace, 0, seconds)
  return { window, fromDisk: (await diskHits(server)) - before }
}

function row(name: string, connections: number, { window, fromDisk }: Gets): string[] {
  const { requests, seconds, cost, misses } = window
  if (misses > 0) throw new Error(`${misses} keys were on neither tier`)
  return [
    name,
    String(connections),
    (requests / seconds).toFixed(0),
    percent(Math.min(1, fromDisk / requests)),
    (cost.processUs / requests).toFixed(1),
    (cost.mainUs / requests).toFixed(1),
    ms(window.p50Us),
    ms(window.p99Us),
    ms(window.p999Us),
  ]
}

async function diskHits({ port, folder }: DiskServer): Promise<number> {
  return folder === null ? 0 : ((await readStats(port, 'l2')).get('l2_hits') ?? 0)
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`
}

function ms(us: number): string {
  return (us / MS).toFixed(2)
}
