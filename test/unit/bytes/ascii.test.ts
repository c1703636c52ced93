import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import {
  bytesOf,
  copyBytes,
  equalBytes,
  equalsText,
  printPadded,
  printU32,
  startsWith,
} from '../../../src/bytes/ascii.ts'

/** Lengths on both sides of where the native copy takes over, and of every multiple of four. */
const LENGTHS = Array.from({ length: 130 }, (_, length) => length)

function counting(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (i * 7 + 1) & 0xff))
}

function printed(value: number): string {
  const buffer = Buffer.alloc(16, '.')
  const end = printU32(buffer, 2, value)
  assert.equal(buffer.toString('latin1', 0, 2), '..')
  assert.match(buffer.toString('latin1', end), /^\.+$/)
  return buffer.toString('latin1', 2, end)
}

describe('copying', () => {
  for (const [place, inOneBuffer] of [
    ['inside one buffer', true],
    ['between two buffers', false],
  ] as const) {
    it(`moves exactly the bytes asked for ${place}, of any length and alignment`, () => {
      for (const length of LENGTHS) {
        for (const sourceStart of [0, 1, 3]) {
          for (const targetStart of [200, 201, 202]) {
            const sourceBuffer = counting(400)
            const source = bytesOf(sourceBuffer)
            const target = inOneBuffer ? source : bytesOf(Buffer.alloc(400, 0xee))
            const expected = Buffer.from(target.buffer)
            for (let i = 0; i < length; i++) {
              expected[targetStart + i] = sourceBuffer[sourceStart + i]!
            }
            copyBytes(target, targetStart, source, sourceStart, length)
            assert.deepEqual(target.buffer, expected, `${length} bytes, ${sourceStart}`)
          }
        }
      }
    })
  }

  it('works on a buffer that begins inside its ArrayBuffer', () => {
    const whole = counting(300)
    const before = Buffer.from(whole)
    const part = bytesOf(whole.subarray(100, 200))
    copyBytes(part, 0, part, 50, 20)
    copyBytes(part, 20, part, 40, 60)
    assert.deepEqual(whole.subarray(100, 120), before.subarray(150, 170))
    assert.deepEqual(whole.subarray(120, 180), before.subarray(140, 200))
    assert.deepEqual(whole.subarray(0, 100), before.subarray(0, 100))
    assert.deepEqual(whole.subarray(200), before.subarray(200))
  })

  it('moves bytes towards the front over themselves, as kept input is', () => {
    for (const length of LENGTHS) {
      const bytes = bytesOf(counting(200))
      const expected = Buffer.from(bytes.buffer.subarray(8, 8 + length))
      copyBytes(bytes, 0, bytes, 8, length)
      assert.deepEqual(bytes.buffer.subarray(0, length), expected)
    }
  })
})

describe('comparing', () => {
  it('tells equal ranges from ranges with one byte changed, wherever it is', () => {
    for (const length of LENGTHS) {
      const a = bytesOf(counting(200))
      const b = bytesOf(Buffer.concat([Buffer.alloc(3), counting(200)]))
      assert.ok(equalBytes(a, 1, b, 4, length))
      for (let changed = 0; changed < length; changed++) {
        b.buffer[4 + changed]! ^= 0x80
        assert.ok(!equalBytes(a, 1, b, 4, length), `${length} bytes, byte ${changed} changed`)
        b.buffer[4 + changed]! ^= 0x80
      }
      b.buffer[4 + length]! ^= 1
      b.buffer[3]! ^= 1
      assert.ok(equalBytes(a, 1, b, 4, length), 'the neighbours do not matter')
    }
  })

  it('knows whether a range begins with a text, and whether it is that text', () => {
    const buffer = Buffer.from('xget keyx')
    assert.ok(startsWith(buffer, 1, 8, 'get'))
    assert.ok(startsWith(buffer, 1, 8, ''))
    assert.ok(startsWith(buffer, 1, 4, 'get'))
    assert.ok(!startsWith(buffer, 1, 3, 'get'), 'what stands behind the end does not count')
    assert.ok(!startsWith(buffer, 1, 8, 'gex'))
    assert.ok(!startsWith(buffer, 0, 8, 'get'))
    assert.ok(equalsText(buffer, 1, 4, 'get'))
    assert.ok(!equalsText(buffer, 1, 5, 'get'))
    assert.ok(!equalsText(buffer, 1, 3, 'get'))
    assert.ok(equalsText(buffer, 2, 2, ''))
  })
})

describe('printing', () => {
  const edges = [0, 1, 9, 11, 99, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]
  for (const billions of [2, 3, 4])
    edges.push(billions * 1e9 - 1, billions * 1e9, billions * 1e9 + 1)
  for (let power = 10; power <= 1_000_000_000; power *= 10) edges.push(power - 1, power, power + 1)

  it('writes every edge of the 32-bit integers and nothing beside it', () => {
    for (const value of edges) assert.equal(printed(value), String(value))
  })

  it('writes any 32-bit integer', () => {
    fc.assert(fc.property(fc.nat(0xffff_ffff), (value) => printed(value) === String(value)))
  })

  it('writes as many digits as wanted, with zeros in front', () => {
    fc.assert(
      fc.property(fc.nat(999_999_999), fc.integer({ min: 9, max: 12 }), (value, digits) => {
        const buffer = Buffer.alloc(16, '.')
        assert.equal(printPadded(buffer, 1, value, digits), 1 + digits)
        const expected = `.${String(value).padStart(digits, '0')}`.padEnd(16, '.')
        assert.equal(buffer.toString('latin1'), expected)
      }),
    )
  })
})
