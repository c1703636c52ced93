/** `getOrSet`: one factory for all, grace, timeouts, early renewal, what is known to be nothing, aborting. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RatMemCache } from '../../../src/index.ts'
import { deferred, memoryCache, until } from '../../helpers/library.ts'

const CALLS = 1000

/** Stores a value whose time of grace it is. */
async function setStale(cache: RatMemCache, key: string, value: unknown): Promise<void> {
  await cache.set(key, value, { ttl: 1, grace: '1h' })
  await until(async () => (await cache.get(key)) === undefined)
}

function many<Value>(call: () => Promise<Value>): Promise<Value[]> {
  return Promise.all(Array.from({ length: CALLS }, call))
}

describe('getOrSet', () => {
  it(`runs one factory for ${CALLS} calls at once, and none for a value that is there`, async (t) => {
    const cache = await memoryCache(t)
    let runs = 0
    const made = await many(() => cache.getOrSet('k', async () => Promise.resolve(++runs)))
    assert.deepEqual(new Set(made), new Set([1]))
    assert.equal(await cache.getOrSet('k', () => ++runs), 1)
    assert.equal(runs, 1)
  })

  it(`gives ${CALLS} calls the value whose time of grace it is when the factory fails`, async (t) => {
    const cache = await memoryCache(t)
    await setStale(cache, 'k', 'old')
    let runs = 0
    const errors: unknown[] = []
    cache.on('error', ({ error }) => errors.push(error))
    const failure = new Error('the database is away')
    const fail = (): never => {
      runs++
      throw failure
    }
    const given = await many(() => cache.getOrSet('k', fail, { softTimeout: '1m', grace: '1h' }))
    assert.deepEqual(new Set(given), new Set(['old']))
    assert.equal(runs, 1)
    assert.deepEqual(errors, [failure])
  })

  it('fails for all where there is nothing else, and tries again after that', async (t) => {
    const cache = await memoryCache(t)
    let runs = 0
    const failing = Array.from({ length: 10 }, () =>
      cache.getOrSet('k', () => {
        runs++
        throw new Error('no')
      }),
    )
    for (const result of await Promise.allSettled(failing)) assert.equal(result.status, 'rejected')
    assert.equal(runs, 1)
    assert.equal(await cache.getOrSet('k', () => 'made'), 'made')
  })

  it('gives a value in its time of grace at once while a factory renews it', async (t) => {
    const cache = await memoryCache(t)
    await setStale(cache, 'k', 'old')
    const fresh = deferred<string>()
    const options = { ttl: '1h', grace: '1h' } as const
    const seen: unknown[] = []
    const given = await many(() =>
      cache.getOrSet(
        'k',
        ({ stale }) => {
          seen.push(stale)
          return fresh.promise
        },
        options,
      ),
    )
    assert.deepEqual(new Set(given), new Set(['old']))
    fresh.resolve('new')
    await until(async () => (await cache.get('k')) === 'new')
    assert.deepEqual(seen, ['old'])
  })

  it('waits for the factory until the soft timeout, then gives the older value', async (t) => {
    const cache = await memoryCache(t)
    await setStale(cache, 'k', 'old')
    const slow = deferred<string>()
    const options = { softTimeout: 10, ttl: '1h' } as const
    assert.equal(await cache.getOrSet('k', () => slow.promise, options), 'old')
    slow.resolve('new')
    await until(async () => (await cache.get('k')) === 'new')
    await setStale(cache, 'quick', 'old')
    assert.equal(await cache.getOrSet('quick', () => 'new', { softTimeout: '1m' }), 'new')
  })

  it('fails at the hard timeout, tells the factory, and keeps nothing of it', async (t) => {
    const cache = await memoryCache(t)
    let signal: AbortSignal | undefined
    const never = (context: { signal: AbortSignal }): Promise<string> => {
      signal = context.signal
      return new Promise((_, reject) => {
        context.signal.addEventListener('abort', () => reject(new Error('aborted')))
      })
    }
    await assert.rejects(cache.getOrSet('k', never, { hardTimeout: 5 }), {
      code: 'FACTORY_TIMEOUT',
    })
    assert.equal(signal!.aborted, true)
    await until(() => cache.stats().factories === 0)
    assert.equal(await cache.get('k'), undefined)
  })

  it('goes on with a factory that others wait for when one gives up', async (t) => {
    const cache = await memoryCache(t)
    const slow = deferred<string>()
    const patient = cache.getOrSet('k', () => slow.promise)
    await assert.rejects(
      cache.getOrSet('k', () => 'other', { hardTimeout: 5 }),
      {
        code: 'FACTORY_TIMEOUT',
      },
    )
    slow.resolve('made')
    assert.equal(await patient, 'made')
  })

  it('ends with its signal; the factory is told when it was the last', async (t) => {
    const cache = await memoryCache(t)
    const reason = new Error('the client has gone')
    const first = new AbortController()
    const second = new AbortController()
    let told: AbortSignal | undefined
    const factory = (context: { signal: AbortSignal }): Promise<never> => {
      told = context.signal
      return new Promise(() => undefined)
    }
    const calls = [first, second].map(({ signal }) => cache.getOrSet('k', factory, { signal }))
    await new Promise((resolve) => setImmediate(resolve))
    first.abort(reason)
    await assert.rejects(calls[0]!, reason)
    assert.equal(told!.aborted, false)
    second.abort(reason)
    await assert.rejects(calls[1]!, reason)
    assert.equal(told!.aborted, true)
    await assert.rejects(
      cache.getOrSet('k', () => 1, { signal: first.signal }),
      reason,
    )
  })

  it('renews a value early, once, while it is still given', async (t) => {
    const cache = await memoryCache(t)
    const options = { ttl: 59_000, earlyRefresh: 0.000_01 } as const
    await cache.getOrSet('k', () => 'first', options)
    let runs = 0
    const second = deferred<string>()
    await new Promise((resolve) => setTimeout(resolve, 5))
    const given = await many(() =>
      cache.getOrSet(
        'k',
        () => {
          runs++
          return second.promise
        },
        options,
      ),
    )
    assert.deepEqual(new Set(given), new Set(['first']))
    second.resolve('second')
    await until(async () => (await cache.get('k')) === 'second')
    assert.equal(runs, 1)
    await assert.rejects(
      cache.getOrSet('k', () => 1, { earlyRefresh: 0.5 }),
      { code: 'ARGUMENT_INVALID' },
    )
  })

  it('remembers that there is nothing, for as long as it was told', async (t) => {
    const cache = await memoryCache(t)
    let runs = 0
    const nothing = (): undefined => {
      runs++
    }
    const ask = (): Promise<unknown> =>
      cache.getOrSet('k', nothing, { negativeTtl: 200, tags: ['t'] })
    assert.equal(await ask(), undefined)
    assert.equal(await ask(), undefined)
    assert.equal(runs, 1)
    assert.equal(await cache.get('k'), undefined)
    assert.equal(await cache.has('k'), false)
    assert.equal(await cache.replace('k', 1), false)
    await cache.invalidateTags('t')
    await ask()
    assert.equal(runs, 2)
    assert.equal(await cache.add('k', 'something'), true)
    assert.equal(await ask(), 'something')
    await cache.delete('k')
    await ask()
    await until(async () => {
      await ask()
      return runs === 4
    })
    await cache.getOrSet('other', nothing)
    await cache.getOrSet('other', nothing)
    assert.equal(runs, 6)
  })

  it('does not overwrite what was stored, deleted or cleared while the factory ran', async (t) => {
    const cache = await memoryCache(t)
    const changes: readonly (readonly [() => Promise<unknown>, unknown])[] = [
      [() => cache.set('k', 'newer'), 'newer'],
      [() => cache.delete('k'), undefined],
      [() => cache.clear(), undefined],
    ]
    for (const [change, left] of changes) {
      await cache.delete('k')
      const slow = deferred<string>()
      const made = cache.getOrSet('k', () => slow.promise)
      await new Promise((resolve) => setImmediate(resolve))
      await change()
      slow.resolve('of before')
      assert.equal(await made, 'of before')
      assert.equal(await cache.get('k'), left)
    }
  })

  it('stores what the factory says of its value', async (t) => {
    const cache = await memoryCache(t)
    await cache.getOrSet(
      'k',
      (context) => {
        context.ttl = 20
        context.tags = ['found']
        return 1
      },
      { ttl: '1h' },
    )
    await cache.getOrSet('l', (context) => {
      context.tags = ['found']
      return 1
    })
    await until(async () => (await cache.get('k')) === undefined)
    assert.equal(await cache.get('l'), 1)
    await cache.invalidateTags('found')
    assert.equal(await cache.get('l'), undefined)
  })

  it('makes a value anew where that is asked for', async (t) => {
    const cache = await memoryCache(t)
    await cache.set('k', 'old')
    assert.equal(await cache.getOrSet('k', () => 'new', { forceRefresh: true }), 'new')
    assert.equal(await cache.get('k'), 'new')
  })

  it('gives a value that cannot be stored, and says why it is not', async (t) => {
    const cache = await memoryCache(t)
    const codes: unknown[] = []
    cache.on('error', ({ error }) =>
      codes.push(error instanceof Error && 'code' in error && error.code),
    )
    const large = Buffer.alloc(1_200_000)
    assert.equal(await cache.getOrSet('k', () => large), large)
    assert.deepEqual(codes, ['VALUE_TOO_LARGE'])
  })

  it('ends with the cache', async (t) => {
    const cache = await memoryCache(t)
    let told: AbortSignal | undefined
    const hanging = cache.getOrSet('k', ({ signal }) => {
      told = signal
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(toError(signal.reason)))
      })
    })
    await new Promise((resolve) => setImmediate(resolve))
    await Promise.all([cache.shutdown(), assert.rejects(hanging, { code: 'CACHE_CLOSED' })])
    assert.equal(told!.aborted, true)
  })
})

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
