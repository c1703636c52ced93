/** The eviction policies by the names that `l1.eviction` knows. */
import type { Heap } from '../heap.ts'
import { FifoPolicy } from './fifo.ts'
import { HybridPolicy } from './hybrid.ts'
import { LfuPolicy } from './lfu.ts'
import { LruPolicy } from './lru.ts'
import type { EvictionPolicy } from './policy.ts'

export const POLICY_NAMES = ['hybrid', 'lru', 'lfu', 'fifo'] as const
export type PolicyName = (typeof POLICY_NAMES)[number]

const REGISTRY: Record<PolicyName, (heap: Heap, entriesMax: number) => EvictionPolicy> = {
  lru: (heap) => new LruPolicy(heap),
  fifo: (heap) => new FifoPolicy(heap),
  lfu: (heap) => new LfuPolicy(heap),
  hybrid: (heap, entriesMax) => new HybridPolicy(heap, entriesMax),
}

/** `entriesMax` is the most items there can be, 0 if only memory limits them. */
export function createPolicy(name: PolicyName, heap: Heap, entriesMax: number): EvictionPolicy {
  return REGISTRY[name](heap, entriesMax)
}
