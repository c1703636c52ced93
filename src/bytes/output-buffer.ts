/**
 * Where replies are written before they leave, one for all connections: they take turns.
 *
 * ```
 *   base            position             base + capacity
 *    | bytes of replies |      free           |
 * ```
 * `reserve` makes room, if need be by sending what is there. A large value is not copied in: it is
 * sent from where it lies, between the bytes before and after it. The memory behind may be changed
 * by the sink while it sends (see `reset`), so a position is good only until the next `reserve`.
 */
import type { Bytes } from './ascii.ts'
import { copyBytes } from './ascii.ts'

/** Who takes the bytes away. */
export interface OutputSink {
  /** Takes everything from `base` to `position` and calls `reset`. */
  flush(): void
  /** Sends a value from the heap without copying it, after everything that was written before. */
  sendPinned(source: Bytes, start: number, length: number, item: number): void
}

/**
 * From this size on a value is sent from where it lies. Below, one more copy costs less than a
 * write of several parts (docs/decisions/0007).
 */
export const PINNED_VALUE_FROM = 32_768

export class OutputBuffer {
  bytes: Bytes
  base: number
  position: number
  limit: number
  sink: OutputSink

  constructor(bytes: Bytes, base: number, capacity: number, sink: OutputSink) {
    this.bytes = bytes
    this.base = base
    this.position = base
    this.limit = base + capacity
    this.sink = sink
  }

  /** Bytes that wait to be sent. */
  get length(): number {
    return this.position - this.base
  }

  /** Continues in an empty range, which may be another one. */
  reset(bytes: Bytes, base: number, capacity: number): void {
    this.bytes = bytes
    this.base = base
    this.position = base
    this.limit = base + capacity
  }

  /** Makes room for `length` more bytes; at most a few KiB may be asked for at a time. */
  reserve(length: number): void {
    if (this.limit - this.position < length) this.sink.flush()
  }

  /**
   * Appends ASCII text. For what is said rarely; frequent words are copied as bytes. Node 20 writes no text
   * at all into a buffer of 2 GiB or more, so that each character is stored as a byte.
   */
  text(text: string): void {
    this.reserve(text.length)
    const { buffer } = this.bytes
    const start = this.position
    for (let i = 0; i < text.length; i++) buffer[start + i] = text.charCodeAt(i)
    this.position = start + text.length
  }

  /** Appends bytes of any length by copying them. */
  copy(source: Bytes, start: number, length: number): void {
    let from = start
    let rest = length
    while (rest > 0) {
      if (this.position === this.limit) this.sink.flush()
      const part = Math.min(rest, this.limit - this.position)
      copyBytes(this.bytes, this.position, source, from, part)
      this.position += part
      from += part
      rest -= part
    }
  }

  /** Appends the value of an item: copied if it is small, sent from where it lies if it is large. */
  value(source: Bytes, start: number, length: number, item: number): void {
    if (length < PINNED_VALUE_FROM) this.copy(source, start, length)
    else this.sink.sendPinned(source, start, length, item)
  }
}
