/**
 * A small store with the calls that tests repeat: keys as text, values made from them, and a
 * record of what the store did by itself.
 */
import assert from 'node:assert/strict'
import { bytesOf } from '../../src/bytes/ascii.ts'
import type { Bytes } from '../../src/bytes/ascii.ts'
import { hashKey } from '../../src/engine/key-hash.ts'
import type { HashSeed } from '../../src/engine/key-hash.ts'
import { L1Store } from '../../src/store/l1/l1-store.ts'
import type { L1Options, StoreListener } from '../../src/store/l1/l1-store.ts'
import { keyBytes, keyStart, valueBytes, valueStart } from '../../src/store/l1/layout.ts'

/** Of no meaning, but the same in every run. */
export const TEST_SEED: HashSeed = { k0: 0x0706_0504, k1: 0x0302_0100 }

/** A store of 16 pages of 4 KiB, of which the index takes one, unless told otherwise. */
export const SMALL_STORE: L1Options = {
  memoryBytesMax: 65_536,
  entriesMax: 0,
  evictions: true,
  policy: 'lru',
  ioBytes: 64,
  pageBytes: 4096,
}

/** Bytes that tell which key and which version they belong to, down to the last one. */
export function valueOf(key: string, version: number, length: number): Buffer {
  return length === 0 ? Buffer.alloc(0) : Buffer.alloc(length, `<${key}#${version}>`)
}

export class TestStore {
  readonly store: L1Store
  /** Keys in the order in which they were evicted. */
  readonly evicted: string[] = []
  pagesVacated = 0
  itemsMoved = 0
  /** Hears of an eviction while the item is still whole. */
  onEvicting: (key: string, item: number) => void = () => {}
  readonly #key: Bytes = bytesOf(Buffer.alloc(256))

  constructor(options: Partial<L1Options> = {}) {
    const listener: StoreListener = {
      evicting: (item) => {
        const key = this.keyOf(item)
        this.evicted.push(key)
        this.onEvicting(key, item)
      },
      moved: () => undefined,
      pageVacated: (movedItems) => {
        this.pagesVacated++
        this.itemsMoved += movedItems
      },
    }
    this.store = new L1Store({ ...SMALL_STORE, ...options }, listener)
  }

  find(key: string): number {
    const length = this.#write(key)
    return this.store.find(hashKey(TEST_SEED, this.#key, 0, length), this.#key, 0, length)
  }

  /** A reservation with the value filled in, or 0. */
  reserve(key: string, value: Buffer): number {
    const length = this.#write(key)
    const hash = hashKey(TEST_SEED, this.#key, 0, length)
    const item = this.store.reserve(hash, this.#key, 0, length, value.length)
    if (item !== 0) this.fill(item, value)
    return item
  }

  fill(item: number, value: Buffer): void {
    value.copy(this.store.heap.bytes.buffer, valueStart(this.store.heap.words, item))
  }

  /** Rewrites the item that is there, or reserves, fills and links. Returns whether that worked. */
  set(key: string, value: Buffer): boolean {
    const old = this.find(key)
    if (old !== 0 && this.store.rewrite(old, value.length)) {
      value.copy(this.store.heap.bytes.buffer, valueStart(this.store.heap.words, old))
      return true
    }
    const item = this.reserve(key, value)
    if (item === 0) return false
    if (this.store.link(item, this.store.findSameKey(item))) return true
    this.store.abandon(item)
    return false
  }

  /** The value of a key, without counting as a use of it. */
  get(key: string): Buffer | undefined {
    const item = this.find(key)
    return item === 0 ? undefined : this.valueOf(item)
  }

  touch(key: string): boolean {
    const item = this.find(key)
    if (item === 0) this.store.policy.missed()
    else this.store.policy.touched(item)
    return item !== 0
  }

  delete(key: string): boolean {
    const item = this.find(key)
    if (item !== 0) this.store.unlink(item)
    return item !== 0
  }

  keyOf(item: number): string {
    const { heap } = this.store
    const start = keyStart(item)
    return heap.bytes.buffer.toString('latin1', start, start + keyBytes(heap.words, item))
  }

  /** A view of the value, as good as the item is. */
  valueOf(item: number): Buffer {
    const { heap } = this.store
    const start = valueStart(heap.words, item)
    return heap.bytes.buffer.subarray(start, start + valueBytes(heap.words, item))
  }

  /** Keys in the order in which they would be evicted. */
  order(): string[] {
    const { policy } = this.store
    const keys: string[] = []
    for (let item = policy.victim(); item !== 0; item = policy.after(item)) {
      keys.push(this.keyOf(item))
    }
    return keys
  }

  #write(key: string): number {
    assert.ok(key.length <= 250, 'a key has at most 250 bytes')
    return this.#key.buffer.write(key, 'latin1')
  }
}

/** Numbers from 0 to 2^32 - 1, the same ones for the same seed (Marsaglia's xorshift32). */
export function seededWords(seed: number): () => number {
  let state = seed | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}
