/** Connections that wait for the disk: the order of replies, who goes, and a server that stops. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { startServer, turns } from '../helpers/server.ts'
import type { Settings, TestClient, TestServer } from '../helpers/server.ts'
import { MISS, hitText, quickFolder, setText } from '../helpers/tiers.ts'
import { holdReads, troubleWrites } from '../helpers/trouble.ts'

const STORED = 'STORED\r\n'
const THROUGH = { 'l2.write_policy': 'write-through' }
const LARGE = 'L'.repeat(600_000)
const MEDIUM = 'M'.repeat(300_000)

async function start(t: TestContext, folder: string, settings: Settings = {}): Promise<TestServer> {
  const server = await startServer({
    'l1.max_memory': '4MB',
    'l2.enabled': 'true',
    'l2.data_dir': folder,
    'l2.write_interval': '5ms',
    'compression.enabled': 'false',
    ...settings,
  })
  t.after(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  return server
}

/** A server that has just been started on items that an earlier one has stored. */
async function restarted(t: TestContext, settings: Settings = {}): Promise<TestServer> {
  const folder = quickFolder(t)
  const before = await start(t, folder, settings)
  const client = await before.connect()
  for (const key of ['a', 'b', 'c']) await client.ask(setText(key, `value of ${key}`), STORED)
  await client.ask(setText('medium', MEDIUM), STORED)
  client.destroy()
  await before.stop()
  return start(t, folder, settings)
}

/** Whether nothing has come, although there was time for it. */
async function isSilent(client: TestClient): Promise<boolean> {
  await turns(50)
  return client.length === 0
}

describe('a pipeline', () => {
  it('is answered in order, whatever of it is on disk', async (t) => {
    const server = await restarted(t)
    const client = await server.connect()
    const replies: string[] = []
    const send: string[] = []
    const add = (request: string, reply: string): void => {
      send.push(request)
      replies.push(reply)
    }
    for (let i = 0; i < 20; i++) {
      const value = 'v'.repeat(1 + i * 997)
      add(setText(`k${i}`, value), STORED)
      add('get a\r\n', hitText('a', `value of a${'!'.repeat(i)}`))
      add('append a 0 0 1\r\n!\r\n', STORED)
      add('get nothing medium\r\n', hitText('medium', MEDIUM))
      add(`get k${i}\r\n`, hitText(`k${i}`, value))
      add('delete nothing\r\n', 'NOT_FOUND\r\n')
      add(setText('gone', LARGE), STORED)
      add('get gone\r\n', hitText('gone', LARGE))
    }
    client.send(`${send.join('')}quit\r\n`)
    await client.closed(20_000)
    assert.ok(client.text === replies.join(''), 'the replies are those expected, byte for byte')
  })

  it('of changes that are written through is answered when they are written, and in order', async (t) => {
    const server = await restarted(t, THROUGH)
    const client = await server.connect()
    const writes = troubleWrites(t)
    writes.mode = 'hold'
    client.send(
      `${setText('k', '1')}get a\r\nincr k 1\r\nget medium\r\nget k\r\ndelete b\r\nget b\r\n`,
    )
    assert.ok(await isSilent(client), 'nothing is acknowledged, nor what comes behind it')
    writes.release()
    await client.expect(STORED + hitText('a', 'value of a'))
    await client.expect(`2\r\n${hitText('medium', MEDIUM)}${hitText('k', '2')}DELETED\r\n${MISS}`)
    client.destroy()
  })

  it('does not keep those waiting who only read', async (t) => {
    const server = await restarted(t, THROUGH)
    const [writer, reader] = [await server.connect(), await server.connect()]
    await reader.ask('get a\r\n', hitText('a', 'value of a'))
    const writes = troubleWrites(t)
    writes.mode = 'hold'
    writer.send(setText('k', '1'))
    await reader.ask(
      'get a b\r\n',
      `${hitText('a', 'value of a').slice(0, -MISS.length)}${hitText('b', 'value of b')}`,
    )
    assert.ok(await isSilent(writer))
    writes.release()
    await writer.expect(STORED)
    writer.destroy()
    reader.destroy()
  })
})

