/** The `memcached` package of npm against the server: what a user of it would do. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before, beforeEach, describe, it } from 'node:test'
import { startServer } from '../helpers/server.ts'
import type { TestServer } from '../helpers/server.ts'

type Done = (error: unknown, result: unknown) => void

/** As much of the package as is used here; it has no types of its own. */
interface Client {
  set(key: string, value: unknown, lifetimeS: number, done: Done): void
  add(key: string, value: unknown, lifetimeS: number, done: Done): void
  replace(key: string, value: unknown, lifetimeS: number, done: Done): void
  append(key: string, value: string, done: Done): void
  prepend(key: string, value: string, done: Done): void
  get(key: string, done: Done): void
  gets(key: string, done: Done): void
  getMulti(keys: readonly string[], done: Done): void
  cas(key: string, value: unknown, cas: unknown, lifetimeS: number, done: Done): void
  incr(key: string, amount: number, done: Done): void
  decr(key: string, amount: number, done: Done): void
  touch(key: string, lifetimeS: number, done: Done): void
  del(key: string, done: Done): void
  flush(done: Done): void
  version(done: Done): void
  stats(done: Done): void
  settings(done: Done): void
  end(): void
}

type ClientClass = new (location: string, options: object) => Client

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the package has no types
const Memcached = createRequire(import.meta.url)('memcached') as ClientClass

/** The result of a call, or its error. */
function call(start: (done: Done) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error === undefined || error === null) resolve(result)
      else reject(error instanceof Error ? error : new Error(JSON.stringify(error)))
    })
  })
}

/** A field of a result, or of its first part where there is one for each server. */
function field(result: unknown, name: string): unknown {
  const one: unknown = Array.isArray(result) ? result[0] : result
  assert.ok(typeof one === 'object' && one !== null)
  return Reflect.get(one, name)
}

describe('the memcached package of npm', () => {
  let server: TestServer
  let client: Client

  before(async () => {
    server = await startServer()
    client = new Memcached(`127.0.0.1:${server.port}`, { retries: 0, timeout: 2000, poolSize: 4 })
  })
  after(async () => {
    client.end()
    await server.stop()
  })
  beforeEach(() => call((done) => client.flush(done)))

  it('stores and gets texts, numbers, objects, booleans and bytes', async () => {
    const bytes = Buffer.from([0, 13, 10, 255, 128, 0])
    const values = ['text', 'テキスト \r\n END', '', 42, -1.5, { a: [1, null] }, true, false, bytes]
    for (const value of values) {
      assert.equal(await call((done) => client.set('k', value, 100, done)), true)
      assert.deepEqual(await call((done) => client.get('k', done)), value)
    }
    assert.equal(await call((done) => client.get('nokey', done)), undefined)
  })

  it('stores a large value', async () => {
    const value = 'x'.repeat(900_000)
    await call((done) => client.set('k', value, 0, done))
    assert.ok((await call((done) => client.get('k', done))) === value)
  })

  it('adds, replaces, appends and prepends', async () => {
    await assert.rejects(
      call((done) => client.replace('k', 'x', 0, done)),
      /not stored/i,
    )
    await assert.rejects(
      call((done) => client.append('k', 'x', done)),
      /not stored/i,
    )
    assert.equal(await call((done) => client.add('k', 'b', 0, done)), true)
    await assert.rejects(
      call((done) => client.add('k', 'x', 0, done)),
      /not stored/i,
    )
    assert.equal(await call((done) => client.append('k', 'c', done)), true)
    assert.equal(await call((done) => client.prepend('k', 'a', done)), true)
    assert.equal(await call((done) => client.get('k', done)), 'abc')
    assert.equal(await call((done) => client.replace('k', 'z', 0, done)), true)
    assert.equal(await call((done) => client.get('k', done)), 'z')
  })

  it('checks and sets', async () => {
    await call((done) => client.set('k', 'one', 0, done))
    const got = await call((done) => client.gets('k', done))
    assert.equal(field(got, 'k'), 'one')
    const cas = field(got, 'cas')
    assert.equal(await call((done) => client.cas('k', 'two', cas, 0, done)), true)
    assert.equal(await call((done) => client.cas('k', 'three', cas, 0, done)), false)
    assert.equal(await call((done) => client.get('k', done)), 'two')
  })

  it('counts', async () => {
    assert.equal(await call((done) => client.incr('n', 1, done)), false)
    await call((done) => client.set('n', 9, 0, done))
    assert.equal(await call((done) => client.incr('n', 3, done)), 12)
    assert.equal(await call((done) => client.decr('n', 5, done)), 7)
    await call((done) => client.set('n', 'abc', 0, done))
    await assert.rejects(
      call((done) => client.incr('n', 1, done)),
      /non-numeric/,
    )
  })

  it('touches and deletes', async () => {
    assert.equal(await call((done) => client.touch('k', 10, done)), false)
    await call((done) => client.set('k', 'x', 100, done))
    assert.equal(await call((done) => client.touch('k', 10, done)), true)
    assert.equal(await call((done) => client.get('k', done)), 'x')
    assert.equal(await call((done) => client.del('k', done)), true)
    assert.equal(await call((done) => client.del('k', done)), false)
    assert.equal(await call((done) => client.get('k', done)), undefined)
  })

  it('gets many at once', async () => {
    const keys = Array.from({ length: 200 }, (_, i) => `key${i}`)
    await Promise.all(keys.map((key, i) => call((done) => client.set(key, `value ${i}`, 0, done))))
    const found = await call((done) => client.getMulti([...keys, 'nokey'], done))
    assert.deepEqual(found, Object.fromEntries(keys.map((key, i) => [key, `value ${i}`])))
  })

  it('reads version, statistics and settings', async () => {
    const version = await call((done) => client.version(done))
    assert.equal(field(version, 'version'), '1.6.45')
    await call((done) => client.set('k', 'x', 0, done))
    const stats = await call((done) => client.stats(done))
    assert.equal(field(stats, 'curr_items'), 1)
    assert.equal(field(stats, 'pid'), process.pid)
    const settings = await call((done) => client.settings(done))
    assert.equal(field(settings, 'item_size_max'), 1_048_576)
  })

  it('flushes', async () => {
    await call((done) => client.set('k', 'x', 0, done))
    assert.deepEqual(await call((done) => client.flush(done)), [true])
    assert.equal(await call((done) => client.get('k', done)), undefined)
  })
})
