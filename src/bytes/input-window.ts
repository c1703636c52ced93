/**
 * The bytes that were received and not yet consumed: a range of some buffer.
 *
 * The byte at `end` is writable and belongs to the window's owner, so that a search for a line end
 * can be stopped by a sentinel instead of a comparison per byte.
 */
import type { Bytes } from './ascii.ts'
import { KeysAhead } from './keys-ahead.ts'

export class InputWindow {
  bytes: Bytes
  start = 0
  end = 0
  /** No line end stands before this position: a search need not look there again. */
  searched = 0
  /** Keys of commands that have not had their turn. */
  readonly ahead: KeysAhead

  constructor(bytes: Bytes) {
    this.bytes = bytes
    this.ahead = new KeysAhead(bytes)
  }

  get length(): number {
    return this.end - this.start
  }

  /** Shows another range. */
  show(bytes: Bytes, start: number, end: number): void {
    this.bytes = bytes
    this.start = start
    this.end = end
    this.searched = start
    this.ahead.forget(bytes, start)
  }
}
