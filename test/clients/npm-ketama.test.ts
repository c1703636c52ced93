/** The `memcached` package of npm over three servers: ketama hashing, as it does it. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before, describe, it } from 'node:test'
import { TIERS, startTier } from './servers.ts'
import type { ClientServer } from './servers.ts'

type Done = (error: unknown, result: unknown) => void

/** As much of the package as is used here; it has no types of its own. */
interface Client {
  set(key: string, value: string, lifetimeS: number, done: Done): void
  get(key: string, done: Done): void
  getMulti(keys: readonly string[], done: Done): void
  end(): void
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the package has no types
const Memcached = createRequire(import.meta.url)('memcached') as new (
  locations: readonly string[],
  options: object,
) => Client

const KEYS = 300

function call(start: (done: Done) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error === undefined || error === null) resolve(result)
      else reject(error instanceof Error ? error : new Error(JSON.stringify(error)))
    })
  })
}

for (const tier of TIERS) {
  describe(`three servers behind the memcached package, items in ${tier}`, () => {
    let servers: readonly ClientServer[]
    const clients: Client[] = []

    function connected(count: number): Client {
      const addresses = servers.slice(0, count).map(({ address }) => address)
      const client = new Memcached(addresses, { retries: 0, timeout: 5000 })
      clients.push(client)
      return client
    }

    before(async () => {
      servers = await Promise.all([startTier(tier), startTier(tier), startTier(tier)])
    })
    after(async () => {
      for (const client of clients) client.end()
      await Promise.all(servers.map((server) => server.stop()))
    })

    it('share the keys, and each client finds them all', async () => {
      const first = connected(3)
      const keys = Array.from({ length: KEYS }, (_, i) => `key${i}`)
      for (const key of keys) await call((done) => first.set(key, `of ${key}`, 0, done))
      const found = await call((done) => connected(3).getMulti(keys, done))
      assert.deepEqual(found, Object.fromEntries(keys.map((key) => [key, `of ${key}`])))
      const counts = await Promise.all(
        servers.map(async ({ server }) => (await server.stats()).get('curr_items') ?? 0),
      )
      assert.equal(
        counts.reduce((sum, count) => sum + count),
        KEYS,
      )
      assert.ok(
        counts.every((count) => count > KEYS / 10),
        `the servers have ${counts.join(', ')} items`,
      )
    })

    it('keep most keys where they are when one server less is known', async () => {
      const keys = Array.from({ length: KEYS }, (_, i) => `key${i}`)
      const fewer = connected(2)
      let left = 0
      for (const key of keys) {
        if ((await call((done) => fewer.get(key, done))) !== undefined) left++
      }
      // Two thirds, if it is done well; a half, if the keys are dealt anew.
      assert.ok(left > KEYS * 0.55, `${left} of ${KEYS} keys are found`)
    })
  })
}
