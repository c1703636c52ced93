// What the map from keys to places on disk costs: time to insert, to find and to miss, and memory for each key, at
// several sizes, each in a process of its own. Keys are drawn in random order, so that almost every access misses the
// caches of the processor. Times are the median of the rounds; the fastest is beside it.
//
//   node --import tsx bench/micro/key-map.ts [--keys N]... [--rounds N]

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { KeyMap } from '../../src/store/l2/key-map.ts'
import { table } from '../wire/report.ts'

const KEYS = ['1000000', '4000000']
const ROUNDS = '5'
const FINDS_PER_ROUND = 1_000_000
/** Optimizes the code on a map of its own before anything is measured. */
const WARM_UP_KEYS = 100_000
/** Between the figures that a process hands back. */
const CELL = '\t'
const HEAD = [
  'keys',
  'insert ns',
  'hit ns',
  'miss ns',
  'bytes/key',
  'RSS bytes/key',
  'walk ms',
  'sum',
]

/** Odd, so that multiplying by them visits every number modulo a power of two. */
const STRIDE = 0x9e37_79b1 | 0
const MIX = 0x85eb_ca6b | 0

const { values } = parseArgs({
  options: {
    keys: { type: 'string', multiple: true, default: KEYS },
    rounds: { type: 'string', default: ROUNDS },
    'in-process': { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
if (values['in-process']) {
  console.log(measure(Number(values.keys[0])).join(CELL))
} else {
  console.log(table([HEAD, ...values.keys.map(measureInProcess)], 0))
}

function measureInProcess(keys: string): string[] {
  const words = ['--keys', keys, '--rounds', String(rounds), '--in-process']
  const program = [...process.execArgv, '--expose-gc', fileURLToPath(import.meta.url), ...words]
  const child = spawnSync(process.execPath, program, { encoding: 'utf8' })
  if (child.status !== 0) throw new Error(child.stderr)
  return child.stdout.trim().split(CELL)
}

function measure(keys: number): string[] {
  const warmUp = new KeyMap()
  for (let i = 0; i < WARM_UP_KEYS; i++) insert(warmUp, i)
  for (let i = 0; i < 10; i++) findAll(warmUp, WARM_UP_KEYS, WARM_UP_KEYS, i % 2)
  warmUp.clear()
  globalThis.gc?.()

  const residentBefore = process.memoryUsage.rss()
  const map = new KeyMap()
  const startMs = performance.now()
  for (let i = 0; i < keys; i++) insert(map, i)
  const insertNs = ((performance.now() - startMs) / keys) * 1e6
  const residentBytes = process.memoryUsage.rss() - residentBefore

  const hits = timesOf(() => findAll(map, keys, FINDS_PER_ROUND, 0))
  const misses = timesOf(() => findAll(map, keys, FINDS_PER_ROUND, 1))
  const walkMs = performance.now()
  let sum = 0
  for (let cursor = map.walk(0, keys, add); cursor !== 0;) cursor = map.walk(cursor, keys, add)
  function add(entry: number): void {
    sum += map.generation(entry)
  }
  return [
    String(keys),
    insertNs.toFixed(0),
    hits,
    misses,
    (map.memoryBytes / keys).toFixed(1),
    (residentBytes / keys).toFixed(1),
    (performance.now() - walkMs).toFixed(0),
    String(sum),
  ]
}

function insert(map: KeyMap, i: number): void {
  map.setPlace(map.insert(hiOf(i), loOf(i)), 1 + (i >>> 20), i >>> 5, (i & 31) * 256)
}

/** Finds keys in random order; with a `salt`, as many keys that are not there. */
function findAll(map: KeyMap, keys: number, finds: number, salt: number): number {
  let found = 0
  for (let n = 0; n < finds; n++) {
    const i = (Math.imul(n, STRIDE) >>> 0) % keys
    // A miss has a low word of its own, as another key has.
    if (map.find(hiOf(i), loOf(salt === 0 ? i : i + 0x4000_0000)) !== 0) found++
  }
  if (found !== (salt === 0 ? finds : 0)) throw new Error(`${found} of ${finds} were found`)
  return found
}

function timesOf(run: () => number): string {
  const times = Array.from({ length: rounds }, () => {
    const startMs = performance.now()
    run()
    return ((performance.now() - startMs) / FINDS_PER_ROUND) * 1e6
  }).sort((a, b) => a - b)
  return `${times[rounds >> 1]!.toFixed(0)} (${times[0]!.toFixed(0)})`
}

function loOf(i: number): number {
  let x = Math.imul(i ^ (i >>> 16), MIX)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2_ae35 | 0)
  return x ^ (x >>> 16)
}

function hiOf(i: number): number {
  return Math.imul(i, STRIDE) ^ (i >>> 7)
}
