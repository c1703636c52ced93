// What many items cost the runtime: fills the built server through the wire and reports how much its JavaScript heap
// has grown and the longest stall of its event loop, while filling and while evicting.
//
//   npm run bench:pauses -- [--items N] [--memory MB]

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildDataset } from '../wire/dataset.ts'
import { Driver } from '../wire/drive.ts'
import { Histogram } from '../wire/histogram.ts'
import { table } from '../wire/report.ts'
import { freePort, PROJECT, waitForServer } from '../wire/servers.ts'
import { populateQuietly } from '../wire/sources.ts'

const ITEMS = 5_000_000
const VALUE_BYTES = 100
/** Holds all of the items; the second run gets a quarter, so that three quarters are evicted. */
const MEMORY_BYTES_PER_ITEM = 200
const PIPELINE_DEPTH = 4
const CONNECTIONS = 4
const READ_BUFFER_BYTES = 1 << 16
const PROBE = fileURLToPath(new URL('./probe.mjs', import.meta.url))
const PROGRAM = 'dist/bin/rat-memcached.js'
const HEAD = ['run', 'items', 'heap before', 'heap after', 'grown', 'RSS after', 'longest stall']

interface Reading {
  readonly heapUsedBytes: number
  readonly residentBytes: number
  readonly stallMs: number
}

const { values } = parseArgs({
  options: { items: { type: 'string', default: String(ITEMS) }, memory: { type: 'string' } },
})
const items = Number(values.items)
const memoryMb = Number(values.memory ?? Math.ceil((items * MEMORY_BYTES_PER_ITEM) / 2 ** 20) + 64)
const rows = [
  await measure('all are kept', memoryMb),
  await measure('most are evicted', Math.ceil(memoryMb / 4)),
]
console.log(`\n${table([HEAD, ...rows], 1)}`)

async function measure(name: string, mb: number): Promise<string[]> {
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  const words = ['--bind', address, '-m', String(mb), '--no-l2', '--log-level', 'warn']
  // Not on a core of its own: the runtime compiles in threads beside the one that serves.
  const child = spawn(process.execPath, ['--expose-gc', '--import', PROBE, PROGRAM, ...words], {
    cwd: PROJECT,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  try {
    await waitForServer(port)
    await read(child)
    const before = await read(child)
    await fill(port)
    const after = await read(child)
    return [
      name,
      String(items),
      mib(before.heapUsedBytes),
      mib(after.heapUsedBytes),
      mib(after.heapUsedBytes - before.heapUsedBytes),
      mib(after.residentBytes),
      `${after.stallMs.toFixed(1)} ms`,
    ]
  } finally {
    child.kill()
  }
}

async function read(child: ChildProcess): Promise<Reading> {
  child.send('read')
  const message: readonly unknown[] = await once(child, 'message')
  const reading = message[0]
  if (!isReading(reading)) throw new Error('the probe in the server does not answer')
  return reading
}

function isReading(message: unknown): message is Reading {
  return typeof message === 'object' && message !== null && 'stallMs' in message
}

async function fill(port: number): Promise<void> {
  const dataset = buildDataset({
    prefix: 'k:',
    keyCount: items,
    values: [{ valueBytes: VALUE_BYTES, share: 1 }],
  })
  const driver = new Driver(new Histogram(), false)
  await driver.open(CONNECTIONS, {
    port,
    dataset,
    keys: new Uint32Array(1),
    multigetWidth: 1,
    counters: new Float64Array(0),
    mayRefuse: false,
    pendingMax: PIPELINE_DEPTH,
    readBuffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
  })
  await driver.run({
    source: populateQuietly(dataset),
    pipelineDepth: PIPELINE_DEPTH,
    ratePerS: 0,
  })
  await driver.close()
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`
}
