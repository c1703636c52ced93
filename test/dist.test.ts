/** What `npm run build` leaves in dist/, run as a user runs it: from start to stop. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PROGRAM = `${ROOT}dist/bin/rat-memcached.js`

const HIT = 'VALUE a 1 5\r\nhello\r\nEND\r\n'

interface Description {
  readonly version: string
  readonly bin: Readonly<Record<string, string>>
  readonly files: readonly string[]
}

const description: Description = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'))

describe('the package', () => {
  it('is built: npm test does that first, and so does npm run build', () => {
    const sources = readdirSync(`${ROOT}src`, { recursive: true, encoding: 'utf8' })
    for (const path of sources.filter((name) => name.endsWith('.ts'))) {
      assert.ok(existsSync(join(ROOT, 'dist/src', path.replace(/\.ts$/, '.js'))), path)
    }
  })

  it('has every file that it says it has, and a program that can be executed', () => {
    for (const path of description.files) assert.ok(existsSync(ROOT + path), path)
    const program = description.bin['rat-memcached']!
    assert.equal(fileURLToPath(new URL(program, `file://${ROOT}`)), PROGRAM)
    assert.ok(readFileSync(PROGRAM, 'utf8').startsWith('#!/usr/bin/env node\n'))
  })

  it('takes along what runs, what explains it, and nothing else', () => {
    // The scripts would build into the folder that other tests run from.
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts']
    const { stdout, stderr } = spawnSync('npm', args, { cwd: ROOT, encoding: 'utf8' })
    assert.match(stdout, /^[[{]/, stderr)
    const paths = [...stdout.matchAll(/"path": "([^"]+)"/g)].map(([, path]) => path!)
    for (const path of [
      'dist/bin/rat-memcached.js',
      'config/rat-memcached.toml',
      'deploy/systemd/rat-memcached.service',
      'docs/OPERATIONS.md',
    ]) {
      assert.ok(paths.includes(path), path)
    }
    const known = /^(?:(?:dist|deploy|docs)\/.+|config\/[^/]+\.toml|[A-Z]+(?:\.md)?|package\.json)$/
    assert.deepEqual(
      paths.filter((path) => !known.test(path)),
      [],
    )
  })

  it('holds nothing but the program: no tests, no sources of tests', () => {
    assert.deepEqual(readdirSync(`${ROOT}dist`).sort(), ['bin', 'page.html', 'src'])
  })

  it('has the page of the side door, wherever it is started', () => {
    const program = `import { readPage } from '${ROOT}dist/src/http/page.js'; process.stdout.write(readPage().body)`
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: tmpdir(),
      encoding: 'utf8',
    })
    assert.equal(stdout, readFileSync(`${ROOT}dist/page.html`, 'utf8'))
  })
})

/** The disk tier lies below the directory that a server is started in: each gets one of its own. */
const places = mkdtempSync(join(tmpdir(), 'rat-places-'))
after(() => rmSync(places, { recursive: true }))

function newPlace(): string {
  return mkdtempSync(join(places, 'server-'))
}

describe('the built program', () => {
  it('starts, serves, and answers what it has received before it stops with status 0', async () => {
    const { server, port } = await start('--bind', '127.0.0.1:0')
    const client = connect(port, '127.0.0.1')
    const reply = collect(client)
    client.write('set a 1 0 5\r\nhello\r\nget a\r\nversion\r\n')
    await reply.until('VERSION')
    client.write('get a\r\n')
    server.kill('SIGTERM')
    const ended = once(client, 'end')
    assert.deepEqual(await once(server, 'exit'), [0, null])
    await ended
    assert.equal(reply.text(), `STORED\r\n${HIT}VERSION 1.6.45\r\n${HIT}`)
  })

  it('says its version', () => {
    const { stdout } = spawnSync(process.execPath, [PROGRAM, '-V'], { encoding: 'utf8' })
    assert.equal(stdout, `rat-memcached ${description.version}\n`)
  })

  it('starts from a command line that was written for memcached', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rat-dist-'))
    try {
      const pidFile = join(folder, 'pid')
      const { server } = await start(
        ...'-p -1 -l 127.0.0.1 -m 16 -c 100 -I 512k -t 4 -U 0 -R 20 -b 64 -k'.split(' '),
        ...'-o modern,idle_timeout=60 -P'.split(' '),
        pidFile,
      )
      assert.equal(readFileSync(pidFile, 'utf8'), `${server.pid}\n`)
      server.kill('SIGINT')
      assert.deepEqual(await once(server, 'exit'), [0, null])
      assert.ok(!existsSync(pidFile))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('exits with 73 where somebody listens already', async () => {
    const { server, port } = await start('--bind', '127.0.0.1:0')
    try {
      const args = [PROGRAM, '--bind', `127.0.0.1:${port}`]
      const options = { cwd: newPlace(), encoding: 'utf8' } as const
      const { status, stderr } = spawnSync(process.execPath, args, options)
      assert.equal(status, 73)
      assert.match(stderr, /^rat-memcached: cannot listen on 127\.0\.0\.1:\d+: .*\n$/)
    } finally {
      server.kill('SIGKILL')
      await once(server, 'exit')
    }
  })

  it('exits with 73 where somebody uses the data directory already, and names it', async () => {
    const data = join(newPlace(), 'data')
    const { server } = await start('--bind', '127.0.0.1:0', '--data-dir', data)
    try {
      const args = [PROGRAM, '--bind', '127.0.0.1:0', '--data-dir', data]
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
      assert.equal(status, 73)
      assert.ok(stderr.startsWith('rat-memcached: ') && stderr.includes(data), stderr)
      assert.equal(stderr.trimEnd().split('\n').length, 1, stderr)
    } finally {
      server.kill('SIGKILL')
      await once(server, 'exit')
    }
  })

  it('refuses more memory than there can be, with 78', () => {
    const args = [PROGRAM, '-p', '-1', '-m', '9000000']
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    assert.equal(status, 78)
    assert.match(stderr, /^rat-memcached: .*(addresses at most|cannot allocate)/)
  })
})

/** Starts the program; resolves when its log says that it listens. */
async function start(...args: string[]): Promise<{ server: ChildProcess; port: number }> {
  const server = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: newPlace(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  server.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
  server.stderr.on('data', (bytes: Buffer) => (output += bytes.toString()))
  while (!output.includes('"listening"')) {
    assert.equal(server.exitCode, null, output)
    await Promise.race([once(server.stdout, 'data'), once(server, 'exit')])
  }
  const line = output.split('\n').find((text) => text.includes('"listening"')) ?? ''
  const { addresses }: { addresses: string[] } = JSON.parse(line)
  return { server, port: Number(addresses[0]!.split(':')[1]) }
}

/** Gathers what a socket receives. */
function collect(socket: Socket): {
  text(): string
  until(word: string): Promise<void>
} {
  let received = ''
  socket.on('data', (bytes) => (received += bytes.toString('latin1')))
  return {
    text: () => received,
    async until(word) {
      while (!received.includes(word) || !received.endsWith('\n')) {
        await once(socket, 'data')
      }
    },
  }
}
