/**
 * One key looked at from outside, in both tiers, without using it: nothing is loaded, counted, or moved in
 * the order of eviction. Not for commands: these run against memory.
 */
import { bytesOf } from '../bytes/ascii.ts'
import type { Bytes } from '../bytes/ascii.ts'
import { toBigInt } from '../bytes/u64.ts'
import {
  STATE,
  casHi,
  casLo,
  clientFlags,
  expiresAt,
  hasState,
  sizeClass,
  valueBytes,
  valueStart,
} from '../store/l1/layout.ts'
import { READ, emptyRecordView, readRecord } from '../store/l2/record.ts'
import type { Cache } from './cache.ts'
import type { DiskTier } from './disk-tier.ts'

/** What is known of an item. What only memory knows is null for one that is on disk only. */
export interface InspectedItem {
  readonly isInMemory: boolean
  readonly isOnDisk: boolean
  readonly valueBytes: number
  readonly clientFlags: number
  /** 0 for never. */
  readonly expiresAtS: number
  readonly cas: bigint
  readonly isFetched: boolean
  readonly isStale: boolean
  readonly isWon: boolean
  readonly idleS: number | null
  readonly sizeClass: number | null
  readonly chunkBytes: number | null
  /** The number of the generation that has it. */
  readonly generation: number | null
  /** A copy of the beginning of its value, as much as was asked for. */
  readonly value: Buffer
}

/** Resolves to what is stored under a key, null for nothing. Never rejects. */
export async function inspectKey(
  cache: Cache,
  key: Buffer,
  valueBytesMax: number,
): Promise<InspectedItem | null> {
  const bytes = bytesOf(key)
  const hash = cache.hash(bytes, 0, key.length)
  const item = cache.store.find(hash, bytes, 0, key.length)
  const { tier } = cache
  if (item !== 0 && cache.isDead(item)) return null
  if (item !== 0) return inMemory(cache, item, generationOf(tier, bytes, hash), valueBytesMax)
  return tier === null ? null : onDisk(tier, bytes, hash, valueBytesMax)
}

function inMemory(
  cache: Cache,
  item: number,
  generation: number | null,
  valueBytesMax: number,
): InspectedItem {
  const { heap } = cache.store
  const { words } = heap
  const start = valueStart(words, item)
  const length = valueBytes(words, item)
  const isChanged = hasState(words, item, STATE.CHANGED)
  return {
    isInMemory: true,
    isOnDisk: generation !== null && !isChanged,
    valueBytes: length,
    clientFlags: clientFlags(words, item),
    expiresAtS: expiresAt(words, item),
    cas: toBigInt(casHi(words, item), casLo(words, item)),
    isFetched: hasState(words, item, STATE.FETCHED),
    isStale: hasState(words, item, STATE.STALE),
    isWon: hasState(words, item, STATE.WON),
    idleS: cache.idleS(item),
    sizeClass: sizeClass(words, item),
    chunkBytes: cache.store.chunkBytes(item),
    generation: isChanged ? null : generation,
    value: copy(heap.bytes, start, Math.min(length, valueBytesMax)),
  }
}

async function onDisk(
  tier: DiskTier,
  key: Bytes,
  hash: number,
  valueBytesMax: number,
): Promise<InspectedItem | null> {
  const { l2 } = tier
  const keyBytes = key.buffer.length
  const entry = l2.find(tier.hashHi(key, 0, keyBytes), hash)
  if (entry === 0) return null
  const generation = numberOf(tier, l2.keys.generation(entry))
  const view = emptyRecordView()
  let item: InspectedItem | null = null
  await l2.read([l2.placeOf(entry)], (_index, found) => {
    if (found === undefined) return
    const { bytes, offset, end } = found
    if (readRecord(bytes, offset, end, key, 0, keyBytes, view) !== READ.OK) return
    item = {
      isInMemory: false,
      isOnDisk: true,
      valueBytes: view.valueBytes,
      clientFlags: view.clientFlags,
      expiresAtS: view.expiresAtS,
      cas: toBigInt(view.casHi, view.casLo),
      isFetched: (view.state & STATE.FETCHED) !== 0,
      isStale: (view.state & STATE.STALE) !== 0,
      isWon: (view.state & STATE.WON) !== 0,
      idleS: null,
      sizeClass: null,
      chunkBytes: null,
      generation,
      value: copy(view.value, view.valueStart, Math.min(view.valueBytes, valueBytesMax)),
    }
  })
  return item
}

/** The generation that has a key, as far as the index knows. */
function generationOf(tier: DiskTier | null, key: Bytes, hash: number): number | null {
  if (tier === null) return null
  const entry = tier.l2.find(tier.hashHi(key, 0, key.buffer.length), hash)
  return entry === 0 ? null : numberOf(tier, tier.l2.keys.generation(entry))
}

function numberOf({ l2 }: DiskTier, id: number): number | null {
  return l2.list.slots.find((slot) => slot.id === id)?.number ?? null
}

function copy({ buffer }: Bytes, start: number, length: number): Buffer {
  return Buffer.from(buffer.subarray(start, start + length))
}
