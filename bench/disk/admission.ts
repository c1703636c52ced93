// What should stay in memory: mixes of requests under several settings of the rules for that. A row says how many gets
// were answered from memory, what a get cost, and what was read and written on disk for it.
//
//   npm run bench:admission -- [--full] [--program FILE] [large all-large promotion no-scan min_item_size]

import { buildDataset, type DatasetSpec } from '../wire/dataset.ts'
import { table } from '../wire/report.ts'
import { OURS } from '../wire/servers.ts'
import { type Client } from '../wire/client.ts'
import { populateQuietly, type Source } from '../wire/sources.ts'
import { cacheAside } from './disk-sources.ts'
import { type DiskServer, readStats, startOurs } from './disk-server.ts'
import { Load, ONE_AT_A_TIME } from './load.ts'
import { type DiskBenchOptions, runBench } from './options.ts'

const MEMORY_MB = 64
const DISK_SIZE = '2GB'
const CONNECTIONS = 20
const SEED = 11_211
const ZIPF = 0.9
const POPULATE = { pipelineDepth: 2, ratePerS: 0 }
/** Of a load with scans, the share of gets that belong to one. */
const SCAN_SHARE = 0.3

interface Question {
  /** What it is about, as the command line names it. */
  readonly name: string
  readonly title: string
  readonly data: DatasetSpec
  readonly scans: boolean
  /** Settings as variables of the environment, each with its value. */
  readonly answers: readonly Readonly<Record<string, string>>[]
}

const LARGE = 'PERFORMANCE_LARGE_VALUE_THRESHOLD'
const small: DatasetSpec = {
  prefix: 'p:',
  keyCount: 268_436,
  values: [{ valueBytes: 1000, share: 1 }],
}

const QUESTIONS: readonly Question[] = [
  {
    name: 'large',
    title: '1 KB values, and one in 500 of 200 KB, 400 KB, or 1 MB: three times as much as fits',
    data: {
      prefix: 'l:',
      keyCount: 90_000,
      values: [
        { valueBytes: 1_000_000, share: 0.001 },
        { valueBytes: 400_000, share: 0.001 },
        { valueBytes: 200_000, share: 0.001 },
        { valueBytes: 1000, share: 0.997 },
      ],
    },
    scans: false,
    answers: ['0', '128KB', '256KB', '512KB', '1MB'].map((value) => ({ [LARGE]: value })),
  },
  {
    name: 'all-large',
    title: '100 values of 400 KB, which all fit in memory',
    data: { prefix: 'a:', keyCount: 100, values: [{ valueBytes: 400_000, share: 1 }] },
    scans: false,
    answers: ['0', '128KB', '512KB'].map((value) => ({ [LARGE]: value })),
  },
  {
    name: 'promotion',
    title: `1 KB values, four times as many as fit, ${SCAN_SHARE * 100} % of gets in scans`,
    data: small,
    scans: true,
    answers: ['always', 'second-hit', 'never'].map((value) => ({ L2_PROMOTION: value })),
  },
  {
    name: 'no-scan',
    title: '1 KB values, four times as many as fit, no scans',
    data: small,
    scans: false,
    answers: ['always', 'second-hit', 'never'].map((value) => ({ L2_PROMOTION: value })),
  },
  {
    name: 'min_item_size',
    title: 'values of 50 B and 1 KB, half each, three times as much as fits',
    data: {
      prefix: 'm:',
      keyCount: 320_000,
      values: [
        { valueBytes: 50, share: 0.5 },
        { valueBytes: 1000, share: 0.5 },
      ],
    },
    scans: false,
    answers: ['0', '64', '256'].map((value) => ({ L2_MIN_ITEM_SIZE: value })),
  },
]

const HEAD = [
  'setting',
  'gets',
  'from memory',
  'found',
  'µs CPU/get',
  'main thread',
  'p50 ms',
  'p99 ms',
  'disk read B/get',
  'items in memory',
]

await runBench('admission', async (options) => {
  const asked =
    options.words.length > 0
      ? QUESTIONS.filter(({ name }) => options.words.includes(name))
      : QUESTIONS
  if (asked.length === 0)
    throw new Error(`there are ${QUESTIONS.map(({ name }) => name).join(', ')}`)
  for (const question of asked) {
    const rows: string[][] = []
    for (const settings of question.answers) rows.push(await measure(question, settings, options))
    console.log(`${question.name}: ${question.title}\n\n${table([HEAD, ...rows], 1)}\n`)
  }
})

async function measure(
  { data, scans }: Question,
  settings: Readonly<Record<string, string>>,
  { full, program, pin }: DiskBenchOptions,
): Promise<string[]> {
  const dataset = buildDataset(data)
  const words = ['--max-disk-size', DISK_SIZE]
  const server = await startOurs(
    { name: OURS, memoryMb: MEMORY_MB, options: words, settings, program },
    pin,
  )
  const load = await Load.open(server, dataset, CONNECTIONS, pin)
  await load.all(populateQuietly(dataset), POPULATE)
  const aside = cacheAside(dataset.keyCount, ZIPF, CONNECTIONS, SEED)
  const source = scans ? withScans(aside, dataset.keyCount) : aside
  await load.window(source, ONE_AT_A_TIME, 0, full ? 15 : 3)
  const before = await diskFigures(server)
  const window = await load.window(source, ONE_AT_A_TIME, 0, full ? 20 : 3)
  const after = await diskFigures(server)
  await load.close()
  await server.stop()
  const gets = window.hits + window.misses
  const fromMemory = window.hits - (after.hits - before.hits)
  return [
    Object.values(settings).join(' '),
    String(gets),
    percent(fromMemory / gets),
    percent(window.hits / gets),
    (window.cost.processUs / gets).toFixed(1),
    (window.cost.mainUs / gets).toFixed(1),
    (window.p50Us / 1000).toFixed(2),
    (window.p99Us / 1000).toFixed(2),
    ((after.bytesRead - before.bytesRead) / gets).toFixed(0),
    String(after.items),
  ]
}

/** Some of the gets go through all keys, one after the other, instead. */
function withScans(source: Source, keyCount: number): Source {
  let next = 0
  let due = 0
  return {
    add(client: Client, index: number, dueMs: number): boolean {
      due += SCAN_SHARE
      if (due < 1) return source.add(client, index, dueMs)
      due -= 1
      client.get(next, dueMs)
      next = next + 1 === keyCount ? 0 : next + 1
      return true
    },
  }
}

interface DiskFigures {
  readonly hits: number
  readonly bytesRead: number
  readonly items: number
}

async function diskFigures({ port }: DiskServer): Promise<DiskFigures> {
  const disk = await readStats(port, 'l2')
  const general = await readStats(port)
  return {
    hits: disk.get('l2_hits') ?? 0,
    bytesRead: disk.get('l2_bytes_read') ?? 0,
    items: general.get('curr_items') ?? 0,
  }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`
}
