/** Values of every size at which something is done otherwise, through real sockets, byte for byte. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { READ_MODES, startServer } from '../helpers/server.ts'
import type { TestServer } from '../helpers/server.ts'

/** Copies by loop or by call, pinned or copied, one read or more, one output buffer or more. */
const THRESHOLDS = [0, 47, 4096, 8192, 16_384, 32_768, 65_536, 81_920, 131_072, 262_144, 524_288]
/** The largest value that a key of five bytes leaves room for. */
const LARGEST = 1_048_576 - (48 + 8) - 6 - 2
const SIZES = THRESHOLDS.flatMap((size) => [size - 2, size - 1, size, size + 1, size + 2])
  .filter((size) => size >= 0)
  .concat(LARGEST - 1, LARGEST)

/** Bytes that repeat with no period that a buffer could have, from a seed. */
function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  let state = (seed * 2_654_435_761 + 1) >>> 0
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

function keyOf(index: number): string {
  return `key${String(index).padStart(2, '0')}`
}

function storing(key: string, value: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`set ${key} 0 0 ${value.length}\r\n`),
    value,
    Buffer.from('\r\n'),
  ])
}

function found(key: string, value: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`VALUE ${key} 0 ${value.length}\r\n`),
    value,
    Buffer.from('\r\n'),
  ])
}

const END = Buffer.from('END\r\n')
const values = SIZES.map((size, index) => pattern(size, index))

for (const readMode of READ_MODES) {
  describe(`values, read by ${readMode}`, () => {
    let server: TestServer
    before(async () => {
      server = await startServer({}, readMode)
    })
    after(() => server.stop())

    it('of every size are stored one by one and come back', async () => {
      const client = await server.connect()
      for (const [index, value] of values.entries()) {
        client.send(storing(keyOf(index), value))
        await client.expect('STORED\r\n')
        client.send(`get ${keyOf(index)}\r\n`)
        const expected = Buffer.concat([found(keyOf(index), value), END])
        assert.ok((await client.take(expected.length)).equals(expected), `${value.length} bytes`)
      }
      assert.equal(await client.finish(), '')
    })

    it('of every size are stored and read in one pipeline, and in one get', async () => {
      const client = await server.connect()
      const requests: Buffer[] = []
      const replies: Buffer[] = []
      for (const [index, value] of values.entries()) {
        requests.push(storing(keyOf(index), value), Buffer.from(`get ${keyOf(index)}\r\n`))
        replies.push(Buffer.from('STORED\r\n'), found(keyOf(index), value), END)
      }
      requests.push(Buffer.from(`get ${values.map((_, index) => keyOf(index)).join(' ')}\r\n`))
      replies.push(...values.map((value, index) => found(keyOf(index), value)), END)
      client.send(Buffer.concat(requests))
      const expected = Buffer.concat(replies)
      assert.ok((await client.take(expected.length)).equals(expected))
      assert.equal(await client.finish(), '')
    })

    it('one byte larger than the largest are refused, and nothing else is lost', async () => {
      const client = await server.connect()
      const tooLarge = storing('key00', pattern(LARGEST + 1, 1))
      client.send(Buffer.concat([tooLarge, Buffer.from('get key00\r\nversion\r\n')]))
      await client.expect('SERVER_ERROR object too large for cache\r\nEND\r\nVERSION 1.6.45\r\n')
      client.destroy()
    })

    it('come in pieces of any size', async () => {
      const client = await server.connect()
      const value = pattern(200_000, 7)
      const bytes = storing('piece', value)
      let state = 1
      for (let at = 0; at < bytes.length;) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
        const length = 1 + (state % 9000)
        client.send(bytes.subarray(at, at + length))
        at += length
        await new Promise((resolve) => {
          setImmediate(resolve)
        })
      }
      await client.expect('STORED\r\n')
      client.send('get piece\r\n')
      const expected = Buffer.concat([found('piece', value), END])
      assert.ok((await client.take(expected.length)).equals(expected))
      client.destroy()
    })

    it('are found by a line of 18,000 keys', async () => {
      const client = await server.connect()
      let request = ''
      let reply = ''
      for (let i = 0; i < 18_000; i++) {
        request += `set many:${i} 0 0 5 noreply\r\n${String(i).padStart(5)}\r\n`
        if (i % 3 !== 0) reply += `VALUE many:${i} 0 5\r\n${String(i).padStart(5)}\r\n`
        else request += `delete many:${i} noreply\r\n`
      }
      const keys = Array.from({ length: 18_000 }, (_, i) => `many:${i}`).join(' ')
      client.send(`${request}get ${keys}\r\n`)
      await client.expect(`${reply}END\r\n`)
      assert.equal(await client.finish(), '')
    })

    it('count to the byte in bytes_read and bytes_written', async () => {
      const client = await server.connect()
      const requests = Buffer.concat([
        storing('count', pattern(100_000, 3)),
        Buffer.from('get count nokey\r\ngets count\r\nincr count 1\r\nfoo\r\n'),
      ])
      const ask = async (): Promise<{ read: number; written: number; length: number }> => {
        client.send('stats\r\n')
        await client.until(() => client.text.endsWith('END\r\n'))
        const text = (await client.take(client.length)).toString('latin1')
        const number = (name: string): number =>
          Number(new RegExp(`^STAT ${name} (\\d+)\r$`, 'm').exec(text)?.[1])
        return {
          read: number('bytes_read'),
          written: number('bytes_written'),
          length: text.length,
        }
      }
      const earlier = await ask()
      client.send(requests)
      await client.until(() => client.text.endsWith('ERROR\r\n') && client.text.includes('numeric'))
      const replies = (await client.take(client.length)).length
      const later = await ask()
      assert.equal(later.read - earlier.read, requests.length + 'stats\r\n'.length)
      assert.equal(later.written - earlier.written, replies + earlier.length)
      client.destroy()
    })
  })
}
