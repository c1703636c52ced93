/** Items on their way between the tiers. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ManualClock } from '../../../src/observe/clock.ts'
import { METRIC } from '../../../src/observe/metrics.ts'
import { Generation } from '../../../src/store/l2/generation.ts'
import { KeyMap } from '../../../src/store/l2/key-map.ts'
import { until } from '../../helpers/library.ts'
import { turns } from '../../helpers/server.ts'
import { MISS, Tiers, hitText, quickFolder, setText } from '../../helpers/tiers.ts'

const LARGE = 'L'.repeat(600_000)

describe('an item that may not go to disk', () => {
  for (const [how, change] of [
    ['touched', 'touch k 10000\r\n'],
    ['set again in its place', setText('k', 'w', 10_000)],
    ['set again with another length', setText('k', 'w'.repeat(5000), 10_000)],
  ] as const) {
    it(`goes there at a stop when it is ${how} so that it may`, async (t) => {
      const root = quickFolder(t)
      const clock = new ManualClock()
      const settings = { 'l2.min_ttl': '60s' }
      const tiers = await Tiers.open(root, { settings, clock })
      await tiers.ask(setText('k', 'v', 10))
      await tiers.written()
      assert.equal(tiers.count(METRIC.L2_REFUSED), 1)
      await tiers.ask(change)
      const reply = await tiers.ask('get k\r\n')
      await tiers.close()
      const again = await Tiers.open(root, { settings, clock })
      assert.equal(await again.ask('get k\r\n'), reply)
      assert.notEqual(reply, MISS)
      await again.close()
    })
  }

  it('does not leave the value before it on disk', async (t) => {
    const root = quickFolder(t)
    const settings = { 'l2.min_item_size': '10' }
    const tiers = await Tiers.open(`${root}/data`, { settings })
    await tiers.ask(setText('k', 'a long value'))
    await tiers.written()
    await tiers.ask(setText('k', 'short'))
    await tiers.written()
    tiers.crashTo(`${root}/crash`)
    const crashed = await Tiers.open(`${root}/crash`, { settings })
    assert.equal(await crashed.ask('get k\r\n'), MISS)
    await crashed.close()
    tiers.evictAll()
    assert.equal(await tiers.ask('get k\r\n'), MISS)
    assert.equal(tiers.count(METRIC.EVICTIONS), 1)
    await tiers.close()
  })
})

describe('an item that cannot be read from disk', () => {
  it('stays deleted when it was deleted meanwhile', async (t) => {
    const root = quickFolder(t)
    const tiers = await Tiers.open(root)
    await tiers.ask(setText('k', 'v'))
    await tiers.written()
    tiers.evictAll()
    t.mock.method(Generation.prototype, 'readNow', () => undefined)
    const read = t.mock.method(Generation.prototype, 'read', () => Promise.resolve([undefined]))
    assert.equal(await tiers.ask('get k\r\n'), MISS)
    assert.equal(await tiers.ask('delete k\r\n'), 'NOT_FOUND\r\n')
    read.mock.restore()
    assert.equal(await tiers.ask('get k\r\n'), MISS)
    await tiers.close()
    const again = await Tiers.open(root)
    assert.equal(await again.ask('get k\r\n'), MISS)
    await again.close()
  })

  it('is a miss that is counted, and is found when it can be read again', async (t) => {
    const root = quickFolder(t)
    const tiers = await Tiers.open(root)
    await tiers.ask(setText('k', 'v'))
    await tiers.written()
    tiers.evictAll()
    const readNow = t.mock.method(Generation.prototype, 'readNow', refuseNow)
    const read = t.mock.method(Generation.prototype, 'read', refuse)
    assert.equal(await tiers.ask('get k\r\n'), MISS)
    assert.deepEqual([tiers.count(METRIC.L2_READ_ERRORS), tiers.count(METRIC.L2_MISSES)], [1, 1])
    read.mock.restore()
    readNow.mock.restore()
    assert.equal(await tiers.ask('get k\r\n'), hitText('k', 'v'))
    await tiers.close()
  })
})

describe('on-evict', () => {
  const settings = { 'l2.write_policy': 'on-evict' }

  it('leaves no older value for a crash where a large value came and went', async (t) => {
    const root = quickFolder(t)
    const tiers = await Tiers.open(`${root}/data`, { settings })
    await tiers.ask(setText('k', 'old'))
    tiers.evictAll()
    await tiers.written()
    await tiers.ask(setText('k', LARGE) + setText('k', 'new'))
    for (const key of ['one', 'two']) {
      await tiers.ask(setText(key, LARGE))
      await tiers.written()
    }
    // Segments of the journal are removed in the background.
    await turns(50)
    tiers.crashTo(`${root}/crash`)
    const crashed = await Tiers.open(`${root}/crash`, { settings })
    assert.equal(await crashed.ask('get k\r\n'), MISS)
    await crashed.close()
    await tiers.close()
  })

  it('writes what memory holds at a stop', async (t) => {
    const root = quickFolder(t)
    const tiers = await Tiers.open(root, { settings })
    for (let i = 0; i < 100; i++) await tiers.ask(setText(`k${i}`, `v${i}`, 0, i))
    await tiers.close()
    const again = await Tiers.open(root, { settings })
    for (let i = 0; i < 100; i++) {
      assert.equal(await again.ask(`get k${i}\r\n`), hitText(`k${i}`, `v${i}`, i))
    }
    await again.close()
  })
})

function refuseNow(): never {
  throw new Error('Input/output error')
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('injected'))
}

describe('an item that comes back from disk', () => {
  it('is one that was used again for hybrid, and outlives what comes for the first time', async (t) => {
    const settings = { 'l1.eviction': 'hybrid', 'l1.max_entries': '64' }
    const tiers = await Tiers.open(quickFolder(t), { settings })
    const ten = Array.from({ length: 10 }, (_, i) => i)
    for (const i of ten) await tiers.ask(setText(`back${i}`, 'v'))
    await tiers.written()
    tiers.evictAll()
    for (const i of ten) assert.equal(await tiers.ask(`get back${i}\r\n`), hitText(`back${i}`, 'v'))
    assert.equal(tiers.count(METRIC.L2_HITS), 10)
    for (let i = 0; i < 300; i++) {
      assert.equal(await tiers.ask(`get new${i}\r\n`), MISS)
      await tiers.ask(setText(`new${i}`, 'v'))
    }
    await tiers.written()
    for (const i of ten) assert.equal(await tiers.ask(`get back${i}\r\n`), hitText(`back${i}`, 'v'))
    const fromDisk = tiers.count(METRIC.L2_HITS) - 10
    assert.ok(fromDisk <= 1, `${fromDisk} of 10 had left memory`)
    for (const i of ten) {
      assert.equal(await tiers.ask(`get new${100 + i}\r\n`), hitText(`new${100 + i}`, 'v'))
    }
    assert.ok(tiers.count(METRIC.L2_HITS) - fromDisk - 10 >= 8)
    await tiers.close()
  })
})

describe('an index that takes no more', () => {
  it('leaves a change in memory and counts it, and the rest goes on', async (t) => {
    const tiers = await Tiers.open(quickFolder(t))
    const insert = t.mock.method(KeyMap.prototype, 'insert', () => 0)
    await tiers.ask(setText('k', 'v'))
    await tiers.written()
    assert.equal(tiers.count(METRIC.L2_LOST), 1)
    assert.equal(await tiers.ask('get k\r\n'), hitText('k', 'v'))
    insert.mock.restore()
    await tiers.ask(setText('k', 'w') + setText('other', 'x'))
    await tiers.written()
    tiers.evictAll()
    assert.equal(await tiers.ask('get k\r\n'), hitText('k', 'w'))
    assert.equal(await tiers.ask('get other\r\n'), hitText('other', 'x'))
    await tiers.close()
  })
})

describe('warming up', () => {
  it('leaves values on disk that live there', async (t) => {
    const root = quickFolder(t)
    const settings = { 'l2.warmup': 'full', 'performance.large_value_threshold': '64KB' }
    const tiers = await Tiers.open(root, { settings })
    await tiers.ask(setText('large', LARGE) + setText('small', 'x'))
    await tiers.written()
    await tiers.close()
    const again = await Tiers.open(root, { settings })
    await until(() => again.cache.store.count > 0)
    await turns(50)
    assert.equal(again.cache.store.count, 1)
    assert.equal(again.count(METRIC.L2_HITS), 0)
    assert.equal(await again.ask('get small\r\n'), hitText('small', 'x'))
    assert.equal(await again.ask('get large\r\n'), hitText('large', LARGE))
    await again.close()
  })
})
