import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LfuPolicy } from '../../../../../src/store/l1/policy/lfu.ts'
import { policyBench, testPolicyContract } from '../../../../contract/policy.ts'

const createLfu = (heap: ConstructorParameters<typeof LfuPolicy>[0]): LfuPolicy =>
  new LfuPolicy(heap)

testPolicyContract('lfu', createLfu)

describe('the order of lfu', () => {
  it('has what is used often behind what is not, however long ago it was inserted', () => {
    const bench = policyBench(createLfu)
    const [often, ...others] = bench.items.slice(0, 10)
    for (const item of bench.items.slice(0, 10)) bench.policy.inserted(item)
    for (let i = 0; i < 20; i++) bench.policy.touched(often!)
    bench.policy.touched(others[0]!)
    const order = bench.order()
    assert.equal(order.at(-1), often)
    assert.equal(order.at(-2), others[0])
    assert.deepEqual(order.slice(0, 8), others.slice(1))
  })

  it('is that of the last use among items that are used equally often', () => {
    const bench = policyBench(createLfu)
    const [a, b, c] = bench.items
    for (const item of [a!, b!, c!]) bench.policy.inserted(item)
    for (const item of [b!, a!, c!]) bench.policy.touched(item)
    assert.deepEqual(bench.order(), [b, a, c])
  })

  it('has what comes back from disk behind what is new', () => {
    const bench = policyBench(createLfu)
    const [again, fresh] = bench.items
    bench.policy.insertedAgain(again!)
    bench.policy.inserted(fresh!)
    assert.deepEqual(bench.order(), [fresh, again])
  })

  it('forgets: what was used most yesterday leaves before what is used a little today', () => {
    const bench = policyBench(createLfu)
    const [yesterday, today, ...others] = bench.items.slice(0, 16)
    for (const item of bench.items.slice(0, 16)) bench.policy.inserted(item)
    for (let i = 0; i < 10_000; i++) bench.policy.touched(yesterday!)
    for (const item of others) bench.policy.touched(item)
    assert.equal(bench.order().at(-1), yesterday)
    // 40 periods of four requests per item, of which each item but one has its part.
    for (let i = 0; i < 40 * 4; i++) {
      for (const item of [today!, ...others]) bench.policy.touched(item)
    }
    assert.equal(bench.policy.victim(), yesterday)
  })
})
