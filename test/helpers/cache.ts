/** A cache with a clock in the test's hands, and keys and values as text and bytes. */
import { bytesOf } from '../../src/bytes/ascii.ts'
import type { Bytes } from '../../src/bytes/ascii.ts'
import { Cache } from '../../src/engine/cache.ts'
import { hashKey } from '../../src/engine/key-hash.ts'
import { ItemView } from '../../src/message/item-view.ts'
import { ManualClock } from '../../src/observe/clock.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import type { L1Options } from '../../src/store/l1/l1-store.ts'
import { SMALL_STORE, TEST_SEED } from './store.ts'

export class TestCache {
  readonly clock: ManualClock = new ManualClock()
  readonly metrics: Metrics = new Metrics()
  readonly cache: Cache
  readonly view: ItemView
  readonly #key: Bytes = bytesOf(Buffer.alloc(256))

  constructor(options: Partial<L1Options> = {}) {
    this.cache = new Cache({ ...SMALL_STORE, ...options }, this.clock, this.metrics, TEST_SEED)
    this.view = new ItemView(this.cache.store.heap.bytes)
  }

  /** The live item of a key, or 0. Removes it if it is dead. */
  find(key: string): number {
    return this.cache.find(this.#key, 0, this.#write(key))
  }

  /** The item of a key, dead or alive, without any effect. */
  peek(key: string): number {
    const length = this.#write(key)
    const hash = hashKey(TEST_SEED, this.#key, 0, length)
    return this.cache.store.find(hash, this.#key, 0, length)
  }

  /** A reservation with its value filled in, or 0. */
  reserve(key: string, value: Buffer, exptimeS = 0, flags = 0): number {
    const length = this.#write(key)
    const hash = this.cache.hash(this.#key, 0, length)
    const item = this.cache.reserve(hash, this.#key, 0, length, value.length, flags, exptimeS)
    if (item !== 0) this.fill(item, value)
    return item
  }

  fill(item: number, value: Buffer): void {
    value.copy(this.cache.store.heap.bytes.buffer, this.cache.valueStart(item))
  }

  /** Returns whether the value was stored. */
  set(key: string, value: Buffer, exptimeS = 0, flags = 0): boolean {
    const old = this.find(key)
    if (old !== 0 && this.cache.rewrite(old, value.length, flags, exptimeS)) {
      this.fill(old, value)
      return true
    }
    const item = this.reserve(key, value, exptimeS, flags)
    return item !== 0 && this.cache.link(item, this.cache.findSameKey(item))
  }

  /** The value of a live item, which counts as used. */
  get(key: string): Buffer | undefined {
    const item = this.find(key)
    if (item === 0) return undefined
    this.cache.touch(item)
    return this.valueOf(item)
  }

  /** A copy of the value. */
  valueOf(item: number): Buffer {
    const start = this.cache.valueStart(item)
    const end = start + this.cache.valueBytes(item)
    return Buffer.from(this.cache.store.heap.bytes.buffer.subarray(start, end))
  }

  casOf(item: number): bigint {
    this.cache.show(item, this.view)
    return BigInt(this.view.casHi) * 2n ** 32n + BigInt(this.view.casLo)
  }

  #write(key: string): number {
    return this.#key.buffer.write(key, 'latin1')
  }
}
