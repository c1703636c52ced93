/** Limits on what clients may do and take, over a socket. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { connectClient, readStats, startServer } from '../helpers/server.ts'
import type { TestClient, TestServer } from '../helpers/server.ts'
import { certificateFile, connectTls } from '../helpers/tls.ts'

const REFUSAL = 'ERROR Too many open connections\r\n'
const MEGABYTE = 1024 ** 2

/** Where there are no places left, it takes one that is there to ask. */
async function statsOver(client: TestClient): Promise<Map<string, string>> {
  await client.take(client.length)
  client.send('stats\r\n')
  await client.until(() => client.text.endsWith('END\r\n'))
  const { text } = client
  await client.take(client.length)
  return new Map([...text.matchAll(/^STAT (\S+) (\S+)\r$/gm)].map((row) => [row[1]!, row[2]!]))
}

async function untilStat(
  client: TestClient,
  name: string,
  holds: (value: number) => boolean,
): Promise<void> {
  const deadline = performance.now() + 10_000
  for (;;) {
    const value = Number((await statsOver(client)).get(name))
    if (holds(value)) return
    assert.ok(performance.now() < deadline, `${name} is ${value}`)
  }
}

describe('the connections of one address', () => {
  it('are limited on TCP, and free again when one has gone; a UNIX socket has no limit', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rat-limits-'))
    const path = join(folder, 'socket')
    const server = await startServer({
      'server.bind': `127.0.0.1:0,unix:${path}`,
      'server.max_connections_per_address': '2',
    })
    try {
      const [one, two] = [await server.connect(), await server.connect()]
      await one.ask('get a\r\n', 'END\r\n')
      await two.ask('get a\r\n', 'END\r\n')
      const three = await server.connect()
      assert.equal(await three.finish(), REFUSAL)
      const unix = await Promise.all([1, 2, 3].map(() => connectClient({ path })))
      for (const client of unix) await client.ask('get a\r\n', 'END\r\n')
      const stats = await statsOver(unix[0]!)
      assert.equal(stats.get('rejected_by_address'), '1')
      assert.equal(stats.get('rejected_connections'), '1')
      one.send('quit\r\n')
      await one.closed()
      await untilStat(unix[0]!, 'curr_connections', (value) => value === 4)
      const four = await server.connect()
      await four.ask('get a\r\n', 'END\r\n')
    } finally {
      await server.stop()
      rmSync(folder, { recursive: true })
    }
  })

  it('count from before the handshake with TLS, until the socket is gone', async () => {
    const server = await startServer({
      'tls.enabled': 'true',
      'tls.cert': certificateFile('server'),
      'server.max_connections_per_address': '1',
    })
    const silent = await server.connect()
    await assert.rejects(connectTls(server.port))
    silent.destroy()
    await silent.closed()
    // The server learns a moment later that it has gone.
    const { client } = await retried(() => connectTls(server.port))
    await client.ask('get a\r\n', 'END\r\n')
    await assert.rejects(connectTls(server.port))
    client.destroy()
    const again = await retried(() => connectTls(server.port))
    await again.client.ask('get a\r\n', 'END\r\n')
    again.client.destroy()
    await server.stop()
  })
})

async function retried<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 5000
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > deadline) throw error
    }
  }
}

describe('with server.when_full = "wait"', () => {
  it('a client is served when another one has left, and refused when too many wait', async () => {
    const server = await startServer({
      'server.max_connections': '1',
      'server.when_full': 'wait',
      'server.backlog': '2',
    })
    const first = await server.connect()
    await first.ask('get a\r\n', 'END\r\n')
    const second = await server.connect()
    second.send('set a 0 0 1\r\nx\r\n')
    const third = await server.connect()
    third.send('get a\r\n')
    const fourth = await server.connect()
    assert.equal(await fourth.finish(), REFUSAL)
    assert.equal(second.length + third.length, 0)
    const stats = await statsOver(first)
    assert.equal(stats.get('listen_disabled_num'), '1')
    assert.equal(stats.get('accepting_conns'), '0')
    assert.equal(stats.get('curr_connections'), '1')
    first.send('quit\r\n')
    await second.expect('STORED\r\n')
    assert.equal(third.length, 0)
    second.destroy()
    await third.expect('VALUE a 0 1\r\nx\r\nEND\r\n')
    assert.equal((await statsOver(third)).get('accepting_conns'), '1')
    await server.stop()
  })
})

