/**
 * What every eviction policy has to do, whatever its order: hold each linked item exactly once,
 * lose none, free none, and stay the same when an item moves.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createHeap } from '../../src/store/l1/heap.ts'
import type { Heap } from '../../src/store/l1/heap.ts'
import { initialize } from '../../src/store/l1/layout.ts'
import type { EvictionPolicy } from '../../src/store/l1/policy/policy.ts'
import { seededWords } from '../helpers/store.ts'

const ITEM_BYTES = 64
const ITEMS = 64

/** A policy over items that nobody else keeps. */
export interface PolicyBench {
  readonly heap: Heap
  readonly policy: EvictionPolicy
  /** Handles of items, not inserted yet. */
  readonly items: readonly number[]
  /** The items of the policy in the order in which they would be evicted. */
  order(): number[]
  /** Copies an item to another place, as the store does before it says `relocated`. */
  relocate(from: number, to: number): void
}

export function policyBench(create: (heap: Heap) => EvictionPolicy): PolicyBench {
  const heap = createHeap(64, 8192, 1)
  const items = Array.from({ length: ITEMS }, (_, i) => (64 + i * ITEM_BYTES) / 8)
  for (const item of items) initialize(heap.words, item, item, 1, 0, 1)
  const policy = create(heap)
  return {
    heap,
    policy,
    items,
    order() {
      const order: number[] = []
      for (let item = policy.victim(); item !== 0; item = policy.after(item)) {
        order.push(item)
        assert.ok(order.length <= ITEMS, 'the walk ends')
      }
      return order
    },
    relocate(from, to) {
      heap.bytes.buffer.copyWithin(to * 8, from * 8, from * 8 + ITEM_BYTES)
      policy.relocated(from, to)
      // Whatever still reads the old place finds nothing that makes sense.
      heap.words.fill(-1, from * 2, from * 2 + ITEM_BYTES / 4)
    },
  }
}

const ascending = (items: Iterable<number>): number[] => [...items].sort((a, b) => a - b)

