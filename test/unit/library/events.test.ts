/** What a cache tells of: to listeners, and to the channels of diagnostics. */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, it } from 'node:test'
import { diskCache, memoryCache, testFolder, until } from '../../helpers/library.ts'

describe('events', () => {
  it('tell of hits, misses, sets and deletes', async (t) => {
    const cache = await memoryCache(t)
    const told: string[] = []
    for (const name of ['hit', 'miss', 'set', 'delete'] as const) {
      cache.on(name, ({ key }) => told.push(`${name} ${key}`))
    }
    await cache.namespace('n').set('a', 1)
    await cache.get('n:a')
    await cache.get('b')
    await cache.delete('n:a')
    await cache.delete('n:a')
    assert.deepEqual(told, ['set n:a', 'hit n:a', 'miss b', 'delete n:a'])
  })

  it('are not told to who has left', async (t) => {
    const cache = await memoryCache(t)
    let count = 0
    const listener = (): void => void count++
    cache.on('set', listener)
    await cache.set('a', 1)
    cache.off('set', listener)
    await cache.set('a', 2)
    assert.equal(count, 1)
  })

  it('tell of what expires, and of what makes room', async (t) => {
    const cache = await memoryCache(t)
    const expired: string[] = []
    const evicted: string[] = []
    cache.on('expire', ({ key }) => expired.push(key))
    cache.on('evict', ({ key }) => evicted.push(key))
    await cache.set('short', 1, { ttl: 20 })
    await until(async () => (await cache.get('short')) === undefined)
    assert.deepEqual(expired, ['short'])
    for (let i = 0; i < 300; i++) await cache.set(`fill:${i}`, Buffer.alloc(30_000))
    assert.ok(evicted.length > 100 && evicted.every((key) => key.startsWith('fill:')))
  })

  it('tell of what goes to disk and comes back', async (t) => {
    const cache = await diskCache(testFolder(t))
    t.after(() => cache.shutdown())
    const demoted: string[] = []
    const promoted: string[] = []
    cache.on('demote', ({ key }) => demoted.push(key))
    cache.on('promote', ({ key }) => promoted.push(key))
    await cache.set('first', 'x'.repeat(100))
    for (let i = 0; i < 1500; i++) await cache.set(`fill:${i}`, Buffer.alloc(2000))
    await until(() => demoted.includes('first'))
    assert.equal(await cache.get('first'), 'x'.repeat(100))
    assert.ok(promoted.includes('first'))
  })

  it('go on where a listener throws, and tell of that', async (t) => {
    const cache = await memoryCache(t)
    const told: unknown[] = []
    cache.on('error', ({ error }) => told.push(error))
    const failure = new Error('of the listener')
    cache.on('set', () => {
      throw failure
    })
    await cache.set('a', 1)
    assert.equal(await cache.get('a'), 1)
    assert.deepEqual(told, [failure])
  })

  it('go to channels of diagnostics, with the name of the cache', async (t) => {
    const cache = await memoryCache(t, (builder) => builder.name('sessions'))
    const messages: unknown[] = []
    const onHit = (message: unknown): void => void messages.push(message)
    subscribe('rat-memcached:hit', onHit)
    t.after(() => unsubscribe('rat-memcached:hit', onHit))
    await cache.set('a', 1)
    await cache.get('a')
    assert.deepEqual(messages, [{ cache: 'sessions', key: 'a' }])
  })
})
