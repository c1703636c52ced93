import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hashKey } from '../../../../src/engine/key-hash.ts'
import { bytesOf } from '../../../../src/bytes/ascii.ts'
import { checkIntegrity } from '../../../../src/store/l1/integrity.ts'
import { L1Store } from '../../../../src/store/l1/l1-store.ts'
import { TestStore, seededWords, valueOf } from '../../../helpers/store.ts'

const SEED = { k0: 1, k1: 2 }
const PAGE = 4096

/** A store of 64 pages, with sets and reads by name. */
class Fixture {
  readonly store: L1Store = new L1Store(
    {
      memoryBytesMax: 64 * PAGE,
      entriesMax: 0,
      evictions: true,
      policy: 'lru',
      ioBytes: 64,
      pageBytes: PAGE,
    },
    {
      evicting: () => undefined,
      moved: () => undefined,
      pageVacated: () => undefined,
    },
  )

  set(key: string, bytes: number): boolean {
    const name = bytesOf(Buffer.from(key))
    const hash = hashKey(SEED, name, 0, key.length)
    const item = this.store.reserve(hash, name, 0, key.length, bytes)
    if (item === 0) return false
    return this.store.link(item, this.store.findSameKey(item))
  }

  has(key: string): boolean {
    const name = bytesOf(Buffer.from(key))
    return this.store.find(hashKey(SEED, name, 0, key.length), name, 0, key.length) !== 0
  }

  keys(prefix: string, count: number): string[] {
    return Array.from({ length: count }, (_, i) => `${prefix}${i}`).filter((key) => this.has(key))
  }
}

describe('room for items that take whole pages', () => {
  for (const [pages, bytes] of [
    [1, 3000],
    [2, 7000],
    [5, 18_000],
  ] as const) {
    it(`is made by the oldest of them, ${pages} pages each`, () => {
      const fixture = new Fixture()
      for (let i = 0; i < 200; i++) {
        assert.ok(fixture.set(`a${i}`, bytes))
        checkIntegrity(fixture.store)
      }
      const kept = fixture.keys('a', 200)
      const expected = Array.from({ length: kept.length }, (_, i) => `a${200 - kept.length + i}`)
      assert.deepEqual(kept, expected, 'the newest are those that are there')
      // One page may be lost to the index, and the rest of a run at the end.
      assert.ok(kept.length * pages >= 64 - pages - 1, `${kept.length} items of ${pages} pages`)
    })
  }

  it('keeps the newest of those of different sizes', () => {
    const fixture = new Fixture()
    for (let i = 0; i < 400; i++) {
      assert.ok(fixture.set(`a${i}`, 3000 + (i % 4) * 4096))
      checkIntegrity(fixture.store)
      assert.ok(fixture.has(`a${i}`), 'the newest is there')
      if (i > 2) assert.ok(fixture.has(`a${i - 1}`), 'and so is the one before')
    }
  })

  it('is made by the oldest small items, of which the newest are kept', () => {
    const fixture = new Fixture()
    for (let i = 0; i < 3000; i++) fixture.set(`s${i}`, 100)
    const before = fixture.keys('s', 3000).length
    assert.ok(fixture.set('large', 9000))
    checkIntegrity(fixture.store)
    const kept = fixture.keys('s', 3000)
    const newest = Array.from({ length: kept.length }, (_, i) => `s${3000 - kept.length + i}`)
    assert.deepEqual(kept, newest, 'none was evicted out of turn')
    // Three pages of chunks of 160 bytes and what is needed to move the rest out of them.
    assert.ok(before - kept.length <= 4 * Math.ceil(PAGE / 160), `${before - kept.length} evicted`)
  })

  it('is not made twice in the same place: large items among small ones are kept in order', () => {
    const fixture = new Fixture()
    for (let i = 0; i < 3000; i++) fixture.set(`s${i}`, 100)
    for (let i = 0; i < 10; i++) assert.ok(fixture.set(`l${i}`, 7000))
    checkIntegrity(fixture.store)
    assert.equal(fixture.keys('l', 10).length, 10)
  })
})

describe('a page that is emptied in advance', () => {
  const OPTIONS = { memoryBytesMax: 160 * 4096, pageBytes: 4096 } as const

  for (const policy of ['lru', 'hybrid'] as const) {
    it(`leaves a sound store after each step, whatever happens meanwhile, with ${policy}`, () => {
      const real = new TestStore({ ...OPTIONS, policy })
      const { store } = real
      const words = seededWords(policy.length)
      const model = new Map<string, Buffer>()
      real.onEvicting = (key) => model.delete(key)
      const pinned: number[] = []
      let steps = 0
      for (let i = 0; i < 12_000; i++) {
        const key = `k${words() % 6000}`
        const what = words() % 32
        // What is stored gets larger and smaller by turns, so that memory has to move.
        const bytes = (i % 4000 < 2000 ? 20 : 700) + (words() % 40)
        if (what < 20) {
          if (real.set(key, valueOf(key, i, bytes))) model.set(key, valueOf(key, i, bytes))
          else model.delete(key)
        } else if (what < 26) real.touch(key)
        else if (what < 29) {
          real.delete(key)
          model.delete(key)
        } else if (what === 29 && real.find(key) !== 0 && pinned.length < 3) {
          store.pin(real.find(key))
          pinned.push(real.find(key))
        } else if (what === 30 && pinned.length > 0) store.unpin(pinned.shift()!)
        else if (what === 31 && words() % 8 === 0) real.set('large', valueOf('large', i, 9000))
        if (!store.isEmptying) continue
        steps++
        if (steps % 8 === 0) checkIntegrity(store)
      }
      assert.ok(steps > 200, `${steps} steps`)
      model.delete('large')
      for (const [key, value] of model) assert.deepEqual(real.get(key), value, key)
      for (const item of pinned) store.unpin(item)
      checkIntegrity(store)
    })
  }

  it('is there when a class needs it, so that nobody waits for a whole one', () => {
    const real = new TestStore(OPTIONS)
    for (let i = 0; i < 12_000; i++) assert.ok(real.set(`small${i}`, valueOf('s', 0, 20)))
    // A third of them, all over the pages, is gone: what is left of a page has to move.
    for (let i = 0; i < 12_000; i += 3) real.delete(`small${i}`)
    for (let i = 0; i < 4000; i++) assert.ok(real.set(`again${i}`, valueOf('s', 0, 20)))
    let most = 0
    for (let i = 0; i < 600; i++) {
      const before = real.itemsMoved
      assert.ok(real.set(`middle${i}`, valueOf('m', 0, 500)))
      // The first page has to be emptied at once.
      if (real.pagesVacated > 1) most = Math.max(most, real.pagesVacated - 1)
      assert.ok(real.itemsMoved - before <= 64)
    }
    assert.ok(most > 5, `${most} pages`)
    checkIntegrity(real.store)
  })

  it('is how a lower limit is reached', () => {
    const real = new TestStore({ ...OPTIONS, policy: 'hybrid' })
    const { store } = real
    for (let i = 0; i < 12_000; i++) assert.ok(real.set(`k${i}`, valueOf('v', 0, 20 + (i % 50))))
    const target = 130 * 4096
    let steps = 0
    while (store.stepTo(target)) {
      steps++
      checkIntegrity(store)
      assert.ok(steps < 2000)
      // Others go on meanwhile.
      assert.ok(real.set(`n${steps}`, valueOf('v', 0, 30)))
    }
    assert.ok(store.memoryBytes <= target)
    assert.equal(store.options.memoryBytesMax, target)
    checkIntegrity(store)
  })
})