describe('a connection that waits', () => {
  it('gets the answer to its last set before it is closed by a quit', async (t) => {
    const server = await restarted(t, THROUGH)
    const client = await server.connect()
    const writes = troubleWrites(t)
    writes.mode = 'hold'
    client.send(`${setText('k', '1')}quit\r\n`)
    assert.ok(await isSilent(client))
    assert.equal(client.ended, false)
    writes.release()
    await client.closed()
    assert.equal(client.text, STORED)
  })

  it('gets its answers although it sends no more', async (t) => {
    const server = await restarted(t)
    const client = await server.connect()
    const reads = holdReads(t)
    client.send('get a\r\nget b\r\n')
    client.socket.end()
    assert.ok(await isSilent(client))
    reads.release()
    await client.closed()
    assert.equal(client.text, hitText('a', 'value of a') + hitText('b', 'value of b'))
  })

  it('gives back what it had reserved when it goes', async (t) => {
    const server = await restarted(t, { 'l1.max_memory': '3MB' })
    const reads = holdReads(t)
    for (let i = 0; i < 7; i++) {
      const client = await server.connect()
      client.send(`append a 0 0 ${MEDIUM.length}\r\n${MEDIUM}\r\n`)
      await turns(50)
      client.destroy()
    }
    reads.release()
    const client = await server.connect()
    // What is received whole is carried out, so there may be more behind it.
    client.send('get a\r\n')
    assert.ok(await client.until(() => client.text.endsWith(MISS)))
    assert.ok(client.text.includes('value of a'))
    await client.take(client.length)
    for (let i = 0; i < 6; i++) await client.ask(setText(`k${i}`, LARGE), STORED)
    client.destroy()
  })

  it('is answered before a server that stops lets it go', async (t) => {
    const server = await restarted(t, THROUGH)
    const [reader, writer] = [await server.connect(), await server.connect()]
    const reads = holdReads(t)
    const writes = troubleWrites(t)
    writes.mode = 'hold'
    reader.send('get a\r\n')
    writer.send(setText('k', '1'))
    assert.ok((await isSilent(reader)) && (await isSilent(writer)))
    const stopped = server.stop()
    await turns(20)
    reads.release()
    writes.release()
    await stopped
    await reader.closed()
    await writer.closed()
    assert.deepEqual([reader.text, writer.text], [hitText('a', 'value of a'), STORED])
  })

  it('does not keep a server from stopping', async (t) => {
    const server = await restarted(t, { 'server.shutdown_timeout': '100ms' })
    const client = await server.connect()
    const reads = holdReads(t)
    client.send('get a\r\n')
    assert.ok(await isSilent(client))
    const stopped = server.stop()
    await client.closed()
    await stopped
    assert.equal(client.text, '')
    reads.release()
    await turns(20)
  })
})

describe('a disk that refuses', () => {
  for (const policy of ['write-behind', 'write-through', 'on-evict']) {
    it(`shows clients nothing but misses, ${policy}`, async (t) => {
      const folder = quickFolder(t)
      const server = await start(t, folder, { 'l2.write_policy': policy, 'l2.max_staged': '1MB' })
      const writes = troubleWrites(t)
      writes.mode = 'refuse'
      const client = await server.connect()
      const value = 'v'.repeat(50_000)
      for (let i = 0; i < 300; i++) {
        await client.ask(setText(`k${i}`, value), STORED)
        await client.ask(`get k${i}\r\n`, hitText(`k${i}`, value))
      }
      let misses = 0
      for (let i = 0; i < 300; i++) {
        client.send(`get k${i}\r\n`)
        const isMiss = (await client.take(MISS.length)).toString() === MISS
        if (isMiss) misses++
        else await client.expect(hitText(`k${i}`, value).slice(MISS.length))
      }
      assert.ok(misses > 100 && misses < 290, `${misses}`)
      writes.mode = 'none'
      client.destroy()
      await server.stop()
      const again = await start(t, folder)
      const reader = await again.connect()
      await reader.ask('get k299\r\n', hitText('k299', value))
      reader.destroy()
    })
  }
})
