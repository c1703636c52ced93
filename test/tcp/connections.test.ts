/** Connections: how many there may be, how they end, and what they leave behind. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { READ_MODES, connectClient, readStats, startServer, turns } from '../helpers/server.ts'
import type { TestClient, TestServer } from '../helpers/server.ts'

const LARGE = 500_000

for (const readMode of READ_MODES) {
  describe(`connections, read by ${readMode}`, () => {
    let server: TestServer
    before(async () => {
      server = await startServer({ 'server.max_connections': '1100' }, readMode)
    })
    after(() => server.stop())

    /** Waits for a statistic; what a connection leaves behind is cleared up after its end. */
    async function becomes(name: string, wanted: number): Promise<void> {
      let value: number | undefined
      for (let tries = 0; tries < 200; tries++) {
        value = (await server.stats()).get(name)
        if (value === wanted) return
        await turns(3)
      }
      assert.equal(value, wanted, name)
    }

    it('serves a thousand clients at once', async () => {
      const clients = await Promise.all(Array.from({ length: 1000 }, () => server.connect()))
      // All commands are under way before the first reply is looked at.
      for (const [i, client] of clients.entries()) {
        client.send(`set c${i} 0 0 4\r\n${String(i).padStart(4)}\r\nget c${i}\r\n`)
      }
      for (const [i, client] of clients.entries()) {
        await client.expect(`STORED\r\nVALUE c${i} 0 4\r\n${String(i).padStart(4)}\r\nEND\r\n`)
      }
      assert.equal((await server.stats()).get('curr_connections'), 1001)
      for (const client of clients) client.destroy()
      await becomes('curr_connections', 1)
    })

    it('answers everything that a client sent before it ended its side', async () => {
      const client = await server.connect()
      const count = 5000
      client.send(`set k 0 0 100\r\n${'x'.repeat(100)}\r\n${'get k\r\n'.repeat(count)}version\r\n`)
      const text = await client.finish()
      const reply = `VALUE k 0 100\r\n${'x'.repeat(100)}\r\nEND\r\n`
      assert.ok(text === `STORED\r\n${reply.repeat(count)}VERSION 1.6.45\r\n`)
    })

    it('answers large values to a client that has ended its side', async () => {
      const client = await server.connect()
      const value = 'x'.repeat(LARGE)
      client.send(`set k 0 0 ${LARGE}\r\n${value}\r\n${'get k\r\n'.repeat(30)}`)
      const text = await client.finish()
      assert.ok(text === `STORED\r\n${`VALUE k 0 ${LARGE}\r\n${value}\r\nEND\r\n`.repeat(30)}`)
    })

    it('drops a command that a client did not finish before it ended its side', async () => {
      for (const part of ['get k', 'set k 0 0 10\r\n', 'set k 0 0 10\r\n01234', 'get k\r']) {
        const client = await server.connect()
        client.send(`version\r\n${part}`)
        assert.equal(await client.finish(), 'VERSION 1.6.45\r\n', part)
      }
    })

    it('takes back the memory of a value whose sender dies in the middle of it', async () => {
      const small = await startServer({ 'l1.max_memory': '8MB' }, readMode)
      const client = await small.connect()
      await client.ask('set keep 0 0 1\r\n1\r\n', 'STORED\r\n')
      const earlier = await small.stats()
      // Together these would take twice the memory there is.
      for (let i = 0; i < 32; i++) {
        const dying = await small.connect()
        dying.send(`set d${i} 0 0 ${LARGE}\r\n${'d'.repeat(LARGE / 2)}`)
        await turns(3)
        if (i % 2 === 0) dying.socket.resetAndDestroy()
        else dying.destroy()
        await turns(3)
      }
      await client.ask(`set big 0 0 ${LARGE}\r\n${'b'.repeat(LARGE)}\r\n`, 'STORED\r\n')
      await client.ask('delete big\r\n', 'DELETED\r\n')
      const later = await small.stats()
      for (const name of ['curr_items', 'bytes', 'evictions', 'store_no_memory']) {
        assert.equal(later.get(name), earlier.get(name), name)
      }
      await client.ask('get keep d0 d31\r\n', 'VALUE keep 0 1\r\n1\r\nEND\r\n')
      client.destroy()
      await small.stop()
    })

    it('keeps the old value while a new one is on its way, and when its sender dies', async () => {
      const client = await server.connect()
      await client.ask('set k 0 0 3\r\nold\r\n', 'STORED\r\n')
      const dying = await server.connect()
      dying.send('set k 0 0 3\r\nne')
      await turns(3)
      await client.ask('get k\r\n', 'VALUE k 0 3\r\nold\r\nEND\r\n')
      dying.destroy()
      await turns(5)
      await client.ask('get k\r\n', 'VALUE k 0 3\r\nold\r\nEND\r\n')
      client.destroy()
    })

    it('judges the condition of a storage command when its value is there', async () => {
      const first = await server.connect()
      const second = await server.connect()
      first.send('delete j noreply\r\nadd j 0 0 3\r\non')
      await turns(3)
      await second.ask('add j 0 0 3\r\ntwo\r\n', 'STORED\r\n')
      first.send('e\r\n')
      await first.expect('NOT_STORED\r\n')
      first.send('append j 0 0 3\r\n-a')
      await turns(3)
      await second.ask('delete j\r\n', 'DELETED\r\n')
      first.send('b\r\n')
      await first.expect('NOT_STORED\r\n')
      first.send('set j 0 0 3\r\nth')
      await turns(3)
      await second.ask('flush_all\r\n', 'OK\r\n')
      first.send('r\r\nget j\r\n')
      await first.expect('STORED\r\nVALUE j 0 3\r\nthr\r\nEND\r\n')
      first.destroy()
      second.destroy()
    })

    it('hangs up on a line that is too long, counts it, and serves the others', async () => {
      const earlier = await server.stats()
      const client = await server.connect()
      client.send(`version\r\n${'x'.repeat(100_000)}`)
      await client.closed()
      assert.equal(client.text, 'VERSION 1.6.45\r\n')
      const later = await server.stats()
      assert.equal(later.get('lines_too_long'), earlier.get('lines_too_long')! + 1)
    })

    it('hangs up on a get beyond its own limit', async () => {
      const small = await startServer({ 'server.max_get_line': '64KB' }, readMode)
      const client = await small.connect()
      client.send(`get ${'k '.repeat(30_000)}\r\n`)
      await client.expect('END\r\n')
      client.send(`get ${'k '.repeat(40_000)}`)
      await client.closed()
      assert.equal(client.text, '')
      await small.stop()
    })
  })
}

