// Writes ten times what the disk tier may hold: how large its directory gets, how much is written for a byte that
// clients store, and what a set costs meanwhile.
//
//   npm run bench:churn -- [--full] [--program FILE] [write-behind write-through on-evict]

import { buildDataset, type Dataset } from '../wire/dataset.ts'
import { table } from '../wire/report.ts'
import { OURS } from '../wire/servers.ts'
import { watchSize } from './directory-size.ts'
import { drawn } from './disk-sources.ts'
import { readStats, startOurs } from './disk-server.ts'
import { Load } from './load.ts'
import { type DiskBenchOptions, runBench } from './options.ts'

const MEMORY_MB = 16
const VALUE_BYTES = 1000
const KEY_BYTES = 11
const CAP_MB = { quick: 64, full: 300 } as const
/** What is written, in sizes of the disk tier. */
const CAPS_WRITTEN = 10
/** Keys, in sizes of the disk tier: half of what is written is still there when it is written again. */
const CAPS_OF_KEYS = 2
/** Some are read, so that some are carried forward. */
const SET_SHARE = 0.9
const CONNECTIONS = 10
const PIPELINE_DEPTH = 16
const SEED = 11_211
const POLICIES = ['write-behind', 'on-evict'] as const
const MIB = 2 ** 20

const HEAD = [
  'policy',
  'sets',
  'sets/s',
  'du max/cap',
  'lengths/cap',
  'write amp.',
  'to device',
  'stats l2',
  'µs CPU/request',
  'main thread',
  'dropped',
  'carried',
]

await runBench('churn', async (options) => {
  const capMb = options.full ? CAP_MB.full : CAP_MB.quick
  const bytesOfCap = capMb * MIB
  const dataset = buildDataset({
    prefix: 'c:',
    keyCount: Math.ceil((CAPS_OF_KEYS * bytesOfCap) / VALUE_BYTES),
    values: [{ valueBytes: VALUE_BYTES, share: 1 }],
  })
  const rows: string[][] = []
  const policies = options.words.length > 0 ? options.words : POLICIES
  for (const policy of policies) rows.push(await measure(policy, capMb, dataset, options))
  console.log(
    `${CAPS_WRITTEN} × ${capMb} MB of ${VALUE_BYTES} byte values, ${dataset.keyCount} keys, uniform, ` +
      `${Math.round(SET_SHARE * 100)} % sets, pipelined ${PIPELINE_DEPTH}\n\n${table([HEAD, ...rows], 1)}`,
  )
})

async function measure(
  policy: string,
  capMb: number,
  dataset: Dataset,
  { program, pin }: DiskBenchOptions,
): Promise<string[]> {
  const words = ['--max-disk-size', `${capMb}MB`, '--write-policy', policy]
  const server = await startOurs({ name: OURS, memoryMb: MEMORY_MB, options: words, program }, pin)
  const sizesSoFar = watchSize(server.folder!)
  const load = await Load.open(server, dataset, CONNECTIONS, pin)
  const sets = Math.ceil((CAPS_WRITTEN * capMb * MIB) / (VALUE_BYTES + KEY_BYTES))
  const requests = Math.ceil(sets / SET_SHARE)
  const source = drawn(dataset.keyCount, 0, SET_SHARE, SEED, requests)
  const { seconds, cost, hits, misses } = await load.all(source, {
    pipelineDepth: PIPELINE_DEPTH,
    ratePerS: 0,
  })
  const stats = await readStats(server.port, 'l2')
  const general = await readStats(server.port)
  const sizes = await sizesSoFar()
  await load.close()
  await server.stop()
  const made = requests - hits - misses
  const accepted = made * (VALUE_BYTES + KEY_BYTES)
  // What goes to sockets is given to `write` as well.
  const given = cost.givenBytes - (general.get('bytes_written') ?? 0)
  const cap = capMb * MIB
  return [
    policy,
    String(made),
    (made / seconds).toFixed(0),
    (sizes.allocatedBytesMax / cap).toFixed(3),
    (sizes.lengthBytesMax / cap).toFixed(3),
    (given / accepted).toFixed(2),
    (cost.storedBytes / accepted).toFixed(2),
    (stats.get('l2_write_amplification') ?? 0).toFixed(2),
    (cost.processUs / requests).toFixed(2),
    (cost.mainUs / requests).toFixed(2),
    String(stats.get('l2_generations_dropped') ?? 0),
    String(stats.get('l2_carried') ?? 0),
  ]
}
