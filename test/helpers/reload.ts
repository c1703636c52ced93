/** A server whose configuration is read again, and what its log says of that. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema.ts'
import { createLoggerTo } from '../../src/observe/log.ts'
import { createServer } from '../../src/server.ts'
import type { RatServer } from '../../src/server.ts'
import { connectClient } from './server.ts'
import type { Settings, TestClient } from './server.ts'

export interface Line {
  readonly level: string
  readonly msg: string
  readonly key?: string
  readonly reason?: string
}

export interface Running {
  readonly server: RatServer
  readonly port: number
  readonly folder: string
  readonly lines: Line[]
  readonly connect: () => Promise<TestClient>
  /** Reloads with settings on top of those that it was started with. */
  readonly reload: (settings: Settings) => boolean
}

export function configOf(settings: Settings): Config {
  const overrides = Object.entries(settings).map(([key, value]) => ({ key, value, option: 'test' }))
  return loadConfig({ env: {}, overrides })
}

export async function running<Result>(
  settings: Settings,
  use: (running: Running) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'rat-reload-'))
  const all = {
    'server.bind': '127.0.0.1:0',
    'server.shutdown_timeout': '2s',
    'metrics.bind': '',
    'l2.data_dir': join(folder, 'data'),
    ...settings,
  }
  const lines: Line[] = []
  const log = createLoggerTo({ write: (line) => void lines.push(JSON.parse(line)) }, 'info', false)
  const server = createServer(configOf(all), log)
  const [address = ''] = await server.listen()
  const port = Number(address.slice(address.lastIndexOf(':') + 1))
  try {
    return await use({
      server,
      port,
      folder,
      lines,
      connect: () => connectClient({ port, host: '127.0.0.1' }),
      reload: (next) => server.reload(() => configOf({ ...all, ...next })),
    })
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true })
  }
}

export function changesIn(lines: readonly Line[], msg: string): string[] {
  return lines.filter((line) => line.msg === msg).map(({ key = '' }) => key)
}

export const APPLIED: string = 'a setting has changed'
export const WAITS: string = 'a setting needs a restart to change'
