import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf } from '../../../src/bytes/ascii.ts'
import { hashKey, randomSeed } from '../../../src/engine/key-hash.ts'
import type { HashSeed } from '../../../src/engine/key-hash.ts'
import { TEST_SEED, seededWords } from '../../helpers/store.ts'

const word = (value: bigint): bigint => BigInt.asUintN(32, value)
const rotate = (value: bigint, by: bigint): bigint => word((value << by) | (value >> (32n - by)))

/**
 * HalfSipHash-c-d with 32 bits of result, written down from its definition and in BigInt, so that
 * it shares neither structure nor arithmetic with what it is compared to.
 */
function halfSipHash(c: number, d: number, seed: HashSeed, message: Buffer): number {
  const k0 = word(BigInt(seed.k0))
  const k1 = word(BigInt(seed.k1))
  const v = { a: k0, b: k1, c: k0 ^ 0x6c796765n, d: k1 ^ 0x74656462n }
  function rounds(count: number): void {
    for (let i = 0; i < count; i++) {
      v.a = word(v.a + v.b)
      v.c = word(v.c + v.d)
      v.b = rotate(v.b, 5n) ^ v.a
      v.d = rotate(v.d, 8n) ^ v.c
      v.a = rotate(v.a, 16n)
      v.a = word(v.a + v.d)
      v.c = word(v.c + v.b)
      v.d = rotate(v.d, 7n) ^ v.a
      v.b = rotate(v.b, 13n) ^ v.c
      v.c = rotate(v.c, 16n)
    }
  }
  // Padded with zeros to a multiple of four, of which the last byte is the length.
  const padded = Buffer.alloc((message.length >> 2) * 4 + 4)
  message.copy(padded)
  padded[padded.length - 1] = message.length & 0xff
  for (let i = 0; i < padded.length; i += 4) {
    const m = BigInt(padded.readUInt32LE(i))
    v.d ^= m
    rounds(c)
    v.a ^= m
  }
  v.c ^= 0xffn
  rounds(d)
  return Number(v.b ^ v.d)
}

/** Key 00 01 ... 07 and messages 00 01 ... n - 1, as in all published vectors. */
const VECTOR_SEED: HashSeed = { k0: 0x0302_0100, k1: 0x0706_0504 }
function vectorMessage(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => i))
}

describe('the hash of a key', () => {
  it('is compared to a reference that gives the published values of HalfSipHash-2-4', () => {
    const published = [0x5b9f35a9, 0xb85a4727, 0x03a662fa, 0x04e7fe8a, 0x89466e2a, 0x69b6fac5]
    const computed = published.map((_, n) => halfSipHash(2, 4, VECTOR_SEED, vectorMessage(n)))
    assert.deepEqual(computed, published)
  })

  it('gives the published values of HalfSipHash-1-3', () => {
    const published = [0x5814c896, 0xe7e864ca, 0xbc4b0e30, 0x01539939, 0x7e059ea6]
    const computed = published.map(
      (_, n) => hashKey(VECTOR_SEED, bytesOf(vectorMessage(n)), 0, n) >>> 0,
    )
    assert.deepEqual(computed, published)
  })

  it('is HalfSipHash-1-3, for every length and alignment', () => {
    const random = seededWords(0x5eed)
    for (let length = 0; length <= 64; length++) {
      for (let start = 0; start < 4; start++) {
        const seed = { k0: random() | 0, k1: random() | 0 }
        const buffer = Buffer.from(Array.from({ length: length + 8 }, () => random() & 0xff))
        const key = buffer.subarray(start, start + length)
        const hash = hashKey(seed, bytesOf(buffer), start, length)
        assert.equal(hash, hash | 0, 'a signed 32-bit integer')
        assert.equal(hash >>> 0, halfSipHash(1, 3, seed, key), `${length} bytes at ${start}`)
      }
    }
    const longest = Buffer.alloc(250, 'k')
    assert.equal(
      hashKey(TEST_SEED, bytesOf(longest), 0, 250) >>> 0,
      halfSipHash(1, 3, TEST_SEED, longest),
    )
  })

  it('depends on both halves of the seed', () => {
    const key = bytesOf(Buffer.from('a key of some length'))
    const hashes = [TEST_SEED, { ...TEST_SEED, k0: 1 }, { ...TEST_SEED, k1: 1 }].map((seed) =>
      hashKey(seed, key, 0, key.buffer.length),
    )
    assert.equal(new Set(hashes).size, 3)
  })

  it('spreads keys that differ in a counter evenly over the low and the high bits', () => {
    const BUCKETS = 256
    const KEYS = 65_536
    for (const shift of [0, 24]) {
      const counts = new Int32Array(BUCKETS)
      const bytes = bytesOf(Buffer.alloc(32))
      for (let i = 0; i < KEYS; i++) {
        const length = bytes.buffer.write(`user:${i}:name`, 'latin1')
        const hash = hashKey(TEST_SEED, bytes, 0, length) >>> shift
        counts[hash & (BUCKETS - 1)]!++
      }
      const expected = KEYS / BUCKETS
      let chiSquare = 0
      for (const count of counts) chiSquare += (count - expected) ** 2 / expected
      // 255 degrees of freedom: 99.99 % of random distributions stay below 347, and above 177.
      assert.ok(chiSquare > 177 && chiSquare < 347, `chi-square is ${chiSquare}`)
    }
  })
})

describe('a random seed', () => {
  it('has two words of 32 bits and is another one each time', () => {
    const seeds = Array.from({ length: 8 }, randomSeed)
    for (const { k0, k1 } of seeds) {
      assert.equal(k0, k0 | 0)
      assert.equal(k1, k1 | 0)
    }
    assert.equal(new Set(seeds.flatMap(({ k0, k1 }) => [k0, k1])).size, 16)
  })
})
