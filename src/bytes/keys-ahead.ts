/**
 * Keys of the commands that wait in an input window, found before their turn, so that what they will
 * need of memory can be fetched for all of them at once (docs/decisions/0022).
 *
 * What is noted here is true as long as the window shows the same bytes.
 */
import type { Bytes } from './ascii.ts'

/** About as many cache lines as a processor fetches at a time. */
export const KEYS_AHEAD_MAX = 16
/** Shorter input holds one command, or little more. */
const LOOKED_THROUGH_MIN = 64

export class KeysAhead {
  /** Where each key begins and ends. */
  readonly starts: Int32Array = new Int32Array(KEYS_AHEAD_MAX)
  readonly ends: Int32Array = new Int32Array(KEYS_AHEAD_MAX)
  /** Their hashes, for who looks keys up. */
  readonly hashes: Int32Array = new Int32Array(KEYS_AHEAD_MAX)
  count = 0
  /** So many have their hashes. */
  hashedCount = 0
  /** Up to here the input was looked through. */
  until = 0
  #bytes: Bytes
  /** The first key whose turn has not come. */
  #next = 0

  constructor(bytes: Bytes) {
    this.#bytes = bytes
  }

  /** The bytes that the keys stand in. */
  get bytes(): Bytes {
    return this.#bytes
  }

  /** Other bytes are shown. A command that comes alone is not worth looking at, so the first one is not. */
  forget(bytes: Bytes, start: number): void {
    this.begin(bytes, start + 1)
  }

  /** Forgets all keys: others are looked for from `at` on. */
  begin(bytes: Bytes, at: number): void {
    this.#bytes = bytes
    this.count = 0
    this.hashedCount = 0
    this.until = at
    this.#next = 0
  }

  /** Whether it is time to look for keys in input that is left. */
  isDue(start: number, end: number): boolean {
    return start >= this.until && end - start >= LOOKED_THROUGH_MIN
  }

  get isFull(): boolean {
    return this.count === KEYS_AHEAD_MAX
  }

  add(start: number, end: number): void {
    this.starts[this.count] = start
    this.ends[this.count++] = end
  }

  /** The end of the key that begins at `start`; `start` itself if that key is not known. */
  endOf(start: number): number {
    const next = this.#next
    return next < this.count && this.starts[next] === start ? this.ends[next]! : start
  }

  /** The index of a key that has its hash, and whose turn has come with that, or -1. */
  take(bytes: Bytes, start: number, length: number): number {
    const count = this.hashedCount
    let next = this.#next
    if (next >= count || bytes !== this.#bytes) return -1
    // Commands whose keys nobody asked for.
    while (next < count && this.starts[next]! < start) next++
    this.#next = next
    if (next === count || this.starts[next] !== start) return -1
    if (this.ends[next]! - start !== length) return -1
    this.#next = next + 1
    return next
  }
}