/** A server that allows two megabytes, and a client that wants nothing but figures. */
async function limited(): Promise<{ server: TestServer; watcher: TestClient }> {
  const server = await startServer({
    'server.max_inflight': '2MB',
    // The limit is never less than twice these two together.
    'server.max_get_line': '500KB',
    'server.max_item_size': '512KB',
  })
  return { server, watcher: await server.connect() }
}

async function many(server: TestServer, count: number): Promise<TestClient[]> {
  return Promise.all(Array.from({ length: count }, () => server.connect()))
}

async function isServed(server: TestServer): Promise<void> {
  const client = await server.connect()
  await client.ask('set k 0 0 3\r\nabc\r\nget k\r\n', 'STORED\r\nVALUE k 0 3\r\nabc\r\nEND\r\n')
  client.destroy()
}

describe('what clients have under way together', () => {
  it('is bounded for values of which a part has come: who has most is cut off', async () => {
    const { server, watcher } = await limited()
    const clients = await many(server, 8)
    for (const [i, client] of clients.entries()) {
      client.send(`set k${i} 0 0 ${500_000 + i}\r\nhalf`)
      await untilStat(watcher, 'inflight_bytes', (bytes) => bytes >= 500_000 * Math.min(i + 1, 4))
    }
    await untilStat(watcher, 'inflight_kicks', (kicks) => kicks === 4)
    await clients[7]!.until(() => clients.filter(({ ended }) => ended).length === 4)
    assert.ok(Number((await statsOver(watcher)).get('inflight_bytes')) <= 2 * MEGABYTE)
    // Those that are left may finish.
    const left = clients.findIndex(({ ended }) => !ended)
    clients[left]!.send(`${'x'.repeat(500_000 + left - 4)}\r\n`)
    await clients[left]!.expect('STORED\r\n')
    await isServed(server)
    for (const client of clients) client.destroy()
    await untilStat(watcher, 'inflight_bytes', (bytes) => bytes === 0)
    await server.stop()
  })

  it('is bounded for lines without an end', async () => {
    const { server, watcher } = await limited()
    const clients = await many(server, 8)
    for (const client of clients) client.send(`get ${'key '.repeat(110_000)}`)
    await untilStat(watcher, 'inflight_kicks', (kicks) => kicks >= 2)
    assert.ok(Number((await statsOver(watcher)).get('inflight_bytes')) <= 2 * MEGABYTE)
    await isServed(server)
    for (const client of clients) client.destroy()
    await untilStat(watcher, 'inflight_bytes', (bytes) => bytes === 0)
    await server.stop()
  })

  it('is bounded for replies that nobody takes', async () => {
    const { server, watcher } = await limited()
    const value = 'v'.repeat(200_000)
    await watcher.ask(`set big 0 0 ${value.length}\r\n${value}\r\n`, 'STORED\r\n')
    const clients = await many(server, 8)
    for (const client of clients) {
      client.socket.pause()
      client.send('get big\r\n'.repeat(100))
    }
    await untilStat(watcher, 'inflight_kicks', (kicks) => kicks >= 4)
    assert.ok(Number((await statsOver(watcher)).get('inflight_bytes')) <= 2 * MEGABYTE)
    await isServed(server)
    for (const client of clients) client.destroy()
    await untilStat(watcher, 'inflight_bytes', (bytes) => bytes === 0)
    await server.stop()
  })

  it('lets one item through that is as large as an item may be, however little is allowed', async () => {
    const server = await startServer({
      'server.max_inflight': '1MB',
      'server.max_item_size': '3MB',
    })
    const client = await server.connect()
    const value = 'v'.repeat(1_500_000)
    client.send(`set a 0 0 ${2 * value.length}\r\n${value}`)
    await untilStat(await server.connect(), 'inflight_bytes', (bytes) => bytes >= 2 * value.length)
    await client.ask(`${value}\r\n`, 'STORED\r\n')
    await server.stop()
  })

  it('disturbs nobody who takes what it is given', async () => {
    const { server } = await limited()
    const value = 'v'.repeat(400_000)
    const client = await server.connect()
    for (let i = 0; i < 20; i++) {
      await client.ask(
        `set big 0 0 ${value.length}\r\n${value}\r\nget big\r\n`,
        `STORED\r\nVALUE big 0 ${value.length}\r\n${value}\r\nEND\r\n`,
      )
    }
    client.destroy()
    const stats = await readStats({ port: server.port, host: '127.0.0.1' })
    assert.deepEqual([stats.get('inflight_kicks'), stats.get('inflight_bytes')], [0, 0])
    await server.stop()
  })
})

