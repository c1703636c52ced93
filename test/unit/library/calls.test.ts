/** The calls of the library on one key: the same in memory and where every value lies on disk. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import type { RatMemCache, ServerError } from '../../../src/index.ts'
import { diskCache, memoryCache, testFolder, until } from '../../helpers/library.ts'

/** Enough to push what was stored before out of 2 MB of memory. */
const FILLER = Buffer.alloc(30_000, 'x')

interface Place {
  readonly name: string
  open(t: TestContext): Promise<RatMemCache>
  /** Brings what is stored to where it is to be asked for. */
  settle(cache: RatMemCache): Promise<void>
}

const PLACES: readonly Place[] = [
  { name: 'in memory', open: (t) => memoryCache(t), settle: () => Promise.resolve() },
  {
    name: 'on disk',
    open: async (t) => {
      const folder = testFolder(t)
      const cache = await diskCache(folder)
      t.after(() => cache.shutdown())
      return cache
    },
    settle: async (cache) => {
      await cache.flush()
      for (let i = 0; i < 150; i++) await cache.set(`filler:${i}`, FILLER)
      await cache.flush()
    },
  },
]

for (const place of PLACES) {
  describe(`calls on a key ${place.name}`, () => {
    it('give back every kind of value as it was', async (t) => {
      const cache = await place.open(t)
      const values: readonly unknown[] = [
        '',
        'Grüße, 世界',
        0,
        -0,
        -12.5,
        Number.NaN,
        Infinity,
        Buffer.alloc(0),
        Buffer.from([0, 255, 10, 13]),
        null,
        true,
        false,
        12n,
        new Date(5),
        new Map([[1, new Set(['a'])]]),
        { name: 'Ada', nested: [1, { deep: true }] },
        [1, 'two', null],
      ]
      for (const [index, value] of values.entries()) await cache.set(`v${index}`, value)
      await place.settle(cache)
      for (const [index, value] of values.entries()) {
        assert.deepStrictEqual(await cache.get(`v${index}`), value)
      }
      assert.equal(await cache.get('other'), undefined)
    })

    it('store under conditions', async (t) => {
      const cache = await place.open(t)
      await cache.set('there', 'a')
      await place.settle(cache)
      assert.equal(await cache.add('there', 'b'), false)
      assert.equal(await cache.replace('there', 'c'), true)
      assert.equal(await cache.get('there'), 'c')
      assert.equal(await cache.replace('new', 'd'), false)
      assert.equal(await cache.add('new', 'e'), true)
      assert.equal(await cache.get('new'), 'e')
    })

    it('append and prepend, to values with a header as well', async (t) => {
      const cache = await place.open(t)
      await cache.set('plain', 'b')
      await cache.set('tagged', 'b', { tags: ['t'], ttl: 3000 })
      await place.settle(cache)
      for (const key of ['plain', 'tagged']) {
        assert.equal(await cache.append(key, 'c'), true)
        assert.equal(await cache.prepend(key, 'a'), true)
        assert.equal(await cache.get(key), 'abc')
      }
      assert.equal(await cache.append('other', 'x'), false)
      await cache.invalidateTags('t')
      assert.equal(await cache.get('tagged'), undefined)
      assert.equal(await cache.get('plain'), 'abc')
    })

    it('compare and set', async (t) => {
      const cache = await place.open(t)
      await cache.set('k', 1)
      await place.settle(cache)
      const first = await cache.getWithToken('k')
      assert.equal(first!.value, 1)
      assert.equal(await cache.cas('k', 2, first!.token), true)
      assert.equal(await cache.cas('k', 3, first!.token), false)
      assert.equal(await cache.get('k'), 2)
      assert.equal(await cache.cas('other', 3, 1n), false)
      assert.equal(await cache.getWithToken('other'), undefined)
    })

    it('count up and down, also with a header', async (t) => {
      const cache = await place.open(t)
      await cache.set('plain', 5)
      await cache.set('short', 5, { ttl: 5000 })
      await place.settle(cache)
      for (const key of ['plain', 'short']) {
        assert.equal(await cache.incr(key), 6)
        assert.equal(await cache.incr(key, 2 ** 40), 2 ** 40 + 6)
        assert.equal(await cache.decr(key, 2 ** 40), 6)
        assert.equal(await cache.decr(key, 100), 0)
        assert.equal(await cache.get(key), 0)
      }
      assert.equal(await cache.incr('new'), undefined)
      assert.equal(await cache.incr('new', 1, { initial: 10, ttl: 3000 }), 10)
      assert.equal(await cache.incr('new', 1, { initial: 10, ttl: 3000 }), 11)
      await cache.set('text', 'abc')
      await assert.rejects(cache.incr('text'), { code: 'VALUE_NOT_NUMERIC' })
      await assert.rejects(cache.incr('plain', -1), { code: 'ARGUMENT_INVALID' })
    })

    it('delete, take, touch, and say what is there', async (t) => {
      const cache = await place.open(t)
      for (const key of ['a', 'b', 'c', 'd']) await cache.set(key, key)
      await place.settle(cache)
      assert.equal(await cache.has('a'), true)
      assert.equal(await cache.delete('a'), true)
      assert.equal(await cache.delete('a'), false)
      assert.equal(await cache.has('a'), false)
      assert.equal(await cache.take('b'), 'b')
      assert.equal(await cache.take('b'), undefined)
      assert.equal(await cache.touch('c'), true)
      assert.equal(await cache.touch('b'), false)
      assert.equal(await cache.deleteMany(['b', 'c', 'd']), 2)
    })

    it('get, set and delete many', async (t) => {
      const cache = await place.open(t)
      const entries = Array.from({ length: 200 }, (_, i) => [`k${i}`, `v${i}`] as const)
      await cache.setMany(entries, { ttl: '1h' })
      await place.settle(cache)
      const found = await cache.getMany<string>([...entries.map(([key]) => key), 'none'])
      assert.deepEqual([...found], entries)
      assert.equal(await cache.deleteMany(['k0', 'k1', 'none']), 2)
    })

    it('list keys and entries, each once', async (t) => {
      const cache = await place.open(t)
      for (let i = 0; i < 50; i++) await cache.set(`list:${i}`, i)
      await place.settle(cache)
      await cache.delete('list:7')
      const keys: string[] = []
      for await (const key of cache.keys()) if (key.startsWith('list:')) keys.push(key)
      assert.equal(keys.length, 49)
      assert.equal(new Set(keys).size, 49)
      let sum = 0
      for await (const [, value] of cache.namespace('list').entries()) sum += Number(value)
      assert.equal(sum, (49 * 50) / 2 - 7)
    })

    it('end with their time to live, to the millisecond', async (t) => {
      const cache = await place.open(t)
      await cache.set('short', 1, { ttl: 300 })
      await cache.set('longer', 1, { ttl: 300 })
      await cache.set('given', 1)
      assert.equal(await cache.expire('longer', '1h'), true)
      assert.equal(await cache.expire('given', 150), true)
      assert.equal(await cache.expire('none', 50), false)
      assert.equal(await cache.get('short'), 1)
      await until(async () => (await cache.get('short')) === undefined)
      assert.equal(await cache.get('longer'), 1)
      assert.equal(await cache.get('given'), undefined)
      assert.equal(await cache.has('short'), false)
    })

    it('are cleared at once', async (t) => {
      const cache = await place.open(t)
      await cache.set('a', 1)
      await place.settle(cache)
      await cache.clear()
      assert.equal(await cache.get('a'), undefined)
      await cache.set('a', 2)
      assert.equal(await cache.get('a'), 2)
    })
  })
}

