import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FifoPolicy } from '../../../../../src/store/l1/policy/fifo.ts'
import { policyBench, testPolicyContract } from '../../../../contract/policy.ts'

const createFifo = (heap: ConstructorParameters<typeof FifoPolicy>[0]): FifoPolicy =>
  new FifoPolicy(heap)

testPolicyContract('fifo', createFifo)

describe('the order of fifo', () => {
  it('is that of insertion, whatever is used or rewritten', () => {
    const bench = policyBench(createFifo)
    for (const item of bench.items) bench.policy.inserted(item)
    bench.policy.touched(bench.items[0]!)
    bench.policy.rewritten(bench.items[1]!)
    assert.deepEqual(bench.order(), bench.items)
  })

  it('has a new value of a key where the old one was', () => {
    const bench = policyBench(createFifo)
    const [a, b, c, d] = bench.items
    for (const item of [a!, b!, c!]) bench.policy.inserted(item)
    bench.policy.replaced(b!, d!)
    assert.deepEqual(bench.order(), [a, d, c])
  })
})
