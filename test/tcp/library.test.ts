/** A cache that a program uses while clients of memcached use it: what each sees of the other. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createServer } from '../../src/index.ts'
import type { RatMemCache } from '../../src/index.ts'
import { startTestServer } from '../../src/testing.ts'
import { deferred, diskCache, memoryCache, testFolder, until } from '../helpers/library.ts'

const PROGRAM = fileURLToPath(new URL('../../dist/bin/rat-memcached.js', import.meta.url))

/** Sends commands and takes everything until the server has answered `mn`. */
function ask(address: string, ...commands: string[]): Promise<string> {
  const [host = '', port = ''] = address.split(':')
  const answered = deferred<string>()
  const socket = connect({ host, port: Number(port) })
  let reply = ''
  socket.on('data', (bytes) => {
    reply += bytes.toString('latin1')
    if (!reply.endsWith('MN\r\n')) return
    socket.end()
    answered.resolve(reply.slice(0, -'MN\r\n'.length))
  })
  socket.on('error', (error) => answered.reject(error))
  // Who was accepted by a server that ends may hear of no error.
  socket.on('close', () => answered.reject(new Error('closed before the answer')))
  socket.write([...commands, 'mn', ''].join('\r\n'))
  return answered.promise
}

async function serve(t: TestContext): Promise<{ cache: RatMemCache; address: string }> {
  const cache = await memoryCache(t)
  const { addresses } = await createServer(cache)
  return { cache, address: addresses[0]! }
}

describe('a cache that is served', () => {
  it('shows clients what the program stores, and the program what clients store', async (t) => {
    const { cache, address } = await serve(t)
    await cache.set('text', 'hello')
    await cache.set('number', 41)
    await cache.set('bytes', Buffer.from('raw'))
    const seen = await ask(address, 'incr number 1', 'get text number bytes')
    assert.equal(
      seen,
      '42\r\nVALUE text 0 5\r\nhello\r\nVALUE number 8 2\r\n42\r\nVALUE bytes 4 3\r\nraw\r\nEND\r\n',
    )
    assert.equal(await cache.get('number'), 42)
    await ask(address, 'set plain 0 0 2', 'hi', 'set json 2 0 7', '{"a":1}', 'set odd 77 0 1', 'x')
    assert.equal(await cache.get('plain'), 'hi')
    assert.deepEqual(await cache.get('json'), { a: 1 })
    assert.deepEqual(await cache.get('odd'), Buffer.from('x'))
    const token = (await cache.getWithToken('plain'))!.token
    await ask(address, 'append plain 0 0 1', '!')
    assert.equal(await cache.cas('plain', 'lost', token), false)
    assert.equal(await cache.get('plain'), 'hi!')
  })

  it('shows clients nothing that a tag made void, or that ended a moment ago', async (t) => {
    const { cache, address } = await serve(t)
    await cache.set('tagged', 'x', { tags: ['t'] })
    await cache.set('short', 'x', { ttl: 30 })
    assert.match(await ask(address, 'mg tagged s'), /^HD s33/)
    await cache.invalidateTags('t')
    assert.equal(await ask(address, 'mg tagged s'), 'EN\r\n')
    await until(async () => (await ask(address, 'mg short s')) === 'EN\r\n')
  })

  it('tells no client to make a value that a factory makes', async (t) => {
    const { cache, address } = await serve(t)
    const made = deferred<string>()
    const value = cache.getOrSet('k', () => made.promise)
    await new Promise((resolve) => setImmediate(resolve))
    assert.match(await ask(address, 'mg k v N30'), /^VA 0 Z\r\n/)
    assert.equal(await cache.get('k'), undefined, 'what is to be filled is no value')
    made.resolve('made')
    assert.equal(await value, 'made')
    assert.equal(await ask(address, 'mg k v N30'), 'VA 4\r\nmade\r\n')
  })

  it('lets a client try when the factory has failed', async (t) => {
    const { cache, address } = await serve(t)
    const made = deferred<string>()
    const value = cache.getOrSet('k', () => made.promise)
    await new Promise((resolve) => setImmediate(resolve))
    assert.match(await ask(address, 'mg k N30'), /^HD Z\r\n/)
    made.reject(new Error('no'))
    await assert.rejects(value, /no/)
    assert.match(await ask(address, 'md k I', 'mg k N30'), /HD X W\r\n$/)
  })

  it('runs no factory for what a client was told to make, for a while', async (t) => {
    const { cache, address } = await serve(t)
    assert.match(await ask(address, 'mg k N30'), /^HD W\r\n/)
    let runs = 0
    const values = Array.from({ length: 10 }, () => cache.getOrSet('k', () => ++runs))
    await new Promise((resolve) => setTimeout(resolve, 50))
    await ask(address, 'ms k 6', 'theirs')
    assert.deepEqual(new Set(await Promise.all(values)), new Set(['theirs']))
    assert.equal(runs, 0)
  })

  it('does not store over what a client did while the factory ran', async (t) => {
    const { cache, address } = await serve(t)
    for (const [command, left] of [
      ['set k 0 0 5\r\nnewer', 'newer'],
      ['delete k', undefined],
      ['flush_all', undefined],
    ] as const) {
      await cache.delete('k')
      const made = deferred<string>()
      const value = cache.getOrSet('k', () => made.promise)
      await new Promise((resolve) => setImmediate(resolve))
      await ask(address, command)
      made.resolve('of before')
      await value
      assert.equal(await cache.get('k'), left, command)
    }
  })

  it('has one server at a time, which stops with it', async (t) => {
    const cache = await memoryCache(t)
    const first = await createServer(cache)
    await assert.rejects(createServer(cache), { code: 'ARGUMENT_INVALID' })
    await first.stop()
    assert.equal(await cache.add('still', 1), true)
    const second = await createServer(cache, { maxItemSize: '64KB' })
    assert.match(await ask(second.addresses[0]!, 'set big 0 0 1 noreply', 'x'), /^$/)
    await cache.shutdown()
    await assert.rejects(ask(second.addresses[0]!, 'version'))
    await assert.rejects(createServer(cache), { code: 'CACHE_CLOSED' })
  })

  it('takes settings of its own, and refuses wrong ones', async (t) => {
    const cache = await memoryCache(t)
    await assert.rejects(createServer(cache, { bind: ['nowhere:x:1'] }), { code: 'CONFIG_INVALID' })
    const { addresses } = await createServer(cache, { commands: { flushAll: false } })
    assert.match(await ask(addresses[0]!, 'flush_all'), /^CLIENT_ERROR/)
  })

  it('has a side door where that is asked for', async (t) => {
    const first = await createServer(await memoryCache(t))
    assert.equal(first.sideDoor, null)
    const { sideDoor } = await createServer(await memoryCache(t), {
      metrics: { bind: '127.0.0.1:0' },
    })
    const { status } = await fetch(`http://${sideDoor}/healthz`)
    assert.equal(status, 200)
  })

  it('serves what is on disk', async (t) => {
    const cache = await diskCache(testFolder(t))
    t.after(() => cache.shutdown())
    await cache.set('first', 'x'.repeat(100))
    const { addresses } = await createServer(cache)
    for (let i = 0; i < 200; i++) await cache.set(`fill:${i}`, Buffer.alloc(30_000))
    assert.match(await ask(addresses[0]!, 'get first'), /^VALUE first 0 100\r\nx{100}\r\nEND/)
  })
})