describe('calls on memory', () => {
  it('are synchronous where that was asked for', async (t) => {
    const cache = await memoryCache(t)
    assert.equal(cache.setSync('a', Buffer.from('x'), { ttl: '1m' }), true)
    assert.deepEqual(cache.getSync('a'), Buffer.from('x'))
    assert.equal(cache.getSync('b'), undefined)
  })

  it('give copies: who changes what it was given, or gave, changes no value', async (t) => {
    const cache = await memoryCache(t)
    const bytes = Buffer.from('abc')
    await cache.set('a', bytes)
    bytes[0] = 0
    const first = await cache.get<Buffer>('a')
    assert.equal(first!.toString(), 'abc')
    first![0] = 0
    assert.equal((await cache.get<Buffer>('a'))!.toString(), 'abc')
  })

  it('refuse keys, values and arguments that cannot be, with a code', async (t) => {
    const cache = await memoryCache(t)
    await cache.set('big', 'old')
    const refused: readonly (readonly [() => Promise<unknown>, ServerError['code']])[] = [
      [() => cache.get(''), 'KEY_INVALID'],
      [() => cache.set('k'.repeat(251), 1), 'KEY_INVALID'],
      [() => cache.get('ü'.repeat(126)), 'KEY_INVALID'],
      [() => cache.set('k', undefined), 'ARGUMENT_INVALID'],
      [() => cache.set('k', 1, { ttl: '10' }), 'ARGUMENT_INVALID'],
      [() => cache.set('k', 1, { ttl: -1 }), 'ARGUMENT_INVALID'],
      [() => cache.set('big', Buffer.alloc(1_200_000)), 'VALUE_TOO_LARGE'],
    ]
    for (const [call, code] of refused) await assert.rejects(call, { code })
    assert.equal(
      await cache.get('big'),
      undefined,
      'as with a set of memcached, the old value is gone',
    )
    await cache.set('ü'.repeat(125), 1)
    assert.equal(await cache.get('ü'.repeat(125)), 1)
  })

  it('fail after the end, which may come twice', async (t) => {
    const cache = await memoryCache(t)
    await cache.set('a', 1)
    await Promise.all([cache.shutdown(), cache.shutdown()])
    await assert.rejects(cache.get('a'), { code: 'CACHE_CLOSED' })
    await assert.rejects(cache.set('a', 1), { code: 'CACHE_CLOSED' })
    assert.throws(() => cache.getSync('a'), { code: 'CACHE_CLOSED' })
  })

  it('count', async (t) => {
    const cache = await memoryCache(t)
    await cache.set('a', 1)
    await cache.get('a')
    await cache.get('b')
    const { items, gets, hits, misses, sets, disk } = cache.stats()
    assert.deepEqual(
      { items, gets, hits, misses, sets, disk },
      { items: 1, gets: 2, hits: 1, misses: 1, sets: 1, disk: null },
    )
  })

  it('write with the serializer that was chosen, and read with all', async (t) => {
    const json = await memoryCache(t, (builder) => builder.serializer('json'))
    await json.set('a', { at: new Date(0) })
    assert.deepEqual(await json.get('a'), { at: '1970-01-01T00:00:00.000Z' })
    await assert.rejects(
      json.set('a', () => 1),
      TypeError,
    )
    const own = await memoryCache(t, (builder) =>
      builder.serializer({
        serialize: (value) => Buffer.from(`<${String(value)}>`),
        deserialize: (bytes) => bytes.toString(),
      }),
    )
    await own.set('a', true)
    assert.equal(await own.get('a'), '<true>')
  })
})
