import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { SpawnOptions } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { connectClient } from '../../helpers/server.ts'
import type { TestClient } from '../../helpers/server.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const PATIENCE_MS = 20_000

interface Outcome {
  readonly status: number | null
  readonly stderr: string
}

/** Runs the program from its sources until its first process ends. */
function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const argv = ['--import', 'tsx', 'bin/rat-memcached.ts', '--no-l2', ...args]
  const options: SpawnOptions = {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: PATIENCE_MS,
  }
  return new Promise((resolve) => {
    const child = spawn(process.execPath, argv, options)
    let stderr = ''
    child.stderr?.on('data', (bytes: Buffer) => (stderr += bytes.toString()))
    // 'close' comes when nobody holds the pipe any more: a daemon must not.
    child.on('close', (status) => resolve({ status, stderr }))
  })
}

function login(password: string): string {
  return `set a 0 0 ${3 + password.length}\r\nme ${password}\r\n`
}

async function until(done: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!done()) {
    assert.ok(performance.now() < deadline, 'it did not come to that')
    await new Promise((resolve) => {
      setTimeout(resolve, 10)
    })
  }
}

describe('a daemon', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'rat-daemon-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  function connect(): Promise<TestClient> {
    return connectClient({ path: join(folder, 'socket') })
  }

  it('listens when the first process has left, has its pid in the file, and stops when asked to', async () => {
    const pidFile = join(folder, 'pid')
    const { status, stderr } = await run(['-d', '-A', '-s', join(folder, 'socket'), '-P', pidFile])
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
    const pid = Number(readFileSync(pidFile, 'utf8'))
    const client = await connect()
    client.send('stats\r\nshutdown now\r\nshutdown graceful\r\n')
    await client.closed()
    assert.match(client.text, new RegExp(`^STAT pid ${pid}\\r\\n`))
    assert.match(client.text, /END\r\nCLIENT_ERROR invalid shutdown mode\r\n$/)
    await until(() => !existsSync(pidFile))
    await assert.rejects(connect())
  })

  it('that cannot listen ends the first process with its status and its message', async () => {
    const { status, stderr } = await run(['-d', '-s', join(folder, 'none', 'socket')])
    assert.equal(status, 73)
    assert.match(stderr, /^rat-memcached: cannot listen on unix:/)
  })
})

describe('the program with users', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'rat-users-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  it('reads them again on SIGHUP, and keeps the old ones if the file is bad', async () => {
    const users = join(folder, 'users')
    const socket = join(folder, 'socket')
    const pidFile = join(folder, 'pid')
    const logFile = join(folder, 'log')
    const logged = (line: string): boolean => readFileSync(logFile, 'utf8').includes(line)
    writeFileSync(users, 'me:old')
    const { status } = await run(['-d', '-A', '-s', socket, '-P', pidFile, '-Y', users], {
      RAT_MEMCACHED_LOGGING_FILE: logFile,
    })
    assert.equal(status, 0)
    const pid = Number(readFileSync(pidFile, 'utf8'))
    const client = await connectClient({ path: socket })
    await client.ask(login('new'), 'CLIENT_ERROR authentication failure\r\n')
    writeFileSync(users, 'me:new\n')
    process.kill(pid, 'SIGHUP')
    await until(() => logged('the configuration was reloaded'))
    await client.ask(login('old'), 'CLIENT_ERROR authentication failure\r\n')
    writeFileSync(users, 'nonsense\n')
    process.kill(pid, 'SIGHUP')
    await until(() => logged('the configuration was not reloaded'))
    await client.ask(login('new'), 'STORED\r\n')
    assert.ok(!logged('nonsense'), 'the log has nothing of the file')
    client.send('shutdown\r\n')
    await client.closed()
    await until(() => !existsSync(pidFile))
  })

  it('-S takes them from the file that MEMCACHED_SASL_PWDB names, and does not start without it', async () => {
    const { status, stderr } = await run(['-S', '-p', '-1'], {
      MEMCACHED_SASL_PWDB: join(folder, 'none'),
    })
    assert.equal(status, 78)
    assert.match(stderr, /cannot read the users: ENOENT/)
  })
})
