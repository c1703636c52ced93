import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkIntegrity } from '../../../../src/store/l1/integrity.ts'
import { SizeClasses } from '../../../../src/store/l1/size-classes.ts'
import { TestStore, seededWords, valueOf } from '../../../helpers/store.ts'

const OPTIONS = { memoryBytesMax: 2 ** 22, pageBytes: 65_536 } as const
const FIXED = new SizeClasses(65_536).count

/** Fills a store with keys of eight bytes. Returns how many items it holds. */
function fill(
  real: TestStore,
  prefix: string,
  bytes: (i: number) => number,
  count: number,
): number {
  for (let i = 0; i < count; i++) {
    const key = `${prefix}${String(i).padStart(7, '0')}`
    assert.ok(real.set(key, valueOf(key, 0, bytes(i))))
  }
  return real.store.count
}

describe('a store full of values of one length', () => {
  for (const bytes of [50, 100, 250, 1000, 1024, 3000]) {
    it(`of ${bytes} bytes wastes next to nothing of its chunks`, () => {
      const real = new TestStore(OPTIONS)
      const held = fill(real, 'k', () => bytes, Math.ceil((1.3 * 2 ** 22) / (bytes + 56)))
      const { store } = real
      // A page is what cannot be divided evenly; one more is the first one, of the wider class.
      const pages = store.slabs.pageLimit - 2
      const most = pages * Math.floor(65_536 / (Math.ceil((bytes + 56) / 8) * 8))
      assert.ok(held >= 0.96 * most, `${held} of ${most}`)
      checkIntegrity(store)
    })
  }

  it('has its pages given to a fitting class also when all of them have other items', () => {
    const real = new TestStore(OPTIONS)
    fill(real, 'a', () => 100, 40_000)
    fill(real, 'b', () => 1024, 8000)
    const fresh = new TestStore(OPTIONS)
    fill(fresh, 'b', () => 1024, 8000)
    const heldOf = ({ store }: TestStore): number =>
      store.itemsOf(store.classOf(8, 1024)) / fresh.store.count
    assert.ok(heldOf(real) > 0.95, `${heldOf(real)}`)
    assert.ok(heldOf(fresh) > 0.95, `${heldOf(fresh)}`)
    checkIntegrity(real.store)
  })

  it('lets values in the wider class move over as they are written again', () => {
    const real = new TestStore(OPTIONS)
    const { store } = real
    const bytes = Math.floor(store.slabs.classes.chunkBytes[16]! * 0.9) - 56
    fill(real, 'k', () => bytes, 200)
    const classId = store.classOf(8, bytes)
    assert.ok(classId > FIXED)
    assert.ok(store.itemsOf(classId) < 200)
    fill(real, 'k', () => bytes, 200)
    assert.equal(store.itemsOf(classId), 200)
    checkIntegrity(store)
  })
})

describe('a store of values of all lengths', () => {
  it('needs no other classes', () => {
    const real = new TestStore(OPTIONS)
    const words = seededWords(4)
    fill(real, 'k', () => Math.floor(20 * 400 ** (words() / 2 ** 32)), 20_000)
    assert.equal(real.store.slabs.classes.count, FIXED)
  })

  it('never runs out of ids, whatever comes and goes', () => {
    const real = new TestStore({ ...OPTIONS, memoryBytesMax: 2 ** 21 })
    const words = seededWords(9)
    for (let round = 0; round < 60; round++) {
      const bytes = 20 + (words() % 6000)
      fill(real, `r${round % 7}`, () => bytes, Math.ceil(2 ** 20 / (bytes + 56)))
      assert.ok(real.store.slabs.classes.count <= 62)
      if (round % 5 === 0) checkIntegrity(real.store)
    }
  })
})
