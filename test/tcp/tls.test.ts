/** TLS over a socket. The certificates are those of `test/certificates`. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connectClient, readStats, startServer } from '../helpers/server.ts'
import type { Settings, TestClient, TestServer } from '../helpers/server.ts'
import { certificateFile, connectTls } from '../helpers/tls.ts'
import type { CertificateName } from '../helpers/tls.ts'

/** One address with TLS and one without. */
function serverWith(settings: Settings = {}): Promise<TestServer> {
  return startServer({
    'server.bind': '127.0.0.1:0,notls:127.0.0.1:0',
    'tls.enabled': 'true',
    'tls.cert': certificateFile('server'),
    ...settings,
  })
}

function portOf(server: TestServer, index: number): number {
  return Number(server.addresses[index]?.split(':')[1])
}

/** What a server shows at its address without TLS. */
function statsOf(server: TestServer): Promise<Map<string, number>> {
  return readStats({ port: portOf(server, 1), host: '127.0.0.1' })
}

async function untilStat(server: TestServer, name: string, value: number): Promise<void> {
  const deadline = performance.now() + 5000
  for (;;) {
    const got = (await statsOf(server)).get(name)
    if (got === value) return
    assert.ok(performance.now() < deadline, `${name} is ${got}, and not ${value}`)
  }
}

/** Whether a client gets an answer; one whose certificate is refused finds out a moment later. */
async function isServed(port: number, own?: CertificateName): Promise<boolean> {
  let client: TestClient
  try {
    ;({ client } = await connectTls(port, own))
  } catch {
    return false
  }
  client.send('version\r\n')
  await client.until(() => client.length > 0 || client.ended)
  const served = client.text.startsWith('VERSION ')
  client.destroy()
  return served
}

describe('a server with TLS', () => {
  let server: TestServer
  before(async () => {
    server = await serverWith()
  })
  after(() => server.stop())

  it('serves the same items with it and, where the address says so, without', async () => {
    const { client, serverName } = await connectTls(server.port)
    assert.equal(serverName, 'server')
    await client.ask('set a 0 0 1\r\nx\r\n', 'STORED\r\n')
    const plain = await connectClient({ port: portOf(server, 1), host: '127.0.0.1' })
    await plain.ask('get a\r\n', 'VALUE a 0 1\r\nx\r\nEND\r\n')
    client.destroy()
    plain.destroy()
  })

  it('takes and gives large values, byte for byte, many at a time', async () => {
    const { client } = await connectTls(server.port)
    const bytes = Buffer.alloc(900_000)
    for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff
    const value = bytes.toString('latin1')
    await client.ask(`set big 0 0 ${value.length}\r\n${value}\r\n`, 'STORED\r\n')
    client.send('get big\r\n'.repeat(8))
    const reply = Buffer.from(`VALUE big 0 ${value.length}\r\n${value}\r\nEND\r\n`, 'latin1')
    for (let i = 0; i < 8; i++) assert.ok((await client.take(reply.length)).equals(reply), `${i}`)
    client.destroy()
  })

  it('answers thousands of commands in one packet, in their order', async () => {
    const { client } = await connectTls(server.port)
    let requests = ''
    let replies = ''
    for (let i = 0; i < 3000; i++) {
      const value = `${i}`.repeat(1 + (i % 40))
      requests += `set k${i % 7} 0 0 ${value.length}\r\n${value}\r\nget k${i % 7}\r\n`
      replies += `STORED\r\nVALUE k${i % 7} 0 ${value.length}\r\n${value}\r\nEND\r\n`
    }
    await client.ask(requests, replies)
    client.destroy()
  })

  it('mixes up no replies of clients that take them at different speeds', async () => {
    const { client: filler } = await connectTls(server.port)
    for (const name of ['a', 'b', 'c', 'd']) {
      await filler.ask(`set ${name} 0 0 30000\r\n${name.repeat(30_000)}\r\n`, 'STORED\r\n')
    }
    const clients = await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (name) => {
        const { client, socket } = await connectTls(server.port)
        socket.pause()
        client.send(`get ${name}\r\n`.repeat(100))
        return { name, client, socket }
      }),
    )
    for (const { name, client, socket } of clients.toReversed()) {
      socket.resume()
      const reply = `VALUE ${name} 0 30000\r\n${name.repeat(30_000)}\r\nEND\r\n`
      const got = await client.take(reply.length * 100, 20_000)
      assert.ok(got.toString('latin1') === reply.repeat(100), name)
      client.destroy()
    }
    filler.destroy()
  })

  it('answers what was sent before the client ended its side', async () => {
    const { client, socket } = await connectTls(server.port)
    client.send('get none\r\n')
    socket.end()
    await client.closed()
    assert.equal(client.text, 'END\r\n')
  })
})

