// The load program: one process, one thread, one workload against one server. The spec comes as an argument, the
// result goes to standard output as one line of JSON; the exit status is 1 if a single byte was wrong.

import { pathToFileURL } from 'node:url'
import { buildDataset, type DatasetSpec } from './dataset.ts'
import { binary } from './dialect/binary.ts'
import { type Dialect } from './dialect/dialect.ts'
import { meta } from './dialect/meta.ts'
import { text } from './dialect/text.ts'
import { Driver, type Phase } from './drive.ts'
import { Histogram } from './histogram.ts'
import { type LoadResult, type LoadSpec } from './load-spec.ts'
import { cpuUs } from './procfs.ts'
import {
  drawnKeys,
  drawnSource,
  getAll,
  populateCounters,
  populateQuietly,
  setAll,
} from './sources.ts'
import { COUNTERS_PER_CONNECTION, type DialectName } from './workloads.ts'

const DIALECTS: Readonly<Record<DialectName, Dialect>> = { text, meta, binary }
/** Both sides have compiled and the connections have settled by then. */
const WARM_SHARE = 0.25
const WARM_SECONDS_MAX = 1
const READ_BUFFER_BYTES = 1 << 16
/** In the open loop a connection may have this many requests on the way; a power of two. */
const OPEN_PENDING_MAX = 64

export async function runLoad(spec: LoadSpec): Promise<LoadResult> {
  const { workload } = spec
  const histogram = new Histogram()
  const driver = new Driver(histogram, spec.polls)
  const result = { ...NOTHING }
  try {
    const dataset = buildDataset(dataOf(spec))
    const keys = drawnKeys(workload, spec.seed)
    await driver.open(workload.connections, {
      port: spec.port,
      dialect: DIALECTS[workload.dialect],
      dataset,
      keys,
      multigetWidth: workload.multigetWidth,
      counters: new Float64Array(workload.kind === 'incr' ? dataset.keyCount : 0),
      mayRefuse: workload.kind === 'fill',
      pendingMax: pendingMaxOf(spec),
      readBuffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
    })
    const { pipelineDepth, ratePerS } = workload
    if (workload.kind === 'fill') {
      const fill = { source: setAll(dataset), pipelineDepth, ratePerS: 0 }
      Object.assign(result, await measure(spec, driver, histogram, () => driver.run(fill)))
      await driver.run({ source: getAll(dataset), pipelineDepth, ratePerS: 0 })
      Object.assign(result, { hits: driver.hits, misses: driver.misses })
    } else {
      if (workload.kind === 'incr') {
        const source = populateCounters(workload.connections)
        await driver.run({ source, pipelineDepth: 1, ratePerS: 0 })
      } else if (spec.mustPopulate) {
        await driver.run({ source: populateQuietly(dataset), pipelineDepth: 1, ratePerS: 0 })
      }
      const source = drawnSource(workload, keys, spec.seed)
      const phase = { source, pipelineDepth, ratePerS }
      Object.assign(result, await measureWindow(spec, driver, histogram, phase))
      Object.assign(result, { hits: driver.hits, misses: driver.misses })
      if (driver.misses > 0)
        result.failure = `${driver.misses} keys were missing: give more --memory`
    }
    result.refusals = driver.refusals
    await driver.close()
  } catch (error) {
    result.failure = error instanceof Error ? error.message : String(error)
  }
  return result
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const NOTHING: Mutable<LoadResult> = {
  requests: 0,
  seconds: 0,
  cpuUs: null,
  p50Us: 0,
  p99Us: 0,
  p999Us: 0,
  hits: 0,
  misses: 0,
  refusals: 0,
  failure: null,
}

/** A phase that runs on by itself, with the window cut out of its middle. */
async function measureWindow(
  spec: LoadSpec,
  driver: Driver,
  histogram: Histogram,
  phase: Phase,
): Promise<Partial<LoadResult>> {
  const running = driver.run(phase)
  const warmed = wait(Math.min(WARM_SECONDS_MAX, spec.seconds * WARM_SHARE))
  await Promise.race([warmed, running])
  const window = await measure(spec, driver, histogram, () =>
    Promise.race([wait(spec.seconds), running]),
  )
  driver.stop()
  await running
  return window
}

async function measure(
  spec: LoadSpec,
  driver: Driver,
  histogram: Histogram,
  work: () => Promise<void>,
): Promise<Partial<LoadResult>> {
  histogram.reset()
  const answersBefore = driver.answers
  const cpuBefore = cpuUs(spec.pid)
  const startMs = performance.now()
  await work()
  const seconds = (performance.now() - startMs) / 1000
  const cpuAfter = cpuUs(spec.pid)
  return {
    requests: (driver.answers - answersBefore) * spec.workload.multigetWidth,
    seconds,
    cpuUs: cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore,
    p50Us: histogram.quantileUs(0.5),
    p99Us: histogram.quantileUs(0.99),
    p999Us: histogram.quantileUs(0.999),
  }
}

/** Counters are per connection, so their number follows the connections. */
function dataOf(spec: LoadSpec): DatasetSpec {
  const { kind, data, connections } = spec.workload
  return kind === 'incr' ? { ...data, keyCount: connections * COUNTERS_PER_CONNECTION } : data
}

function pendingMaxOf(spec: LoadSpec): number {
  if (spec.workload.ratePerS > 0) return OPEN_PENDING_MAX
  return 2 ** Math.ceil(Math.log2(spec.workload.pipelineDepth))
}

function wait(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const spec: LoadSpec = JSON.parse(process.argv[2] ?? '{}')
  const result = await runLoad(spec)
  // Connections of a failed run may still be open; nothing more is wanted of them.
  process.stdout.write(`${JSON.stringify(result)}\n`, () => {
    process.exit(result.failure === null ? 0 : 1)
  })
}
