/**
 * A doubly linked list of items through two words of their headers.
 *
 * ```
 * head (newest) <-> ... <-> tail (oldest)        prev points to the newer neighbour, 0 ends both
 * ```
 */
import type { Heap } from '../heap.ts'
import { createTable } from '../heap.ts'
import { queueNext, queuePrev, setQueueNext, setQueuePrev } from '../layout.ts'

const HEAD = 0
const TAIL = 1

export class ItemQueue {
  readonly #words: Int32Array
  /** Head and tail, in a table like all other state of the engine. */
  readonly #ends: Int32Array = createTable(2)

  constructor(heap: Heap) {
    this.#words = heap.words
  }

  get head(): number {
    return this.#ends[HEAD]!
  }
  get tail(): number {
    return this.#ends[TAIL]!
  }

  pushFront(item: number): void {
    const head = this.#ends[HEAD]!
    setQueuePrev(this.#words, item, 0)
    setQueueNext(this.#words, item, head)
    if (head === 0) this.#ends[TAIL] = item
    else setQueuePrev(this.#words, head, item)
    this.#ends[HEAD] = item
  }

  pushBack(item: number): void {
    const tail = this.#ends[TAIL]!
    setQueueNext(this.#words, item, 0)
    setQueuePrev(this.#words, item, tail)
    if (tail === 0) this.#ends[HEAD] = item
    else setQueueNext(this.#words, tail, item)
    this.#ends[TAIL] = item
  }

  remove(item: number): void {
    const prev = queuePrev(this.#words, item)
    const next = queueNext(this.#words, item)
    if (prev === 0) this.#ends[HEAD] = next
    else setQueueNext(this.#words, prev, next)
    if (next === 0) this.#ends[TAIL] = prev
    else setQueuePrev(this.#words, next, prev)
  }

  moveToFront(item: number): void {
    if (this.#ends[HEAD] === item) return
    this.remove(item)
    this.pushFront(item)
  }

  /** Lets `to` take the place of `from`. */
  replace(from: number, to: number): void {
    const prev = queuePrev(this.#words, from)
    const next = queueNext(this.#words, from)
    setQueuePrev(this.#words, to, prev)
    setQueueNext(this.#words, to, next)
    if (prev === 0) this.#ends[HEAD] = to
    else setQueueNext(this.#words, prev, to)
    if (next === 0) this.#ends[TAIL] = to
    else setQueuePrev(this.#words, next, to)
  }

  /** The neighbour towards the head. */
  newer(item: number): number {
    return queuePrev(this.#words, item)
  }
}
