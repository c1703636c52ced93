// How a server comes back: loads many items of 100 bytes through the wire, stops it with SIGTERM, starts it again on
// the same data directory, and reads every item back, with its flags, its cas and the seconds that it has left to live.
// Then the same after SIGKILL. Says how long each stop and start took; one wrong, lost or changed item fails the run.
//
//   node --import tsx bench/soak/restart.ts [--items N] [--memory MB] [--disk MB] [--data-dir DIR] [--step N]

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { residentBytes } from '../wire/procfs.ts'
import { table } from '../wire/report.ts'
import { killAllAtEnd, PROJECT, track } from '../wire/servers.ts'
import { flagsOf, lifeOf, nameOf, VALUE_BYTES, valueOf } from './items-by-number.ts'

const ITEMS = '1000000'
/** Much less than the items take: most of them are on disk only. */
const MEMORY_MB = '64'
/** Room for records of 140 bytes, what goes with them, and the generation that is never full. */
const DISK_BYTES_PER_ITEM = 260
const DISK_MB_MIN = 64
const CONNECTIONS = 4
/** Items in one write, and in one batch of questions. */
const SETS_PER_WRITE = 256
const GETS_PER_BATCH = 512
/** A server that says nothing for this long has failed. */
const PATIENCE_MS = 120_000
/** Seconds are counted in steps. */
const LIFE_TOLERANCE_S = 2
const LISTENING = /"addresses":\["127\.0\.0\.1:(\d+)".*"listening"/
const INDEX_RECOVERED = '"the disk tier has its index again"'
const HEAD = ['start after', 'stop s', 'listening s', 'first hit ms', 'index s', 'read back', 'RSS']

interface Options {
  readonly items: number
  readonly memoryMb: number
  readonly diskMb: number
  readonly folder: string
  readonly step: number
}

const temporary = mkdtempSync(join(tmpdir(), 'rat-memcached-restart-'))
process.on('exit', () => rmSync(temporary, { recursive: true, force: true }))

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      items: { type: 'string', default: ITEMS },
      memory: { type: 'string', default: MEMORY_MB },
      disk: { type: 'string' },
      'data-dir': { type: 'string', default: temporary },
      step: { type: 'string', default: '1' },
    },
  })
  const items = Number(values.items)
  const diskMb = Math.max(DISK_MB_MIN, Math.ceil((items * DISK_BYTES_PER_ITEM) / 2 ** 20))
  const options: Options = {
    items,
    memoryMb: Number(values.memory),
    diskMb: Number(values.disk ?? diskMb),
    folder: join(values['data-dir'], 'data'),
    step: Number(values.step),
  }
  for (const number of [items, options.memoryMb, options.diskMb, options.step]) {
    if (!Number.isInteger(number) || number < 1) throw new Error('options take positive numbers')
  }
  await run(options)
}

async function run(options: Options): Promise<void> {
  const { items, step } = options
  const casOf = new Float64Array(items)
  const fillMs = performance.now()
  let server = await Server.start(options)
  await overAll(server, items, 1, setItems)
  console.error(`${items} items loaded in ${seconds(performance.now() - fillMs)} s`)
  const aliveSMax = (): number => LIFE_TOLERANCE_S + (performance.now() - fillMs) / 1000
  const check = (client: Client, keys: readonly number[]): Promise<void> =>
    checkItems(client, keys, casOf, aliveSMax)
  await overAll(server, items, step, check)

  const rows: string[][] = []
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const stopMs = performance.now()
    await server.end(signal)
    const downMs = performance.now()
    const bytes = bytesIn(options.folder)
    console.error(`${signal}: ${(bytes / 2 ** 20).toFixed(0)} MB on disk`)
    server = await Server.start(options)
    const upMs = performance.now()
    const client = await Client.open(server.port)
    await check(client, [items - 1])
    client.close()
    const firstHitMs = performance.now()
    const indexMs = signal === 'SIGKILL' ? await server.indexed() : upMs
    const readMs = performance.now()
    await overAll(server, items, step, check)
    rows.push([
      signal,
      seconds(downMs - stopMs),
      seconds(upMs - downMs),
      (firstHitMs - upMs).toFixed(1),
      seconds(indexMs - downMs),
      `${Math.ceil(items / step)} in ${seconds(performance.now() - readMs)} s`,
      `${((residentBytes(server.pid) ?? 0) / 2 ** 20).toFixed(0)} MB`,
    ])
  }
  await server.end('SIGTERM')
  console.log(`\n${table([HEAD, ...rows], 1)}\n\nEvery item came back as it was.`)
}

/** Has `work` done for all keys, in groups, on some connections at once. */
async function overAll(
  server: Server,
  items: number,
  step: number,
  work: (client: Client, keys: readonly number[]) => Promise<void>,
): Promise<void> {
  let next = 0
  const one = async (): Promise<void> => {
    const client = await Client.open(server.port)
    while (next < items) {
      const keys: number[] = []
      for (; next < items && keys.length < GETS_PER_BATCH; next += step) keys.push(next)
      await work(client, keys)
    }
    client.close()
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, one))
}

