// Exact LRU and FIFO over a Map: what the policies of these names must equal, hit by hit.
//
// A set of a key that is there counts as a use for LRU; in FIFO it changes nothing. What has expired is
// noticed when it is asked for, as in a store without a sweep.

import { TRACE_OP, type Trace } from './trace.ts'

export const SIMULATED = ['lru', 'fifo'] as const
export type SimulatedPolicy = (typeof SIMULATED)[number]

/** Gets that hit with room for `capacity` items. */
export function simulateHits(trace: Trace, policy: SimulatedPolicy, capacity: number): number {
  /** When items expire, in the order of eviction. */
  const items = new Map<number, number>()
  let hits = 0
  for (let i = 0; i < trace.keys.length; i++) {
    const key = trace.keys[i]!
    const op = trace.ops?.[i] ?? TRACE_OP.GET
    if (op === TRACE_OP.DELETE) {
      items.delete(key)
      continue
    }
    const nowS = Math.floor((trace.timesMs?.[i] ?? 0) / 1000)
    const ttlS = trace.ttlsS?.[i] ?? 0
    const freshUntilS = ttlS === 0 ? Infinity : nowS + ttlS
    const expiresS = items.get(key)
    if (expiresS === undefined || expiresS <= nowS) {
      items.delete(key)
      if (items.size >= capacity) items.delete(items.keys().next().value!)
      items.set(key, freshUntilS)
      continue
    }
    if (op === TRACE_OP.GET) hits++
    if (policy === 'lru') items.delete(key)
    if (policy === 'lru' || op === TRACE_OP.SET)
      items.set(key, op === TRACE_OP.SET ? freshUntilS : expiresS)
  }
  return hits
}
