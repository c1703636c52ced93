import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, beforeEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { supervisorOf } from '../../../src/cli/supervisor.ts'
import { createLoggerTo } from '../../../src/observe/log.ts'
import { ManualClock } from '../../../src/observe/clock.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const PATIENCE_MS = 20_000

/** Writes each message that it is given as a line: its arguments, with | between. */
const SCRIBE = `#!/bin/sh
IFS='|'
[ "$#" -lt 9 ] && printf '%s\\n' "$*" >> "$SAID"
`

/** Binds the socket that it is told, prints each datagram on a line, and ends at the word STOPPING. */
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(${PATIENCE_MS / 1000})
print('bound', flush=True)
while True:
    words = s.recv(4096).decode().replace('\\n', '|')
    print(words, flush=True)
    if 'STOPPING' in words: break
`

const folder = mkdtempSync(join(tmpdir(), 'rat-supervisor-'))
const said = join(folder, 'said')
const speaker = join(folder, 'systemd-notify')
writeFileSync(speaker, SCRIBE)
chmodSync(speaker, 0o755)
after(() => rmSync(folder, { recursive: true }))

const env: NodeJS.ProcessEnv = {
  PATH: [folder, process.env['PATH']].join(delimiter),
  SAID: said,
  NOTIFY_SOCKET: '/nowhere',
}

function lines(): string[] {
  return existsSync(said) ? readFileSync(said, 'utf8').split('\n').slice(0, -1) : []
}

async function until(done: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!done()) {
    assert.ok(performance.now() < deadline, `it did not come to that: ${lines().join(', ')}`)
    await new Promise((resolve) => {
      setTimeout(resolve, 10)
    })
  }
}

function quietLog(sink: string[] = []): ReturnType<typeof createLoggerTo> {
  return createLoggerTo({ write: (line: string) => sink.push(line) }, 'info', false)
}

describe('the service manager', () => {
  beforeEach(() => rmSync(said, { force: true }))

  it('is told what happens, in order, with what people want to know', async () => {
    const supervisor = supervisorOf(env, new ManualClock(), quietLog())
    supervisor.ready('listening on 127.0.0.1:1, *')
    supervisor.reloading()
    supervisor.reloaded()
    supervisor.stopping()
    await until(() => lines().length === 4)
    assert.deepEqual(lines(), [
      `READY=1|MAINPID=${process.pid}|STATUS=listening on 127.0.0.1:1, *`,
      'RELOADING=1|STATUS=reading the configuration again',
      'READY=1|STATUS=listening on 127.0.0.1:1, *',
      'STOPPING=1|STATUS=stopping: answering clients, writing to disk',
    ])
  })

  it('does not hear of a reload before the server is ready', async () => {
    const supervisor = supervisorOf(env, new ManualClock(), quietLog())
    supervisor.reloading()
    supervisor.reloaded()
    supervisor.ready('a\tb\nREADY=0')
    await until(() => lines().length > 0)
    assert.deepEqual(lines(), [`READY=1|MAINPID=${process.pid}|STATUS=a b READY=0`])
  })

  it('has its watchdog fed twice in the time that it grants, once the server is ready', async () => {
    const clock = new ManualClock()
    const watched = { ...env, WATCHDOG_USEC: '60000000', WATCHDOG_PID: String(process.pid) }
    const supervisor = supervisorOf(watched, clock, quietLog())
    clock.advance(90)
    supervisor.ready('so')
    for (let step = 0; step < 3; step++) clock.advance(30)
    await until(() => lines().length === 4)
    assert.deepEqual(lines().slice(1), ['WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1'])
  })

  it('has no watchdog that is for another process, or none at all', async () => {
    for (const other of [{ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '1' }, { WATCHDOG_USEC: '' }]) {
      rmSync(said, { force: true })
      const clock = new ManualClock()
      const supervisor = supervisorOf({ ...env, ...other }, clock, quietLog())
      supervisor.ready('so')
      clock.advance(90)
      supervisor.stopping()
      await until(() => lines().length > 1)
      assert.match(lines()[1]!, /^STOPPING/)
    }
  })

  it('that is not there is never asked for: nothing is started', () => {
    const { NOTIFY_SOCKET: _, ...without } = env
    const supervisor = supervisorOf(without, new ManualClock(), quietLog())
    supervisor.ready('so')
    supervisor.stopping()
    assert.deepEqual(lines(), [])
  })

  it('that cannot be told is logged once, and tried again with the next message', async () => {
    const logged: string[] = []
    const broken = { ...env, SAID: join(folder, 'none', 'said') }
    const supervisor = supervisorOf(broken, new ManualClock(), quietLog(logged))
    supervisor.ready('so')
    await until(() => logged.length > 0)
    assert.match(logged[0]!, /cannot be told/)
    // The file that is written to is there by now: the folder was made.
    const mended = join(folder, 'none')
    spawnSync('mkdir', [mended])
    supervisor.stopping()
    await until(() => existsSync(broken.SAID))
    assert.match(readFileSync(broken.SAID, 'utf8'), /^STOPPING=1/)
    assert.equal(logged.length, 1)
  })
})

const missing = ['systemd-notify', 'python3'].filter(
  (program) => spawnSync(program, ['--version']).error !== undefined,
)
if (missing.length > 0) {
  console.log(`left out: the program under a service manager, which needs ${missing.join(', ')}`)
} else {
  describe('the program under a service manager', () => {
    it('says by datagrams that it is ready, that it has reloaded, and that it stops', async () => {
      const path = join(folder, 'notify')
      const receiver = spawn('python3', ['-c', RECEIVER, path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let received = ''
      receiver.stdout.on('data', (bytes: Buffer) => (received += bytes.toString()))
      const messages = (): string[] => received.split('\n').filter((line) => line.includes('='))
      await until(() => received.includes('bound'))
      const argv = ['--import', 'tsx', 'bin/rat-memcached.ts', '--no-l2', '-l', '127.0.0.1:0']
      const server = spawn(process.execPath, argv, {
        cwd: ROOT,
        env: { PATH: process.env['PATH'], NOTIFY_SOCKET: path },
        stdio: 'ignore',
      })
      try {
        await until(() => messages().length > 0)
        server.kill('SIGHUP')
        await until(() => messages().filter((line) => line.includes('READY=1')).length === 2)
        server.kill('SIGTERM')
        await until(() => received.includes('STOPPING=1'))
        // A barrier follows each message, with which systemd-notify waits until it was taken.
        const told = messages().filter((line) => !line.startsWith('BARRIER'))
        assert.match(
          told[0]!,
          new RegExp(`^READY=1\\|MAINPID=${server.pid}\\|STATUS=listening on 127\\.0\\.0\\.1:\\d+`),
        )
        const kinds = told.map((line) => line.split('=')[0])
        assert.deepEqual(kinds, ['READY', 'RELOADING', 'READY', 'STOPPING'])
      } finally {
        server.kill('SIGKILL')
        receiver.kill('SIGKILL')
      }
    })
  })
}
