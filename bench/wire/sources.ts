// What a client asks next. A source adds one request (or one small group) to a client's output.

import { type Client } from './client.ts'
import { type Dataset } from './dataset.ts'
import { drawFlags, drawKeys, seededRandom } from './draws.ts'
import { COUNTERS_PER_CONNECTION, type Workload } from './workloads.ts'

export interface Source {
  /** Adds the next request; false if there are no more. */
  add(client: Client, clientIndex: number, dueMs: number): boolean
}

/** Drawn keys repeat after this many, a power of two: more than any cache level holds of the choices. */
const DRAWS = 1 << 20
/** Quiet sets in a row, before one that is answered and so says that the others have been processed. */
const QUIET_GROUP = 31
const CHOICE_SEED_OFFSET = 7919

/** The drawn choices of a workload, endless. */
export function drawnSource(workload: Workload, keys: Uint32Array, seed: number): Source {
  let next = 0
  if (workload.kind === 'incr') {
    return {
      add(client, clientIndex, dueMs) {
        const counter = keys[next++ & (keys.length - 1)]!
        client.incr(clientIndex * COUNTERS_PER_CONNECTION + counter, dueMs)
        return true
      },
    }
  }
  if (workload.kind === 'multiget') {
    return {
      add(client, _clientIndex, dueMs) {
        client.multiget(next & (keys.length - 1), dueMs)
        next += workload.multigetWidth
        return true
      },
    }
  }
  const isSet = drawFlags(DRAWS, workload.setShare, seededRandom(seed + CHOICE_SEED_OFFSET))
  return {
    add(client, _clientIndex, dueMs) {
      const at = next++ & (DRAWS - 1)
      if (isSet[at] === 1) client.set(keys[at]!, dueMs)
      else client.get(keys[at]!, dueMs)
      return true
    },
  }
}

export function drawnKeys(workload: Workload, seed: number): Uint32Array {
  const keyCount = workload.kind === 'incr' ? COUNTERS_PER_CONNECTION : workload.data.keyCount
  return drawKeys(DRAWS, keyCount, workload.zipfExponent, seededRandom(seed))
}

/** Every key of the dataset once, set. */
export function setAll(dataset: Dataset): Source {
  return eachKey(dataset, (client, key, dueMs) => client.set(key, dueMs))
}

/** Every key of the dataset once, got, in the order in which they were set. */
export function getAll(dataset: Dataset): Source {
  return eachKey(dataset, (client, key, dueMs) => client.get(key, dueMs))
}

/** Every `step`th key of the dataset, got. */
export function getSample(dataset: Dataset, step: number): Source {
  return eachKey(dataset, (client, key, dueMs) => client.get(key, dueMs), step)
}

/** Every key of the dataset once, most of them set without a reply. */
export function populateQuietly(dataset: Dataset): Source {
  let next = 0
  return {
    add(client, _clientIndex, dueMs) {
      if (next === dataset.keyCount) return false
      const loud = Math.min(next + QUIET_GROUP, dataset.keyCount - 1)
      while (next < loud) client.setQuietly(next++)
      client.set(next++, dueMs)
      return true
    },
  }
}

/** Every connection sets its own counters. */
export function populateCounters(connections: number): Source {
  const done = new Uint32Array(connections)
  return {
    add(client, clientIndex, dueMs) {
      const counter = done[clientIndex]!
      if (counter === COUNTERS_PER_CONNECTION) return false
      done[clientIndex] = counter + 1
      client.setCounter(clientIndex * COUNTERS_PER_CONNECTION + counter, dueMs)
      return true
    },
  }
}

function eachKey(
  dataset: Dataset,
  request: (client: Client, key: number, dueMs: number) => void,
  step = 1,
): Source {
  let next = 0
  return {
    add(client, _clientIndex, dueMs) {
      if (next >= dataset.keyCount) return false
      request(client, next, dueMs)
      next += step
      return true
    },
  }
}
