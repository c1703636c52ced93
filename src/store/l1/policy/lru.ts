/** Exact LRU: the item evicted is the one that was not used for the longest time. */
import type { Heap } from '../heap.ts'
import type { EvictionPolicy } from './policy.ts'
import { ItemQueue } from './queue.ts'

export class LruPolicy implements EvictionPolicy {
  readonly #queue: ItemQueue

  constructor(heap: Heap) {
    this.#queue = new ItemQueue(heap)
  }

  missed(): void {
    // What is not there has no place in the order.
  }

  inserted(item: number): void {
    this.#queue.pushFront(item)
  }
  insertedAgain(item: number): void {
    this.#queue.pushFront(item)
  }
  insertedCold(item: number): void {
    this.#queue.pushBack(item)
  }
  touched(item: number): void {
    this.#queue.moveToFront(item)
  }
  rewritten(item: number): void {
    this.#queue.moveToFront(item)
  }
  replaced(from: number, to: number): void {
    this.#queue.remove(from)
    this.#queue.pushFront(to)
  }
  removed(item: number): void {
    this.#queue.remove(item)
  }
  relocated(from: number, to: number): void {
    this.#queue.replace(from, to)
  }
  victim(): number {
    return this.#queue.tail
  }
  after(item: number): number {
    return this.#queue.newer(item)
  }
}
