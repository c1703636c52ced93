/** Tags and namespaces: void at once, in both tiers, after a restart, and when what was noted is lost. */
import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { RatMemCache } from '../../../src/index.ts'
import { ManualClock } from '../../../src/observe/clock.ts'
import { MACHINE_FILES } from '../../../src/store/l2/file-system.ts'
import type { FileSystem } from '../../../src/store/l2/file-system.ts'
import { TagFile } from '../../../src/store/l2/tag-file.ts'
import { TagTable, hashTag } from '../../../src/engine/tag-table.ts'
import { copyFolder } from '../../helpers/copy-folder.ts'
import { deferred, diskCache, memoryCache, testFolder } from '../../helpers/library.ts'

describe('tags', () => {
  it('make void what carries one of them, and nothing else', async (t) => {
    const cache = await memoryCache(t)
    await cache.set('both', 1, { tags: ['a', 'b'] })
    await cache.set('a', 1, { tags: ['a'] })
    await cache.set('b', 1, { tags: ['b'] })
    await cache.set('none', 1)
    await cache.invalidateTags('b', 'unknown')
    const left = await cache.getMany(['both', 'a', 'b', 'none'])
    assert.deepEqual([...left.keys()], ['a', 'none'])
    await cache.set('b', 2, { tags: ['b'] })
    assert.equal(await cache.get('b'), 2)
  })

  it('make void a value that was being made when they were invalidated', async (t) => {
    const cache = await memoryCache(t)
    const read = deferred<string>()
    const made = cache.getOrSet('k', () => read.promise, { tags: ['db'] })
    await new Promise((resolve) => setImmediate(resolve))
    await cache.invalidateTags('db')
    read.resolve('of before')
    assert.equal(await made, 'of before')
    assert.equal(await cache.get('k'), undefined)
  })

  it('are at most 64 for one value', async (t) => {
    const cache = await memoryCache(t)
    const tags = Array.from({ length: 65 }, (_, i) => `tag${i}`)
    await cache.set('k', 1, { tags: tags.slice(1) })
    await cache.invalidateTags('tag64')
    assert.equal(await cache.get('k'), undefined)
    await assert.rejects(cache.set('k', 1, { tags }), { code: 'ARGUMENT_INVALID' })
  })

  it('keep their values when these are counted with, extended and given another end', async (t) => {
    const cache = await memoryCache(t)
    await cache.set('n', 1, { tags: ['t'] })
    await cache.incr('n')
    await cache.expire('n', '1h')
    assert.equal(await cache.get('n'), 2)
    await cache.invalidateTags('t')
    assert.equal(await cache.incr('n'), undefined)
    assert.equal(await cache.append('n', 'x'), false)
    assert.equal(await cache.expire('n', '1h'), false)
  })

  it('hold for values on disk, at once and after a restart', async (t) => {
    const folder = testFolder(t)
    const cache = await diskCache(folder)
    for (let i = 0; i < 300; i++) {
      await cache.set(`k${i}`, 'x'.repeat(20_000), { tags: [i % 2 === 0 ? 'even' : 'odd'] })
    }
    await cache.flush()
    await cache.invalidateTags('even')
    assert.equal(await countOf(cache), 150)
    await cache.invalidateTags('odd')
    await cache.set('k1', 'new', { tags: ['odd'] })
    await cache.shutdown()
    const again = await diskCache(folder)
    t.after(() => again.shutdown())
    assert.equal(await countOf(again), 1)
    assert.equal(await again.get('k1'), 'new')
  })
})

/** Of 300 keys, those that have a value. */
async function countOf(cache: RatMemCache): Promise<number> {
  return (await cache.getMany(Array.from({ length: 300 }, (_, i) => `k${i}`))).size
}

describe('namespaces', () => {
  it('prefix keys, nest, and are cleared by themselves', async (t) => {
    const cache = await memoryCache(t)
    const outer = cache.namespace('shop')
    const inner = outer.namespace('carts')
    await cache.set('k', 'root')
    await outer.set('k', 'outer')
    await inner.set('k', 'inner')
    assert.equal(await cache.get('shop:carts:k'), 'inner')
    assert.deepEqual(await keysOf(outer), ['carts:k', 'k'])
    await inner.clear()
    assert.deepEqual(await keysOf(cache), ['k', 'shop:k'])
    await inner.set('k', 'again')
    await outer.clear()
    assert.deepEqual(await keysOf(cache), ['k'])
  })

  it('take all calls', async (t) => {
    const space = (await memoryCache(t)).namespace('n')
    await space.set('a', 1)
    assert.equal(await space.incr('a'), 2)
    assert.equal(await space.add('a', 1), false)
    assert.equal(await space.getOrSet('b', () => 'made'), 'made')
    assert.equal(await space.take('b'), 'made')
    assert.equal(await space.delete('a'), true)
    assert.deepEqual(await keysOf(space), [])
  })
})

