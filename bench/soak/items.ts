// Resident bytes per item: loads many items of 100 bytes through the wire, with quiet pipelined sets, into each server
// in turn, and compares what its process holds before and after. A sample is read back and checked byte for byte.
//
//   node --import tsx bench/soak/items.ts [--items N] [--memory MB] [--server CMD]

import { parseArgs } from 'node:util'
import { buildDataset, type Dataset } from '../wire/dataset.ts'
import { text } from '../wire/dialect/text.ts'
import { Driver } from '../wire/drive.ts'
import { Histogram } from '../wire/histogram.ts'
import { cpuUs, residentBytes } from '../wire/procfs.ts'
import { table } from '../wire/report.ts'
import {
  findServers,
  killAllAtEnd,
  type RunningServer,
  type ServerDefinition,
  startServer,
} from '../wire/servers.ts'
import { getSample, populateQuietly } from '../wire/sources.ts'

const ITEMS = 5_000_000
const VALUE_BYTES = 100
/** Enough that nothing is evicted: an item with a key of 11 bytes costs memcached 192 bytes and its share of the index. */
const MEMORY_BYTES_PER_ITEM = 260
const CONNECTIONS = 4
/** Groups of quiet sets on the way, per connection. */
const PIPELINE_DEPTH = 4
const SAMPLE_STEP = 23
const READ_BUFFER_BYTES = 1 << 16
const HEAD = ['server', 'items', 'RSS before', 'RSS after', 'bytes/item', 'CPU µs/set', 'seconds']

interface Row {
  readonly server: string
  readonly beforeBytes: number
  readonly afterBytes: number
  readonly cpuUsPerSet: number
  readonly seconds: number
}

killAllAtEnd()
try {
  await main()
} catch (error) {
  console.error(`items: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      items: { type: 'string', default: String(ITEMS) },
      memory: { type: 'string' },
      server: { type: 'string', multiple: true, default: [] },
    },
  })
  const items = Number(values.items)
  const enoughMb = Math.ceil((items * MEMORY_BYTES_PER_ITEM) / 2 ** 20) + 64
  const memoryMb = Number(values.memory ?? enoughMb)
  if (!Number.isInteger(items) || items < 1 || !(memoryMb >= 1))
    throw new Error('--items and --memory take positive numbers')
  const servers = findServers(values.server)
  if (servers.length === 0)
    throw new Error('there is nothing to measure: npm run build, or --server')
  const dataset = buildDataset({
    prefix: 'k:',
    keyCount: items,
    values: [{ valueBytes: VALUE_BYTES, share: 1 }],
  })
  const rows: Row[] = []
  for (const server of servers) {
    console.error(`${server.name}: ${items} items into ${memoryMb} MB`)
    rows.push(await measure(server, memoryMb, dataset))
  }
  console.log(`\n${render(rows, items, dataset)}`)
}

async function measure(
  definition: ServerDefinition,
  memoryMb: number,
  dataset: Dataset,
): Promise<Row> {
  const server = await startServer(definition, memoryMb, false)
  try {
    return await loadItems(server, dataset)
  } finally {
    await server.stop()
  }
}

async function loadItems(server: RunningServer, dataset: Dataset): Promise<Row> {
  const driver = new Driver(new Histogram(), false)
  await driver.open(CONNECTIONS, {
    port: server.port,
    dataset,
    keys: new Uint32Array(1),
    dialect: text,
    multigetWidth: 1,
    counters: new Float64Array(0),
    mayRefuse: false,
    pendingMax: PIPELINE_DEPTH,
    readBuffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
  })
  const beforeBytes = residentBytes(server.pid)
  const cpuBefore = cpuUs(server.pid)
  const startMs = performance.now()
  const pipelineDepth = PIPELINE_DEPTH
  await driver.run({ source: populateQuietly(dataset), pipelineDepth, ratePerS: 0 })
  const seconds = (performance.now() - startMs) / 1000
  const cpuAfter = cpuUs(server.pid)
  const afterBytes = residentBytes(server.pid)
  await driver.run({ source: getSample(dataset, SAMPLE_STEP), pipelineDepth, ratePerS: 0 })
  const { misses, hits } = driver
  await driver.close()
  if (misses > 0)
    throw new Error(`${server.name} lost ${misses} of ${hits + misses} items: give more --memory`)
  if (beforeBytes === null || afterBytes === null || cpuBefore === null || cpuAfter === null)
    throw new Error('this system does not tell the memory of a process (no /proc)')
  const cpuUsPerSet = (cpuAfter - cpuBefore) / dataset.keyCount
  return { server: server.name, beforeBytes, afterBytes, cpuUsPerSet, seconds }
}

function render(rows: readonly Row[], items: number, dataset: Dataset): string {
  const cells = rows.map((row) => [
    row.server,
    String(items),
    mib(row.beforeBytes),
    mib(row.afterBytes),
    ((row.afterBytes - row.beforeBytes) / items).toFixed(1),
    row.cpuUsPerSet.toFixed(2),
    row.seconds.toFixed(1),
  ])
  const payload = dataset.keyBytes + VALUE_BYTES
  return `${table([HEAD, ...cells], 1)}\n\nKey and value themselves are ${payload} bytes an item.`
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`
}
