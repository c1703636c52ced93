/** The files that a configuration names, read again with it: users and certificates. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { APPLIED, WAITS, changesIn, running } from '../helpers/reload.ts'
import type { Running } from '../helpers/reload.ts'
import { certificateFile, connectTls } from '../helpers/tls.ts'

const places = mkdtempSync(join(tmpdir(), 'rat-reload-files-'))
after(() => rmSync(places, { recursive: true }))

function login(name: string): string {
  return `set a 0 0 ${name.length + 2}\r\n${name} x\r\n`
}

async function readThrottled(server: Running, users: string): Promise<number> {
  assert.ok(server.reload({ 'auth.file': users, 'auth.max_failures_per_minute': '0' }))
  const client = await server.connect()
  await client.ask(login('one'), 'STORED\r\n')
  const rows = await client.list('stats', 'END\r\n')
  client.destroy()
  const row = rows.find((text) => text.startsWith('STAT auth_throttled '))
  return Number(row?.split(' ')[2])
}

describe('a reload of users', () => {
  it('takes those of another file, and with a bad one changes nothing at all', async () => {
    const first = join(places, 'first')
    const second = join(places, 'second')
    writeFileSync(first, 'one:x\n')
    writeFileSync(second, 'two:x\n')
    await running({ 'auth.file': first, 'auth.max_attempts': '3' }, async (server) => {
      assert.ok(server.reload({ 'auth.file': second }))
      assert.deepEqual(changesIn(server.lines, APPLIED), ['auth.file'])
      const client = await server.connect()
      await client.ask(login('one'), 'CLIENT_ERROR authentication failure\r\n')
      await client.ask(login('two'), 'STORED\r\n')

      writeFileSync(second, 'nonsense\n')
      const bad = { 'auth.file': second, 'auth.max_attempts': '9', 'server.max_connections': '2' }
      assert.ok(!server.reload(bad))
      const rows = await client.list('stats settings', 'END\r\n')
      assert.ok(rows.includes('STAT maxconns 1024'))
      // Nor is the list of users emptied where the file is left out.
      writeFileSync(second, 'two:x\n')
      assert.ok(server.reload({ 'auth.file': '' }))
      assert.deepEqual(changesIn(server.lines, WAITS), ['auth.file'])
      const again = await server.connect()
      await again.ask(login('two'), 'STORED\r\n')
      client.destroy()
      again.destroy()
    })
  })

  it('changes how often logins may fail', async () => {
    const users = join(places, 'users')
    writeFileSync(users, 'one:x\n')
    await running({ 'auth.file': users }, async (server) => {
      assert.ok(server.reload({ 'auth.file': users, 'auth.max_attempts': '1' }))
      const client = await server.connect()
      client.send(login('two'))
      await client.closed()
      const throttled = { 'auth.file': users, 'auth.max_failures_per_minute': '1' }
      assert.ok(server.reload(throttled))
      const second = await server.connect()
      await second.ask(login('one'), 'CLIENT_ERROR authentication failure\r\n')
      const stats = await readThrottled(server, users)
      assert.equal(stats, 1)
      second.destroy()
    })
  })

  it('does not begin where clients do not have to log in', async () => {
    const users = join(places, 'late')
    writeFileSync(users, 'one:x\n')
    await running({}, async (server) => {
      assert.ok(server.reload({ 'auth.file': users }))
      assert.deepEqual(changesIn(server.lines, WAITS), ['auth.file'])
      const client = await server.connect()
      await client.ask('mn\r\n', 'MN\r\n')
      client.destroy()
    })
  })
})

describe('a reload of certificates', () => {
  it('takes other files and other terms, for connections to come', async () => {
    const cert = join(places, 'cert.pem')
    copyFileSync(certificateFile('server'), cert)
    const start = {
      'tls.enabled': 'true',
      'tls.cert': cert,
      'tls.ca': certificateFile('authority'),
    }
    await running(start, async (server) => {
      const before = await connectTls(server.port)
      const renewed = {
        'tls.cert': certificateFile('renewed'),
        'tls.key': certificateFile('renewed'),
        'tls.min_version': '1.3',
        'tls.ciphers': 'TLS_AES_256_GCM_SHA384',
        'tls.session_cache': 'true',
      }
      assert.ok(server.reload(renewed))
      assert.deepEqual(changesIn(server.lines, APPLIED).sort(), Object.keys(renewed).sort())
      const now = await connectTls(server.port)
      assert.notEqual(now.serverName, before.serverName)
      assert.equal(now.socket.getProtocol(), 'TLSv1.3')
      assert.equal(now.socket.getCipher().name, 'TLS_AES_256_GCM_SHA384')
      await assert.rejects(connectTls(server.port, undefined, { maxVersion: 'TLSv1.2' }))
      await before.client.ask('mn\r\n', 'MN\r\n')

      // Not of the authority: nothing fits together any more, and nothing changes.
      const bad = {
        ...renewed,
        'tls.key': certificateFile('client'),
        'server.max_connections': '1',
      }
      assert.ok(!server.reload(bad))
      const later = await connectTls(server.port)
      assert.equal(later.serverName, now.serverName)
      for (const { client } of [before, now, later]) client.destroy()
    })
  })

  it('takes another authority of clients', async () => {
    const start = {
      'tls.enabled': 'true',
      'tls.cert': certificateFile('server'),
      'tls.ca': certificateFile('stranger'),
      'tls.verify': 'require',
    }
    await running(start, async (server) => {
      assert.ok(server.reload({ 'tls.ca': certificateFile('authority') }))
      const { client } = await connectTls(server.port, 'client')
      await client.ask('mn\r\n', 'MN\r\n')
      client.destroy()
    })
  })
})
