// Requests sent and not yet answered, oldest first: numbers in a ring of typed arrays, no object per request.

/** What a request asked. A get of one key and of many, a set of an item and of a counter, one added to a counter. */
export const Op = { get: 0, multiget: 1, set: 2, incr: 3, counter: 4 } as const
export type Op = (typeof Op)[keyof typeof Op]

/** The capacity is a power of two. */
export class Pending {
  readonly #ops: Uint8Array
  readonly #keys: Uint32Array
  readonly #dueMs: Float64Array
  readonly #mask: number
  #head = 0
  #tail = 0

  constructor(capacity: number) {
    this.#ops = new Uint8Array(capacity)
    this.#keys = new Uint32Array(capacity)
    this.#dueMs = new Float64Array(capacity)
    this.#mask = capacity - 1
  }

  get count(): number {
    return this.#tail - this.#head
  }

  get full(): boolean {
    return this.count > this.#mask
  }

  /** `key` is an index into the dataset; of a multiget, into the list of drawn keys. */
  push(op: Op, key: number, dueMs: number): void {
    const slot = this.#tail++ & this.#mask
    this.#ops[slot] = op
    this.#keys[slot] = key
    this.#dueMs[slot] = dueMs
  }

  op(): number {
    return this.#ops[this.#head & this.#mask]!
  }

  key(): number {
    return this.#keys[this.#head & this.#mask]!
  }

  drop(): void {
    this.#head++
  }

  /** When the request answered `ago` answers before the oldest pending one was due; valid until the next push. */
  dueMsOfAnswered(ago: number): number {
    return this.#dueMs[(this.#head - ago) & this.#mask]!
  }
}

export function opName(op: number): string {
  return Object.entries(Op).find(([, value]) => value === op)?.[0] ?? 'an unknown request'
}
