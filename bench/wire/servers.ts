// Starts the servers to be compared, waits until they answer, and stops them by pid whatever happens. A server is
// started directly, never through a shell, so that the pid is its own.

import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A server that can be started; `{port}` and `{mem}` (MB) stand for themselves in its words. */
export interface ServerDefinition {
  readonly name: string
  readonly words: readonly string[]
}

export interface RunningServer {
  readonly name: string
  readonly port: number
  readonly pid: number
  readonly version: string
  stop(): Promise<void>
}

export const OURS = 'rat-memcached'
export const BASELINE = 'memcached'
export const PROJECT: string = fileURLToPath(new URL('../../', import.meta.url))
const PROGRAM = 'dist/bin/rat-memcached.js'
const CONNECTIONS_MAX = '16384'
const READY_MS = 15_000
const RETRY_MS = 50
const STOP_MS = 3000
const ERROR_BYTES_MAX = 2000
/** One core for the server, one for the load. */
const SERVER_CORE = '0'
const LOAD_CORE = '1'

const running = new Set<ChildProcess>()

/** Ours, without the disk tier that memcached has not, if it was built, memcached if there is one, then the others that were asked for. */
export function findServers(extra: readonly string[]): readonly ServerDefinition[] {
  const found: ServerDefinition[] = []
  if (existsSync(join(PROJECT, PROGRAM))) found.push(oursWith(['--no-l2']))
  const memcached = findProgram('memcached')
  if (memcached !== null) found.push({ name: BASELINE, words: memcachedWords(memcached) })
  for (const [i, command] of extra.entries()) found.push(parseServer(command, i))
  return found
}

export function oursWith(options: readonly string[]): ServerDefinition {
  const words = ['--bind', '127.0.0.1:{port}', '-m', '{mem}', '-c', CONNECTIONS_MAX]
  return {
    name: OURS,
    words: [process.execPath, PROGRAM, ...words, '--log-level', 'warn', ...options],
  }
}

/** `name=command` or a command, in words separated by spaces. */
export function parseServer(command: string, index: number): ServerDefinition {
  const named = /^([\w.-]+)=(.+)$/s.exec(command)
  const words = (named?.[2] ?? command).trim().split(/\s+/)
  return { name: named?.[1] ?? `server${index + 1}`, words }
}

/** Whether a core each can be had for server and load. */
export function canPin(): boolean {
  return findProgram('taskset') !== null && availableParallelism() >= 2
}

export function pinned(words: readonly string[], to: 'server' | 'load', pin: boolean): string[] {
  if (!pin) return [...words]
  return ['taskset', '-c', to === 'server' ? SERVER_CORE : LOAD_CORE, ...words]
}

export async function startServer(
  definition: ServerDefinition,
  memoryMb: number,
  pin: boolean,
): Promise<RunningServer> {
  const port = await freePort()
  const words = definition.words.map((word) =>
    word.replaceAll('{port}', String(port)).replaceAll('{mem}', String(memoryMb)),
  )
  const [program, ...options] = pinned(words, 'server', pin)
  const child = spawn(program!, options, { cwd: PROJECT, stdio: ['ignore', 'ignore', 'pipe'] })
  running.add(child)
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-ERROR_BYTES_MAX)
  })
  let ended: string | null = null
  child.on('error', (error) => (ended = error.message))
  child.on('exit', (code, signal) => {
    ended ??= `it ended with ${signal ?? `status ${code}`}`
    running.delete(child)
  })
  const deadline = performance.now() + READY_MS
  for (;;) {
    const version = await askVersion(port)
    if (version !== null && ended === null)
      return { name: definition.name, port, pid: child.pid!, version, stop: () => stop(child) }
    if (ended !== null || performance.now() > deadline) {
      await stop(child)
      throw new Error(`${definition.name} did not start: ${ended ?? 'no answer'}\n${errors}`)
    }
    await wait(RETRY_MS)
  }
}

/** Resolves once a server answers on a port; for one that was started elsewhere. */
export async function waitForServer(port: number): Promise<void> {
  const deadline = performance.now() + READY_MS
  while ((await askVersion(port)) === null) {
    if (performance.now() > deadline) throw new Error(`nothing answers on port ${port}`)
    await wait(RETRY_MS)
  }
}

/** For the end of the process, where nothing can be awaited any more. */
export function killAll(): void {
  for (const child of running) child.kill('SIGKILL')
}

/** Tracks a child that must not outlive this process. */
export function track(child: ChildProcess): void {
  running.add(child)
  child.on('exit', () => running.delete(child))
}

/** Sees to it that no child outlives this process, however it ends. */
export function killAllAtEnd(): void {
  process.on('exit', killAll)
  process.on('SIGINT', () => process.exit(130))
  process.on('SIGTERM', () => process.exit(143))
  process.on('SIGHUP', () => process.exit(129))
}

export function findProgram(name: string): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not here: look on.
    }
  }
  return null
}

function memcachedWords(program: string): string[] {
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : []
  const words = ['-t', '1', '-m', '{mem}', '-c', CONNECTIONS_MAX, '-p', '{port}']
  return [program, ...user, ...words, '-l', '127.0.0.1', '-U', '0']
}

async function stop(child: ChildProcess): Promise<void> {
  if (!running.has(child) || child.pid === undefined) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await ended
  clearTimeout(timer)
}

/** The version that a server on this port gives, or null if there is none that answers. */
function askVersion(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let reply = ''
    socket.setEncoding('latin1').setTimeout(1000, () => socket.destroy())
    socket.on('connect', () => socket.write('version\r\n'))
    socket.on('data', (text: string) => {
      reply += text
      if (reply.includes('\n')) socket.destroy()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => resolve(/^VERSION (.*)\r\n/.exec(reply)?.[1] ?? null))
  })
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no free port'))
        else resolve(address.port)
      })
    })
  })
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
