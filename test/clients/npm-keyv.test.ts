/** The `@keyv/memcache` package of npm, a store of Keyv over memjs, against the server. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before, beforeEach, describe, it } from 'node:test'
import { MANY, TIERS, largeText, startTier } from './servers.ts'
import type { ClientServer } from './servers.ts'

/** As much of the package as is used here: its own types ask for those of memjs, which has none. */
interface Store {
  namespace?: string
  readonly client: { close(): void }
  get(key: string): Promise<unknown>
  getMany(keys: readonly string[]): Promise<unknown[]>
  set(key: string, value: string, lifetimeMs?: number): Promise<void>
  delete(key: string): Promise<boolean>
  deleteMany(keys: readonly string[]): Promise<boolean>
  has(key: string): Promise<boolean>
  clear(): Promise<void>
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
const { KeyvMemcache } = createRequire(import.meta.url)('@keyv/memcache') as {
  KeyvMemcache: new (uri: string, options: object) => Store
}

/** As Keyv hands it to a store. */
function kept(value: unknown): string {
  return JSON.stringify({ value })
}

for (const tier of TIERS) {
  describe(`the @keyv/memcache package of npm, items in ${tier}`, () => {
    let server: ClientServer
    let store: Store

    before(async () => {
      server = await startTier(tier)
      const logger = { log: () => undefined }
      store = new KeyvMemcache(server.address, { timeout: 5, retries: 0, logger })
    })
    after(async () => {
      store.client.close()
      await server.stop()
    })
    beforeEach(() => store.clear())

    it('sets, gets, has and deletes', async () => {
      const nothing = await store.get('k')
      assert.deepEqual(nothing, { value: undefined, expires: 0 })
      await store.set('k', kept('Grüße'))
      assert.deepEqual(await store.get('k'), { value: 'Grüße' })
      assert.equal(await store.has('k'), true)
      assert.equal(await store.delete('k'), true)
      assert.equal(await store.delete('k'), false)
      assert.equal(await store.has('k'), false)
    })

    it('keeps namespaces apart', async () => {
      store.namespace = 'one'
      await store.set('k', kept(1))
      store.namespace = 'two'
      assert.equal(await store.has('k'), false)
      store.namespace = 'one'
      assert.deepEqual(await store.get('k'), { value: 1 })
      delete store.namespace
    })

    it('gives an item a lifetime, in whole seconds', async () => {
      await store.set('k', kept('x'), 100_000)
      const other = await server.server.connect()
      other.send('mg k t\r\nquit\r\n')
      await other.closed()
      assert.match(other.text, /^HD t(?:100|99)\r\n/)
    })

    it('gets and deletes many large values at once', async () => {
      const numbers = Array.from({ length: MANY }, (_, number) => number)
      const keys = numbers.map((number) => `large${number}`)
      for (const number of numbers) await store.set(`large${number}`, kept(largeText(number)))
      const found = await store.getMany(keys)
      for (const number of numbers) assert.deepEqual(found[number], { value: largeText(number) })
      assert.equal(await store.deleteMany(keys), true)
      assert.equal(await store.has('large0'), false)
    })
  })
}
