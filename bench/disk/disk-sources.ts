// What the clients of the disk benchmarks ask next.

import { type Client } from '../wire/client.ts'
import { drawKeys, seededRandom } from '../wire/draws.ts'
import { type Source } from '../wire/sources.ts'

/** Drawn keys repeat after this many, a power of two. */
const DRAWS = 1 << 20

/** Gets keys of a Zipf popularity, and sets each that was missing; for one request at a time. */
export function cacheAside(
  keyCount: number,
  zipfExponent: number,
  connections: number,
  seed: number,
): Source {
  const keys = drawKeys(DRAWS, keyCount, zipfExponent, seededRandom(seed))
  const lastKey = new Uint32Array(connections)
  const missesSeen = new Float64Array(connections)
  let next = 0
  return {
    add(client: Client, index: number, dueMs: number): boolean {
      const { misses } = client.checker.tally
      if (misses > missesSeen[index]!) {
        missesSeen[index] = misses
        client.set(lastKey[index]!, dueMs)
        return true
      }
      const key = keys[next++ & (DRAWS - 1)]!
      lastKey[index] = key
      client.get(key, dueMs)
      return true
    },
  }
}

/**
 * Gets all keys in one random order, again and again. With LRU and more keys than fit, each has left memory long
 * before its turn comes again.
 */
export function sweep(keyCount: number, seed: number): Source {
  const keys = shuffled(keyCount, seed)
  let next = 0
  return {
    add(client: Client, _index: number, dueMs: number): boolean {
      client.get(keys[next]!, dueMs)
      next = next + 1 === keyCount ? 0 : next + 1
      return true
    },
  }
}

/** All keys in one random order, once. */
export function sweepOnce(keyCount: number, seed: number): Source {
  const keys = shuffled(keyCount, seed)
  let next = 0
  return {
    add(client: Client, _index: number, dueMs: number): boolean {
      if (next === keyCount) return false
      client.get(keys[next++]!, dueMs)
      return true
    },
  }
}

/** Sets, or with `setShare` below 1 sometimes gets, of keys that are drawn. Ends after `requests`. */
export function drawn(
  keyCount: number,
  zipfExponent: number,
  setShare: number,
  seed: number,
  requests: number = Infinity,
): Source {
  const random = seededRandom(seed)
  const keys = drawKeys(DRAWS, keyCount, zipfExponent, random)
  const isSet = Uint8Array.from({ length: DRAWS }, () => (random() < setShare ? 1 : 0))
  let next = 0
  return {
    add(client: Client, _index: number, dueMs: number): boolean {
      if (next >= requests) return false
      const at = next++ & (DRAWS - 1)
      if (isSet[at] === 1) client.set(keys[at]!, dueMs)
      else client.get(keys[at]!, dueMs)
      return true
    },
  }
}

function shuffled(count: number, seed: number): Uint32Array {
  const random = seededRandom(seed)
  const keys = Uint32Array.from({ length: count }, (_value, index) => index)
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const key = keys[i]!
    keys[i] = keys[j]!
    keys[j] = key
  }
  return keys
}
