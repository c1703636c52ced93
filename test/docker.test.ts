/** The scripts of the image, and what the Dockerfile promises. test/docker.sh carries its steps out. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  accessSync,
  constants,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SUBCOMMANDS } from '../src/cli/subcommands.ts'
import { defaultConfig } from '../src/config/load.ts'
import { startServer } from './helpers/server.ts'
import { certificateFile } from './helpers/tls.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const dockerfile = readFileSync(`${ROOT}Dockerfile`, 'utf8')

describe('the entrypoint of the image', () => {
  let folder = ''

  before(() => {
    // An image in small: the script at its place, and for a server a program that tells its arguments.
    folder = mkdtempSync(join(tmpdir(), 'rat-entry-'))
    cpSync(`${ROOT}docker/entrypoint.sh`, join(folder, 'docker/entrypoint.sh'))
    const program = 'console.log(JSON.stringify([process.ppid, ...process.argv.slice(2)]))'
    mkdirSync(join(folder, 'dist/bin'), { recursive: true })
    writeFileSync(join(folder, 'dist/bin/rat-memcached.js'), program)
  })
  after(() => rmSync(folder, { recursive: true }))

  function enter(args: readonly string[], bind?: string): { parent: number; rest: string[] } {
    const env = {
      PATH: process.env['PATH'],
      ...(bind === undefined ? {} : { RAT_MEMCACHED_SERVER_BIND: bind }),
    }
    const script = join(folder, 'docker/entrypoint.sh')
    const { stdout, stderr } = spawnSync('sh', [script, ...args], { env, encoding: 'utf8' })
    assert.equal(stderr, '')
    const [parent, ...rest]: [number, ...string[]] = JSON.parse(stdout)
    return { parent, rest }
  }

  const all = ['-l', '0.0.0.0']
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['starts the server on all interfaces when it is given nothing', [], all],
    [
      'gives arguments with a leading dash to the server',
      ['-m', '100', '-vv'],
      [...all, '-m', '100', '-vv'],
    ],
    [
      'takes the name of the program for the server',
      ['rat-memcached', '-m', '9'],
      [...all, '-m', '9'],
    ],
    [
      'takes the name of memcached for the server, as its image does',
      ['memcached', '-m', '64', '-I', '2m'],
      [...all, '-m', '64', '-I', '2m'],
    ],
    ['serves when it is told so', ['serve', '-m', '9'], [...all, '-m', '9']],
    ['serves when it is told so by name', ['rat-memcached', 'serve', '-v'], [...all, '-v']],
    ['gives other commands to the program', ['stats', 'cache:11211'], ['stats', 'cache:11211']],
    ['leaves a wrong command to the program', ['memcached', 'stast'], ['stast']],
    ['keeps all interfaces when only the port is given', ['-p', '11212'], [...all, '-p', '11212']],
    ['leaves an argument with spaces whole', ['-o', 'a b'], [...all, '-o', 'a b']],
  ]
  for (const [name, args, expected] of cases) {
    it(name, () => assert.deepEqual(enter(args).rest, expected))
  }

  for (const { name } of SUBCOMMANDS.filter((command) => command.name !== 'serve')) {
    it(`knows the command ${name}`, () => assert.deepEqual(enter([name, 'x']).rest, [name, 'x']))
  }

  for (const given of [
    '--bind=[::]:1',
    '-l127.0.0.1',
    '-vl',
    '--listen',
    '-s',
    '-vs/x',
    '--config',
    '--unix-socket=/x',
  ]) {
    it(`leaves the address alone when it is given: ${given}`, () => {
      assert.deepEqual(enter([given, 'x']).rest, [given, 'x'])
    })
  }

  it('leaves the address alone when the environment has it', () => {
    assert.deepEqual(enter(['-v'], ':11212').rest, ['-v'])
  })

  it('becomes the server, so that signals reach it', () => {
    assert.equal(enter([]).parent, process.pid)
  })

  it('runs another command instead', () => {
    const script = join(folder, 'docker/entrypoint.sh')
    const { stdout } = spawnSync('sh', [script, 'echo', 'a  b', '-c'], { encoding: 'utf8' })
    assert.equal(stdout, 'a  b -c\n')
  })
})

describe('the health check', () => {
  it('is content with a server that gives its version, in pieces too', async () => {
    const asked: string[] = []
    const outcome = await checkAgainst((socket) => {
      socket.on('data', (bytes) => {
        asked.push(bytes.toString())
        socket.write('VERS')
        setImmediate(() => socket.write('ION 1.6.45\r\n'))
      })
    })
    assert.deepEqual(asked, ['version\r\n'])
    assert.deepEqual(outcome, { status: 0, stdout: 'VERSION 1.6.45\n' })
  })

  it('is content with a server that wants a password first', async () => {
    const outcome = await checkAgainst(
      (socket) => void socket.write('CLIENT_ERROR unauthenticated\r\n'),
    )
    assert.equal(outcome.status, 0)
  })

  it('asks over TLS if it is told to, whatever the certificate', async () => {
    const server = await startServer({
      'tls.enabled': 'true',
      'tls.cert': certificateFile('server'),
    })
    assert.equal((await check(`tls:127.0.0.1:${server.port}`)).status, 0)
    assert.equal((await check(`127.0.0.1:${server.port}`)).status, 1)
    await server.stop()
  })

  it('is not content with another answer', async () => {
    const outcome = await checkAgainst(
      (socket) => void socket.write('ERROR Too many open connections\r\n'),
    )
    assert.equal(outcome.status, 1)
  })

  it('is not content with one that hangs up', async () => {
    assert.equal((await checkAgainst((socket) => socket.destroy())).status, 1)
  })

  it('is not content with one that is silent', async () => {
    assert.equal((await checkAgainst(() => undefined)).status, 1)
  })

  it('is not content with one that is not there', async () => {
    const server = await listen(() => undefined)
    const port = portOf(server)
    server.close()
    assert.equal((await check(`127.0.0.1:${port}`)).status, 1)
  })
})

describe('the Dockerfile', () => {
  it('serves port 11211 as user 11211, on the current Node', () => {
    assert.deepEqual(dockerfile.match(/^FROM .*$/gm), [
      'FROM --platform=$BUILDPLATFORM node:26-slim AS build',
      'FROM node:26-slim',
    ])
    assert.match(dockerfile, /^USER 11211:11211$/m)
    assert.match(dockerfile, /^EXPOSE 11211$/m)
  })

  it('starts in the volume of the disk tier, where user 11211 may write', () => {
    const final = dockerfile.slice(dockerfile.lastIndexOf('FROM '))
    const steps = final.match(/^(?:RUN|VOLUME|WORKDIR|USER) .*$/gm)
    assert.deepEqual(steps, [
      'WORKDIR /app',
      'RUN mkdir -m 1777 /data && ln -s /app/dist/bin/rat-memcached.js /usr/local/bin/rat-memcached',
      'VOLUME /data',
      'WORKDIR /data',
      'USER 11211:11211',
    ])
    // So the default of the configuration lies below it.
    assert.match(defaultConfig().l2.dataDir, /^\.\//)
  })

  it('names files that exist, that the context holds, and that may be run', () => {
    const ignored = readFileSync(`${ROOT}.dockerignore`, 'utf8').split('\n')
    assert.ok(ignored.includes('*'))
    const copies = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)]
    assert.ok(copies.length > 4)
    for (const path of copies.flatMap(([, paths]) => paths!.split(' '))) {
      accessSync(ROOT + path)
      assert.ok(ignored.includes(`!${path}`), `.dockerignore lets ${path} through`)
    }
    const scripts = [...dockerfile.matchAll(/"\/app\/(docker\/[^"]+)"/g)].map(([, path]) => path!)
    assert.deepEqual(scripts.sort(), ['docker/entrypoint.sh', 'docker/healthcheck.mjs'])
    accessSync(`${ROOT}docker/entrypoint.sh`, constants.X_OK)
  })
})

async function checkAgainst(
  serve: (socket: Socket) => void,
): Promise<{ status: number | null; stdout: string }> {
  const sockets: Socket[] = []
  const server = await listen((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    serve(socket)
  })
  try {
    return await check(`127.0.0.1:${portOf(server)}`)
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}

function check(address: string): Promise<{ status: number | null; stdout: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [`${ROOT}docker/healthcheck.mjs`, address])
    let stdout = ''
    child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString()))
    child.on('close', (status) => resolve({ status, stdout }))
  })
}

function listen(serve: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer(serve)
    server.listen(0, '127.0.0.1', () => resolve(server))
  })
}

function portOf(server: Server): number {
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}
