// What many items cost the runtime: fills the built server through the wire and reports how much its JavaScript heap
// has grown and the longest stall of its event loop, while filling and while evicting.
//
//   npm run bench:pauses -- [--items N] [--memory MB]

import { parseArgs } from 'node:util'
import { buildDataset } from '../wire/dataset.ts'
import { table } from '../wire/report.ts'
import { killAllAtEnd } from '../wire/servers.ts'
import { fill, mib, startProbed } from './probed-server.ts'

const ITEMS = 5_000_000
const VALUE_BYTES = 100
/** Holds all of the items; the second run gets a quarter, so that three quarters are evicted. */
const MEMORY_BYTES_PER_ITEM = 200
const HEAD = [
  'run',
  'items',
  'heap before',
  'heap after',
  'grown',
  'RSS after',
  'longest stall',
  'in CPU time',
]

const { values } = parseArgs({
  options: { items: { type: 'string', default: String(ITEMS) }, memory: { type: 'string' } },
})
const items = Number(values.items)
const memoryMb = Number(values.memory ?? Math.ceil((items * MEMORY_BYTES_PER_ITEM) / 2 ** 20) + 64)
killAllAtEnd()
const rows = [
  await measure('all are kept', memoryMb),
  await measure('most are evicted', Math.ceil(memoryMb / 4)),
]
console.log(`\n${table([HEAD, ...rows], 1)}`)

async function measure(name: string, mb: number): Promise<string[]> {
  const server = await startProbed(mb, ['--no-l2'])
  try {
    const before = await server.read()
    const dataset = buildDataset({
      prefix: 'k:',
      keyCount: items,
      values: [{ valueBytes: VALUE_BYTES, share: 1 }],
    })
    await fill(server.port, dataset)
    const after = await server.read()
    return [
      name,
      String(items),
      mib(before.heapUsedBytes),
      mib(after.heapUsedBytes),
      mib(after.heapUsedBytes - before.heapUsedBytes),
      mib(after.residentBytes),
      `${after.stallMs.toFixed(1)} ms`,
      `${after.turnMs.toFixed(1)} ms`,
    ]
  } finally {
    await server.stop()
  }
}
