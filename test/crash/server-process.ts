/**
 * The lives of a server: how one is started on a data directory, killed, and stopped. The test
 * knows of a server no more than this, so that it can also be shown that it finds faults.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Policy } from './model.ts'

export interface LifeSettings {
  readonly dataDir: string
  readonly policy: Policy
  readonly memoryMb: number
  readonly diskMb: number
  /** Without a disk tier. */
  readonly isMemoryOnly: boolean
}

export interface Life {
  /** Resolves to the port once the server accepts, or to undefined if it ends before. */
  readonly listening: Promise<number | undefined>
  /** Resolves when it has ended, with what it left behind: a signal or an exit code. */
  readonly ended: Promise<string>
  kill(signal: 'SIGKILL' | 'SIGTERM'): void
  /** What it has said. */
  output(): string
}

export interface Launcher {
  start(settings: LifeSettings): Life
}

const OUTPUT_CHARACTERS_MAX = 20_000

/** Shorter than the default, so that more writes are under way when a server is killed. */
const WRITE_INTERVAL_MS = 100

/** Starts the program as a child process. `program` are the arguments of Node that run it. */
export class ProcessLauncher implements Launcher {
  readonly #program: readonly string[]

  constructor(program: readonly string[]) {
    this.#program = program
  }

  start({ dataDir, policy, memoryMb, diskMb, isMemoryOnly }: LifeSettings): Life {
    const sizes = ['--max-disk-size', `${diskMb}MB`]
    const disk = ['--data-dir', dataDir, '--write-policy', policy, ...sizes]
    const args = [
      ...this.#program,
      ...`-l 127.0.0.1 -p -1 -m ${memoryMb}`.split(' '),
      ...(isMemoryOnly ? ['--no-l2'] : disk),
    ]
    const env = { ...process.env, RAT_MEMCACHED_L2_WRITE_INTERVAL: `${WRITE_INTERVAL_MS}ms` }
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
    return new ProcessLife(child, `${dataDir}.log`)
  }
}

class ProcessLife implements Life {
  readonly listening: Promise<number | undefined>
  readonly ended: Promise<string>
  readonly #child: ChildProcess
  #output = ''
  #hasEnded = false

  constructor(child: ChildProcess, logFile: string) {
    this.#child = child
    const hear = (bytes: Buffer): void => {
      this.#output = (this.#output + bytes.toString()).slice(-OUTPUT_CHARACTERS_MAX)
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#hasEnded = true
        writeFileSync(logFile, this.#output, { flag: 'a' })
        resolve(signal ?? `exit ${code}`)
      })
    })
    this.listening = this.#listening()
  }

  kill(signal: 'SIGKILL' | 'SIGTERM'): void {
    this.#child.kill(signal)
  }

  output(): string {
    return this.#output
  }

  async #listening(): Promise<number | undefined> {
    for (;;) {
      const port = /"addresses":\["127\.0\.0\.1:(\d+)".*"listening"/.exec(this.#output)?.[1]
      if (port !== undefined) return Number(port)
      if (this.#hasEnded) return undefined
      await Promise.race([once(this.#child.stdout!, 'data'), this.ended])
    }
  }
}

/** Where the built program is, from the root of the repository. */
export function builtProgram(root: string): string {
  return join(root, 'dist/bin/rat-memcached.js')
}
