// The servers of the disk benchmarks: ours with a data directory of its own, ours without a disk tier, and memcached.
// A data directory lies in the folder for temporary files and goes with its server, whatever happens.

import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  BASELINE,
  findServers,
  PROJECT,
  type RunningServer,
  type ServerDefinition,
  startServer,
} from '../wire/servers.ts'

export interface DiskServer extends RunningServer {
  /** Where its disk tier lies, null without one. */
  readonly folder: string | null
}

export interface DiskServerOptions {
  readonly name: string
  readonly memoryMb: number
  /** Options of the command line; `--no-l2` among them makes it a server without a disk tier. */
  readonly options: readonly string[]
  /** Configuration keys that have no option: environment variables, without their prefix. */
  readonly settings?: Readonly<Record<string, string>>
  /** Another build than the one of this folder. */
  readonly program?: string | undefined
}

const PROGRAM = join(PROJECT, 'dist/bin/rat-memcached.js')
const ENV_PREFIX = 'RAT_MEMCACHED_'
const NO_DISK = '--no-l2'
const STATS_TIMEOUT_MS = 10_000
const LIST_END = 'END\r\n'

const folders = new Set<string>()
process.on('exit', () => {
  for (const folder of folders) remove(folder)
})

export async function startOurs(options: DiskServerOptions, pin: boolean): Promise<DiskServer> {
  const hasDisk = !options.options.includes(NO_DISK)
  const folder = hasDisk ? mkdtempSync(join(tmpdir(), 'rat-memcached-bench-')) : null
  if (folder !== null) folders.add(folder)
  const running = await startServer(definitionOf(options, folder), options.memoryMb, pin)
  return {
    ...running,
    folder,
    async stop(): Promise<void> {
      await running.stop()
      if (folder === null) return
      remove(folder)
      folders.delete(folder)
    },
  }
}

/** memcached, if there is one. */
export async function startMemcached(memoryMb: number, pin: boolean): Promise<DiskServer | null> {
  const definition = findServers([]).find(({ name }) => name === BASELINE)
  if (definition === undefined) return null
  return { ...(await startServer(definition, memoryMb, pin)), folder: null }
}

/** What a server answers to `stats` and a word; figures only. */
export function readStats(port: number, word = ''): Promise<ReadonlyMap<string, number>> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let text = ''
    socket.setEncoding('latin1').setTimeout(STATS_TIMEOUT_MS, () => {
      socket.destroy(new Error('no answer to stats'))
    })
    socket.on('connect', () => socket.write(`stats ${word}`.trim() + '\r\n'))
    socket.on('data', (piece: string) => {
      text += piece
      if (text.endsWith(LIST_END)) socket.end()
    })
    socket.on('error', reject)
    socket.on('close', () => {
      const stats = [...text.matchAll(/^STAT (\S+) (-?[\d.]+)\r$/gm)]
      resolve(new Map(stats.map(([, name, value]) => [name!, Number(value)])))
    })
  })
}

function definitionOf(options: DiskServerOptions, folder: string | null): ServerDefinition {
  const settings = Object.entries(options.settings ?? {}).map(
    ([name, value]) => `${ENV_PREFIX}${name}=${value}`,
  )
  const words = ['--bind', '127.0.0.1:{port}', '-m', '{mem}', '--log-level', 'warn']
  const disk = folder === null ? [] : ['--data-dir', folder]
  const program = options.program ?? PROGRAM
  return {
    name: options.name,
    words: ['env', ...settings, process.execPath, program, ...words, ...disk, ...options.options],
  }
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
