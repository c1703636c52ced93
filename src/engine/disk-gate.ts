/**
 * What the network has to know of the disk: when to wait, and what to say before it acknowledges.
 * Without a disk tier there is never anything to wait for.
 */
import type { Bytes } from '../bytes/ascii.ts'
import type { DiskWaiter } from '../message/disk-waiter.ts'
import { ON_DISK } from './cache.ts'
import type { Cache } from './cache.ts'

export class DiskGate {
  readonly #cache: Cache

  constructor(cache: Cache) {
    this.#cache = cache
  }

  /** Whether there is a disk tier. */
  get hasDisk(): boolean {
    return this.#cache.tier !== null
  }
  /** Changes that were made so far, as far as the disk has to hear of them. */
  get changes(): number {
    const { tier } = this.#cache
    return tier === null ? 0 : tier.changes
  }
  /** Something that must be said on disk before it is acknowledged has not been said yet: `commit`. */
  get uncommitted(): boolean {
    const { tier } = this.#cache
    return tier !== null && tier.l2.uncommitted
  }
  /** More waits to be written than the disk takes: who changes more has to wait. */
  get congested(): boolean {
    const { tier } = this.#cache
    return tier !== null && tier.l2.writer.isCongested
  }
  /** Changes are acknowledged only when they are on disk: `whenWritten`. */
  get writesThrough(): boolean {
    const { tier } = this.#cache
    return tier !== null && tier.writesThrough
  }

  /** Asks for what the last ON_DISK was about. The waiter proceeds when it may be asked for again. */
  load(waiter: DiskWaiter): void {
    this.#cache.tier!.loader.load(waiter)
  }

  /**
   * Loads what the last ON_DISK was about, if that takes next to no time. The command is to run again
   * then, and `release` to be called behind it; otherwise `load`.
   */
  loadNow(): boolean {
    return this.#cache.tier!.loader.loadNow()
  }

  release(): void {
    this.#cache.tier!.loader.release()
  }

  /** Loads a key ahead of its time, if it is on disk only: the next commands will ask for it. */
  preload(bytes: Bytes, start: number, length: number): void {
    if (this.#cache.find(bytes, start, length) === ON_DISK) this.#cache.tier!.loader.load(null)
  }

  /** Says on disk what must be said there before a change is acknowledged. */
  commit(): void {
    this.#cache.tier!.l2.commit()
  }

  /** Lets a waiter proceed when the disk takes more. */
  whenUncongested(waiter: DiskWaiter): void {
    this.#cache.tier!.l2.writer.whenUncongested(waiter)
  }

  /** Lets a waiter proceed when all changes made so far are on disk, or it is known that they will not be. */
  whenWritten(waiter: DiskWaiter): void {
    this.#cache.tier!.l2.writer.whenWritten(waiter)
  }
}