describe('commands that are switched off', () => {
  it('flush_all is refused, in text and in the binary protocol, and flushes nothing', async () => {
    const server = await startServer({ 'commands.flush_all': 'false' })
    const client = await server.connect()
    await client.ask('set a 0 0 1\r\nx\r\n', 'STORED\r\n')
    await client.ask('flush_all\r\n', 'CLIENT_ERROR flush_all not allowed\r\n')
    await client.ask('flush_all x\r\n', 'CLIENT_ERROR flush_all not allowed\r\n')
    await client.ask('flush_all 0 noreply\r\nget a\r\n', 'VALUE a 0 1\r\nx\r\nEND\r\n')
    const binary = await server.connect()
    const request = Buffer.alloc(24)
    request[0] = 0x80
    request[1] = 0x08
    binary.send(request)
    const reply = await binary.take(24)
    assert.equal(reply.readUInt16BE(6), 0x20)
    await client.ask('get a\r\n', 'VALUE a 0 1\r\nx\r\nEND\r\n')
    assert.equal((await statsOver(client)).get('cmd_flush'), '4', 'they were asked for')
    await server.stop()
  })

  it('shutdown is refused unless it is switched on, and then ends all that listens', async () => {
    const closed = await startServer()
    const client = await closed.connect()
    await client.ask('shutdown\r\n', 'SERVER_ERROR: shutdown not enabled\r\n')
    await client.ask(
      'shutdown graceful\r\nget a\r\n',
      'SERVER_ERROR: shutdown not enabled\r\nEND\r\n',
    )
    await closed.stop()
    const open = await startServer({ 'commands.shutdown': 'true' })
    const bystander = await open.connect()
    await bystander.ask('get a\r\n', 'END\r\n')
    const asking = await open.connect()
    await asking.ask('shutdown gracefully\r\n', 'CLIENT_ERROR invalid shutdown mode\r\n')
    asking.send('get a\r\nshutdown\r\nget a\r\n')
    await asking.closed()
    assert.equal(asking.text, 'END\r\n')
    await bystander.closed()
    await assert.rejects(open.connect())
    await open.stop()
  })
})

describe('an address with a protocol of its own', () => {
  it('speaks that only, whatever the others do', async () => {
    const server = await startServer({ 'server.bind': '127.0.0.1:0,proto[binary]:127.0.0.1:0' })
    const text = await server.connect()
    await text.ask('get a\r\n', 'END\r\n')
    const port = Number(server.addresses[1]?.split(':')[1])
    const binary = await connectClient({ port, host: '127.0.0.1' })
    binary.send('get a\r\n')
    await binary.closed()
    assert.equal(binary.text, '')
    await server.stop()
  })
})
