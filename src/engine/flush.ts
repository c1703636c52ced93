/**
 * flush_all in constant time: every item carries the epoch in which it was stored, and a flush
 * begins a new one. An item of an earlier epoch is dead, though it still takes memory until it is
 * asked for or evicted; its place at the cold end of the order sees to that.
 *
 * Epochs have 16 bits. Before they could wrap and bring an old item back, the store is purged.
 */
import type { L1Store } from '../store/l1/l1-store.ts'
import { EPOCHS, flushEpoch } from '../store/l1/layout.ts'

export class FlushState {
  /** Epoch of items that are alive. */
  epoch = 0
  /** Wall time of a flush that is still to come, 0 for none. */
  pendingAtS = 0
  /** Epochs that were begun since the store last held items of the current one only. */
  #epochsSincePurge = 0

  /** Linked items that a flush has killed, and their bytes. */
  deadCount = 0
  deadBytes = 0

  /**
   * Begins a new epoch, in which all that is linked is dead. Returns whether the store must be purged of
   * all dead items now.
   */
  begin(linkedCount: number, linkedBytes: number): boolean {
    this.deadCount = linkedCount
    this.deadBytes = linkedBytes
    this.epoch = (this.epoch + 1) % EPOCHS
    this.#epochsSincePurge++
    return this.#epochsSincePurge === EPOCHS - 1
  }

  /** One of the dead is gone. */
  left(bytes: number): void {
    this.deadCount--
    this.deadBytes -= bytes
  }

  /** Removes every dead item, before epochs wrap: once in 65535 flushes. */
  purge(store: L1Store, remove: (item: number) => void): void {
    const { heap, policy } = store
    for (let item = policy.victim(); item !== 0;) {
      const next = policy.after(item)
      if (flushEpoch(heap.words, item) !== this.epoch) remove(item)
      item = next
    }
    this.purged()
  }

  purged(): void {
    this.#epochsSincePurge = 0
  }
}
