/**
 * How values that are neither text, nor bytes, nor numbers become bytes and values again.
 *
 * The type of a value stands in the lower half of its client flags. Text, JSON, bytes and numbers have the
 * numbers that the npm package `memcached` gives them, so that it and this library read each other.
 */
import { deserialize, serialize } from 'node:v8'

/** What the client flags say of a value. */
export const TYPE = {
  /** UTF-8. Also what most clients of memcached store. */
  TEXT: 0,
  JSON: 2,
  BYTES: 4,
  /** Decimal digits, which incr and decr can count with if they are of a whole number. */
  NUMBER: 8,
  /** The structured clone algorithm, in the form of V8. */
  CLONE: 16,
  /** Whatever a serializer of the program's own writes. */
  CUSTOM: 32,
} as const

export type ValueType = (typeof TYPE)[keyof typeof TYPE]

/** Turns values into bytes and back. */
export interface Serializer {
  serialize(value: unknown): Uint8Array
  /** The bytes are the callee's to keep. */
  deserialize(bytes: Buffer): unknown
}

/** Dates, maps, sets, bigints, typed arrays and cycles come back as they were; Node alone reads it. */
export const STRUCTURED_CLONE: Serializer = { serialize, deserialize }

/** What JSON can say; every client reads it. */
export const JSON_TEXT: Serializer = {
  serialize(value) {
    const text: string | undefined = JSON.stringify(value)
    if (text === undefined) throw new TypeError(`JSON has no form for ${typeof value}`)
    return Buffer.from(text)
  },
  deserialize: (bytes) => JSON.parse(bytes.toString('utf8')),
}

/** Which serializer new values go through. */
export type SerializerChoice = 'structured-clone' | 'json' | Serializer

/** The serializers of a cache: one to write with, all to read with. */
export class Serializers {
  readonly #writing: Serializer
  readonly #custom: Serializer | undefined
  /** The type of what is written. */
  readonly type: ValueType

  constructor(choice: SerializerChoice) {
    if (typeof choice === 'string') {
      this.#writing = choice === 'json' ? JSON_TEXT : STRUCTURED_CLONE
      this.type = choice === 'json' ? TYPE.JSON : TYPE.CLONE
    } else {
      this.#writing = choice
      this.#custom = choice
      this.type = TYPE.CUSTOM
    }
  }

  serialize(value: unknown): Uint8Array {
    return this.#writing.serialize(value)
  }

  /** The value of bytes that are nobody else's. A type that is not known is bytes. */
  deserialize(type: number, bytes: Buffer): unknown {
    switch (type) {
      case TYPE.JSON:
        return JSON_TEXT.deserialize(bytes)
      case TYPE.CLONE:
        return STRUCTURED_CLONE.deserialize(bytes)
      case TYPE.CUSTOM:
        return this.#custom === undefined ? bytes : this.#custom.deserialize(bytes)
      default:
        return bytes
    }
  }
}
