/**
 * Fills memory from disk after a start, newest records first, in the background and within a rate.
 *
 * Each item is linked as the next to go, behind those that came before it: so what clients ask for
 * stays in front of all of them, and among them the newest stays longest. Nothing is evicted for it.
 */
import { bytesOf } from '../bytes/ascii.ts'
import type { Clock } from '../observe/clock.ts'
import type { Logger } from '../observe/log.ts'
import type { L1Store } from '../store/l1/l1-store.ts'
import type { L2Store } from '../store/l2/l2-store.ts'
import type { Slot } from '../store/l2/generation-list.ts'
import {
  READ,
  emptyRecordView,
  readRecord,
  recordKeyBytes,
  recordKeyStart,
  recordLengthAt,
} from '../store/l2/record.ts'
import type { RecordView } from '../store/l2/record.ts'
import type { Bytes } from '../bytes/ascii.ts'
import { isLarge } from './tiers.ts'
import type { TierRules } from './tiers.ts'

/** Packs that are read together. */
const PACKS_AT_A_TIME = 16

/** Who knows the hashes of keys. */
export interface KeyHasher {
  hashLo(bytes: Bytes, start: number, length: number): number
  hashHi(bytes: Bytes, start: number, length: number): number
}

/** Who makes items of records. */
export interface Restorer {
  /** Returns a pinned item, 0 without memory for it. */
  restore(hashLo: number, key: Bytes, start: number, view: RecordView, stay: boolean): number
}

export class WarmUp {
  readonly #l1: L1Store
  readonly #l2: L2Store
  readonly #restorer: Restorer
  readonly #hasher: KeyHasher
  readonly #rules: TierRules
  readonly #clock: Clock
  readonly #log: Logger
  readonly #view: RecordView = emptyRecordView()
  #isStopped = false
  #items = 0

  constructor(
    l1: L1Store,
    l2: L2Store,
    restorer: Restorer,
    hasher: KeyHasher,
    rules: TierRules,
    clock: Clock,
    log: Logger,
  ) {
    this.#l1 = l1
    this.#l2 = l2
    this.#restorer = restorer
    this.#hasher = hasher
    this.#rules = rules
    this.#clock = clock
    this.#log = log
  }

  stop(): void {
    this.#isStopped = true
  }

  /** Reads until items take `memoryBytes`, memory is full, or there is nothing left. Never rejects. */
  async run(memoryBytes: number, bytesPerS: number): Promise<void> {
    const beganMs = this.#clock.elapsedMs()
    let bytesRead = 0
    for (const slot of this.#l2.list.slots.toReversed()) {
      for (let pack = slot.nextPack - 1; pack >= 0 && !slot.isDoomed; pack -= PACKS_AT_A_TIME) {
        if (this.#isStopped || this.#l1.memoryBytes >= memoryBytes) return this.#done(beganMs)
        bytesRead += await this.#warm(slot, pack)
        const aheadMs = (bytesRead / bytesPerS) * 1000 - (this.#clock.elapsedMs() - beganMs)
        await this.#pause(Math.max(0, aheadMs))
      }
    }
    this.#done(beganMs)
  }

  #done(beganMs: number): void {
    this.#log.info(
      { items: this.#items, ms: Math.round(this.#clock.elapsedMs() - beganMs) },
      'memory is warmed up from disk',
    )
  }

  /** Loads some packs, down from `newest`. Returns how many bytes that were. */
  async #warm(slot: Slot, newest: number): Promise<number> {
    const numbers: number[] = []
    for (let number = newest; number >= 0 && numbers.length < PACKS_AT_A_TIME; number--) {
      numbers.push(number)
    }
    let bytesRead = 0
    try {
      const packs = await slot.db.read(numbers)
      for (const [index, pack] of packs.entries()) {
        if (pack === undefined || this.#isStopped) continue
        bytesRead += pack.length
        this.#loadPack(slot, numbers[index]!, bytesOf(pack))
      }
    } catch (error) {
      // It was dropped meanwhile, or cannot be read: then there is nothing to load.
      this.#log.debug({ err: error }, 'a generation cannot be read for warming up')
    }
    return bytesRead
  }

  #loadPack(slot: Slot, number: number, pack: Bytes): void {
    const end = pack.buffer.length
    for (let at = 0; at < end;) {
      const length = recordLengthAt(pack, at, end)
      if (length === 0) return
      if (!this.#loadOne(slot, number, pack, at)) return
      at += length
    }
  }

  /** Returns false where there is no memory for another item. */
  #loadOne(slot: Slot, number: number, pack: Bytes, at: number): boolean {
    const hasher = this.#hasher
    const keyAt = recordKeyStart(at)
    const keyLength = recordKeyBytes(pack, at)
    const hashLo = hasher.hashLo(pack, keyAt, keyLength)
    const entry = this.#l2.find(hasher.hashHi(pack, keyAt, keyLength), hashLo)
    if (entry === 0) return true
    if (!this.#l2.isAt(entry, { generation: slot.id, pack: number, offset: at })) return true
    if (this.#l1.find(hashLo, pack, keyAt, keyLength) !== 0) return true
    const view = this.#view
    const read = readRecord(pack, at, pack.buffer.length, pack, keyAt, keyLength, view)
    if (read !== READ.OK || isLarge(this.#rules, view.valueBytes)) return true
    if (!this.#l1.hasRoomFor(keyLength, view.valueBytes)) return false
    const item = this.#restorer.restore(hashLo, pack, keyAt, view, false)
    if (item === 0) return false
    this.#l1.unpin(item)
    this.#items++
    return true
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(ms, resolve)
    })
  }
}
