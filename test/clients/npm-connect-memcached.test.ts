/** The `connect-memcached` package of npm: the sessions of a web server in this one. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before, beforeEach, describe, it } from 'node:test'
import { MANY, TIERS, largeText, startTier } from './servers.ts'
import type { ClientServer } from './servers.ts'

type Done = (error: unknown, result?: unknown) => void

interface Session {
  readonly cookie: { readonly maxAge?: number }
  readonly [field: string]: unknown
}

/** As much of the package as is used here; it has no types of its own. */
interface Store {
  readonly client: { end(): void }
  get(id: string, done: Done): void
  set(id: string, session: Session, done: Done): void
  touch(id: string, session: Session, done: Done): void
  destroy(id: string, done: Done): void
  clear(done: Done): void
}
type StoreClass = new (options: object) => Store

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the package has no types
const connectMemcached = createRequire(import.meta.url)('connect-memcached') as (session: {
  readonly Store: () => void
}) => StoreClass

function call(start: (done: Done) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error === undefined || error === null) resolve(result)
      else reject(error instanceof Error ? error : new Error(JSON.stringify(error)))
    })
  })
}

/** What express-session hands to it: a class to be called, with nothing that is needed here. */
function BaseStore(): void {
  // Called for each store.
}

for (const tier of TIERS) {
  describe(`the connect-memcached package of npm, items in ${tier}`, () => {
    let server: ClientServer
    let store: Store

    before(async () => {
      server = await startTier(tier)
      const MemcachedStore = connectMemcached({ Store: BaseStore })
      store = new MemcachedStore({ hosts: [server.address], prefix: 'sess:', timeout: 5000 })
    })
    after(async () => {
      store.client.end()
      await server.stop()
    })
    beforeEach(() => call((done) => store.clear(done)))

    it('keeps a session, touches it and destroys it', async () => {
      const session: Session = { cookie: { maxAge: 100_000 }, name: 'Grüße', list: [1, null] }
      assert.equal(await call((done) => store.get('id', done)), undefined)
      await call((done) => store.set('id', session, done))
      assert.deepEqual(await call((done) => store.get('id', done)), session)
      await call((done) => store.touch('id', session, done))
      assert.deepEqual(await call((done) => store.get('id', done)), session)
      await call((done) => store.destroy('id', done))
      assert.equal(await call((done) => store.get('id', done)), undefined)
    })

    it('gives a session the lifetime of its cookie', async () => {
      await call((done) => store.set('id', { cookie: { maxAge: 500_000 } }, done))
      const other = await server.server.connect()
      other.send('mg sess:id t\r\nquit\r\n')
      await other.closed()
      assert.match(other.text, /^HD t(?:500|499)\r\n/)
    })

    it('keeps many large sessions', async () => {
      const sessions = Array.from({ length: MANY }, (_, number) => ({
        cookie: {},
        text: largeText(number),
      }))
      for (const [number, session] of sessions.entries()) {
        await call((done) => store.set(`id${number}`, session, done))
      }
      for (const [number, session] of sessions.entries()) {
        assert.deepEqual(await call((done) => store.get(`id${number}`, done)), session)
      }
    })
  })
}
