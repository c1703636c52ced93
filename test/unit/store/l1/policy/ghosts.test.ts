import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Ghosts } from '../../../../../src/store/l1/policy/ghosts.ts'
import { seededWords } from '../../../../helpers/store.ts'

const ITEMS = 6000

function grown(): Ghosts {
  const ghosts = new Ghosts(ITEMS)
  for (let items = 1; items <= ITEMS; items++) ghosts.growFor(items)
  return ghosts
}

describe('the ghosts', () => {
  it('remember a key once', () => {
    const ghosts = new Ghosts(100)
    assert.equal(ghosts.take(12_345), false)
    ghosts.add(12_345, 90)
    assert.equal(ghosts.take(12_345), true)
    assert.equal(ghosts.take(12_345), false)
  })

  it('remember as many keys as they are told to live, and forget the older ones', () => {
    const random = seededWords(4)
    const ghosts = grown()
    const keys = Array.from({ length: 4 * ITEMS }, () => random() | 0)
    const lifetime = 0.9 * ITEMS
    for (const key of keys) ghosts.add(key, lifetime)
    const young = keys.slice(-lifetime)
    const old = keys.slice(0, -Math.ceil(lifetime * 1.2))
    const remembered = young.filter((key) => ghosts.take(key)).length
    assert.ok(remembered > 0.93 * young.length, `${remembered} of ${young.length}`)
    const surviving = old.filter((key) => ghosts.take(key)).length
    assert.ok(surviving < 0.01 * old.length, `${surviving} of ${old.length}`)
  })

  it('forget a key however seldom its bucket is used, before its age comes round again', () => {
    const ghosts = grown()
    ghosts.add(7, 120)
    // Another bucket, time and again; the sweep has to come by.
    for (let i = 0; i < 4000; i++) {
      ghosts.add((i << 16) | 8, 120)
      if (i > 1500) assert.equal(ghosts.take(7), false, `after ${i}`)
    }
  })

  it('are not lost while the table grows', () => {
    const random = seededWords(6)
    const ghosts = new Ghosts(ITEMS)
    const keys = Array.from({ length: 150 }, () => random() | 0)
    for (const key of keys) ghosts.add(key, 10_000)
    for (let items = 1; items <= ITEMS; items++) ghosts.growFor(items)
    assert.ok(ghosts.memoryBytes >= ITEMS * 2 && ghosts.memoryBytes < ITEMS * 3)
    const found = keys.filter((key) => ghosts.take(key)).length
    assert.ok(found > 140, `${found}`)
  })
})
