/** The `memcache` package of npm against the server. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { Memcache } from 'memcache'
import { MANY, TIERS, largeText, startTier } from './servers.ts'
import type { ClientServer } from './servers.ts'

for (const tier of TIERS) {
  describe(`the memcache package of npm, items in ${tier}`, () => {
    let server: ClientServer
    let client: Memcache

    before(async () => {
      server = await startTier(tier)
      client = new Memcache({ nodes: [server.address], timeout: 5000 })
    })
    after(async () => {
      await client.disconnect()
      await server.stop()
    })
    beforeEach(() => client.flush())

    it('stores, gets and deletes texts, under keys in UTF-8, too', async () => {
      for (const key of ['k', 'schlüssel', 'テキスト']) {
        assert.equal(await client.set(key, 'Grüße \r\n END'), true)
        assert.equal(await client.get(key), 'Grüße \r\n END')
        assert.equal(await client.delete(key), true)
        assert.equal(await client.delete(key), false)
        assert.equal(await client.get(key), undefined)
      }
    })

    it('adds, replaces, appends and prepends', async () => {
      assert.equal(await client.replace('k', 'x'), false)
      assert.equal(await client.append('k', 'x'), false)
      assert.equal(await client.add('k', 'b'), true)
      assert.equal(await client.add('k', 'x'), false)
      assert.equal(await client.append('k', 'c'), true)
      assert.equal(await client.prepend('k', 'a'), true)
      assert.equal(await client.get('k'), 'abc')
    })

    it('checks and sets', async () => {
      await client.set('k', 'one')
      // It has no way to ask for a cas number: the server tells it to another client.
      const other = await server.server.connect()
      other.send('gets k\r\nquit\r\n')
      await other.closed()
      const cas = /^VALUE k 0 3 (\d+)\r$/m.exec(other.text)?.[1]
      assert.ok(cas !== undefined)
      assert.equal(await client.cas('k', 'two', cas), true)
      assert.equal(await client.cas('k', 'three', cas), false)
      assert.equal(await client.get('k'), 'two')
    })

    it('counts and touches, and gives a lifetime', async () => {
      assert.equal(await client.incr('n', 1), undefined)
      await client.set('n', '9')
      assert.equal(await client.incr('n', 3), 12)
      assert.equal(await client.decr('n', 100), 0)
      assert.equal(await client.touch('n', 100), true)
      assert.equal(await client.touch('nokey', 100), false)
      await client.set('k', 'x', 500)
      const other = await server.server.connect()
      other.send('mg k t\r\nquit\r\n')
      await other.closed()
      assert.match(other.text, /^HD t(?:500|499)\r\n/)
    })

    it('gets many large values in one request', async () => {
      const numbers = Array.from({ length: MANY }, (_, number) => number)
      for (const number of numbers) await client.set(`large${number}`, largeText(number))
      const found = await client.gets([...numbers.map((number) => `large${number}`), 'nokey'])
      assert.equal(found.size, MANY)
      for (const number of numbers) assert.ok(found.get(`large${number}`) === largeText(number))
    })

    it('reads version and statistics', async () => {
      const [version = ''] = [...(await client.version()).values()]
      assert.match(version, /1\.6\.45$/)
      const [stats] = [...(await client.stats()).values()]
      assert.equal(Reflect.get(stats ?? {}, 'pid'), String(process.pid))
    })
  })
}
