// The built server with a probe in it, which tells how much JavaScript memory it uses and for how long its event loop
// did not turn; and what fills it through the wire.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Dataset } from '../wire/dataset.ts'
import { text } from '../wire/dialect/text.ts'
import { Driver } from '../wire/drive.ts'
import { Histogram } from '../wire/histogram.ts'
import { freePort, PROJECT, track, waitForServer } from '../wire/servers.ts'
import { populateQuietly } from '../wire/sources.ts'

const PROBE = fileURLToPath(new URL('./probe.mjs', import.meta.url))
const PROGRAM = 'dist/bin/rat-memcached.js'
/** Groups of quiet sets on the way, per connection. */
const PIPELINE_DEPTH = 4
const CONNECTIONS = 4
const READ_BUFFER_BYTES = 1 << 16

/** What the probe says, the stall since it was asked before. */
export interface Reading {
  readonly heapUsedBytes: number
  readonly residentBytes: number
  readonly stallMs: number
  /** In CPU time of the process: what other programs took is not in it. */
  readonly turnMs: number
}

export interface ProbedServer {
  readonly port: number
  read(): Promise<Reading>
  stop(): Promise<void>
}

export async function startProbed(
  memoryMb: number,
  words: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<ProbedServer> {
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  const all = ['--bind', address, '-m', String(memoryMb), '--log-level', 'warn', ...words]
  // Not on a core of its own: the runtime compiles in threads beside the one that serves.
  const child = spawn(process.execPath, ['--expose-gc', '--import', PROBE, PROGRAM, ...all], {
    cwd: PROJECT,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...settings },
  })
  track(child)
  await waitForServer(port)
  const read = async (): Promise<Reading> => {
    child.send('read')
    const message: readonly unknown[] = await once(child, 'message')
    const reading = message[0]
    if (!isReading(reading)) throw new Error('the probe in the server does not answer')
    return reading
  }
  const stop = async (): Promise<void> => {
    const ended = once(child, 'exit')
    child.kill()
    await ended
  }
  return { port, read, stop }
}

/** Sets every item of a dataset, most of them quietly. Returns for how many sets there was no memory. */
export async function fill(port: number, dataset: Dataset, mayRefuse = false): Promise<number> {
  const driver = new Driver(new Histogram(), false)
  await driver.open(CONNECTIONS, {
    port,
    dataset,
    keys: new Uint32Array(1),
    dialect: text,
    multigetWidth: 1,
    counters: new Float64Array(0),
    mayRefuse,
    pendingMax: PIPELINE_DEPTH,
    readBuffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
  })
  const source = populateQuietly(dataset)
  await driver.run({ source, pipelineDepth: PIPELINE_DEPTH, ratePerS: 0 })
  const { refusals } = driver
  await driver.close()
  return refusals
}

export function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`
}

function isReading(message: unknown): message is Reading {
  return typeof message === 'object' && message !== null && 'stallMs' in message
}
