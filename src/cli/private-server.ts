/**
 * A server for one tool of this process: over a data directory that no server uses, at a UNIX socket that
 * only this user can reach. So what is on disk is read and written by the code that knows it, journal and
 * recovery included, and a directory that is in use is refused.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../config/load.ts'
import { printSize } from '../config/units.ts'
import { ServerError } from '../errors.ts'
import { createLoggerTo } from '../observe/log.ts'
import { createServer } from '../server.ts'
import { readTarget } from '../tools/target.ts'
import type { Target } from '../tools/target.ts'

/** The cap of the disk tier has to be well above what is there, or opening it would drop some of that. */
const CAP_FACTOR = 4
const CAP_BYTES_MIN = 2 ** 30

export interface PrivateServer {
  readonly target: Target
  stop(): Promise<void>
}

/** Rejects with DATA_DIR_…, or with DUMP_UNUSABLE where there is no such directory and one is needed. */
export async function startPrivateServer(
  dataDir: string,
  memoryBytes: number,
  diskBytesMin: number,
  mustExist: boolean,
): Promise<PrivateServer> {
  if (mustExist && !existsSync(join(dataDir, 'FORMAT'))) {
    throw new ServerError('DUMP_UNUSABLE', `${dataDir}: this is no data directory`)
  }
  const folder = mkdtempSync(join(tmpdir(), 'rat-memcached-'))
  const cap = Math.max(CAP_BYTES_MIN, diskBytesMin, CAP_FACTOR * bytesIn(dataDir))
  const settings: Readonly<Record<string, string>> = {
    'server.bind': `unix:${join(folder, 'socket')}`,
    'server.max_item_size': printSize(Math.min(2 ** 30, Math.floor(memoryBytes / 2))),
    'l1.max_memory': printSize(memoryBytes),
    'l2.data_dir': dataDir,
    'l2.max_disk_size': String(Math.ceil(cap)),
    // What is read once need not stay in memory.
    'l2.promotion': 'never',
    'metrics.bind': '',
  }
  const overrides = Object.entries(settings).map(([key, value]) => ({
    key,
    value: key === 'server.bind' ? [value] : value,
    option: '--data-dir',
  }))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  const config = loadConfig({ env: {}, overrides })
  const server = createServer(config, createLoggerTo(process.stderr, 'warn', true))
  try {
    const [address = ''] = await server.listen()
    return {
      target: readTarget(address),
      async stop() {
        await server.stop()
        remove()
      },
    }
  } catch (error) {
    remove()
    throw error
  }
}

function bytesIn(folder: string): number {
  if (!existsSync(folder)) return 0
  let bytes = 0
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const facts = statSync(join(folder, name), { throwIfNoEntry: false })
    if (facts?.isFile() === true) bytes += facts.size
  }
  return bytes
}
