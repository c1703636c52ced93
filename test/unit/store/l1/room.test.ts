import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hashKey } from '../../../../src/engine/key-hash.ts'
import { bytesOf } from '../../../../src/bytes/ascii.ts'
import { checkIntegrity } from '../../../../src/store/l1/integrity.ts'
import { L1Store } from '../../../../src/store/l1/l1-store.ts'

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
