/** Proxies in front of several servers, configured by the blocks of docs/SCALING.md. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '../differential/client.ts'
import { freePort } from '../differential/server-process.ts'

export interface Proxy {
  /** What is to be installed, if it is not there. */
  missing(): string | undefined
  /** The language of its block in the page. */
  readonly language: string
  readonly program: string
  args(port: number, file: string, statsPort: number): readonly string[]
}

const HOST = '127.0.0.1'
const PAGE = fileURLToPath(new URL('../../docs/SCALING.md', import.meta.url))
const MEMCACHED = process.env['MEMCACHED'] ?? 'memcached'

export const TWEMPROXY: Proxy = {
  missing() {
    const isThere = spawnSync('nutcracker', ['-V']).error === undefined
    return isThere ? undefined : 'twemproxy is not installed (apt-get install nutcracker)'
  },
  language: 'yaml',
  program: 'nutcracker',
  args: (_port, file, statsPort) => ['-c', file, '-a', HOST, '-s', String(statsPort)],
}

export const MEMCACHED_PROXY: Proxy = {
  missing() {
    const help = spawnSync(MEMCACHED, ['-h'], { encoding: 'utf8' }).stdout ?? ''
    return help.includes('proxy_config')
      ? undefined
      : `${MEMCACHED} has no proxy (one built with --enable-proxy; MEMCACHED names it)`
  },
  language: 'lua',
  program: MEMCACHED,
  args(port, file) {
    // It has to read its file, in a folder that is ours alone.
    const user = ['-u', userInfo().username]
    const config = `proxy_config=routelib,proxy_arg=${file}`
    return ['-l', HOST, '-p', String(port), '-U', '0', ...user, '-o', config]
  },
}

/** Starts it in front of servers, with one to each address of the block, in their order. */
export async function withProxy<T>(
  proxy: Proxy,
  ports: readonly number[],
  use: (port: number) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'rat-memcached-proxy-'))
  const [port, statsPort] = [await freePort(), await freePort()]
  const file = join(folder, `config.${proxy.language}`)
  writeFileSync(file, configOf(proxy.language, port, ports))
  const running = spawn(proxy.program, proxy.args(port, file, statsPort), { stdio: 'ignore' })
  const ended = new Promise((resolve) => {
    running.once('exit', resolve)
  })
  try {
    await accepting(port)
    return await use(port)
  } finally {
    running.kill()
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
}

function configOf(language: string, port: number, ports: readonly number[]): string {
  const page = readFileSync(PAGE, 'utf8')
  const block = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'm').exec(page)?.[1]
  if (block === undefined) throw new Error(`docs/SCALING.md has no block of ${language}`)
  return ports
    .reduce((text, one, at) => text.replace(`10.0.0.${at + 1}:11211`, `${HOST}:${one}`), block)
    .replace('127.0.0.1:22121', `${HOST}:${port}`)
}

async function accepting(port: number): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      const client = await Client.open(port)
      client.close()
      return
    } catch (error) {
      if (tries === 100) throw error
      await new Promise((resolve) => {
        setTimeout(resolve, 50)
      })
    }
  }
}
