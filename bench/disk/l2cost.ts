// What the disk tier costs: the same sets, and the same gets of what is in memory, with a disk tier and without one, in
// turn. The processor time of the main thread is what a request costs others that wait; that of the whole process is
// what it costs the machine.
//
//   npm run bench:l2cost -- [--full] [--rounds N] [--program FILE] [write-behind …]

import { buildDataset, type Dataset, type DatasetSpec } from '../wire/dataset.ts'
import { table } from '../wire/report.ts'
import { median } from '../wire/results.ts'
import { populateQuietly } from '../wire/sources.ts'
import { drawn } from './disk-sources.ts'
import { type DiskServer, startOurs } from './disk-server.ts'
import { Load } from './load.ts'
import { type DiskBenchOptions, runBench } from './options.ts'

const OFF = 'off'
const POLICIES = ['write-behind', 'write-through', 'on-evict'] as const
/** All of the data stays in memory. */
const MEMORY_MB = 512
const DISK_SIZE = '1GB'
const SEED = 11_211
const CONNECTIONS = 50
const POPULATE_DEPTH = 4
const ROUNDS = { quick: 2, full: 7 } as const
/** Seconds of a load before it is measured: the first has the runtime compile what all of them need. */
const WARM_SECONDS = { quick: 0.4, full: 2 } as const
const FIRST_WARM_SECONDS = { quick: 1.5, full: 10 } as const
const SECONDS = { quick: 0.8, full: 4 } as const

const LOADS: readonly { name: string; data: DatasetSpec; setShare: number; depth: number }[] = [
  { name: 'set 100 B, 16 pipelined', data: fixed('s:', 500_000, 100), setShare: 1, depth: 16 },
  { name: 'set 1 KB, 16 pipelined', data: fixed('t:', 250_000, 1000), setShare: 1, depth: 16 },
  { name: 'set 100 B, one by one', data: fixed('s:', 500_000, 100), setShare: 1, depth: 1 },
  { name: 'set 1 KB, one by one', data: fixed('t:', 250_000, 1000), setShare: 1, depth: 1 },
  { name: 'get 100 B, 16 pipelined', data: fixed('s:', 500_000, 100), setShare: 0, depth: 16 },
  { name: 'get 100 B, one by one', data: fixed('s:', 500_000, 100), setShare: 0, depth: 1 },
]

const HEAD = [
  'request',
  'disk tier',
  'main µs',
  'more than off',
  'process µs',
  'more than off',
  'main, on/off',
  'written B',
  'requests/s',
]

interface Figure {
  readonly mainUs: number
  readonly processUs: number
  readonly perS: number
  /** Given to files and sockets; less than two values a set if keys change again before they are written. */
  readonly writtenBytes: number
}

await runBench('l2cost', async (options) => {
  const rounds = options.rounds ?? (options.full ? ROUNDS.full : ROUNDS.quick)
  const variants = [OFF, ...(options.words.length > 0 ? options.words : POLICIES)]
  const figures = new Map<string, Figure[]>()
  for (let round = 0; round < rounds; round++) {
    console.error(`round ${round + 1}/${rounds}`)
    await runRound(round, variants, options, figures)
  }
  const measured = LOADS.filter(({ name }) => figures.has(`${name} ${OFF}`))
  const rows = measured.flatMap(({ name }) =>
    variants.map((variant) => row(name, variant, figures)),
  )
  console.log(
    `${CONNECTIONS} connections, all in memory; medians of ${rounds} rounds in turn, lowest and highest behind them\n\n` +
      table([HEAD, ...rows], 2),
  )
})

/** One server of each variant at a time, in turn for each load; the order is turned in every other round. */
async function runRound(
  round: number,
  variants: readonly string[],
  { full, program, pin }: DiskBenchOptions,
  figures: Map<string, Figure[]>,
): Promise<void> {
  const order = round % 2 === 0 ? variants : variants.toReversed()
  const servers: DiskServer[] = []
  for (const variant of order) {
    const disk = ['--max-disk-size', DISK_SIZE, '--write-policy', variant]
    const options = variant === OFF ? ['--no-l2'] : disk
    servers.push(await startOurs({ name: variant, memoryMb: MEMORY_MB, options, program }, pin))
  }
  const datasets = new Map<string, Dataset>()
  const populated = new Set<string>()
  const length = full ? 'full' : 'quick'
  for (const [index, { name, data, setShare, depth }] of LOADS.entries()) {
    if (!full && depth === 1 && setShare === 0) continue
    const isFirst = index === 0
    const dataset = datasets.get(data.prefix) ?? buildDataset(data)
    datasets.set(data.prefix, dataset)
    for (const server of servers) {
      const load = await Load.open(server, dataset, CONNECTIONS, pin)
      const id = `${server.name} ${data.prefix}`
      if (!populated.has(id)) {
        const pace = { pipelineDepth: POPULATE_DEPTH, ratePerS: 0 }
        await load.all(populateQuietly(dataset), pace)
        populated.add(id)
      }
      const source = drawn(dataset.keyCount, 0, setShare, SEED + round)
      const pace = { pipelineDepth: depth, ratePerS: 0 }
      const warmSeconds = (isFirst ? FIRST_WARM_SECONDS : WARM_SECONDS)[length]
      const window = await load.window(source, pace, warmSeconds, SECONDS[length])
      await load.close()
      if (window.misses > 0) throw new Error(`${window.misses} keys were missing`)
      const key = `${name} ${server.name}`
      const figure: Figure = {
        mainUs: window.cost.mainUs / window.requests,
        processUs: window.cost.processUs / window.requests,
        perS: window.requests / window.seconds,
        writtenBytes: window.cost.givenBytes / window.requests,
      }
      figures.set(key, [...(figures.get(key) ?? []), figure])
    }
  }
  for (const server of servers) await server.stop()
}

function row(name: string, variant: string, figures: ReadonlyMap<string, Figure[]>): string[] {
  const on = figures.get(`${name} ${variant}`) ?? []
  const off = figures.get(`${name} ${OFF}`) ?? []
  const main = on.map(({ mainUs }) => mainUs)
  const process = on.map(({ processUs }) => processUs)
  const perS = (median(on.map((figure) => figure.perS)) ?? 0).toFixed(0)
  const writtenBytes = (median(on.map((figure) => figure.writtenBytes)) ?? 0).toFixed(0)
  if (variant === OFF)
    return [name, variant, spread(main, 2), '', spread(process, 2), '', '', writtenBytes, perS]
  return [
    name,
    variant,
    spread(main, 2),
    spread(
      on.map(({ mainUs }, round) => mainUs - off[round]!.mainUs),
      2,
    ),
    spread(process, 2),
    spread(
      on.map(({ processUs }, round) => processUs - off[round]!.processUs),
      2,
    ),
    spread(
      on.map(({ mainUs }, round) => mainUs / off[round]!.mainUs),
      2,
    ),
    writtenBytes,
    perS,
  ]
}

/** Median, lowest and highest. */
function spread(values: readonly number[], digits: number): string {
  const [middle, low, high] = [median(values) ?? 0, Math.min(...values), Math.max(...values)]
  return `${middle.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`
}

function fixed(prefix: string, keyCount: number, valueBytes: number): DatasetSpec {
  return { prefix, keyCount, values: [{ valueBytes, share: 1 }] }
}
