/** Servers for tests of real clients: one that keeps all in memory, and one that has to go to disk. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '../helpers/server.ts'
import type { TestServer } from '../helpers/server.ts'

export const TIERS = ['memory', 'memory and disk'] as const
export type Tier = (typeof TIERS)[number]

/** Values that together are several times what memory holds, where there is a disk. */
export const MANY = 150
export const LARGE_BYTES = 40_000

export interface ClientServer {
  readonly address: string
  readonly port: number
  readonly server: TestServer
  stop(): Promise<void>
}

export async function startTier(tier: Tier): Promise<ClientServer> {
  const folder = mkdtempSync(join(tmpdir(), 'rat-memcached-clients-'))
  const server = await startServer(
    tier === 'memory'
      ? {}
      : {
          'l1.max_memory': '2MB',
          'l2.enabled': 'true',
          'l2.data_dir': join(folder, 'data'),
          'l2.max_disk_size': '256MB',
        },
  )
  return {
    address: `127.0.0.1:${server.port}`,
    port: server.port,
    server,
    stop: async () => {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A text that says which one of many it is, and is large. */
export function largeText(number: number): string {
  return `${number} `.repeat(LARGE_BYTES / 2).slice(0, LARGE_BYTES)
}