describe('a client that does not agree on keys', () => {
  it('is hung up on and counted, and gives its place back', async () => {
    const server = await serverWith({
      'server.max_connections': '2',
      'tls.handshake_timeout': '1s',
    })
    const { port } = server
    for (const bytes of ['get a\r\n', '\x16\x03\x01\x00\x05aaaaa', '\0'.repeat(5000)]) {
      const client = await connectClient({ port, host: '127.0.0.1' })
      client.send(bytes)
      await client.closed()
      assert.doesNotMatch(client.text, /END|ERROR/)
    }
    await untilStat(server, 'ssl_handshake_errors', 3)
    const reset = connect({ port, host: '127.0.0.1' })
    await new Promise((resolve) => {
      reset.once('connect', resolve)
    })
    reset.resetAndDestroy()
    await untilStat(server, 'ssl_handshake_errors', 4)
    const silent = await connectClient({ port, host: '127.0.0.1' })
    const half = await connectClient({ port, host: '127.0.0.1' })
    half.send('\x16\x03\x01')
    // They have both places while they are silent.
    assert.equal(await isServed(port), false)
    await silent.closed()
    await half.closed()
    await untilStat(server, 'ssl_handshake_errors', 6)
    assert.equal(await isServed(port), true)
    const stats = await statsOf(server)
    assert.equal(stats.get('rejected_connections'), 1)
    await server.stop()
  })

  it('is one that is too old', async () => {
    const server = await serverWith({ 'tls.min_version': '1.3' })
    await assert.rejects(connectTls(server.port, undefined, { maxVersion: 'TLSv1.2' }))
    assert.equal(await isServed(server.port), true)
    await server.stop()
  })
})

describe('certificates of clients', () => {
  const cases = [
    ['none', [true, true, true]],
    ['request', [true, true, false]],
    ['require', [false, true, false]],
  ] as const
  for (const [verify, expected] of cases) {
    it(`with ${verify}: who has none, a good one, a bad one`, async () => {
      const ca = verify === 'none' ? {} : { 'tls.ca': certificateFile('authority') }
      const server = await serverWith({ 'tls.verify': verify, ...ca })
      const served: boolean[] = []
      for (const own of [undefined, 'client', 'impostor'] as const) {
        served.push(await isServed(server.port, own))
      }
      assert.deepEqual(served, expected)
      await untilStat(server, 'ssl_handshake_errors', expected.filter((good) => !good).length)
      await server.stop()
    })
  }

  it('are asked for as the address says', async () => {
    const server = await serverWith({
      'server.bind': 'btls:127.0.0.1:0,mtls:127.0.0.1:0',
      'tls.verify': 'request',
      'tls.ca': certificateFile('authority'),
    })
    const [anonymous, mutual] = [portOf(server, 0), portOf(server, 1)]
    assert.deepEqual(
      [await isServed(anonymous), await isServed(anonymous, 'impostor')],
      [true, true],
    )
    assert.deepEqual([await isServed(mutual), await isServed(mutual, 'client')], [false, true])
    await server.stop()
  })
})

describe('refresh_certs', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'rat-tls-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  it('gives new connections the new certificate, and the old one if that is bad', async () => {
    const file = join(folder, 'cert.pem')
    copyFileSync(certificateFile('server'), file)
    const server = await serverWith({ 'tls.cert': file })
    const first = await connectTls(server.port)
    copyFileSync(certificateFile('renewed'), file)
    await first.client.ask('refresh_certs\r\n', 'OK\r\n')
    const second = await connectTls(server.port)
    assert.equal(second.serverName, 'renewed')
    writeFileSync(file, 'nonsense')
    const bad = 'Error loading the certificates: see the log\r\n'
    await first.client.ask('refresh_certs\r\n', bad)
    // A certificate without its key.
    copyFileSync(certificateFile('authority'), file)
    await first.client.ask('refresh_certs\r\n', bad)
    const third = await connectTls(server.port)
    assert.equal(third.serverName, 'renewed')
    await first.client.ask('get a\r\n', 'END\r\n')
    for (const { client } of [first, second, third]) client.destroy()
    await server.stop()
  })

  it('is an error without TLS', async () => {
    const server = await startServer()
    const client = await server.connect()
    await client.ask('refresh_certs\r\n', 'Error TLS not enabled\r\n')
    await server.stop()
  })
})

describe('sessions', () => {
  for (const [cached, newSessions] of [
    ['true', 1],
    ['false', 2],
  ] as const) {
    it(`with tls.session_cache = ${cached}, of two connections ${newSessions} begin one`, async () => {
      const server = await serverWith({ 'tls.session_cache': cached })
      const options = { maxVersion: 'TLSv1.2' } as const
      const { client, socket } = await connectTls(server.port, undefined, options)
      await client.ask('get a\r\n', 'END\r\n')
      const session = socket.getSession()
      assert.ok(session !== undefined)
      client.destroy()
      const again = await connectTls(server.port, undefined, { ...options, session })
      await again.client.ask('get a\r\n', 'END\r\n')
      again.client.destroy()
      await untilStat(server, 'ssl_new_sessions', newSessions)
      await server.stop()
    })
  }
})

describe('a server with TLS that cannot start', () => {
  it('says which file is wrong', async () => {
    const missing = { 'tls.cert': certificateFile('server'), 'tls.key': '/none/key.pem' }
    await assert.rejects(serverWith(missing), /cannot read tls\.key: ENOENT/)
    const foreign = { 'tls.key': certificateFile('client') }
    await assert.rejects(serverWith(foreign), /the section \[tls\] is not usable/)
  })

  it('is one that would check certificates by no authority, or encrypt without a certificate', async () => {
    await assert.rejects(serverWith({ 'tls.verify': 'require' }), /tls\.ca/)
    await assert.rejects(serverWith({ 'tls.cert': '' }), /tls\.cert must name/)
    const forgotten = { 'tls.enabled': 'false' }
    await assert.rejects(serverWith(forgotten), /tls\.cert is set, but tls\.enabled is not/)
    await assert.rejects(startServer({ 'server.bind': 'mtls:127.0.0.1:0' }), /asks for TLS/)
  })
})
