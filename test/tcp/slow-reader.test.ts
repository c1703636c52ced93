/** Clients that do not take their replies as fast as they ask for them. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { PINNED_VALUE_FROM } from '../../src/bytes/output-buffer.ts'
import { READ_MODES, startServer, turns } from '../helpers/server.ts'
import type { TestClient, TestServer } from '../helpers/server.ts'

const BIG = 900_000
const BIG_REPLY_BYTES = `VALUE big 0 ${BIG}\r\n`.length + BIG + '\r\nEND\r\n'.length
/** Sent from where it lies, in a chunk of its own class. */
const PINNED = 60_000
/** What one client may keep the process from giving back: its replies, not those it asked for. */
const GROWTH_BYTES_MAX = 40 * 2 ** 20

/** Asks for something and takes nothing of it. */
async function fallAsleep(client: TestClient, request: string): Promise<void> {
  client.socket.pause()
  client.send(request)
  // The server has sent what the system takes as soon as it answers another client.
  await new Promise((resolve) => {
    setTimeout(resolve, 30)
  })
}

assert.ok(PINNED >= PINNED_VALUE_FROM, 'these tests are about values that are pinned')

for (const readMode of READ_MODES) {
  describe(`a slow reader, read by ${readMode}`, () => {
    let server: TestServer
    before(async () => {
      const settings = { 'l1.max_memory': '32MB', 'server.max_commands_per_turn': '10000' }
      server = await startServer(settings, readMode)
    })
    after(() => server.stop())

    it('of 200 large values costs no memory for what it has not taken, and gets every byte', async () => {
      const slow = await server.connect()
      const other = await server.connect()
      await slow.ask(`set big 0 0 ${BIG}\r\n${'x'.repeat(BIG)}\r\n`, 'STORED\r\n')
      const memory = process.memoryUsage()
      await fallAsleep(slow, 'get big\r\n'.repeat(200))
      for (let i = 0; i < 400; i++) {
        await other.ask(`set k 0 0 1000\r\n${'y'.repeat(1000)}\r\n`, 'STORED\r\n')
        await other.ask('get k\r\n', `VALUE k 0 1000\r\n${'y'.repeat(1000)}\r\nEND\r\n`)
      }
      const now = process.memoryUsage()
      const growth = now.arrayBuffers + now.external - memory.arrayBuffers - memory.external
      assert.ok(growth < GROWTH_BYTES_MAX, `memory grew by ${growth} bytes`)
      const reply = Buffer.from(`VALUE big 0 ${BIG}\r\n${'x'.repeat(BIG)}\r\nEND\r\n`)
      slow.socket.resume()
      for (let i = 0; i < 200; i++) assert.ok((await slow.take(BIG_REPLY_BYTES)).equals(reply))
      await slow.ask('version\r\n', 'VERSION 1.6.45\r\n')
      slow.destroy()
      other.destroy()
    })

    it('of many small values is no longer read from, and gets every byte in the end', async () => {
      const slow = await server.connect()
      const other = await server.connect()
      const value = 'v'.repeat(10_000)
      await slow.ask(`set small 0 0 10000\r\n${value}\r\n`, 'STORED\r\n')
      const count = 3000
      await fallAsleep(slow, 'get small\r\n'.repeat(count))
      for (let i = 0; i < 100; i++) {
        await other.ask('get small\r\n', `VALUE small 0 10000\r\n${value}\r\nEND\r\n`)
      }
      assert.ok((await server.stats()).get('output_blocked')! > 0)
      const reply = Buffer.from(`VALUE small 0 10000\r\n${value}\r\nEND\r\n`)
      slow.socket.resume()
      for (let i = 0; i < count; i++) assert.ok((await slow.take(reply.length)).equals(reply))
      await slow.ask('version\r\n', 'VERSION 1.6.45\r\n')
      slow.destroy()
      other.destroy()
    })

    it('that has taken half of a value gets its rest though it is deleted and set anew', async () => {
      const slow = await server.connect()
      const other = await server.connect()
      await other.ask(`set half 0 0 ${BIG}\r\n${'a'.repeat(BIG)}\r\n`, 'STORED\r\n')
      await fallAsleep(slow, 'get half\r\n'.repeat(12))
      await other.ask('delete half\r\n', 'DELETED\r\n')
      // Enough of it to fill every chunk that is not held.
      for (let i = 0; i < 60; i++) {
        await other.ask(`set f${i} 0 0 ${BIG}\r\n${'b'.repeat(BIG)}\r\n`, 'STORED\r\n')
      }
      await other.ask(`set half 0 0 ${BIG}\r\n${'c'.repeat(BIG)}\r\n`, 'STORED\r\n')
      slow.socket.resume()
      await slow.until(() => slow.length >= 3 * BIG_REPLY_BYTES, 2000)
      for (let i = 0; i < 12; i++) {
        const line = (await slow.take('VALUE'.length)).toString()
        // What is asked for after the delete is a miss, and after that it is the new value.
        if (line.startsWith('END')) {
          assert.equal(line, 'END\r\n')
          continue
        }
        const rest = (await slow.take(BIG_REPLY_BYTES + 1 - line.length)).toString('latin1')
        const letter = rest.charAt(' half 0 900000\r\n'.length)
        assert.ok(letter === 'a' || letter === 'c', letter)
        if (i === 0) assert.equal(letter, 'a', 'the first value was on its way before the delete')
        assert.ok(`${line}${rest}` === `VALUE half 0 ${BIG}\r\n${letter.repeat(BIG)}\r\nEND\r\n`)
      }
      slow.destroy()
      other.destroy()
    })

    it('of many different values does not take the memory from the others', async () => {
      const slow = await server.connect()
      const other = await server.connect()
      const value = 'v'.repeat(PINNED)
      let request = ''
      // More than there is room for: those that are left take all the memory.
      for (let i = 0; i < 600; i++) {
        await other.ask(`set d${i} 0 0 ${PINNED}\r\n${value}\r\n`, 'STORED\r\n')
        request += `get d${i}\r\n`
      }
      await fallAsleep(slow, request)
      for (let i = 0; i < 300; i++) {
        await other.ask(`set e${i} 0 0 ${PINNED}\r\n${value}\r\n`, 'STORED\r\n')
      }
      for (let i = 0; i < 300; i++) await other.ask(`touch e${i} 0\r\n`, 'TOUCHED\r\n')
      slow.destroy()
      other.destroy()
    })

    it('that goes away leaves nothing held', async () => {
      const own = await startServer({ 'l1.max_memory': '32MB', 'l1.eviction': 'lru' }, readMode)
      const other = await own.connect()
      const value = 'v'.repeat(PINNED)
      /** Stores more than there is room for. Returns how many of it there are then. */
      const fill = async (letter: string): Promise<number> => {
        for (let i = 0; i < 600; i++) {
          await other.ask(`set ${letter}${i} 0 0 ${PINNED}\r\n${value}\r\n`, 'STORED\r\n')
        }
        return (await own.stats()).get('curr_items')!
      }
      const room = await fill('a')
      assert.ok(room < 600)
      const slow = await own.connect()
      // Ten times as much as the cache holds is more than the system takes in between.
      const keys = Array.from({ length: 600 }, (_, i) => `a${i}`).join(' ')
      await fallAsleep(slow, `get ${keys}\r\n`.repeat(10))
      assert.ok((await fill('b')) < room, 'what is on its way to a client has to stay somewhere')
      slow.socket.resetAndDestroy()
      await turns(5)
      assert.equal(await fill('c'), room)
      other.destroy()
      await own.stop()
    })
  })
}
