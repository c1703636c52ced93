/**
 * What a connection could not use yet of what it was sent, until more comes or its turn does.
 *
 * ```
 * |  length bytes of input  |  room  |        `searched` of them are known to hold no line end
 * ```
 */
import { bytesOf, copyBytes } from '../bytes/ascii.ts'
import type { Bytes } from '../bytes/ascii.ts'
import type { InputWindow } from '../bytes/input-window.ts'
import { HEADROOM_BYTES } from './io-area.ts'

/** A buffer that is larger is not kept for the next time. */
const KEPT_BYTES_MAX = 4096
const KEPT_BYTES_MIN = 512

export class KeptInput {
  length = 0
  #bytes: Bytes
  #searched = 0

  constructor(length: number) {
    // allocates: for a connection whose input ends inside a command for the first time
    this.#bytes = bytesOf(Buffer.allocUnsafeSlow(Math.max(KEPT_BYTES_MIN, length + 1)))
  }

  /** Memory that it takes. */
  get capacity(): number {
    return this.#bytes.buffer.length
  }
  /** Whether it is too large to be kept when it is empty. */
  get isLarge(): boolean {
    return this.capacity > KEPT_BYTES_MAX
  }

  /** Shows all of it. */
  show(input: InputWindow): void {
    input.show(this.#bytes, 0, this.length)
    input.searched = this.#searched
  }

  /** Shows it with what has come since, `length` bytes of the area behind its headroom. */
  showWith(area: Bytes, length: number, input: InputWindow): void {
    if (this.length > HEADROOM_BYTES) {
      this.#append(area, length)
      this.show(input)
      return
    }
    const start = HEADROOM_BYTES - this.length
    copyBytes(area, start, this.#bytes, 0, this.length)
    input.show(area, start, HEADROOM_BYTES + length)
    input.searched = start + this.#searched
  }

  /** Takes over what is left in the window, which may be a part of itself. */
  keep(input: InputWindow): void {
    const { length } = input
    if (this.capacity <= length) this.#bytes = bytesOf(Buffer.allocUnsafeSlow(length + 1))
    if (input.bytes !== this.#bytes || input.start !== 0) {
      copyBytes(this.#bytes, 0, input.bytes, input.start, length)
    }
    this.length = length
    this.#searched = Math.max(0, input.searched - input.start)
  }

  /** For input that is too long for the headroom. */
  #append(area: Bytes, length: number): void {
    const total = this.length + length
    if (this.capacity <= total) {
      // allocates: only for a line of more than HEADROOM_BYTES
      const larger = bytesOf(Buffer.allocUnsafeSlow(total * 2 + 1))
      copyBytes(larger, 0, this.#bytes, 0, this.length)
      this.#bytes = larger
    }
    copyBytes(this.#bytes, this.length, area, HEADROOM_BYTES, length)
    this.length = total
  }
}
