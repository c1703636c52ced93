/**
 * A walk over the records on disk that are not in memory, newest packs first, for who lists all keys after
 * having listed those in memory. Packs are read a few at a time, and only when they are asked for.
 *
 * What moves from one tier, or one generation, to another during the walk may be met twice, and what is
 * carried forward from a generation that is dropped may be missed.
 */
import { bytesOf } from '../bytes/ascii.ts'
import type { Bytes } from '../bytes/ascii.ts'
import type { DiskWaiter } from '../message/disk-waiter.ts'
import { STATE } from '../store/l1/layout.ts'
import type { L1Store } from '../store/l1/l1-store.ts'
import type { Slot } from '../store/l2/generation-list.ts'
import {
  emptyRecordView,
  readFields,
  recordKeyBytes,
  recordKeyStart,
  recordLengthAt,
} from '../store/l2/record.ts'
import type { RecordFields } from '../store/l2/record.ts'
import type { DiskTier } from './disk-tier.ts'

/** Packs that are read together: 128 KiB. */
const PACKS_AT_A_TIME = 16

/** A record that was met: its key stands in `bytes`. Valid until the next one is met. */
export interface DiskItem {
  readonly bytes: Bytes
  readonly keyStart: number
  readonly fields: RecordFields
  readonly isFetched: boolean
  readonly hasBinaryKey: boolean
  /** When its generation was begun: it was not stored before. */
  readonly sinceS: number
}

interface ReadPack {
  readonly slot: Slot
  readonly number: number
  readonly bytes: Bytes
}

export class DiskWalk {
  readonly #tier: DiskTier
  readonly #l1: L1Store
  readonly #fields: RecordFields = emptyRecordView()
  #slots: Slot[] = []
  /** The pack that is read next of the first of the slots. */
  #next = -1
  /** Packs that were read and not looked at yet. */
  #packs: ReadPack[] = []
  #isReading = false
  #waiter: DiskWaiter | null = null

  /** To be made before memory is walked: from now on it is noted what comes into it. */
  constructor(tier: DiskTier, l1: L1Store) {
    this.#tier = tier
    this.#l1 = l1
    tier.loader.arrivals = new Set()
  }

  /** A key has been listed that is in memory: it may have come there since the walk was made. */
  listed(bytes: Bytes, start: number, length: number): void {
    const { arrivals } = this.#tier.loader
    if (arrivals === null || arrivals.size === 0) return
    arrivals.delete(this.#tier.hashLo(bytes, start, length))
  }

  /** Begins with what is there now: memory has been walked, and what left it before is on disk. */
  begin(): void {
    this.#slots = this.#tier.l2.list.slots.toReversed()
    this.#next = this.#lastPackOf(this.#slots[0])
  }

  /** Nothing is left. */
  get isOver(): boolean {
    return this.#packs.length === 0 && !this.#isReading && this.#slots.length === 0
  }

  /** Nothing can be visited before more is read; the walk reads it. */
  get isWaiting(): boolean {
    if (this.#packs.length > 0 || this.isOver) return false
    if (!this.#isReading) void this.#read()
    return true
  }

  /** Lets a waiter proceed when what is being read is there. */
  whenReady(waiter: DiskWaiter): void {
    this.#waiter = waiter
  }

  stop(): void {
    this.#tier.loader.arrivals = null
    this.#slots.length = 0
    this.#packs.length = 0
    this.#waiter = null
  }

  /** Visits the records of the next pack that was read. */
  visitPack(visit: (item: DiskItem) => void): void {
    const pack = this.#packs.shift()
    if (pack === undefined || pack.slot.isDoomed) return
    const { bytes } = pack
    const end = bytes.buffer.length
    for (let at = 0; at < end;) {
      const length = recordLengthAt(bytes, at, end)
      if (length === 0) return
      this.#visit(pack, at, visit)
      at += length
    }
  }

  #visit({ slot, number, bytes }: ReadPack, at: number, visit: (item: DiskItem) => void): void {
    const tier = this.#tier
    const keyStart = recordKeyStart(at)
    const keyBytes = recordKeyBytes(bytes, at)
    const hashLo = tier.hashLo(bytes, keyStart, keyBytes)
    const entry = tier.l2.find(tier.hashHi(bytes, keyStart, keyBytes), hashLo)
    if (entry === 0) return
    if (!tier.l2.isAt(entry, { generation: slot.id, pack: number, offset: at })) return
    // What has come into memory since the walk began was not listed there.
    const isInMemory = this.#l1.find(hashLo, bytes, keyStart, keyBytes) !== 0
    if (isInMemory && tier.loader.arrivals?.has(hashLo) !== true) return
    const fields = this.#fields
    if (!readFields(bytes, at, bytes.buffer.length, fields)) return
    visit({
      bytes,
      keyStart,
      fields,
      isFetched: (fields.state & STATE.FETCHED) !== 0 || tier.l2.keys.isReferenced(entry),
      hasBinaryKey: (fields.state & STATE.BINARY_KEY) !== 0,
      sinceS: slot.createdAtS,
    })
  }

  async #read(): Promise<void> {
    this.#isReading = true
    const slot = this.#slots[0]!
    const numbers: number[] = []
    for (let n = this.#next; n >= 0 && numbers.length < PACKS_AT_A_TIME; n--) numbers.push(n)
    this.#next -= numbers.length
    try {
      await this.#readPacks(slot, numbers)
    } catch {
      // It was dropped meanwhile, or cannot be read: what is in it is not listed.
      this.#next = -1
    }
    this.#isReading = false
    if (this.#slots[0] === slot && (this.#next < 0 || slot.isDoomed)) {
      this.#slots.shift()
      this.#next = this.#lastPackOf(this.#slots[0])
    }
    const waiter = this.#waiter
    this.#waiter = null
    waiter?.proceed()
  }

  async #readPacks(slot: Slot, numbers: readonly number[]): Promise<void> {
    const { writer } = this.#tier.l2
    const onDisk: number[] = []
    for (const number of numbers) {
      const pending = writer.pendingPack(slot.id, number)
      if (pending === undefined) {
        onDisk.push(number)
      } else {
        const copy = Buffer.from(pending.bytes.buffer.subarray(0, pending.length))
        this.#packs.push({ slot, number, bytes: bytesOf(copy) })
      }
    }
    const read = await slot.db.read(onDisk)
    for (const [index, buffer] of read.entries()) {
      if (buffer === undefined || this.#slots.length === 0) continue
      this.#packs.push({ slot, number: onDisk[index]!, bytes: bytesOf(buffer) })
    }
  }

  /** The newest pack of a generation, be it written or waiting to be. */
  #lastPackOf(slot: Slot | undefined): number {
    if (slot === undefined) return -1
    let next = slot.nextPack
    while (this.#tier.l2.writer.pendingPack(slot.id, next) !== undefined) next++
    return next - 1
  }
}
