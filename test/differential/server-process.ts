/** The two programs that are compared, each as a process on a port of its own. */
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { Client } from './client.ts'

export interface ServerProcess {
  readonly port: number
  readonly pid: number
  /** What it has said on its way, its end above all; empty while it runs and is content. */
  readonly complaints: string
  stop(): Promise<void>
}

const COMPLAINTS_MAX = 10_000
const START_TRIES = 200
const START_PAUSE_MS = 20

/** The version of a memcached, 10645 for 1.6.45; undefined if there is no such program. */
export function versionOf(program: string): number | undefined {
  const said = spawnSync(program, ['-V'], { encoding: 'utf8' }).stdout ?? ''
  const [, major, minor, patch] = /^memcached (\d+)\.(\d+)\.(\d+)/.exec(said) ?? []
  if (major === undefined) return undefined
  return Number(major) * 10_000 + Number(minor) * 100 + Number(patch)
}

/** How such a version is written. */
export function versionText(version: number): string {
  return [version / 10_000, (version / 100) % 100, version % 100].map(Math.floor).join('.')
}

/**
 * A memcached that forgets nothing. Without its threads in the background: while one of them holds a
 * counter, that is replaced rather than overwritten, and so not filled up with spaces.
 */
export async function startReference(
  program: string,
  more: readonly string[],
): Promise<ServerProcess> {
  const port = await freePort()
  const user = userInfo().uid === 0 ? ['-u', 'nobody'] : []
  const still = ['-o', 'no_lru_crawler,no_lru_maintainer']
  const memory = ['-m', '1024', '-t', '2', ...still]
  const args = ['-l', '127.0.0.1', '-p', String(port), '-U', '0', ...memory, ...user, ...more]
  const running = new Running(spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }), port)
  await running.connected()
  return running
}

/** This server as it is built. `args` say how it is to keep its items. */
export async function startOurs(program: string, args: readonly string[]): Promise<ServerProcess> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'rat-memcached-diff-'))
  const all = [program, '-l', '127.0.0.1', '-p', String(port), '--data-dir', folder, ...args]
  const env = { ...process.env, RAT_MEMCACHED_LOGGING_LEVEL: 'error' }
  const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'pipe'], env })
  const running = new Running(child, port, folder)
  await running.connected()
  return running
}

class Running implements ServerProcess {
  readonly port: number
  readonly #child: ChildProcess
  readonly #folder: string | undefined
  readonly #ended: Promise<void>
  #complaints = ''
  #isWanted = true

  constructor(child: ChildProcess, port: number, folder?: string) {
    this.port = port
    this.#child = child
    this.#folder = folder
    const hear = (bytes: Buffer): void => {
      const lines = bytes.toString().split(/(?<=\n)/)
      // A client may have asked for these: `verbosity 1`.
      const told = lines.filter((line) => !/"level":"(?:trace|debug|info)"/.test(line)).join('')
      this.#complaints = (this.#complaints + told).slice(-COMPLAINTS_MAX)
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => {
        this.#complaints += error.message
        resolve()
      })
      child.once('exit', (code, signal) => {
        if (this.#isWanted) this.#complaints += `ended by ${signal ?? `status ${code}`}\n`
        resolve()
      })
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get complaints(): string {
    return this.#complaints
  }

  async connected(): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        const client = await Client.open(this.port)
        client.close()
        return
      } catch (error) {
        if (tries === START_TRIES)
          throw new Error(`no server: ${this.#complaints}`, { cause: error })
        await new Promise((resolve) => {
          setTimeout(resolve, START_PAUSE_MS)
        })
      }
    }
  }

  async stop(): Promise<void> {
    this.#isWanted = false
    this.#child.kill('SIGKILL')
    await this.#ended
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true })
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port'))
        else resolve(address.port)
      })
    })
  })
}
