/** Hashes of keys; those of keys that were looked for ahead are computed once. */
import type { Bytes } from '../bytes/ascii.ts'
import type { KeysAhead } from '../bytes/keys-ahead.ts'
import { hashKey } from './key-hash.ts'
import type { HashSeed } from './key-hash.ts'

export class KeyHasher {
  seed: HashSeed
  #ahead: KeysAhead | null = null

  constructor(seed: HashSeed) {
    this.seed = seed
  }

  hash(bytes: Bytes, start: number, length: number): number {
    const ahead = this.#ahead
    if (ahead !== null) {
      const index = ahead.take(bytes, start, length)
      if (index >= 0) return ahead.hashes[index]!
    }
    return hashKey(this.seed, bytes, start, length)
  }

  /** Computes the hashes of keys whose turn is to come. */
  hashAhead(keys: KeysAhead): void {
    const { bytes, count, ends, hashes, starts } = keys
    for (let i = 0; i < count; i++) {
      const start = starts[i]!
      hashes[i] = hashKey(this.seed, bytes, start, ends[i]! - start)
    }
    keys.hashedCount = count
    this.#ahead = keys
  }
}
