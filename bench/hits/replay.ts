// Replays a trace through the real cache, in this process: a get that misses is followed by a set.
//
// Values are reserved and not written, so that only headers and keys take memory of the machine.

import { bytesOf } from '../../src/bytes/ascii.ts'
import { Cache } from '../../src/engine/cache.ts'
import { ManualClock } from '../../src/observe/clock.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import type { PolicyName } from '../../src/store/l1/policy/registry.ts'
import { TRACE_OP, type Trace } from './trace.ts'

/** A size in items, or else in bytes of memory. */
export interface StoreSize {
  readonly unit: 'items' | 'bytes'
  readonly amount: number
}

export interface Replayed {
  readonly gets: number
  readonly hits: number
  readonly getBytes: number
  readonly hitBytes: number
  /** Sets for which no memory could be had. */
  readonly refused: number
  readonly elapsedMs: number
}

const IO_BYTES = 512
const KEY_BYTES = 8
/** With less, items that are too large for a page of the store have no place in it. */
const MEMORY_BYTES_MIN = 2 ** 26
const MEMORY_BYTES_MAX = 3.5 * 2 ** 30
/** Bytes per item of a store that is limited by the number of items: header, key, bucket, rounding. */
const ITEM_OVERHEAD_BYTES = 128
/** How much more memory than that, so that it never binds. */
const SPARE_FACTOR = 3

export function replay(trace: Trace, policy: PolicyName, size: StoreSize, seed: number): Replayed {
  const clock = new ManualClock()
  const cache = new Cache(
    {
      memoryBytesMax: size.unit === 'bytes' ? size.amount : memoryFor(trace, size.amount),
      entriesMax: size.unit === 'items' ? size.amount : 0,
      evictions: true,
      policy,
      ioBytes: IO_BYTES,
    },
    clock,
    new Metrics(),
    { k0: seed, k1: ~seed },
  )
  const key = bytesOf(Buffer.alloc(KEY_BYTES))
  let [gets, hits, getBytes, hitBytes, refused, seconds] = [0, 0, 0, 0, 0, 0]
  const startMs = performance.now()
  for (let i = 0; i < trace.keys.length; i++) {
    const nowS = Math.floor((trace.timesMs?.[i] ?? 0) / 1000)
    if (nowS > seconds) {
      clock.advance(nowS - seconds)
      seconds = nowS
      cache.tick()
    }
    const op = trace.ops?.[i] ?? TRACE_OP.GET
    const bytes = trace.sizes?.[i] ?? trace.sizeDefault
    key.view.setUint32(0, trace.keys[i]!)
    const hash = cache.hash(key, 0, KEY_BYTES)
    const item = cache.findInMemory(hash, key, 0, KEY_BYTES)
    if (op === TRACE_OP.GET) {
      gets++
      getBytes += bytes
      if (item !== 0) {
        hits++
        hitBytes += bytes
        cache.touch(item)
        continue
      }
      cache.store.policy.missed()
    } else if (op === TRACE_OP.DELETE) {
      if (item !== 0) cache.remove(item)
      continue
    }
    const ttlS = trace.ttlsS?.[i] ?? 0
    const exptimeS = ttlS === 0 ? 0 : clock.nowS + ttlS
    if (item !== 0 && cache.rewrite(item, bytes, 0, exptimeS)) continue
    const reserved = cache.reserve(hash, key, 0, KEY_BYTES, bytes, 0, exptimeS)
    if (reserved === 0) refused++
    else cache.link(reserved, cache.findSameKeyInMemory(reserved))
  }
  return { gets, hits, getBytes, hitBytes, refused, elapsedMs: performance.now() - startMs }
}

/** Memory in which that many items of a trace fit, whichever they are. */
function memoryFor(trace: Trace, items: number): number {
  let [sum, largest] = [0, trace.sizeDefault]
  for (const size of trace.sizes ?? []) {
    sum += size
    if (size > largest) largest = size
  }
  const mean = trace.sizes === null ? trace.sizeDefault : sum / trace.sizes.length
  const wanted = SPARE_FACTOR * items * (mean + ITEM_OVERHEAD_BYTES) + 64 * largest
  return Math.min(MEMORY_BYTES_MAX, Math.max(MEMORY_BYTES_MIN, Math.ceil(wanted)))
}
