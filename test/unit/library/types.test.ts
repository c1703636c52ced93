/** What the compiler is told of keys and values: this file compiles, and each line marked as wrong does not. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RatMemCache } from '../../../src/index.ts'

interface User {
  readonly name: string
}

interface Schema {
  [key: `user:${string}`]: User
  visits: number
}

/** Compiles only if the type of the argument is exactly this one. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it is what is asked
function exactly<Expected>() {
  return <Given>(
    given: Given,
    ..._same: [Given] extends [Expected] ? ([Expected] extends [Given] ? [] : [never]) : [never]
  ): Given => given
}

describe('a cache with a schema', () => {
  it('knows its keys and what their values are', async (t) => {
    const cache = await RatMemCache.builder<Schema>().build()
    t.after(() => cache.shutdown())
    await cache.set('user:1', { name: 'Ada' })
    await cache.set('visits', 1)
    exactly<User | undefined>()(await cache.get('user:1'))
    exactly<number | undefined>()(cache.getSync('visits'))
    exactly<User>()(await cache.getOrSet('user:2', () => ({ name: 'Grace' })))
    const many = await cache.getMany(['user:1', 'user:2'])
    assert.deepEqual([...many.values()], [{ name: 'Ada' }, { name: 'Grace' }])
    // @ts-expect-error -- no such key
    assert.equal(await cache.get('other'), undefined)
    // @ts-expect-error -- not its value
    await cache.set('visits', 'many')
    // @ts-expect-error -- not its value
    await cache.getOrSet('user:3', () => 3)
    // @ts-expect-error -- no such event
    assert.throws(() => cache.on('noise', () => undefined), { code: 'ARGUMENT_INVALID' })
  })

  it('takes any key and the word of the caller where there is none', async (t) => {
    const cache = await RatMemCache.builder().build()
    t.after(() => cache.shutdown())
    await cache.set('anything', { name: 'Ada' })
    const user = await cache.get<User>('anything')
    exactly<User | undefined>()(user)
    exactly<unknown>()(await cache.get('anything'))
    exactly<number>()(await cache.getOrSet('n', () => 1))
    assert.equal(user?.name, 'Ada')
  })
})
