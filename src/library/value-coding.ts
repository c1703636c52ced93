/** From values to bytes in the heap, and back. A value is copied once each way. */
import type { Bytes } from '../bytes/ascii.ts'
import { TYPE } from './serializer.ts'
import type { Serializers } from './serializer.ts'

/** One value on its way in: measured first, so that its place can be had, then written there. */
export class ValueCoding {
  readonly #serializers: Serializers
  /** Of the value that was measured last. */
  type = 0
  length = 0
  #bytes: Uint8Array | null = null
  #text = ''

  constructor(serializers: Serializers) {
    this.#serializers = serializers
  }

  /** Finds out type and length of a value, to be written next. */
  measure(value: unknown): void {
    this.#bytes = null
    if (typeof value === 'string') {
      this.type = TYPE.TEXT
      this.#text = value
      this.length = Buffer.byteLength(value)
    } else if (value instanceof Uint8Array) {
      this.type = TYPE.BYTES
      this.#bytes = value
      this.length = value.byteLength
    } else if (typeof value === 'number' && !Object.is(value, -0)) {
      this.type = TYPE.NUMBER
      this.#text = String(value)
      this.length = this.#text.length
    } else {
      this.type = this.#serializers.type
      this.#bytes = this.#serializers.serialize(value)
      this.length = this.#bytes.byteLength
    }
  }

  /** Writes what was measured. */
  write(heap: Bytes, at: number): void {
    if (this.#bytes === null) heap.buffer.write(this.#text, at, this.length, 'utf8')
    else heap.buffer.set(this.#bytes, at)
  }

  /** Lets go of what was measured. */
  clear(): void {
    this.#bytes = null
    this.#text = ''
  }

  /** The value that stands at a place of the heap. */
  read(heap: Bytes, at: number, length: number, type: number): unknown {
    const end = at + length
    switch (type) {
      case TYPE.TEXT:
        return heap.buffer.toString('utf8', at, end)
      case TYPE.NUMBER:
        return Number(heap.buffer.toString('latin1', at, end))
      default: {
        const bytes = copyOf(heap.buffer, at, end)
        return type === TYPE.BYTES ? bytes : this.#serializers.deserialize(type, bytes)
      }
    }
  }
}

/** A copy that the caller may keep, and that nothing else shares memory with if it is large. */
export function copyOf(buffer: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start)
  buffer.copy(copy, 0, start, end)
  return copy
}
