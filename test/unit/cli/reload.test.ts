/** SIGHUP to the program, with its file, environment and options, while clients are busy. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { connectClient } from '../../helpers/server.ts'
import type { TestClient } from '../../helpers/server.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const CLIENTS = 8
const RELOADS = 20

const folder = mkdtempSync(join(tmpdir(), 'rat-sighup-'))
after(() => rmSync(folder, { recursive: true }))

interface Program {
  readonly child: ChildProcess
  readonly port: number
  /** Waits until the log has so many lines with this message; returns them. */
  readonly says: (message: string, count: number) => Promise<string[]>
}

async function start(args: readonly string[], env: Record<string, string>): Promise<Program> {
  const argv = ['--import', 'tsx', 'bin/rat-memcached.ts', ...args]
  const child = spawn(process.execPath, argv, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
  const says = async (message: string, count: number): Promise<string[]> => {
    for (;;) {
      const lines = output.split('\n').filter((line) => line.includes(`"msg":"${message}`))
      if (lines.length >= count) return lines
      assert.equal(child.exitCode, null, output)
      await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
    }
  }
  const [line = ''] = await says('listening', 1)
  return { child, port: Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]), says }
}

/** Sets and gets until told to end; every reply has to be the right one. */
async function work(client: TestClient, name: string, isOver: () => boolean): Promise<number> {
  let rounds = 0
  for (; !isOver(); rounds++) {
    const value = `${name}:${rounds}`.padEnd(200 + (rounds % 5000), '.')
    const key = `${name}:${rounds % 100}`
    const stored = `STORED\r\nVALUE ${key} 7 ${value.length}\r\n${value}\r\nEND\r\n`
    await client.ask(`set ${key} 7 0 ${value.length}\r\n${value}\r\nget ${key}\r\n`, stored)
  }
  return rounds
}

/** Another configuration for each round. */
function config(round: number): string {
  return [
    '[server]',
    `max_connections = ${100 + round}`,
    `max_commands_per_turn = ${1 + round}`,
    '[l1]',
    `max_memory = "${8 + (round % 8)}MB"`,
    '[l2]',
    `write_policy = "${['write-behind', 'write-through', 'on-evict'][round % 3]}"`,
    `write_interval = "${5 + round}ms"`,
    `promotion = "${['always', 'never', 'second-hit'][round % 3]}"`,
    `max_disk_size = "${32 + (round % 4) * 32}MB"`,
    '[logging]',
    `level = "${round % 2 === 0 ? 'info' : 'debug'}"`,
    '',
  ].join('\n')
}

describe('SIGHUP', () => {
  it('under load changes what it should, and no client notices', async () => {
    const file = join(folder, 'load.toml')
    const data = join(folder, 'data')
    writeFileSync(file, config(7))
    const args = ['--config', file, '--bind', '127.0.0.1:0', '--data-dir', data]
    const { child, port, says } = await start(args, {})
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, () => connectClient({ port, host: '127.0.0.1' })),
    )
    let isOver = false
    const working = clients.map((client, i) => work(client, `c${i}`, () => isOver))
    for (let round = 1; round <= RELOADS; round++) {
      writeFileSync(file, config(round))
      child.kill('SIGHUP')
      await says('the configuration was reloaded', round)
    }
    writeFileSync(file, '[server]\nmax_connections = "no"\n')
    child.kill('SIGHUP')
    const [bad = ''] = await says('the configuration was not reloaded: nothing has changed', 1)
    assert.ok(bad.includes(`${file}:2: server.max_connections`), bad)
    isOver = true
    for (const rounds of await Promise.all(working)) assert.ok(rounds > 0)

    const [client] = clients
    const stats = await client!.list('stats', 'END\r\n')
    assert.ok(stats.includes(`STAT config_reloads ${RELOADS}`))
    assert.ok(stats.includes('STAT config_reload_errors 1'))
    assert.ok(stats.includes(`STAT max_connections ${100 + RELOADS}`))
    assert.ok(stats.includes('STAT conn_errors 0'))
    for (const { socket } of clients) socket.destroy()
    child.kill('SIGTERM')
    assert.deepEqual(await once(child, 'exit'), [0, null])
  })

  it('leaves environment and options on top of the file, as at the start', async () => {
    const file = join(folder, 'top.toml')
    writeFileSync(file, '[server]\nmax_connections = 5\nidle_timeout = "5s"\n')
    const args = ['--config', file, '--bind', '127.0.0.1:0', '--no-l2', '-c', '77']
    const env = { RAT_MEMCACHED_SERVER_IDLE_TIMEOUT: '60s' }
    const { child, port, says } = await start(args, env)
    writeFileSync(file, '[server]\nmax_connections = 6\nidle_timeout = "6s"\nbacklog = 9\n')
    child.kill('SIGHUP')
    const [line = ''] = await says('the configuration was reloaded', 1)
    assert.match(line, /"changed":0,"need_restart":1/)
    const [waiting = ''] = await says('a setting needs a restart to change', 1)
    assert.match(waiting, /"key":"server\.backlog","in_force":"1024","configured":"9"/)
    const client = await connectClient({ port, host: '127.0.0.1' })
    const rows = await client.list('stats settings', 'END\r\n')
    assert.ok(rows.includes('STAT maxconns 77'))
    assert.ok(rows.includes('STAT idle_timeout 60'))
    client.destroy()
    child.kill('SIGTERM')
    await once(child, 'exit')
  })
})
