/** The `memjs` package of npm, which speaks the binary protocol only, against the server. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before, beforeEach, describe, it } from 'node:test'
import { LARGE_BYTES, MANY, TIERS, largeText, startTier } from './servers.ts'
import type { ClientServer } from './servers.ts'

interface Got {
  readonly value: Buffer | null
  readonly flags: Buffer | null
}
interface Counted {
  readonly success: boolean
  readonly value: number
}
interface Lifetime {
  readonly expires?: number
  readonly initial?: number
}
type Seen = (error: unknown, server: string, stats: Record<string, string> | null) => void

/** As much of the package as is used here; it has no types of its own. */
interface Client {
  get(key: string): Promise<Got>
  set(key: string, value: string | Buffer, options: Lifetime): Promise<boolean>
  add(key: string, value: string, options: Lifetime): Promise<boolean>
  replace(key: string, value: string, options: Lifetime): Promise<boolean>
  delete(key: string): Promise<boolean>
  increment(key: string, amount: number, options: Lifetime): Promise<Counted>
  decrement(key: string, amount: number, options: Lifetime): Promise<Counted>
  append(key: string, value: string): Promise<boolean>
  touch(key: string, expires: number): Promise<boolean>
  flush(): Promise<unknown>
  stats(seen: Seen): void
  statsWithKey(key: string, seen: Seen): void
  close(): void
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the package has no types
const { Client } = createRequire(import.meta.url)('memjs') as {
  Client: { create(servers: string, options: object): Client }
}
const QUIET = { log: () => undefined }

for (const tier of TIERS) {
  describe(`the memjs package of npm, items in ${tier}`, () => {
    let server: ClientServer
    let client: Client

    before(async () => {
      server = await startTier(tier)
      client = Client.create(server.address, { timeout: 5, retries: 0, logger: QUIET })
    })
    after(async () => {
      client.close()
      await server.stop()
    })
    beforeEach(() => client.flush())

    it('stores and gets bytes, under keys in UTF-8, too', async () => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
      for (const key of ['k', 'schlüssel', 'テキスト']) {
        assert.equal(await client.set(key, bytes, {}), true)
        assert.deepEqual((await client.get(key)).value, bytes)
      }
      assert.equal((await client.get('nokey')).value, null)
    })

    it('adds, replaces, appends and deletes', async () => {
      assert.equal(await client.replace('k', 'x', {}), false)
      await assert.rejects(client.append('k', 'x'), /not stored/i)
      assert.equal(await client.add('k', 'a', {}), true)
      assert.equal(await client.add('k', 'x', {}), false)
      assert.equal(await client.append('k', 'b'), true)
      assert.equal(String((await client.get('k')).value), 'ab')
      assert.equal(await client.replace('k', 'z', {}), true)
      assert.equal(String((await client.get('k')).value), 'z')
      assert.equal(await client.delete('k'), true)
      assert.equal(await client.delete('k'), false)
    })

    it('counts, from an initial value', async () => {
      assert.deepEqual(await client.increment('n', 5, { initial: 10 }), {
        success: true,
        value: 10,
      })
      assert.deepEqual(await client.increment('n', 5, {}), { success: true, value: 15 })
      assert.deepEqual(await client.decrement('n', 20, {}), { success: true, value: 0 })
      await client.set('n', 'abc', {})
      await assert.rejects(client.increment('n', 1, {}), /non-numeric|incr/i)
    })

    it('touches; a lifetime that is over is over', async () => {
      assert.equal(await client.touch('k', 100), false)
      await client.set('k', 'x', { expires: 100 })
      assert.equal(await client.touch('k', 200), true)
      // A time of 1970.
      await client.set('k', 'x', { expires: 2_592_001 })
      assert.equal((await client.get('k')).value, null)
    })

    it('reads back many large values, asked for all at once', async () => {
      const numbers = Array.from({ length: MANY }, (_, number) => number)
      for (const number of numbers) await client.set(`large${number}`, largeText(number), {})
      const got = await Promise.all(numbers.map((number) => client.get(`large${number}`)))
      for (const number of numbers) assert.ok(String(got[number]!.value) === largeText(number))
      assert.equal(got[0]!.value!.length, LARGE_BYTES)
      await assert.rejects(client.set('k', 'x'.repeat(2_000_000), {}), /too large/i)
    })

    it('reads statistics', async () => {
      const stats = await new Promise<Record<string, string> | null>((resolve) => {
        client.stats((_error, _server, result) => resolve(result))
      })
      assert.equal(stats?.['pid'], String(process.pid))
      const settings = await new Promise<Record<string, string> | null>((resolve) => {
        client.statsWithKey('settings', (_error, _server, result) => resolve(result))
      })
      assert.equal(settings?.['item_size_max'], '1048576')
    })
  })
}
