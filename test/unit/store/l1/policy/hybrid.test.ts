import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HybridPolicy } from '../../../../../src/store/l1/policy/hybrid.ts'
import { checkIntegrity } from '../../../../../src/store/l1/integrity.ts'
import type { PolicyName } from '../../../../../src/store/l1/policy/registry.ts'
import { policyBench, testPolicyContract } from '../../../../contract/policy.ts'
import { TestStore, seededWords, valueOf } from '../../../../helpers/store.ts'

type TheHeap = ConstructorParameters<typeof HybridPolicy>[0]

testPolicyContract('hybrid, limited by memory', (heap) => new HybridPolicy(heap, 0))
testPolicyContract('hybrid, limited by a number of items', (heap) => new HybridPolicy(heap, 32))

const createHybrid = (heap: TheHeap): HybridPolicy => new HybridPolicy(heap, 64)

const ENTRIES = 200

/** Hits of a stream of keys through a store of `ENTRIES` items, a miss being followed by a set. */
function hitsOf(policy: PolicyName, keys: readonly number[]): number {
  const real = new TestStore({ policy, entriesMax: ENTRIES })
  let hits = 0
  for (const number of keys) {
    const key = `k${number}`
    if (real.touch(key)) hits++
    else assert.ok(real.set(key, valueOf(key, 0, 8)))
  }
  return hits
}

function looped(first: number, count: number, rounds: number): number[] {
  return Array.from({ length: count * rounds }, (_, i) => first + (i % count))
}

/** How many values of some length are there after a megabyte of them was set. */
function heldAfterMegabyte(real: TestStore, bytes: number): number {
  const keys = Array.from({ length: Math.floor(2 ** 20 / (bytes + 80)) }, (_, i) => `${bytes}-${i}`)
  for (const key of keys) assert.ok(real.set(key, valueOf('v', 0, bytes)))
  checkIntegrity(real.store)
  // That all of it is asked for once makes it no better than what comes next.
  return keys.filter((key) => real.touch(key)).length
}

describe('the victim of hybrid', () => {
  it('is another one once it was used', () => {
    const bench = policyBench(createHybrid)
    for (const item of bench.items) bench.policy.inserted(item)
    const first = bench.policy.victim()
    bench.policy.touched(first)
    bench.policy.touched(first)
    assert.notEqual(bench.policy.victim(), first)
  })

  it('is found without going round and round where everything is in use', () => {
    const bench = policyBench(createHybrid)
    for (const item of bench.items) bench.policy.inserted(item)
    for (const item of [...bench.items, ...bench.items, ...bench.items]) bench.policy.touched(item)
    assert.ok(bench.items.includes(bench.policy.victim()))
    assert.equal(bench.order().length, bench.items.length)
  })

  it('is what is new and was not used, rather than what was', () => {
    const bench = policyBench(createHybrid)
    const used = bench.items.slice(0, 32)
    for (const item of used) bench.policy.inserted(item)
    for (const item of [...used, ...used]) bench.policy.touched(item)
    for (const item of bench.items.slice(32)) bench.policy.inserted(item)
    // The few that are then left of the new ones are their share.
    for (let i = 0; i < 28; i++) {
      const victim = bench.policy.victim()
      assert.ok(!used.includes(victim), `victim ${i}`)
      bench.policy.removed(victim)
    }
  })
})

describe('hybrid', () => {
  it('keeps what is in use while others are asked for once', () => {
    const random = seededWords(12)
    let scanned = 1000
    // Of two requests, one is for 150 keys that fit, one is for a key that never comes again.
    const keys = Array.from({ length: 20_000 }, (_, i) =>
      i % 2 === 0 ? random() % 150 : scanned++,
    )
    const hits = hitsOf('hybrid', keys)
    assert.ok(hits > 0.95 * 10_000, `${hits} of 10000`)
    assert.ok(hitsOf('lru', keys) < 0.75 * 10_000)
  })

  it('holds a part of a loop that does not fit, where LRU has no hit at all', () => {
    const keys = looped(0, 300, 60)
    assert.equal(hitsOf('lru', keys), 0)
    const hits = hitsOf('hybrid', keys)
    assert.ok(hits > 0.5 * keys.length, `${hits} of ${keys.length}`)
  })

  it('lets yesterday go when the load changes', () => {
    const keys = [...looped(0, 190, 100), ...looped(1000, 190, 100)]
    const hits = hitsOf('hybrid', keys)
    assert.ok(hits > 0.95 * keys.length, `${hits} of ${keys.length}`)
  })

  it('holds what is new where nobody asks for anything, whatever the sizes', () => {
    const options = { policy: 'hybrid', memoryBytesMax: 2 ** 20, pageBytes: 16_384 } as const
    const real = new TestStore(options)
    for (const bytes of [100, 1000, 6000]) {
      const fresh = heldAfterMegabyte(new TestStore(options), bytes)
      const now = heldAfterMegabyte(real, bytes)
      assert.ok(now > 0.85 * fresh, `${now} of ${fresh} with ${bytes} bytes`)
    }
  })

  it('is not flooded by those who ask before they write', () => {
    const real = new TestStore({ policy: 'hybrid', entriesMax: ENTRIES })
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 150; i++) if (!real.touch(`k${i}`)) real.set(`k${i}`, valueOf('s', 0, 8))
    }
    for (let i = 0; i < 1000; i++) {
      if (!real.touch(`scan${i}`)) real.set(`scan${i}`, valueOf('s', 0, 8))
    }
    let left = 0
    for (let i = 0; i < 150; i++) if (real.find(`k${i}`) !== 0) left++
    assert.ok(left > 140, `${left} of 150`)
  })

  it('is as good as LRU where only the order of the last use counts', () => {
    // Each second request is for a key that came a short while ago; what is older never comes again.
    const random = seededWords(31)
    const again = (i: number): number => Math.max(0, i - 1 - 2 * (random() % 80))
    const keys = Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? i : again(i)))
    const hits = hitsOf('hybrid', keys)
    const lruHits = hitsOf('lru', keys)
    assert.ok(lruHits > 0.9 * 10_000)
    assert.ok(hits > 0.97 * lruHits, `${hits} of ${lruHits}`)
  })

  it('gives one large item its share of the bytes only', () => {
    const real = new TestStore({ policy: 'hybrid' })
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 300; i++) {
        if (!real.touch(`small-${i}`)) real.set(`small-${i}`, valueOf('s', 0, 20))
      }
    }
    for (let i = 0; i < 200; i++) {
      if (!real.touch(`large-${i}`)) real.set(`large-${i}`, valueOf('l', 0, 1900))
    }
    let left = 0
    for (let i = 0; i < 300; i++) if (real.find(`small-${i}`) !== 0) left++
    assert.ok(left > 240, `${left} of 300`)
  })
})
