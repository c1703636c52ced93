/** Which protocol a connection speaks. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readFrames, requestFrame } from '../../../helpers/frames.ts'
import { startServer } from '../../../helpers/server.ts'
import type { TestServer } from '../../../helpers/server.ts'

/** A frame without a byte that would end a line. */
const FRAME = requestFrame('#1 VERSION', () => 0n)
const VERSION = 'VERSION 1.6.45\r\n'

/** What a server says to a client that begins like this and says no more. */
async function answer(server: TestServer, beginning: Buffer | string): Promise<string> {
  const client = await server.connect()
  client.send(beginning)
  const text = await client.finish()
  client.destroy()
  const { frames, rest } = readFrames(Buffer.from(text, 'latin1'))
  return frames.length === 1 && rest.length === 0 ? `frame ${frames[0]!.status}` : text
}

describe('the protocol of a connection', () => {
  it('is told by its first byte, for each connection by itself', async () => {
    const server = await startServer()
    const text = await server.connect()
    const binary = await server.connect()
    for (let i = 0; i < 3; i++) {
      await text.ask('version\r\n', VERSION)
      binary.send(FRAME)
      const { frames } = readFrames(await binary.take(24 + '1.6.45'.length))
      assert.deepEqual([frames[0]!.value, frames[0]!.opaque], ['1.6.45', 1])
    }
    text.destroy()
    binary.destroy()
    await server.stop()
  })

  it('stays what it is: a frame is no command in a text connection, and no text in a binary one', async () => {
    const server = await startServer()
    const frame = Buffer.concat([FRAME, Buffer.from('\r\n')]).toString('latin1')
    assert.equal(
      await answer(server, `version\r\n${frame}version\r\n`),
      `${VERSION}ERROR\r\n${VERSION}`,
    )
    assert.equal(
      await answer(server, Buffer.concat([FRAME, Buffer.from('version\r\n')])),
      'frame 0',
    )
    await server.stop()
  })

  it('is the one that is configured, whatever comes', async () => {
    const ascii = await startServer({ 'server.protocol': 'ascii' })
    assert.equal(await answer(ascii, Buffer.concat([FRAME, Buffer.from('\r\n')])), 'ERROR\r\n')
    assert.equal(await answer(ascii, 'version\r\n'), VERSION)
    await ascii.stop()
    const binary = await startServer({ 'server.protocol': 'binary' })
    assert.equal(await answer(binary, 'version\r\n'), '')
    assert.equal(await answer(binary, FRAME), 'frame 0')
    await binary.stop()
  })
})
