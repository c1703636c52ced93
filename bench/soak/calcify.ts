// Memory that moves with the load: fills a server with values of 100 bytes, then of 1 KB, then of 50 KB, each time with as
// much as its memory holds, and compares what it then holds with what one holds that was started just now.
//
//   npm run bench:calcify -- [--memory MB] [--turnovers N] [--eviction POLICY] [--server CMD]

import { parseArgs } from 'node:util'
import { readStats } from '../disk/disk-server.ts'
import { buildDataset, type Dataset } from '../wire/dataset.ts'
import { text } from '../wire/dialect/text.ts'
import { Driver } from '../wire/drive.ts'
import { Histogram } from '../wire/histogram.ts'
import { table } from '../wire/report.ts'
import { BASELINE, findServers, killAllAtEnd, OURS, startServer } from '../wire/servers.ts'
import { getAll } from '../wire/sources.ts'
import { fill, startProbed } from './probed-server.ts'

const MEMORY_MB = 128
const SIZES = [100, 1024, 51_200]
/** Beside the value: key, header, and the share of a page or chunk that is not used. */
const OVERHEAD_BYTES = 40
const HEAD = [
  'server',
  'values',
  'sets',
  'held',
  'fresh',
  'held/fresh',
  'all bytes',
  'longest stall',
]
const CPU_HEAD = 'in CPU time'

interface Target {
  readonly port: number
  /** Milliseconds that the server did not turn, and in CPU time; null where nobody can tell. */
  stall(): Promise<{ readonly stallMs: number; readonly turnMs: number } | null>
  stop(): Promise<void>
}

interface Kind {
  readonly name: string
  start(): Promise<Target>
}

killAllAtEnd()
const { values } = parseArgs({
  options: {
    memory: { type: 'string', default: String(MEMORY_MB) },
    turnovers: { type: 'string', default: '1' },
    eviction: { type: 'string', default: 'hybrid' },
    server: { type: 'string', multiple: true, default: [] },
  },
})
const memoryMb = Number(values.memory)
const datasets = SIZES.map(datasetOf)
const rows: string[][] = []
for (const kind of kinds()) rows.push(...(await measure(kind)))
console.log(`\n${table([[...HEAD, CPU_HEAD], ...rows], 2)}`)

function kinds(): Kind[] {
  const others = findServers(values.server).filter(({ name }) => name !== OURS)
  const ours: Kind = {
    name: `${OURS}, ${values.eviction}`,
    async start() {
      const words = ['--no-l2', '--eviction', values.eviction]
      const server = await startProbed(memoryMb, words)
      return { port: server.port, stall: () => server.read(), stop: () => server.stop() }
    },
  }
  const theirs = others.map((definition) => ({
    name: definition.name,
    async start(): Promise<Target> {
      const server = await startServer(definition, memoryMb, false)
      return { port: server.port, stall: () => Promise.resolve(null), stop: () => server.stop() }
    },
  }))
  return [ours, ...theirs]
}

async function measure(kind: Kind): Promise<string[][]> {
  const fresh: number[] = []
  for (const dataset of datasets) {
    const server = await kind.start()
    await fill(server.port, dataset, kind.name === BASELINE)
    fresh.push(await heldOf(server.port, dataset))
    await server.stop()
  }
  const lines: string[][] = []
  const server = await kind.start()
  for (const [step, dataset] of datasets.entries()) {
    await server.stall()
    await fill(server.port, dataset, kind.name === BASELINE)
    const stall = await server.stall()
    const held = await heldOf(server.port, dataset)
    const bytes = (await readStats(server.port)).get('bytes') ?? 0
    lines.push([
      kind.name,
      `${SIZES[step]} B`,
      String(dataset.keyCount),
      String(held),
      String(fresh[step]),
      (held / fresh[step]!).toFixed(3),
      `${(bytes / 2 ** 20).toFixed(1)} MB`,
      stall === null ? '-' : `${stall.stallMs.toFixed(1)} ms`,
      stall === null ? '-' : `${stall.turnMs.toFixed(1)} ms`,
    ])
  }
  await server.stop()
  return lines
}

/** One turnover of the memory, or as many as were asked for. */
function datasetOf(valueBytes: number, index: number): Dataset {
  const keyCount = Math.ceil(
    (Number(values.turnovers) * memoryMb * 2 ** 20) / (valueBytes + OVERHEAD_BYTES),
  )
  return buildDataset({
    prefix: `${'abc'[index]}:`,
    keyCount,
    values: [{ valueBytes, share: 1 }],
  })
}

/** How many items of a dataset are there, every byte checked. */
async function heldOf(port: number, dataset: Dataset): Promise<number> {
  const driver = new Driver(new Histogram(), false)
  await driver.open(4, {
    port,
    dataset,
    keys: new Uint32Array(1),
    dialect: text,
    multigetWidth: 1,
    counters: new Float64Array(0),
    mayRefuse: false,
    pendingMax: 16,
    readBuffer: Buffer.allocUnsafeSlow(1 << 16),
  })
  await driver.run({ source: getAll(dataset), pipelineDepth: 16, ratePerS: 0 })
  const { hits } = driver
  await driver.close()
  return hits
}
