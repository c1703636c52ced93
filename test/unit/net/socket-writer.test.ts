import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { SENT, SocketWriter } from '../../../src/net/socket-writer.ts'

interface Pair {
  readonly server: Socket
  readonly client: Socket
  readonly close: () => Promise<void>
}

/** Two ends of a connection over loopback. */
async function pair(): Promise<Pair> {
  const listener = createServer({ noDelay: true })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  assert.ok(address !== null && typeof address === 'object')
  const client = connect(address.port, '127.0.0.1')
  const [server]: Socket[] = await once(listener, 'connection')
  assert.ok(server !== undefined)
  return {
    server,
    client,
    close: async () => {
      client.destroy()
      server.destroy()
      listener.close()
      await once(listener, 'close')
    },
  }
}

async function receive(client: Socket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let received = 0
  while (received < length) {
    const [chunk]: Buffer[] = await once(client, 'data')
    chunks.push(chunk!)
    received += chunk!.length
  }
  return Buffer.concat(chunks)
}

function unexpected(status: number): void {
  assert.fail(`nothing was queued, but a queued write is over with ${status}`)
}

/** Node 26 makes no object for a write that is over at once, so there everything goes by the stream. */
const [major] = process.versions.node.split('.')
const LEARNS = Number(major) < 26
const DIRECTLY = LEARNS ? SENT.DIRECTLY : SENT.BY_STREAM

/** More than the buffers of a loopback connection hold. */
const MUCH = 64 * 1024 * 1024

describe('SocketWriter', () => {
  it('learns from the first write, and sends the others directly', async () => {
    const { server, client, close } = await pair()
    const writer = new SocketWriter('onread')
    assert.equal(writer.send(server, Buffer.from('one '), unexpected), SENT.BY_STREAM)
    assert.equal(writer.send(server, Buffer.from('two '), unexpected), DIRECTLY)
    assert.equal(writer.send(server, Buffer.from('three'), unexpected), DIRECTLY)
    assert.equal((await receive(client, 13)).toString(), 'one two three')
    assert.equal(server.writableLength, 0)
    await close()
  })

  it('uses what it has learned on another connection', async () => {
    const first = await pair()
    const writer = new SocketWriter('onread')
    writer.send(first.server, Buffer.from('x'), unexpected)
    const second = await pair()
    assert.equal(writer.send(second.server, Buffer.from('hello'), unexpected), DIRECTLY)
    assert.equal((await receive(second.client, 5)).toString(), 'hello')
    await first.close()
    await second.close()
  })

  it("goes through the stream in 'data' mode, always", async () => {
    const { server, client, close } = await pair()
    const writer = new SocketWriter('data')
    for (const part of ['one', 'two']) {
      assert.equal(writer.send(server, Buffer.from(part), unexpected), SENT.BY_STREAM)
    }
    assert.equal((await receive(client, 6)).toString(), 'onetwo')
    await close()
  })

  it('tells when the rest of a queued write has left, and sends in order meanwhile', async () => {
    const { server, client, close } = await pair()
    client.pause()
    const writer = new SocketWriter('onread')
    writer.send(server, Buffer.from('a'), unexpected)
    const much = Buffer.alloc(MUCH, 'b')
    const done = new Promise<number>((resolve) => {
      const sent = writer.send(server, much, resolve)
      assert.equal(sent, LEARNS ? SENT.QUEUED : SENT.BY_STREAM)
      if (!LEARNS) resolve(0)
    })
    // A queued request is in use: the next connection gets another one.
    const other = await pair()
    assert.equal(writer.send(other.server, Buffer.from('other'), unexpected), DIRECTLY)
    assert.equal((await receive(other.client, 5)).toString(), 'other')
    server.write('c')
    client.resume()
    const all = await receive(client, MUCH + 2)
    assert.equal(await done, 0)
    assert.equal(all.toString('latin1', 0, 3), 'abb')
    assert.equal(all.toString('latin1', MUCH), 'bc')
    await other.close()
    await close()
  })

  it('ends the socket when its peer is gone, with the code of the system', async () => {
    const { server, client, close } = await pair()
    const writer = new SocketWriter('onread')
    writer.send(server, Buffer.from('a'), unexpected)
    server.pause()
    client.resetAndDestroy()
    const failed = once(server, 'error')
    // The reset takes a moment to arrive; a write after that fails.
    while (!server.destroyed) {
      writer.send(server, Buffer.from('b'), unexpected)
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    }
    const [error]: NodeJS.ErrnoException[] = await failed
    assert.match(String(error?.code), /^(EPIPE|ECONNRESET)$/)
    await close()
  })

  it('tells a queued write that its peer is gone', async () => {
    const { server, client, close } = await pair()
    client.pause()
    const writer = new SocketWriter('onread')
    writer.send(server, Buffer.from('a'), unexpected)
    server.on('error', () => undefined)
    const done = new Promise<number>((resolve) => {
      const sent = writer.send(server, Buffer.alloc(MUCH), resolve)
      assert.equal(sent, LEARNS ? SENT.QUEUED : SENT.BY_STREAM)
      if (!LEARNS) resolve(-1)
    })
    client.resetAndDestroy()
    assert.ok((await done) < 0)
    await close()
  })
})
