/** One multiget of more large values than memory holds: those on disk have to find room, too. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { READ_MODES, startServer } from '../helpers/server.ts'

const COUNT = 150
const VALUE_BYTES = 40_000

for (const readMode of READ_MODES) {
  describe(`a multiget of three times the memory, read by ${readMode}`, () => {
    it('finds every value, though its client takes them late', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'rat-memcached-multiget-'))
      const settings = { 'l1.max_memory': '2MB', 'l2.enabled': 'true' }
      const server = await startServer({ ...settings, 'l2.data_dir': folder }, readMode)
      const client = await server.connect()
      const keys = Array.from({ length: COUNT }, (_, number) => `key${number}`)
      const values = keys.map((key) => `${key} `.repeat(VALUE_BYTES).slice(0, VALUE_BYTES))
      for (const [number, key] of keys.entries()) {
        await client.ask(`set ${key} 0 0 ${VALUE_BYTES}\r\n${values[number]}\r\n`, 'STORED\r\n')
      }
      const other = await server.connect()
      client.socket.pause()
      client.send(`get ${keys.join(' ')}\r\n`)
      // While the replies wait, there is room for others.
      for (const key of keys.slice(0, 20)) {
        const value = 'n'.repeat(VALUE_BYTES)
        await other.ask(`set other${key} 0 0 ${VALUE_BYTES}\r\n${value}\r\n`, 'STORED\r\n')
      }
      client.socket.resume()
      for (const [number, key] of keys.entries()) {
        const expected = `VALUE ${key} 0 ${VALUE_BYTES}\r\n${values[number]}\r\n`
        const got = await client.take(expected.length)
        assert.ok(got.equals(Buffer.from(expected)), `${key} is not what was stored`)
      }
      await client.expect('END\r\n')
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    })
  })
}
