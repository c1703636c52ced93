/**
 * `npm run bench:library`: the library beside other caches in the same process, and with two million items
 * beside lru-cache.
 *
 *     npm run bench:library [-- speed | memory]
 *
 * Speed: gets that hit and sets that replace, of 100-byte Buffers under 10,000 keys, one after the other,
 * the caches in turn, several rounds; the median and the spread. It is CPU time that is counted, the
 * collector's included, so that what else the machine does matters less. Memory: each cache in a process of its own.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { CONTENDER_NAMES, open } from './contenders.ts'
import type { Contender } from './contenders.ts'

const KEYS = 10_000
const VALUE_BYTES = 100
const ROUNDS = 7
const ROUND_OPS = 300_000
const US_PER_S = 1e6
const MEMORY = fileURLToPath(new URL('memory.ts', import.meta.url))

const asked = process.argv.slice(2)
if (asked.length === 0 || asked.includes('speed')) await compareSpeed()
if (asked.length === 0 || asked.includes('memory')) compareMemory()

async function compareSpeed(): Promise<void> {
  const keys = Array.from({ length: KEYS }, (_, i) => `key:${String(i).padStart(8, '0')}`)
  const contenders = await Promise.all(CONTENDER_NAMES.map((name) => open(name, KEYS)))
  const value = Buffer.alloc(VALUE_BYTES, 'v')
  for (const contender of contenders) {
    for (const key of keys) await contender.set(key, value)
  }
  console.log(
    `operations a second of CPU time, ${VALUE_BYTES}-byte Buffers, Node ${process.versions.node}`,
  )
  for (const what of ['get', 'set'] as const) {
    const rates = new Map(contenders.map(({ name }) => [name, [] as number[]]))
    for (let round = 0; round <= ROUNDS; round++) {
      for (const contender of contenders) {
        const rate = await timed(contender, what, keys, value)
        // The first round is for the compiler.
        if (round > 0) rates.get(contender.name)!.push(rate)
      }
    }
    console.log(`\n${what}`)
    for (const [name, all] of rates) {
      all.sort((a, b) => a - b)
      const [least, median, most] = [all[0]!, all[ROUNDS >> 1]!, all.at(-1)!]
      console.log(
        `  ${name.padEnd(36)} ${millions(median).padStart(7)} M  (${millions(least)} to ${millions(most)})`,
      )
    }
  }
  await Promise.all(contenders.map((contender) => contender.close()))
}

async function timed(
  contender: Contender,
  what: 'get' | 'set',
  keys: readonly string[],
  value: Buffer,
): Promise<number> {
  const start = process.cpuUsage()
  let missed = 0
  // In no order that a cache could follow, and the same for all.
  for (let i = 0, at = 0; i < ROUND_OPS; i++, at = (at + 7919) % KEYS) {
    const key = keys[at]!
    const result = what === 'get' ? contender.get(key) : contender.set(key, value)
    const got = contender.isAsync ? await result : result
    if (what === 'get' && got === undefined) missed++
  }
  if (missed > 0) throw new Error(`${contender.name}: ${missed} gets missed`)
  const { user, system } = process.cpuUsage(start)
  return ROUND_OPS / ((user + system) / US_PER_S)
}

function millions(rate: number): string {
  return (rate / 1e6).toFixed(2)
}

function compareMemory(): void {
  console.log('\ntwo million items of 100 bytes')
  for (const name of ['rat-memcached, getSync and setSync', 'lru-cache']) {
    const args = ['--expose-gc', '--max-old-space-size=4096', '--import', 'tsx', MEMORY, name]
    const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
    if (status !== 0) throw new Error(`${name}: status ${status}`)
  }
}
