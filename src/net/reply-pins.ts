/**
 * Items that stay where they are because replies are sent from there. What is pinned is lost to the
 * cache until the client has taken it, and slow clients can pin a lot: from a share of the memory on,
 * further values are copied instead, so that there is always room for what commands need. Without it a
 * multiget of more large values than memory holds would find no room for those on disk.
 */
import { assert } from '../errors.ts'
import type { PinOwner } from '../message/item-view.ts'

/** The share of the memory for items that replies may pin: one in so many bytes. */
const PINNED_PART = 8

export class ReplyPins {
  readonly #owner: PinOwner
  readonly #memoryBytes: () => number
  #bytes = 0

  /** `memoryBytes` says how much memory for items there is, which may change. */
  constructor(owner: PinOwner, memoryBytes: () => number) {
    this.#owner = owner
    this.#memoryBytes = memoryBytes
  }

  /** Pins an item for a reply with its value. Returns false where the value is to be copied instead. */
  pin(item: number, valueBytes: number): boolean {
    const bytesMax = this.#memoryBytes() / PINNED_PART
    if (this.#bytes + valueBytes > bytesMax || !this.#owner.pin(item)) return false
    this.#bytes += valueBytes
    return true
  }

  /** The reply has been sent, or never will be. */
  unpin(item: number, valueBytes: number): void {
    this.#bytes -= valueBytes
    assert(this.#bytes >= 0, 'more is unpinned than was pinned')
    this.#owner.unpin(item)
  }
}
