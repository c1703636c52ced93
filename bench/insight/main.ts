// What measuring costs: the same requests to a server that measures everything and to one that measures nothing, in
// turn. The side door of the one that measures is asked for everything as often as Prometheus does by default.
//
//   npm run bench:insight -- [--full] [--rounds N] [--program FILE] [get_p16 …]

import { createServer } from 'node:net'
import { buildDataset } from '../wire/dataset.ts'
import { table } from '../wire/report.ts'
import { median } from '../wire/results.ts'
import { populateQuietly } from '../wire/sources.ts'
import { drawn } from '../disk/disk-sources.ts'
import { type DiskServer, startOurs } from '../disk/disk-server.ts'
import { Load } from '../disk/load.ts'
import { type DiskBenchOptions, runBench } from '../disk/options.ts'

const DATASET = {
  prefix: 'a:',
  keyCount: 200_000,
  values: [{ valueBytes: 100, share: 1 }],
} as const
const ZIPF = 0.99
const MEMORY_MB = 256
const CONNECTIONS = 50
const SEED = 11_211
const POPULATE_DEPTH = 4
/** Pairs of servers, and windows of each of a pair: A B B A A B B A … */
const ROUNDS = { quick: 1, full: 4 } as const
const WINDOWS = { quick: 6, full: 10 } as const
const WARM_SECONDS = { quick: 2, full: 5 } as const
const SECONDS = { quick: 0.5, full: 1 } as const
const ASK_INTERVAL_MS = 15_000

const LOADS = [
  { name: 'get_p16', title: 'set:get 1:10, 16 pipelined', setShare: 1 / 11, depth: 16 },
  { name: 'set_p16', title: 'set, 16 pipelined', setShare: 1, depth: 16 },
  { name: 'get_p1', title: 'set:get 1:10, one by one', setShare: 1 / 11, depth: 1 },
] as const

const OFF = { METRICS_LATENCY: 'false', METRICS_HOT_KEYS: 'false', METRICS_BIND: '' } as const

await runBench('insight', async (options) => {
  const length = options.full ? 'full' : 'quick'
  const rounds = options.rounds ?? ROUNDS[length]
  const ratios = new Map<string, number[]>()
  const costs = new Map<string, number[]>()
  for (let round = 0; round < rounds; round++) {
    console.error(`round ${round + 1}/${rounds}`)
    await runRound(round, options, ratios, costs)
  }
  const rows = LOADS.filter(({ name }) => ratios.has(name)).map(({ name, title }) => [
    title,
    (median(costs.get(`${name} off`)!) ?? 0).toFixed(3),
    (median(costs.get(`${name} on`)!) ?? 0).toFixed(3),
    spread(ratios.get(name)!),
  ])
  console.log(
    `${CONNECTIONS} connections, 100 B, all in memory; µs of the main thread for a request; ` +
      `on/off: median (quartiles) of ${ratios.values().next().value?.length} pairs of windows in turn\n\n` +
      table([['request', 'off', 'on', 'on/off'], ...rows], 1),
  )
})

async function runRound(
  round: number,
  options: DiskBenchOptions,
  ratios: Map<string, number[]>,
  costs: Map<string, number[]>,
): Promise<void> {
  const { pin, program, words } = options
  const length = options.full ? 'full' : 'quick'
  const door = `127.0.0.1:${await freePort()}`
  const start = (name: string, settings: Readonly<Record<string, string>>): Promise<DiskServer> =>
    startOurs({ name, memoryMb: MEMORY_MB, options: ['--no-l2'], settings, program }, pin)
  // Who starts first, and who is loaded first, may be better or worse off for it: that changes, too.
  const first = round % 2 === 0 ? 'on' : 'off'
  const servers = [first, first === 'on' ? 'off' : 'on'].map((name) =>
    start(name, name === 'on' ? { METRICS_BIND: door } : OFF),
  )
  const started = await Promise.all(servers)
  const asking = setInterval(() => void askEverything(door), ASK_INTERVAL_MS)
  const dataset = buildDataset(DATASET)
  try {
    const loads: { key: string; load: Load }[] = []
    for (const server of started) {
      loads.push({ key: server.name, load: await Load.open(server, dataset, CONNECTIONS, pin) })
    }
    for (const { load } of loads)
      await load.all(populateQuietly(dataset), { pipelineDepth: POPULATE_DEPTH, ratePerS: 0 })
    for (const { name, setShare, depth } of LOADS) {
      if (words.length > 0 && !words.includes(name)) continue
      const pace = { pipelineDepth: depth, ratePerS: 0 }
      for (let window = 0; window < WINDOWS[length]; window++) {
        const order = window % 2 === 0 ? loads : loads.toReversed()
        const us = new Map<string, number>()
        for (const { key, load } of order) {
          const source = drawn(dataset.keyCount, ZIPF, setShare, SEED + round + window)
          const warm = window === 0 ? WARM_SECONDS[length] : SECONDS[length] / 5
          const { cost, misses, requests } = await load.window(source, pace, warm, SECONDS[length])
          if (misses > 0) throw new Error(`${misses} keys were missing`)
          us.set(key, cost.mainUs / requests)
          const id = `${name} ${key}`
          costs.set(id, [...(costs.get(id) ?? []), cost.mainUs / requests])
        }
        ratios.set(name, [...(ratios.get(name) ?? []), us.get('on')! / us.get('off')!])
      }
    }
    for (const { load } of loads) await load.close()
  } finally {
    clearInterval(asking)
    await Promise.all(started.map((server) => server.stop()))
  }
}

/** What a scrape and a page ask for. A server that is stopping does not answer, and need not. */
async function askEverything(door: string): Promise<void> {
  for (const path of ['/metrics', '/stats.json']) {
    await fetch(`http://${door}${path}`)
      .then((response) => response.text())
      .catch(() => '')
  }
}

/** Median, and the quartiles around it. */
function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!
  return `${at(0.5).toFixed(3)} (${at(0.25).toFixed(3)}–${at(0.75).toFixed(3)})`
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