async function keysOf(cache: RatMemCache): Promise<string[]> {
  const keys: string[] = []
  for await (const key of cache.keys()) keys.push(key)
  return keys.sort()
}

describe('what is noted of tags on disk', () => {
  const damages: readonly (readonly [string, (file: string) => void])[] = [
    ['is missing', (file) => rmSync(file)],
    ['is cut off', (file) => truncateSync(file, 40)],
    ['has a record more that is none', (file) => appendFileSync(file, Buffer.alloc(24))],
    [
      'has a wrong bit',
      (file) => {
        const bytes = readFileSync(file)
        bytes[33]! ^= 1
        writeFileSync(file, bytes)
      },
    ],
  ]
  for (const [name, damage] of damages) {
    it(`makes void all values with tags where it ${name}, and no others`, async (t) => {
      const folder = testFolder(t)
      const cache = await diskCache(folder)
      await cache.set('invalidated', 1, { tags: ['a'] })
      await cache.set('tagged', 1, { tags: ['b'] })
      await cache.set('plain', 1)
      await cache.invalidateTags('a')
      await cache.shutdown()
      damage(join(folder, 'tags'))
      const again = await diskCache(folder)
      t.after(() => again.shutdown())
      const left = await again.getMany(['invalidated', 'tagged', 'plain'])
      assert.deepEqual([...left.keys()], ['plain'])
      await again.set('tagged', 2, { tags: ['b'] })
      assert.equal(await again.get('tagged'), 2)
    })
  }

  it('is there after a death without a stop', async (t) => {
    const folder = testFolder(t)
    const cache = await diskCache(folder)
    await cache.set('k', 1, { tags: ['a'] })
    await cache.flush()
    await cache.invalidateTags('a')
    // What a killed process leaves is what is in the files now.
    const copy = testFolder(t)
    copyFolder(folder, copy, (name) => name !== 'LOCK')
    await cache.shutdown()
    const again = await diskCache(copy)
    t.after(() => again.shutdown())
    assert.equal(await again.get('k'), undefined)
  })

  it('is written anew when most of it is outdated, and says the same', (t) => {
    const folder = testFolder(t)
    const file = TagFile.open(folder, 1, false)
    const table = new TagTable(new ManualClock(), file, file.floor, file.voidedAt)
    for (let i = 1; i <= 140_000; i++) assert.ok(table.makeVoid(i % 7, i))
    const bytes = readFileSync(join(folder, 'tags')).length
    file.close()
    assert.ok(bytes < 70_000 * 24, `${bytes} bytes`)
    const again = TagFile.open(folder, 999_999, false)
    assert.equal(again.floor, 1)
    assert.equal(again.voidedAt.get(3), 139_996)
    assert.equal(again.voidedAt.size, 7)
    again.close()
  })

  it('is bounded: of too many tags the older half is in the floor', (t) => {
    const folder = testFolder(t)
    const file = TagFile.open(folder, 1, false)
    const table = new TagTable(new ManualClock(), file, file.floor, file.voidedAt)
    for (let i = 1; i <= 65_537; i++) assert.ok(table.makeVoid(i, i + 10))
    assert.equal(table.count, 65_537 - 32_768)
    assert.equal(file.floor, 32_768 + 10)
    file.close()
  })

  it('that cannot be written is said, and nothing is lost of what was', (t) => {
    const folder = testFolder(t)
    let isFull = false
    const files: FileSystem = {
      ...MACHINE_FILES,
      writeSync: (...args) => {
        if (isFull) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
        return MACHINE_FILES.writeSync(...args)
      },
    }
    const file = TagFile.open(folder, 1, false, files)
    assert.equal(file.append(hashTag('tag', 'a'), 5), true)
    isFull = true
    assert.equal(file.append(hashTag('tag', 'b'), 6), false)
    isFull = false
    assert.equal(file.append(hashTag('tag', 'c'), 7), true)
    file.close()
    const again = TagFile.open(folder, 99, false)
    assert.deepEqual([...again.voidedAt.values()], [5, 7])
    again.close()
  })
})
