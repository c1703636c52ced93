/**
 * The most frequent keys of a stream, in little memory: Space-Saving, of A. Metwally, D. Agrawal and
 * A. El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data Streams", 2005.
 *
 * It keeps as many keys as it has places. A key that has none takes the place of the one with the least
 * count, and goes on from that count, which is noted as its error. So a count is never too low, and too
 * high by its error at most, which is at most the sum of all weights over the number of places; and a key
 * with more than that is there.
 *
 * To add is a look into a map and a few steps in a heap of the places by their counts.
 */

export interface Frequent {
  readonly key: string
  readonly count: number
  /** By how much the count may be too high. */
  readonly error: number
}

export class SpaceSaving {
  readonly #keys: string[] = []
  readonly #counts: Float64Array
  readonly #errors: Float64Array
  /** Places, a least count on top; and where in it each place is. */
  readonly #heap: Int32Array
  readonly #inHeap: Int32Array
  readonly #places = new Map<string, number>()

  constructor(placesMax: number) {
    this.#counts = new Float64Array(placesMax)
    this.#errors = new Float64Array(placesMax)
    this.#heap = new Int32Array(placesMax)
    this.#inHeap = new Int32Array(placesMax)
  }

  /** What a key that is not there may have been counted at most. */
  get countOfAbsent(): number {
    const isFull = this.#keys.length === this.#heap.length
    return isFull ? this.#counts[this.#heap[0]!]! : 0
  }

  /** `weight` is above 0. */
  add(key: string, weight: number): void {
    const known = this.#places.get(key)
    if (known !== undefined) {
      this.#counts[known]! += weight
      this.#sink(this.#inHeap[known]!)
      return
    }
    const used = this.#keys.length
    if (used < this.#heap.length) {
      this.#keys.push(key)
      this.#counts[used] = weight
      this.#errors[used] = 0
      this.#places.set(key, used)
      this.#put(used, used)
      this.#rise(used)
      return
    }
    const place = this.#heap[0]!
    this.#places.delete(this.#keys[place]!)
    this.#places.set(key, place)
    this.#keys[place] = key
    this.#errors[place] = this.#counts[place]!
    this.#counts[place]! += weight
    this.#sink(0)
  }

  /** Undefined for a key that is not there. */
  of(key: string): Frequent | undefined {
    const place = this.#places.get(key)
    if (place === undefined) return undefined
    return { key, count: this.#counts[place]!, error: this.#errors[place]! }
  }

  keys(): IterableIterator<string> {
    return this.#places.keys()
  }

  clear(): void {
    this.#places.clear()
    this.#keys.length = 0
  }

  #put(at: number, place: number): void {
    this.#heap[at] = place
    this.#inHeap[place] = at
  }

  /** Moves a place towards the top until none above it has a greater count. */
  #rise(from: number): void {
    const place = this.#heap[from]!
    const count = this.#counts[place]!
    let at = from
    while (at > 0) {
      const above = (at - 1) >> 1
      if (this.#counts[this.#heap[above]!]! <= count) break
      this.#put(at, this.#heap[above]!)
      at = above
    }
    this.#put(at, place)
  }

  /** Moves a place away from the top until none below it has a lesser count. */
  #sink(from: number): void {
    const used = this.#keys.length
    const place = this.#heap[from]!
    const count = this.#counts[place]!
    let at = from
    for (;;) {
      let below = 2 * at + 1
      if (below >= used) break
      const other = below + 1
      if (other < used && this.#countAt(other) < this.#countAt(below)) below = other
      if (this.#countAt(below) >= count) break
      this.#put(at, this.#heap[below]!)
      at = below
    }
    this.#put(at, place)
  }

  #countAt(at: number): number {
    return this.#counts[this.#heap[at]!]!
  }
}