async function setItems(client: Client, keys: readonly number[]): Promise<void> {
  for (let from = 0; from < keys.length; from += SETS_PER_WRITE) {
    let request = ''
    for (const key of keys.slice(from, from + SETS_PER_WRITE)) {
      const head = `set ${nameOf(key)} ${flagsOf(key)} ${lifeOf(key)} ${VALUE_BYTES} noreply`
      request += `${head}\r\n${valueOf(key)}\r\n`
    }
    client.send(request)
  }
  client.send('mn\r\n')
  const reply = await client.line()
  if (reply !== 'MN') throw new Error(`a set was answered: ${reply}`)
}

/** Items as they were set; their cas is noted when it is first seen, and has to stay from then on. */
async function checkItems(
  client: Client,
  keys: readonly number[],
  casOf: Float64Array,
  aliveSMax: () => number,
): Promise<void> {
  client.send(keys.map((key) => `mg ${nameOf(key)} f c t v\r\n`).join(''))
  for (const key of keys) {
    const head = await client.line()
    const parts = /^VA (\d+) f(\d+) c(\d+) t(-?\d+)$/.exec(head)
    if (parts === null) throw new Error(`${nameOf(key)}: ${head}`)
    const value = await client.line()
    const [, length, flags, cas, life] = parts.map(Number)
    if (length !== VALUE_BYTES || value !== valueOf(key))
      throw new Error(`${nameOf(key)}: ${value}`)
    if (flags !== flagsOf(key)) throw new Error(`${nameOf(key)}: flags ${flags}`)
    const shouldLive = lifeOf(key) === 0 ? -1 : lifeOf(key)
    const isRight =
      shouldLive === -1 ? life === -1 : life! <= shouldLive && life! >= shouldLive - aliveSMax()
    if (!isRight) throw new Error(`${nameOf(key)}: ${life} s to live`)
    if (casOf[key] === 0) casOf[key] = cas!
    if (casOf[key] !== cas) throw new Error(`${nameOf(key)}: cas ${cas} was ${casOf[key]}`)
  }
}

/** The built program on the data directory. */
class Server {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #output = ''
  #hasEnded = false
  port = 0

  private constructor(child: ChildProcess) {
    this.#child = child
    const hear = (bytes: Buffer): void => {
      this.#output += bytes.toString()
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    this.#ended = once(child, 'exit').finally(() => (this.#hasEnded = true))
  }

  /** Resolves when it listens. */
  static async start({ folder, memoryMb, diskMb }: Options): Promise<Server> {
    const sizes = ['-m', String(memoryMb), '--max-disk-size', `${diskMb}MB`]
    const words = ['--bind', '127.0.0.1:0', '--data-dir', folder, ...sizes]
    const child = spawn(process.execPath, ['dist/bin/rat-memcached.js', ...words], {
      cwd: PROJECT,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    track(child)
    const server = new Server(child)
    server.port = Number((await server.#says(LISTENING))[1])
    return server
  }

  get pid(): number {
    return this.#child.pid!
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#child.kill(signal)
    await this.#ended
  }

  /** Waits until the index is whole; returns when that was. */
  async indexed(): Promise<number> {
    await this.#says(new RegExp(INDEX_RECOVERED))
    return performance.now()
  }

  async #says(form: RegExp): Promise<RegExpExecArray> {
    const deadlineMs = performance.now() + PATIENCE_MS
    for (;;) {
      const said = form.exec(this.#output)
      if (said !== null) return said
      if (this.#hasEnded || performance.now() > deadlineMs) {
        throw new Error(`the server did not get there: ${this.#output}`)
      }
      await Promise.race([once(this.#child.stdout!, 'data'), this.#ended])
    }
  }
}

/** One connection that sends text and takes lines. */
class Client {
  readonly #socket: Socket
  #lines: string[] = []
  #taken = 0
  #rest = ''
  #wake: () => void = () => undefined
  #error: Error | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1').on('data', (text: string) => {
      const lines = (this.#rest + text).split('\r\n')
      this.#rest = lines.pop()!
      this.#lines = [...this.#lines.slice(this.#taken), ...lines]
      this.#taken = 0
      this.#wake()
    })
    socket.on('error', (error) => (this.#error = error))
    socket.on('close', () => {
      this.#error ??= new Error('the server closed a connection')
      this.#wake()
    })
  }

  static async open(port: number): Promise<Client> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new Client(socket)
  }

  send(text: string): void {
    this.#socket.write(text, 'latin1')
  }

  async line(): Promise<string> {
    while (this.#taken === this.#lines.length) {
      if (this.#error !== undefined) throw this.#error
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return this.#lines[this.#taken++]!
  }

  close(): void {
    this.#socket.destroy()
  }
}

function bytesIn(folder: string): number {
  let bytes = 0
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const stat = statSync(join(folder, name))
    if (stat.isFile()) bytes += stat.size
  }
  return bytes
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2)
}

// Last: classes are not there before their line.
killAllAtEnd()
try {
  await main()
} catch (error) {
  console.error(`restart: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
