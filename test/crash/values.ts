/**
 * Values that say whose they are: key and version in front, then bytes that only the seed knows.
 * A value that comes back with one byte of another cannot be taken for right.
 */
import { seededRandom } from '../../bench/wire/draws.ts'

/** Longer than the longest value, so that no value is a repetition. */
const NOISE_BYTES = 1024 * 1024
/** Where in the noise a value begins depends on its version; a prime, so that all places occur. */
const STRIDE = 7919

export class ValueMaker {
  readonly #noise = Buffer.alloc(NOISE_BYTES)
  #version = 0

  constructor(seed: number) {
    const random = seededRandom(seed)
    for (let i = 0; i < NOISE_BYTES; i += 4) {
      this.#noise.writeUInt32LE(Math.floor(random() * 2 ** 32), i)
    }
  }

  /** A new value for a key, as no other call has returned it (but for very short ones). */
  make(key: string, length: number): Buffer {
    const version = ++this.#version
    const value = Buffer.allocUnsafe(length)
    const from = (version * STRIDE) % (NOISE_BYTES - Math.min(length, NOISE_BYTES - 1))
    this.#noise.copy(value, 0, from, from + length)
    const name = `${key}#${version} `
    if (name.length <= length) value.write(name, 'latin1')
    return value
  }
}