describe('the number of connections', () => {
  it('is limited: one more is told so and hung up on, and is counted', async () => {
    const server = await startServer({ 'server.max_connections': '3' })
    const clients: TestClient[] = []
    for (let i = 0; i < 3; i++) {
      const client = await server.connect()
      await client.ask('version\r\n', 'VERSION 1.6.45\r\n')
      clients.push(client)
    }
    for (let i = 0; i < 2; i++) {
      const refused = await server.connect()
      refused.send('version\r\n')
      await refused.closed()
      assert.equal(refused.text, 'ERROR Too many open connections\r\n')
    }
    await clients[0]!.ask('version\r\n', 'VERSION 1.6.45\r\n')
    clients[0]!.send('quit\r\n')
    await clients[0]!.closed()
    const stats = await server.stats()
    assert.equal(stats.get('rejected_connections'), 2)
    assert.equal(stats.get('max_connections'), 3)
    assert.equal(stats.get('curr_connections'), 3)
    for (const client of clients) client.destroy()
    await server.stop()
  })
})

describe('an idle connection', () => {
  it('is closed after its time, and one that speaks is not', async () => {
    const server = await startServer({ 'server.idle_timeout': '1s' })
    const idle = await server.connect()
    const busy = await server.connect()
    const asking = setInterval(() => busy.send('version\r\n'), 200)
    await idle.closed()
    assert.equal(idle.text, '')
    assert.equal(busy.ended, false)
    clearInterval(asking)
    assert.equal((await server.stats()).get('idle_kicks'), 1)
    busy.destroy()
    await server.stop()
  })

  it('is left alone without a limit', async () => {
    const server = await startServer()
    const idle = await server.connect()
    await new Promise((resolve) => {
      setTimeout(resolve, 600)
    })
    await idle.ask('version\r\n', 'VERSION 1.6.45\r\n')
    idle.destroy()
    await server.stop()
  })
})

describe('listeners', () => {
  it('are several, over one cache', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rat-memcached-'))
    const path = join(folder, 'socket')
    const server = await startServer({
      'server.bind': `127.0.0.1:0,[::1]:0,unix:${path}`,
      'server.unix_mode': '750',
    })
    const [first = '', second = '', third = ''] = server.addresses
    assert.match(first, /^127\.0\.0\.1:\d+$/)
    assert.match(second, /^\[::1\]:\d+$/)
    assert.equal(third, `unix:${path}`)
    assert.equal(statSync(path).mode & 0o777, 0o750)
    const v4 = await server.connect()
    const v6 = await connectClient({ host: '::1', port: Number(second.split(':').at(-1)) })
    const unix = await connectClient({ path })
    await v4.ask('set k 0 0 1\r\n4\r\n', 'STORED\r\n')
    await v6.ask('append k 0 0 1\r\n6\r\n', 'STORED\r\n')
    await unix.ask('get k\r\n', 'VALUE k 0 2\r\n46\r\nEND\r\n')
    const stats = await readStats({ path })
    assert.equal(stats.get('curr_connections'), 4)
    for (const client of [v4, v6, unix]) client.destroy()
    await server.stop()
    assert.throws(() => statSync(path), 'the socket is gone with its server')
    rmSync(folder, { recursive: true })
  })

  it('take the place of a socket whose server was killed, and not of one that lives', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rat-memcached-'))
    const path = join(folder, 'socket')
    const dying = `require('net').createServer().listen('${path}', () => process.kill(process.pid, 9))`
    spawnSync(process.execPath, ['-e', dying])
    assert.ok(statSync(path).isSocket(), 'the killed server has left its socket behind')
    const first = await startServer({ 'server.bind': `unix:${path}` })
    await assert.rejects(startServer({ 'server.bind': `unix:${path}` }), { code: 'CANNOT_BIND' })
    const client = await first.connect()
    await client.ask('version\r\n', 'VERSION 1.6.45\r\n')
    client.destroy()
    await first.stop()
    rmSync(folder, { recursive: true })
  })

  it('all or none: an address that is taken leaves none open', async () => {
    const first = await startServer()
    const second = await startServer()
    const taken = `127.0.0.1:${first.port}`
    await second.stop()
    const bind = `127.0.0.1:${second.port},${taken}`
    await assert.rejects(startServer({ 'server.bind': bind }), { code: 'CANNOT_BIND' })
    await assert.rejects(connectClient({ host: '127.0.0.1', port: second.port }))
    await first.stop()
  })
})
