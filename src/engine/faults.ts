/**
 * Loading items from disk for the commands that wait for them.
 *
 * What is asked for in one turn of the event loop is read together, and once for all who wait for the
 * same key. An item that was loaded is pinned until those have run.
 *
 * Whatever happened to the key meanwhile wins: if it is in memory by now, or its record is not the
 * one that was read, what was read is forgotten, and the commands look again. What cannot be had (an
 * unreadable record, no memory for it) is treated as absent while they run, so that none waits for
 * ever.
 */
import { bytesOf, copyBytes } from '../bytes/ascii.ts'
import type { Bytes } from '../bytes/ascii.ts'
import type { DiskWaiter } from '../message/disk-waiter.ts'
import type { L2Store } from '../store/l2/l2-store.ts'
import type { Found, Place } from '../store/l2/record-reader.ts'

/** A key that is being loaded. */
export interface Fault {
  readonly hashHi: number
  readonly hashLo: number
  readonly key: Bytes
  readonly keyBytes: number
  readonly place: Place
  /** Whether the item is to stay in memory. */
  readonly promote: boolean
  readonly waiters: DiskWaiter[]
}

/** Who makes items of records. */
export interface FaultHandler {
  /** What was read for a fault, undefined if nothing could be. To end in `proceed`. */
  arrived(fault: Fault, found: Found | undefined): void
}

export class Faults {
  readonly #l2: L2Store
  readonly #handler: FaultHandler
  /** By the lower half of the hash; keys that share it wait one after the other. */
  readonly #faults = new Map<number, Fault>()
  #queue: Fault[] = []
  /** The key that is treated as absent now, because it cannot be had. */
  #given: Fault | null = null

  constructor(l2: L2Store, handler: FaultHandler) {
    this.#l2 = l2
    this.#handler = handler
  }

  /** Keys that are being loaded. */
  get count(): number {
    return this.#faults.size
  }

  /** Whether a key with this half of a hash is being loaded. */
  isLoading(hashLo: number): boolean {
    return this.#faults.has(hashLo)
  }

  /** Whether a key is to be taken for absent. */
  isGivenUp(hashHi: number, hashLo: number): boolean {
    return this.#given !== null && this.#given.hashHi === hashHi && this.#given.hashLo === hashLo
  }

  /** Loads the record of an entry. */
  load(
    entry: number,
    hashHi: number,
    hashLo: number,
    bytes: Bytes,
    keyStart: number,
    keyBytes: number,
    promote: boolean,
    waiter: DiskWaiter | null,
  ): void {
    const other = this.#faults.get(hashLo)
    if (other !== undefined) {
      // For another key its waiter looks again when this one is there.
      if (waiter !== null) other.waiters.push(waiter)
      return
    }
    // allocates: a load from disk allocates more than this
    const key = bytesOf(Buffer.allocUnsafe(keyBytes))
    copyBytes(key, 0, bytes, keyStart, keyBytes)
    const fault: Fault = {
      hashHi,
      hashLo,
      key,
      keyBytes,
      place: this.#l2.placeOf(entry),
      promote,
      waiters: waiter === null ? [] : [waiter],
    }
    this.#faults.set(hashLo, fault)
    if (this.#queue.push(fault) === 1) setImmediate(() => this.#fetch())
  }

  /** Ends a fault: lets all who wait for it proceed. */
  proceed(fault: Fault, isGivenUp: boolean): void {
    this.#faults.delete(fault.hashLo)
    this.#given = isGivenUp ? fault : null
    for (const waiter of fault.waiters) waiter.proceed()
    this.#given = null
  }

  #fetch(): void {
    const queue = this.#queue
    this.#queue = []
    void this.#l2.read(
      queue.map((fault) => fault.place),
      (index, found) => this.#handler.arrived(queue[index]!, found),
    )
  }
}
