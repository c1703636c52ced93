/** The eviction policies by the names that `l1.eviction` knows. */
import type { Heap } from '../heap.ts'
import type { SizeClasses } from '../size-classes.ts'
import { FifoPolicy } from './fifo.ts'
import { HybridPolicy } from './hybrid.ts'
import { LfuPolicy } from './lfu.ts'
import { LruPolicy } from './lru.ts'
import type { EvictionPolicy } from './policy.ts'

export const POLICY_NAMES = ['hybrid', 'lru', 'lfu', 'fifo'] as const
export type PolicyName = (typeof POLICY_NAMES)[number]

interface PolicyOptions {
  readonly policy: PolicyName
  /** The most items there can be, 0 if only memory limits them. */
  readonly entriesMax: number
  /** Memory for items at first. */
  readonly memoryBytesMax: number
}

type Create = (heap: Heap, options: PolicyOptions, classes: SizeClasses) => EvictionPolicy

const REGISTRY: Record<PolicyName, Create> = {
  lru: (heap) => new LruPolicy(heap),
  fifo: (heap) => new FifoPolicy(heap),
  lfu: (heap) => new LfuPolicy(heap),
  hybrid: (heap, { entriesMax, memoryBytesMax }, classes) =>
    new HybridPolicy(heap, entriesMax, classes, memoryBytesMax),
}

export function createPolicy(
  options: PolicyOptions,
  heap: Heap,
  classes: SizeClasses,
): EvictionPolicy {
  return REGISTRY[options.policy](heap, options, classes)
}