describe('a server for tests', () => {
  it('is there at a free port, and its cache is at hand', async (t) => {
    const server = await startTestServer()
    t.after(() => server.stop())
    await server.cache.set('a', 'prepared')
    assert.match(await ask(server.address, 'get a', 'set b 0 0 1', 'x'), /prepared/)
    assert.equal(await server.cache.get('b'), 'x')
    await server.clear()
    assert.equal(await ask(server.address, 'get a'), 'END\r\n')
    assert.equal(server.address, `${server.host}:${server.port}`)
  })

  it('is a program as well, which says where it is and goes with its parent', async (t) => {
    // A parent that starts the server, hands on its line, and is killed.
    const source = `
      const { spawn } = require('node:child_process')
      spawn(process.execPath, [${JSON.stringify(PROGRAM)}, 'serve', '--ephemeral'], {
        stdio: ['ignore', 'inherit', 'inherit'],
      })
      setInterval(() => {}, 1000)`
    const parent = spawn(process.execPath, ['--eval', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => parent.kill('SIGKILL'))
    const [line]: string[] = await once(createInterface(parent.stdout), 'line')
    const address = /^listening on (127\.0\.0\.1:\d+)$/.exec(line!)?.[1]
    assert.ok(address !== undefined, line)
    assert.match(await ask(address, 'set a 0 0 1', 'x', 'get a'), /VALUE a 0 1/)
    parent.kill('SIGKILL')
    await until(async () =>
      ask(address, 'version').then(
        () => false,
        () => true,
      ),
    )
  })
})
