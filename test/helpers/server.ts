/**
 * A server of this program for a test, on ports of its own, and a client that speaks bytes.
 *
 * The client is deliberately plain: it sends what it is given, cut where it is told to, and keeps
 * every byte that comes, so that a test can compare whole streams.
 */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import type { Socket, TcpNetConnectOpts, IpcNetConnectOpts } from 'node:net'
import { loadConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema.ts'
import type { ReadMode } from '../../src/net/socket-reader.ts'
import { createLoggerTo } from '../../src/observe/log.ts'
import { createServer } from '../../src/server.ts'
import type { ServerOptions } from '../../src/server.ts'
import { Patience } from './patience.ts'

export const READ_MODES: readonly ReadMode[] = ['onread', 'data']

/** How long a client waits for something that should be there at once. */
const PATIENCE_MS = 5000
/** And for one that may be long. */
const LIST_PATIENCE_MS = 20_000

export type Target = TcpNetConnectOpts | IpcNetConnectOpts

export interface TestServer {
  /** The port of the first address, where that is one of TCP. */
  readonly port: number
  readonly addresses: readonly string[]
  connect(): Promise<TestClient>
  /** One connection that asks for `stats` and ends. */
  stats(): Promise<Map<string, number>>
  /** The answer of the side door: `get('/healthz')`. */
  get(path: string, init?: RequestInit): Promise<Response>
  stop(): Promise<void>
}

/** Settings by the path of their key, as text: `{ 'l1.max_memory': '8MB' }`. */
export type Settings = Readonly<Record<string, string>>

export async function startServer(
  settings: Settings = {},
  readMode: ReadMode = 'onread',
  options: ServerOptions = {},
): Promise<TestServer> {
  const all: Settings = {
    'server.bind': '127.0.0.1:0',
    'server.shutdown_timeout': '2s',
    // A test that is about the disk tier asks for one, in a directory of its own.
    'l2.enabled': 'false',
    // And so does one that is about the side door.
    'metrics.bind': '',
    ...settings,
  }
  const overrides = Object.entries(all).map(([key, value]) => ({
    key,
    value,
    option: 'of the test',
  }))
  return startConfigured(loadConfig({ env: {}, overrides }), readMode, options)
}

/** `startServer` with all of a configuration, as a file would say it. */
export async function startConfigured(
  config: Config,
  readMode: ReadMode = 'onread',
  options: ServerOptions = {},
): Promise<TestServer> {
  const log = createLoggerTo({ write: () => undefined }, 'silent', false)
  const server = createServer(config, log, { readMode, version: 'test', ...options })
  const addresses = await server.listen()
  const first = addresses[0] ?? ''
  const port = first.startsWith('unix:') ? 0 : Number(first.slice(first.lastIndexOf(':') + 1))
  const target: Target = first.startsWith('unix:')
    ? { path: first.slice('unix:'.length) }
    : { port, host: '127.0.0.1' }
  return {
    port,
    addresses,
    connect: () => connectClient(target),
    stats: () => readStats(target),
    get: (path, init) => fetch(`http://${server.sideDoor()}${path}`, init),
    stop: () => server.stop(),
  }
}

export async function readStats(target: Target): Promise<Map<string, number>> {
  const client = await connectClient(target)
  client.send('stats\r\nquit\r\n')
  await client.closed()
  return new Map(
    [...client.text.matchAll(/^STAT (\S+) (\S+)\r$/gm)].map((row) => [
      row[1] ?? '',
      Number(row[2]),
    ]),
  )
}

export function connectClient(target: Target): Promise<TestClient> {
  return new Promise((resolve, reject) => {
    const socket = connect({ noDelay: true, allowHalfOpen: true, ...target })
    const client = new TestClient(socket)
    socket.once('connect', () => resolve(client))
    socket.once('error', reject)
  })
}

export class TestClient {
  readonly socket: Socket
  #chunks: Buffer[] = []
  #length = 0
  #ended = false
  readonly #patience = new Patience()

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#length += chunk.length
      this.#patience.wake()
    })
    const over = (): void => {
      this.#ended = true
      this.#patience.wake()
    }
    socket.on('end', over)
    socket.on('close', over)
    // A server that hangs up may do so while we send.
    socket.on('error', over)
  }

  /** Bytes received and not taken yet. */
  get length(): number {
    return this.#length
  }
  /** The server has ended the connection. */
  get ended(): boolean {
    return this.#ended
  }
  /** Everything received and not taken yet, one character a byte. */
  get text(): string {
    return this.#all().toString('latin1')
  }

  send(data: string | Buffer): void {
    if (!this.socket.destroyed) {
      this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data)
    }
  }

  /** Waits until `done` holds after something came; false if it does not within `patienceMs`. */
  until(done: () => boolean, patienceMs: number = PATIENCE_MS): Promise<boolean> {
    return this.#patience.until(done, patienceMs)
  }

  /** Takes exactly `length` bytes. */
  async take(length: number, patienceMs: number = PATIENCE_MS): Promise<Buffer> {
    await this.until(() => this.#length >= length || this.#ended, patienceMs)
    if (this.#length < length) {
      assert.fail(`${length} bytes were expected, ${this.#length} came: ${show(this.text)}`)
    }
    const parts: Buffer[] = []
    let missing = length
    while (missing > 0) {
      const chunk = this.#chunks.shift()!
      parts.push(chunk.subarray(0, missing))
      if (chunk.length > missing) this.#chunks.unshift(chunk.subarray(missing))
      missing -= Math.min(missing, chunk.length)
    }
    this.#length -= length
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }

  /** Takes a reply that is known beforehand. */
  async expect(reply: string): Promise<void> {
    const got = await this.take(reply.length)
    assert.equal(show(got.toString('latin1')), show(reply))
  }

  /** Sends a request and takes its reply. */
  async ask(request: string, reply: string): Promise<void> {
    this.send(request)
    await this.expect(reply)
  }

  /** Asks for a list and takes its lines, without the one that ends it. */
  async list(request: string, end: string): Promise<string[]> {
    this.send(`${request}\r\n`)
    const isThere = (): boolean => this.#ended || this.text.endsWith(end)
    assert.ok(await this.until(isThere, LIST_PATIENCE_MS), `${request}: ${show(this.text)}`)
    const text = (await this.take(this.length)).toString('latin1')
    assert.ok(text.endsWith(end), show(text))
    return text.split(/\r?\n/).slice(0, -2)
  }

  /** Waits until the server has ended the connection. */
  async closed(patienceMs: number = PATIENCE_MS): Promise<void> {
    assert.ok(await this.until(() => this.#ended, patienceMs), 'the server did not hang up')
  }

  /** Says that no more will be sent, and waits for the rest and the end. */
  async finish(): Promise<string> {
    this.socket.end()
    await this.closed()
    return this.text
  }

  destroy(): void {
    this.socket.destroy()
  }

  #all(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0]!
  }
}

/** Long texts would hide what is wrong with them. */
export function show(text: string): string {
  return JSON.stringify(
    text.replaceAll(/(.)\1{39,}/gs, (run: string) => `<${run[0]}*${run.length}>`),
  )
}

/** Lets both ends handle what is on its way. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
  }
}
