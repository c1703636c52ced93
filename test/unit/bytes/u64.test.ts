import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import {
  U64_DIGITS_MAX,
  addU64,
  parseU64,
  printU64,
  subtractU64,
  toBigInt,
} from '../../../src/bytes/u64.ts'
import type { U64 } from '../../../src/bytes/u64.ts'

const MAX = 2n ** 64n - 1n

/** Every power of two and of ten with its neighbours: carries, words and digits begin there. */
const EDGES: bigint[] = [0n, MAX]
for (let bits = 0n; bits < 64n; bits++) EDGES.push(2n ** bits - 1n, 2n ** bits, 2n ** bits + 1n)
for (let power = 1n; power < MAX; power *= 10n) EDGES.push(power - 1n, power, power + 1n)
for (let billions = 1n; billions < MAX; billions *= 3n) {
  if (billions * 1_000_000_000n < MAX) EDGES.push(billions * 1_000_000_000n - 1n)
}

const anyU64 = fc.oneof(
  fc.bigInt({ min: 0n, max: MAX }),
  fc.constantFrom(...EDGES),
  // As many numbers of few bits as of many.
  fc
    .tuple(fc.bigInt({ min: 0n, max: MAX }), fc.nat(63))
    .map(([value, bits]) => value >> BigInt(bits)),
)

function split(value: bigint): U64 {
  return { hi: Number(value >> 32n), lo: Number(value & 0xffff_ffffn) }
}

function isPair({ hi, lo }: U64): boolean {
  return [hi, lo].every((word) => Number.isInteger(word) && word >= 0 && word <= 0xffff_ffff)
}

function print(value: bigint): string {
  const buffer = Buffer.alloc(32, '.')
  const { hi, lo } = split(value)
  const end = printU64(buffer, 3, hi, lo)
  assert.equal(buffer.toString('latin1', 0, 3), '...')
  assert.match(buffer.toString('latin1', end), /^\.+$/)
  return buffer.toString('latin1', 3, end)
}

function parse(text: string): bigint | undefined {
  const out: U64 = { hi: -1, lo: -1 }
  const buffer = Buffer.from(`7${text}7`, 'latin1')
  if (!parseU64(buffer, 1, 1 + text.length, out)) return undefined
  assert.ok(isPair(out), `${text} is the pair ${out.hi}, ${out.lo}`)
  return toBigInt(out.hi, out.lo)
}

describe('64-bit integers as pairs', () => {
  it('are printed as BigInt prints them, at every edge', () => {
    for (const value of EDGES) assert.equal(print(value), String(value))
  })

  it('are printed as BigInt prints them, at random', () => {
    fc.assert(
      fc.property(anyU64, (value) => print(value) === String(value)),
      { numRuns: 5000 },
    )
  })

  it('are parsed at every edge, with leading zeros too', () => {
    for (const value of EDGES) {
      assert.equal(parse(String(value)), value)
      assert.equal(parse(`000${value}`), value)
      assert.equal(parse(String(value).padStart(40, '0')), value)
    }
  })

  it('are parsed at random', () => {
    fc.assert(
      fc.property(anyU64, (value) => parse(String(value)) === value),
      { numRuns: 5000 },
    )
  })

  it('have at most as many digits as announced', () => {
    assert.equal(String(MAX).length, U64_DIGITS_MAX)
  })

  it('are not parsed from what does not fit 64 bits', () => {
    for (const over of [1n, 2n, 10n, 2n ** 32n, 2n ** 63n, MAX, MAX * 9n, MAX * 10n ** 30n]) {
      assert.equal(parse(String(MAX + over)), undefined)
    }
    assert.equal(parse('9'.repeat(20)), undefined)
  })

  it('are not parsed from anything with another byte in it, wherever it stands', () => {
    assert.equal(parse(''), undefined)
    for (const digits of ['1', '123456789', '123456789012345', '1234567890123456789']) {
      for (let at = 0; at < digits.length; at++) {
        for (const other of [' ', '-', '+', '.', '/', ':', 'a', '\0', '\xb2', '\r']) {
          const text = digits.slice(0, at) + other + digits.slice(at + 1)
          assert.equal(parse(text), undefined, JSON.stringify(text))
        }
      }
    }
  })

  it('are added modulo 2^64', () => {
    fc.assert(
      fc.property(anyU64, anyU64, (a, b) => {
        const out: U64 = { hi: -1, lo: -1 }
        addU64(split(a).hi, split(a).lo, split(b).hi, split(b).lo, out)
        assert.ok(isPair(out))
        assert.equal(toBigInt(out.hi, out.lo), BigInt.asUintN(64, a + b))
      }),
      { numRuns: 5000 },
    )
  })

  it('are subtracted down to 0 and no further', () => {
    fc.assert(
      fc.property(anyU64, anyU64, (a, b) => {
        const out: U64 = { hi: -1, lo: -1 }
        subtractU64(split(a).hi, split(a).lo, split(b).hi, split(b).lo, out)
        assert.ok(isPair(out))
        assert.equal(toBigInt(out.hi, out.lo), a > b ? a - b : 0n)
      }),
      { numRuns: 5000 },
    )
  })

  it('can be added and subtracted in place', () => {
    const number = split(2n ** 32n - 1n)
    addU64(number.hi, number.lo, 0, 1, number)
    assert.deepEqual(number, { hi: 1, lo: 0 })
    subtractU64(number.hi, number.lo, 0, 1, number)
    assert.deepEqual(number, { hi: 0, lo: 0xffff_ffff })
  })
})
