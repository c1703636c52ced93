/**
 * The limit of memory while the server runs: it can be lowered, and raised up to what was reserved at the
 * start. Lowering it empties a page at a time, so that nobody waits for long. What is reserved is address
 * space: it costs nothing until it is used.
 */
import type { Clock } from '../observe/clock.ts'
import type { L1Store } from '../store/l1/l1-store.ts'

const STEP_MS = 1
/** Where pages are pinned, or nothing may be evicted, it is tried again after this. */
const RETRY_MS = 1000

/** How far the limit can be raised: four times, and small ones further. */
const RESERVED_FACTOR = 4
const RESERVED_BYTES_MIN = 2 ** 28
/** Some of what Node does with buffers is slower, or fails, from 2 GiB on: only who needs them has them. */
const SMALL_BYTES_MAX = 2 ** 31 - 2 ** 22

/** The address space to reserve for a limit. */
export function bytesToReserve(memoryBytesMax: number): number {
  const wanted = Math.max(RESERVED_FACTOR * memoryBytesMax, RESERVED_BYTES_MIN)
  return memoryBytesMax > SMALL_BYTES_MAX ? wanted : Math.min(wanted, SMALL_BYTES_MAX)
}

export class MemoryLimit {
  readonly #store: L1Store
  readonly #clock: Clock
  #targetBytes: number
  #isStepping = false

  constructor(store: L1Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
    this.#targetBytes = store.options.memoryBytesMax
  }

  /** The limit that was set last; the store may take more until it has got there. */
  get bytes(): number {
    return this.#targetBytes
  }

  /** Returns false for more than was reserved, or less than is taken where nothing may be evicted. */
  set(bytes: number): boolean {
    const { options, memoryBytes, memoryBytesReserved } = this.#store
    if (bytes > memoryBytesReserved) return false
    if (!options.evictions && bytes < memoryBytes) return false
    this.#targetBytes = bytes
    if (!this.#isStepping) this.#step()
    return true
  }

  #step(): void {
    const store = this.#store
    const goesOn = store.stepTo(this.#targetBytes)
    this.#isStepping = store.options.memoryBytesMax > this.#targetBytes
    if (this.#isStepping) this.#clock.after(goesOn ? STEP_MS : RETRY_MS, () => this.#step())
  }
}
