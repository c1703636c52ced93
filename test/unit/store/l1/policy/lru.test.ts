import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LruPolicy } from '../../../../../src/store/l1/policy/lru.ts'
import { policyBench, testPolicyContract } from '../../../../contract/policy.ts'
import { seededWords } from '../../../../helpers/store.ts'

const createLru = (heap: ConstructorParameters<typeof LruPolicy>[0]): LruPolicy =>
  new LruPolicy(heap)

testPolicyContract('lru', createLru)

describe('the order of lru', () => {
  it('is that of insertion while nothing is used', () => {
    const bench = policyBench(createLru)
    for (const item of bench.items) bench.policy.inserted(item)
    assert.deepEqual(bench.order(), bench.items)
  })

  it('has what was used last at its end', () => {
    const bench = policyBench(createLru)
    const [a, b, c] = bench.items
    for (const item of [a!, b!, c!]) bench.policy.inserted(item)
    bench.policy.touched(a!)
    assert.deepEqual(bench.order(), [b, c, a])
    bench.policy.touched(c!)
    assert.deepEqual(bench.order(), [b, a, c])
    bench.policy.touched(c!)
    assert.deepEqual(bench.order(), [b, a, c])
  })

  it('is that of a list in any sequence of calls', () => {
    const random = seededWords(99)
    const bench = policyBench(createLru)
    let list: number[] = []
    for (let step = 0; step < 5000; step++) {
      const item = bench.items[random() % 24]!
      if (!list.includes(item)) bench.policy.inserted(item)
      else if (random() % 3 === 0) bench.policy.removed(item)
      else bench.policy.touched(item)
      const isThere = bench.order().includes(item)
      list = list.filter((other) => other !== item)
      if (isThere) list.push(item)
      assert.deepEqual(bench.order(), list)
    }
  })
})