/** Declares the tests of the contract for one policy. */
export function testPolicyContract(name: string, create: (heap: Heap) => EvictionPolicy): void {
  describe(`the eviction policy ${name}`, () => {
    it('has no victim while it holds nothing', () => {
      const { policy, items } = policyBench(create)
      assert.equal(policy.victim(), 0)
      policy.inserted(items[0]!)
      assert.equal(policy.victim(), items[0])
      assert.equal(policy.after(items[0]!), 0)
      policy.removed(items[0]!)
      assert.equal(policy.victim(), 0)
    })

    it('names every item that was inserted, once', () => {
      const bench = policyBench(create)
      for (const item of bench.items) bench.policy.inserted(item)
      assert.deepEqual(ascending(bench.order()), bench.items)
    })

    it('keeps its order while it is only asked for it', () => {
      const bench = policyBench(create)
      for (const item of bench.items) bench.policy.inserted(item)
      const order = bench.order()
      assert.deepEqual(bench.order(), order)
      assert.equal(bench.policy.victim(), order[0])
    })

    it('drops its victims one after the other until it is empty', () => {
      const bench = policyBench(create)
      for (const item of bench.items) bench.policy.inserted(item)
      const seen: number[] = []
      for (let item = bench.policy.victim(); item !== 0; item = bench.policy.victim()) {
        seen.push(item)
        bench.policy.removed(item)
      }
      assert.deepEqual(ascending(seen), bench.items)
    })

    it('gives a copy the place of the item that it was copied from', () => {
      for (const place of [0, 1, 5, 9]) {
        const bench = policyBench(create)
        for (const item of bench.items.slice(0, 10)) bench.policy.inserted(item)
        bench.policy.touched(bench.items[3]!)
        const order = bench.order()
        const from = order[place]!
        const to = bench.items[20]!
        bench.relocate(from, to)
        assert.deepEqual(bench.order(), order.with(place, to))
      }
    })

    it('gives a copy its place when it is the only item', () => {
      const bench = policyBench(create)
      bench.policy.inserted(bench.items[0]!)
      bench.relocate(bench.items[0]!, bench.items[1]!)
      assert.deepEqual(bench.order(), [bench.items[1]])
      bench.policy.removed(bench.items[1]!)
      assert.deepEqual(bench.order(), [])
    })

    it('gives a new item the place of the one with its key', () => {
      const bench = policyBench(create)
      for (const item of bench.items.slice(0, 10)) bench.policy.inserted(item)
      const [from, to] = [bench.items[4]!, bench.items[20]!]
      bench.policy.replaced(from, to)
      const left = bench.items.slice(0, 10).with(4, to)
      assert.deepEqual(ascending(bench.order()), ascending(left))
    })

    it('evicts next what was inserted cold, the last of those first', () => {
      const bench = policyBench(create)
      for (const item of bench.items.slice(0, 10)) bench.policy.inserted(item)
      bench.policy.insertedCold(bench.items[20]!)
      assert.equal(bench.policy.victim(), bench.items[20])
      bench.policy.insertedCold(bench.items[21]!)
      assert.equal(bench.policy.victim(), bench.items[21])
      bench.policy.removed(bench.items[21]!)
      bench.policy.removed(bench.items[20]!)
      assert.deepEqual(ascending(bench.order()), bench.items.slice(0, 10))
    })

    it('goes on with a walk from which items are removed', () => {
      const random = seededWords(7)
      const bench = policyBench(create)
      for (const item of bench.items) {
        bench.policy.inserted(item)
        if (random() % 2 === 0) bench.policy.touched(bench.items[0]!)
      }
      for (const item of bench.items.slice(20, 40)) bench.policy.touched(item)
      const seen: number[] = []
      for (let item = bench.policy.victim(); item !== 0;) {
        const next = bench.policy.after(item)
        seen.push(item)
        if (seen.length % 3 !== 2) bench.policy.removed(item)
        item = next
      }
      assert.deepEqual(ascending(seen), bench.items)
    })

    it('loses and doubles nothing in any sequence of calls', () => {
      const random = seededWords(2026)
      const bench = policyBench(create)
      const outside = new Set(bench.items)
      const inside = new Set<number>()
      const anyOf = (items: Set<number>): number => [...items][random() % items.size]!
      for (let step = 0; step < 5000; step++) {
        const call = random() % 7
        if (call <= 1 && outside.size > 0) {
          const item = anyOf(outside)
          initialize(bench.heap.words, item, item, 1, 0, 1)
          const kind = random() % 8
          if (kind === 0) bench.policy.insertedCold(item)
          else if (kind === 1) bench.policy.insertedAgain(item)
          else bench.policy.inserted(item)
          outside.delete(item)
          inside.add(item)
        } else if (call === 2 && inside.size > 0) {
          bench.policy.touched(anyOf(inside))
        } else if (call === 5 && inside.size > 0) {
          bench.policy.rewritten(anyOf(inside))
        } else if (call === 6 && inside.size > 0 && outside.size > 0) {
          const from = anyOf(inside)
          const to = anyOf(outside)
          initialize(bench.heap.words, to, from, 1, 0, 1)
          bench.policy.replaced(from, to)
          inside.delete(from)
          inside.add(to)
          outside.delete(to)
          outside.add(from)
        } else if (call === 3 && inside.size > 0) {
          const item = random() % 2 === 0 ? bench.policy.victim() : anyOf(inside)
          bench.policy.removed(item)
          inside.delete(item)
          outside.add(item)
        } else if (inside.size > 0 && outside.size > 0) {
          const from = anyOf(inside)
          const to = anyOf(outside)
          bench.relocate(from, to)
          inside.delete(from)
          inside.add(to)
          outside.delete(to)
          outside.add(from)
        }
        assert.deepEqual(ascending(bench.order()), ascending(inside))
      }
    })
  })
}
