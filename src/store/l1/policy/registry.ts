/** The eviction policies by the names that `l1.eviction` knows. */
import type { Heap } from '../heap.ts'
import { LruPolicy } from './lru.ts'
import type { EvictionPolicy } from './policy.ts'

export type PolicyName = 'lru'

const REGISTRY: Record<PolicyName, (heap: Heap) => EvictionPolicy> = {
  lru: (heap) => new LruPolicy(heap),
}

export function createPolicy(name: PolicyName, heap: Heap): EvictionPolicy {
  return REGISTRY[name](heap)
}
