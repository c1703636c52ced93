/**
 * Marks on items that commands set and read: that an item is stale, that somebody has won its renewal,
 * that its key was written in base64. They go to disk with the item, so each change of one is a change of it.
 */
import { STATE, addState, hasState, removeState } from '../store/l1/layout.ts'

export class ItemMarks {
  readonly #words: Int32Array
  readonly #changed: (item: number) => void

  /** `changed` is told of an item with another mark. */
  constructor(words: Int32Array, changed: (item: number) => void) {
    this.#words = words
    this.#changed = changed
  }

  /** Makes an item stale, and its renewal open to be won again. */
  invalidate(item: number): void {
    addState(this.#words, item, STATE.STALE)
    removeState(this.#words, item, STATE.WON)
    this.#changed(item)
  }

  isStale(item: number): boolean {
    return hasState(this.#words, item, STATE.STALE)
  }

  /** Notes that one client is to renew the item. */
  setWon(item: number): void {
    addState(this.#words, item, STATE.WON)
    this.#changed(item)
  }

  /** Nobody is to renew the item any more: the next who asks may. */
  clearWon(item: number): void {
    removeState(this.#words, item, STATE.WON)
    this.#changed(item)
  }

  isWon(item: number): boolean {
    return hasState(this.#words, item, STATE.WON)
  }

  /** Notes that the key of an item, or of a reservation, is to be shown in base64. */
  setBinaryKey(item: number): void {
    addState(this.#words, item, STATE.BINARY_KEY)
    this.#changed(item)
  }

  hasBinaryKey(item: number): boolean {
    return hasState(this.#words, item, STATE.BINARY_KEY)
  }
}
