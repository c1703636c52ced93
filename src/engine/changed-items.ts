/**
 * Items that changed and are not on disk yet, in the order in which they changed: a ring of handles.
 *
 * A handle may be stale when its turn comes, because its item left or moved: whoever takes it out
 * looks whether there is an item and whether it has the state CHANGED. What matters is the reverse:
 * every item that has that state and is to be written is in the ring.
 */

const CAPACITY_START = 1024

export class ChangedItems {
  #ring = new Int32Array(CAPACITY_START)
  #mask: number = CAPACITY_START - 1
  #first = 0
  count = 0

  push(item: number): void {
    if (this.count > this.#mask) this.#grow()
    this.#ring[(this.#first + this.count) & this.#mask] = item
    this.count++
  }

  /** Takes out the handle that was put in first; there is one. */
  shift(): number {
    const item = this.#ring[this.#first]!
    this.#first = (this.#first + 1) & this.#mask
    this.count--
    return item
  }

  clear(): void {
    this.count = 0
  }

  #grow(): void {
    const larger = new Int32Array((this.#mask + 1) * 2)
    const tail = this.#ring.subarray(this.#first)
    larger.set(tail)
    larger.set(this.#ring.subarray(0, this.#first), tail.length)
    this.#ring = larger
    this.#mask = larger.length - 1
    this.#first = 0
  }
}
