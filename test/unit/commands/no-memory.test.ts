/** What commands answer when there is no room and nothing may be evicted. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startServer } from '../../helpers/server.ts'
import type { TestClient, TestServer } from '../../helpers/server.ts'

const NO_MEMORY = 'SERVER_ERROR out of memory storing object\r\n'
const VALUE = 'v'.repeat(10_000)

describe('a full server that must not evict', () => {
  let server: TestServer
  let client: TestClient
  let stored = 0

  before(async () => {
    server = await startServer({
      'l1.max_memory': '1MB',
      'l1.evictions': 'false',
      'server.max_item_size': '100KB',
    })
    client = await server.connect()
    // So that there is a page for small items, too.
    await client.ask('set tiny 0 0 1\r\nx\r\n', 'STORED\r\n')
    for (;;) {
      client.send(`set k${stored} 0 0 10000\r\n${VALUE}\r\n`)
      const word = (await client.take('STORED\r\n'.length)).toString()
      if (word !== 'STORED\r\n') {
        await client.expect(NO_MEMORY.slice(word.length))
        break
      }
      stored++
    }
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  it('has used its memory for items before it refuses, and has lost none', async () => {
    assert.ok(stored > 70, `${stored} items of 10 KB in 1 MB`)
    const stats = await server.stats()
    assert.deepEqual(
      [stats.get('curr_items'), stats.get('evictions'), stats.get('store_no_memory')],
      [stored + 1, 0, 1],
    )
    const keys = Array.from({ length: stored }, (_, i) => `k${i}`)
    client.send(`get ${keys.join(' ')}\r\n`)
    await client.expect(
      `${keys.map((key) => `VALUE ${key} 0 10000\r\n${VALUE}\r\n`).join('')}END\r\n`,
    )
  })

  it('refuses add and append and keeps what is there', async () => {
    await client.ask(`add new 0 0 10000\r\n${VALUE}\r\n`, NO_MEMORY)
    await client.ask(`append k0 0 0 10000\r\n${VALUE}\r\n`, NO_MEMORY)
    await client.ask('get new k0\r\n', `VALUE k0 0 10000\r\n${VALUE}\r\nEND\r\n`)
  })

  it('says NOT_STORED where there is room for what is appended, but not for both', async () => {
    await client.ask('append k0 0 0 1\r\nx\r\n', 'NOT_STORED\r\n')
    await client.ask('get k0\r\n', `VALUE k0 0 10000\r\n${VALUE}\r\nEND\r\n`)
  })

  it('takes another value of the same size, which needs no room', async () => {
    const other = VALUE.replaceAll(VALUE[0]!, 'o')
    await client.ask(`set k3 7 0 10000\r\n${other}\r\n`, 'STORED\r\n')
    await client.ask('get k3\r\n', `VALUE k3 7 10000\r\n${other}\r\nEND\r\n`)
  })

  it('removes the old value of a set that finds no room', async () => {
    const earlier = (await server.stats()).get('store_no_memory')!
    const twice = VALUE + VALUE
    await client.ask(`set k1 0 0 20000 noreply\r\n${twice}\r\nget k1\r\n`, 'END\r\n')
    assert.equal((await server.stats()).get('store_no_memory'), earlier + 1)
  })

  it('takes a value again when another has gone', async () => {
    await client.ask('delete k2\r\n', 'DELETED\r\n')
    await client.ask(`set k2 0 0 10000\r\n${VALUE}\r\n`, 'STORED\r\n')
  })
})
