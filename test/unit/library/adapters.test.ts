/** The adapters under the packages that they are for. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { describe, it } from 'node:test'
import { BentoCache, bentostore } from 'bentocache'
import { createCache } from 'cache-manager'
import session from 'express-session'
import { Keyv } from 'keyv'
import { ratMemCacheDriver } from '../../../src/adapters/bentocache.ts'
import { sessionStore } from '../../../src/adapters/express-session.ts'
import { KeyvStore } from '../../../src/adapters/keyv.ts'
import { deferred, memoryCache, until } from '../../helpers/library.ts'

describe('the store for Keyv', () => {
  it('keeps what Keyv stores, for as long as Keyv says', async (t) => {
    const keyv = new Keyv({ store: new KeyvStore(await memoryCache(t)) })
    await keyv.set('a', { list: [1, null] })
    assert.deepEqual(await keyv.get('a'), { list: [1, null] })
    await keyv.set('short', 1, 30)
    await until(async () => (await keyv.get('short')) === undefined)
    await keyv.setMany([
      { key: 'b', value: 1 },
      { key: 'c', value: 2 },
    ])
    assert.deepEqual(await keyv.get(['a', 'b', 'none']), [{ list: [1, null] }, 1, undefined])
    assert.equal(await keyv.has('b'), true)
    assert.equal(await keyv.delete('b'), true)
    assert.equal(await keyv.delete('b'), false)
    assert.equal(await keyv.delete(['none', 'c']), true)
    assert.equal(await keyv.delete(['none', 'c']), false)
  })

  it('keeps namespaces apart, clears and lists them', async (t) => {
    const cache = await memoryCache(t)
    const one = new Keyv({ store: new KeyvStore(cache), namespace: 'one' })
    const two = new Keyv({ store: new KeyvStore(cache), namespace: 'two' })
    await one.set('k', 1)
    await two.set('k', 2)
    const listed: unknown[] = []
    for await (const entry of two.iterator!(undefined)) listed.push(entry)
    assert.deepEqual(listed, [['k', 2]])
    await one.clear()
    assert.equal(await one.get('k'), undefined)
    assert.equal(await two.get('k'), 2)
  })

  it('is one for cache-manager', async (t) => {
    const cache = await memoryCache(t)
    const manager = createCache({ stores: [new Keyv({ store: new KeyvStore(cache) })] })
    await manager.set('a', 'x', 60_000)
    await manager.mset([{ key: 'b', value: 'y' }])
    assert.deepEqual(await manager.mget(['a', 'b', 'c']), ['x', 'y', undefined])
    assert.equal(await manager.wrap('d', () => 'made'), 'made')
    assert.equal(await manager.get('d'), 'made')
    await manager.clear()
    assert.equal(await manager.get('a'), undefined)
  })
})

describe('the driver for bentocache', () => {
  it('is a second layer', async (t) => {
    const cache = await memoryCache(t)
    const bento = new BentoCache({
      default: 'main',
      stores: { main: bentostore().useL2Layer(ratMemCacheDriver(cache)) },
    })
    let runs = 0
    const factory = (): { at: number } => ({ at: ++runs })
    const options = { key: 'k', factory, ttl: '10m' }
    assert.deepEqual(await bento.getOrSet(options), { at: 1 })
    assert.deepEqual(await bento.getOrSet(options), { at: 1 })
    const space = bento.namespace('users')
    await space.set({ key: 'k', value: 'inner' })
    assert.equal(await space.get({ key: 'k' }), 'inner')
    await space.clear()
    assert.equal(await space.get({ key: 'k' }), undefined)
    assert.deepEqual(await bento.get({ key: 'k' }), { at: 1 })
    assert.deepEqual(await bento.pull('k'), { at: 1 })
    assert.equal(await bento.get({ key: 'k' }), undefined)
    await bento.set({ key: 'short', value: 1, ttl: 20, grace: false })
    await until(async () => (await bento.get({ key: 'short' })) === undefined)
    await bento.clear()
    await bento.disconnect()
  })
})

describe('the store for express-session', () => {
  it('keeps sessions from one request to the next, and no longer than their cookies', async (t) => {
    const cache = (await memoryCache(t)).namespace('sessions')
    const store = sessionStore(session, cache)
    const handle = session({ store, secret: 's', resave: false, saveUninitialized: true })
    const server = createServer((req, res) => {
      // What Express gives to a middleware, as far as this one looks.
      Reflect.apply(handle, undefined, [req, res, () => answer(req, res)])
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const first = await visit(portOf(server))
    assert.equal(first.text, 'visit 1')
    const second = await visit(portOf(server), first.cookie)
    assert.equal(second.text, 'visit 2')
    assert.equal(await call<number>((done) => store.length!(done)), 1)
    const all = await call<object>((done) => store.all!((error, found) => done(error, found ?? {})))
    const [id = ''] = Object.keys(all!)
    await call((done) => store.destroy(id, done))
    assert.equal(await call((done) => store.get(id, done)), null)
    const cookie = { expires: new Date(Date.now() + 40), originalMaxAge: 40 }
    await call((done) => store.set('short', { cookie }, done))
    assert.ok((await call((done) => store.get('short', done))) !== null)
    await until(async () => (await call((done) => store.get('short', done))) === null)
    await call((done) =>
      store.set('old', { cookie: { expires: new Date(0), originalMaxAge: 1 } }, done),
    )
    assert.equal(await call((done) => store.get('old', done)), null)
    await call((done) => store.clear!(done))
    assert.equal(await call<number>((done) => store.length!(done)), 0)
  })
})

function answer(req: IncomingMessage, res: ServerResponse): void {
  const own: { visits?: number } = Reflect.get(req, 'session')
  own.visits = (own.visits ?? 0) + 1
  res.end(`visit ${own.visits}`)
}

function portOf(server: Server): number {
  const port: number = Reflect.get(Object(server.address()), 'port')
  return port
}

async function visit(port: number, cookie?: string): Promise<{ text: string; cookie: string }> {
  const answered = deferred<IncomingMessage>()
  const headers = cookie === undefined ? {} : { cookie }
  request({ host: '127.0.0.1', port, headers, agent: false }, (response) =>
    answered.resolve(response),
  ).end()
  const response = await answered.promise
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return { text, cookie: response.headers['set-cookie']?.[0]?.split(';')[0] ?? '' }
}

/** What a function with a callback says. */
function call<Value>(
  run: (done: (error?: unknown, value?: Value) => void) => void,
): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    run((error, value) => {
      if (error === null || error === undefined) resolve(value)
      else reject(error instanceof Error ? error : new Error('no error of a store'))
    })
  })
}
