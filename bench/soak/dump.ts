// All items of a server in a file, and back: loads many items of 100 bytes, most of which only the disk has in the end,
// dumps them while the server serves, restores the file into an empty server, and compares every item with what
// it was: value, flags, the instant when it expires, and cas. One that is wrong or lost fails the run.
//
//   node --import tsx bench/soak/dump.ts [--items N] [--memory MB] [--disk MB] [--dir DIR]

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { SystemClock } from '../../src/observe/clock.ts'
import { ServerClient } from '../../src/tools/server-client.ts'
import { readTarget } from '../../src/tools/target.ts'
import { residentBytes } from '../wire/procfs.ts'
import { table } from '../wire/report.ts'
import { killAllAtEnd, PROJECT, track } from '../wire/servers.ts'
import { flagsOf, lifeOf, nameOf, valueOf } from './items-by-number.ts'

const ITEMS = '1000000'
const MEMORY_MB = '64'
/** Room for records of 140 bytes, what goes with them, and the generation that is never full. */
const DISK_BYTES_PER_ITEM = 260
const DISK_MB_MIN = 64
/** Items in one write, and in one batch of questions. */
const BATCH = 512
const SAMPLE_MS = 50
const HEAD = ['step', 'seconds', 'items/s', 'tool RSS', 'file']

const clock = new SystemClock()
const program = ['dist/bin/rat-memcached.js']
const temporary = mkdtempSync(join(tmpdir(), 'rat-memcached-dump-'))
process.on('exit', () => rmSync(temporary, { recursive: true, force: true }))

/** An item as one server has it: what there is to compare. */
interface Facts {
  /** Seconds since 1970, or 0. */
  readonly expiresAtS: Float64Array
  readonly cas: Float64Array
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      items: { type: 'string', default: ITEMS },
      memory: { type: 'string', default: MEMORY_MB },
      disk: { type: 'string' },
      dir: { type: 'string', default: temporary },
    },
  })
  const items = Number(values.items)
  const diskMb = Math.max(DISK_MB_MIN, Math.ceil((items * DISK_BYTES_PER_ITEM) / 2 ** 20))
  const sizes = ['-m', values.memory, '--max-disk-size', `${values.disk ?? diskMb}MB`]
  if (!Number.isInteger(items) || items < 1) throw new Error('--items takes a positive number')
  const file = join(values.dir, 'items.dump')
  const first = await startServer(join(values.dir, 'first'), sizes)
  await fill(first.address, items)
  const before = await readAll(first.address, items)

  const dumped = await runTool(['dump', first.address, file])
  const second = await startServer(join(values.dir, 'second'), sizes)
  const restored = await runTool(['restore', second.address, file, '--keep-cas'])
  const after = await readAll(second.address, items)
  for (let key = 0; key < items; key++) {
    const is = [after.expiresAtS[key], after.cas[key]]
    const was = [before.expiresAtS[key], before.cas[key]]
    // Both are what is left, rounded to seconds at two instants, plus the time.
    const isSame = Math.abs(is[0]! - was[0]!) <= 1 && is[1] === was[1]
    if (!isSame)
      throw new Error(
        `${nameOf(key)}: expiry and cas are ${is.join(', ')}, and were ${was.join(', ')}`,
      )
  }
  for (const { child } of [first, second]) {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  const size = `${(statSync(file).size / 2 ** 20).toFixed(0)} MB`
  const rows = [
    ['dump', ...shown(dumped, items), size],
    ['restore', ...shown(restored, items), size],
  ]
  console.log(
    `\n${table([HEAD, ...rows], 1)}\n\n${items} items, all equal: value, flags, expiry, cas.`,
  )
}

function shown({ seconds, rssBytes }: ToolRun, items: number): string[] {
  const perS = Math.round(items / seconds).toLocaleString('en')
  return [seconds.toFixed(1), perS, `${(rssBytes / 2 ** 20).toFixed(0)} MB`]
}

async function startServer(
  folder: string,
  sizes: readonly string[],
): Promise<{ child: ChildProcess; address: string }> {
  const words = ['--bind', '127.0.0.1:0', '--data-dir', folder, ...sizes]
  const env = { ...process.env, RAT_MEMCACHED_METRICS_BIND: '' }
  const child = spawn(process.execPath, [...program, ...words], {
    cwd: PROJECT,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  track(child)
  let output = ''
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
  for (;;) {
    const match = /"addresses":\["(127\.0\.0\.1:\d+)"/.exec(output)
    if (match !== null) return { child, address: match[1]! }
    if (child.exitCode !== null) throw new Error(`the server did not start: ${output}`)
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  }
}

interface ToolRun {
  readonly seconds: number
  /** The most that was seen. */
  readonly rssBytes: number
}

async function runTool(words: readonly string[]): Promise<ToolRun> {
  const beganMs = performance.now()
  const child = spawn(process.execPath, [...program, ...words], {
    cwd: PROJECT,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  track(child)
  let rssBytes = 0
  const sampling = setInterval(() => {
    rssBytes = Math.max(rssBytes, residentBytes(child.pid!) ?? 0)
  }, SAMPLE_MS)
  await once(child, 'exit')
  clearInterval(sampling)
  if (child.exitCode !== 0) throw new Error(`${words[0]} ended with ${child.exitCode}`)
  return { seconds: (performance.now() - beganMs) / 1000, rssBytes }
}

async function fill(address: string, items: number): Promise<void> {
  const client = await ServerClient.open(readTarget(address), clock)
  for (let from = 0; from < items; from += BATCH) {
    let request = ''
    for (let key = from; key < Math.min(items, from + BATCH); key++) {
      const value = valueOf(key)
      request += `set ${nameOf(key)} ${flagsOf(key)} ${lifeOf(key)} ${value.length} noreply\r\n${value}\r\n`
    }
    await client.send(`${request}mn\r\n`)
    const reply = await client.line()
    if (reply !== 'MN') throw new Error(`a set was answered: ${reply}`)
  }
  client.close()
}

/** Reads every item, checks its value and flags, and returns the rest. */
async function readAll(address: string, items: number): Promise<Facts> {
  const client = await ServerClient.open(readTarget(address), clock)
  const facts = { expiresAtS: new Float64Array(items), cas: new Float64Array(items) }
  for (let from = 0; from < items; from += BATCH) {
    const end = Math.min(items, from + BATCH)
    let request = ''
    for (let key = from; key < end; key++) request += `mg ${nameOf(key)} f c t v\r\n`
    await client.send(request)
    for (let key = from; key < end; key++) {
      const head = await client.line()
      const parts = /^VA (\d+) f(\d+) c(\d+) t(-?\d+)$/.exec(head)
      if (parts === null) throw new Error(`${nameOf(key)}: ${head}`)
      const [length, flags, cas, life] = parts.slice(1).map(Number)
      const value = await client.bytes(length! + 2)
      if (value.toString('latin1', 0, length) !== valueOf(key))
        throw new Error(`${nameOf(key)}: ${value.toString('latin1')}`)
      if (flags !== flagsOf(key)) throw new Error(`${nameOf(key)}: flags ${flags}`)
      if ((life === -1) !== (lifeOf(key) === 0))
        throw new Error(`${nameOf(key)}: ${life} s to live`)
      facts.cas[key] = cas!
      facts.expiresAtS[key] = life === -1 ? 0 : Math.round(clock.wallUs() / 1e6 + life!)
    }
  }
  client.close()
  return facts
}

killAllAtEnd()
try {
  await main()
} catch (error) {
  console.error(`dump: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
clock.stop()
