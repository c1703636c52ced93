/** The `memcache-client` package of npm against the server. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { MemcacheClient } from 'memcache-client'
import { MANY, TIERS, largeText, startTier } from './servers.ts'
import type { ClientServer } from './servers.ts'

for (const tier of TIERS) {
  describe(`the memcache-client package of npm, items in ${tier}`, () => {
    let server: ClientServer
    let client: MemcacheClient

    before(async () => {
      server = await startTier(tier)
      client = new MemcacheClient({ server: server.address })
    })
    after(async () => {
      client.shutdown()
      await server.stop()
    })
    beforeEach(() => client.cmd('flush_all'))

    it('stores and gets texts, numbers, objects and bytes', async () => {
      const bytes = Buffer.from([0, 13, 10, 255, 128, 0])
      for (const value of ['text', 'テキスト \r\n END', 42, { a: [1, null] }, bytes]) {
        await client.set('k', value)
        assert.deepEqual((await client.get<unknown>('k')).value, value)
      }
      await client.set('schlüssel', 'テキスト')
      assert.equal((await client.get<string>('schlüssel')).value, 'テキスト')
      assert.equal(await client.get('nokey'), undefined)
    })

    it('adds, replaces, appends, prepends and deletes', async () => {
      await assert.rejects(client.replace('k', 'x'), /NOT_STORED/)
      await assert.rejects(client.append('k', 'x'), /NOT_STORED/)
      await client.add('k', 'b')
      await assert.rejects(client.add('k', 'x'), /NOT_STORED/)
      await client.append('k', 'c')
      await client.prepend('k', 'a')
      assert.equal((await client.get('k')).value, 'abc')
      assert.deepEqual(await client.delete('k'), ['DELETED'])
      await assert.rejects(client.delete('k'), /NOT_FOUND/)
    })

    it('checks and sets', async () => {
      await client.set('k', 'one')
      const { casUniq } = await client.gets<string>('k')
      assert.ok(casUniq !== undefined)
      assert.deepEqual(await client.cas('k', 'two', { casUniq }), ['STORED'])
      await assert.rejects(client.cas('k', 'three', { casUniq }), /EXISTS/)
      await assert.rejects(client.cas('nokey', 'x', { casUniq }), /NOT_FOUND/)
    })

    it('counts and touches; a lifetime that is over is over', async () => {
      await client.set('n', '9')
      assert.equal(await client.incr('n', 3), '12')
      assert.equal(await client.decr('n', 100), '0')
      assert.deepEqual(await client.touch('n', 100), ['TOUCHED'])
      assert.deepEqual(await client.touch('n', -1), ['TOUCHED'])
      await assert.rejects(client.incr('n', 1), /NOT_FOUND/)
    })

    it('sends without waiting for replies', async () => {
      await client.set('k', 'x', { noreply: true })
      await client.add('k', 'y', { noreply: true })
      await client.delete('nokey', { noreply: true })
      assert.equal((await client.get('k')).value, 'x')
    })

    it('gets many large values in one request', async () => {
      const numbers = Array.from({ length: MANY }, (_, number) => number)
      for (const number of numbers) await client.set(`large${number}`, largeText(number))
      const keys = numbers.map((number) => `large${number}`)
      const found = await client.get<Record<string, { tokens: string[]; value: string }>>(keys)
      for (const number of numbers) assert.ok(found[`large${number}`]?.value === largeText(number))
      await assert.rejects(client.set('k', 'x'.repeat(2_000_000)), /too large/)
      assert.deepEqual(await client.version(), ['VERSION', '1.6.45'])
    })

    it('reads statistics', async () => {
      const { STAT: rows } = await client.cmd<{ STAT: string[][] }>('stats')
      assert.deepEqual(
        rows.find(([name]) => name === 'pid'),
        ['pid', String(process.pid)],
      )
    })
  })
}
