// How fast expired items give their memory back, and who waits for it: fills the built server with items that are over
// some seconds later, nearly all at once, and looks how many are there from then on.
//
//   npm run bench:expiry -- [--items N] [--disk]

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { readStats } from '../disk/disk-server.ts'
import { buildDataset } from '../wire/dataset.ts'
import { table } from '../wire/report.ts'
import { killAllAtEnd } from '../wire/servers.ts'
import { fill, startProbed } from './probed-server.ts'

const ITEMS = 1_000_000
const VALUE_BYTES = 100
const MEMORY_BYTES_PER_ITEM = 200
/** Longer than filling takes, or than writing to disk does. */
const TTL_S = 30
const LOOK_EVERY_MS = 50
const GIVE_UP_MS = 120_000
const HEAD = [
  'items',
  'tiers',
  'first gone',
  'all gone',
  'pages then',
  'longest stall',
  'in CPU time',
]

killAllAtEnd()
const { values } = parseArgs({
  options: { items: { type: 'string', default: String(ITEMS) }, disk: { type: 'boolean' } },
})
const items = Number(values.items)
const rows = [await measure(false), ...(values.disk === true ? [await measure(true)] : [])]
console.log(`\n${table([HEAD, ...rows], 2)}`)

async function measure(withDisk: boolean): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'rat-expiry-'))
  const memoryMb = Math.ceil((items * MEMORY_BYTES_PER_ITEM) / 2 ** 20) + 64
  const words = withDisk ? ['--data-dir', folder] : ['--no-l2']
  const server = await startProbed(memoryMb, words, { RAT_MEMCACHED_TTL_DEFAULT: `${TTL_S}s` })
  try {
    const startMs = performance.now()
    await fill(
      server.port,
      buildDataset({
        prefix: 'k:',
        keyCount: items,
        values: [{ valueBytes: VALUE_BYTES, share: 1 }],
      }),
    )
    const filledMs = performance.now()
    if (filledMs - startMs > (TTL_S * 1000) / 2) throw new Error('filling took too long')
    await server.read()
    let firstMs = 0
    for (;;) {
      await wait(LOOK_EVERY_MS)
      const stats = await readStats(server.port)
      const left = (stats.get('curr_items') ?? 0) + (stats.get('extstore_objects_used') ?? 0)
      const nowMs = performance.now()
      if (firstMs === 0 && (stats.get('swept') ?? 0) > 0) firstMs = nowMs
      if (nowMs - filledMs > GIVE_UP_MS) throw new Error(`${left} items are still there`)
      if (left > 0) continue
      const { stallMs, turnMs } = await server.read()
      return [
        String(items),
        withDisk ? 'memory and disk' : 'memory',
        `${((firstMs - startMs) / 1000 - TTL_S).toFixed(1)} s after the first was over`,
        `${((nowMs - filledMs) / 1000 - TTL_S).toFixed(1)} s after the last was over`,
        `${(stats.get('total_malloced') ?? 0) / 2 ** 20} MB`,
        `${stallMs.toFixed(1)} ms`,
        `${turnMs.toFixed(1)} ms`,
      ]
    }
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
