/** The eviction policies by the names that `l1.eviction` knows. */
import type { Heap } from '../heap.ts'
import { FifoPolicy } from './fifo.ts'
import { LruPolicy } from './lru.ts'
import type { EvictionPolicy } from './policy.ts'

export type PolicyName = 'lru' | 'fifo'

const REGISTRY: Record<PolicyName, (heap: Heap) => EvictionPolicy> = {
  fifo: (heap) => new FifoPolicy(heap),
  lru: (heap) => new LruPolicy(heap),
}

export function createPolicy(name: PolicyName, heap: Heap): EvictionPolicy {
  return REGISTRY[name](heap)
}
