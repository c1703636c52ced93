/**
 * Noise: frames made of pieces that real ones have, mutated, cut and mixed with plain bytes. What is
 * parsed does not depend on where input ends, and a server answers others whatever it was sent.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { bytesOf } from '../../../../src/bytes/ascii.ts'
import { InputWindow } from '../../../../src/bytes/input-window.ts'
import { PARSED } from '../../../../src/message/codes.ts'
import { Request } from '../../../../src/message/request.ts'
import { ACCESS } from '../../../../src/protocol/binary/layout.ts'
import { BinaryParser } from '../../../../src/protocol/binary/parse.ts'
import { readFrames } from '../../../helpers/frames.ts'
import { startServer } from '../../../helpers/server.ts'

const SEED = 16_180
const MARGIN = 40

const frame = fc
  .record({
    opcode: fc.oneof(fc.integer({ min: 0, max: 0x24 }), fc.integer({ min: 0, max: 255 })),
    extrasBytes: fc.constantFrom(0, 0, 4, 8, 20, 3),
    key: fc.constantFrom('', 'k', 'k', 'key', 'k'.repeat(250), 'k'.repeat(251)),
    value: fc.constantFrom('', '', '1', 'value', 'v'.repeat(2000)),
    lie: fc.constantFrom(0, 0, 0, 0, 0, 0, -1, 1, -0xffff, 0xfffffff0),
    cas: fc.constantFrom(0n, 0n, 0n, 1n, 0xffff_ffff_ffff_ffffn),
    fill: fc.constantFrom(0, 0, 0xff, 0x80),
  })
  .map(({ opcode, extrasBytes, key, value, lie, cas, fill }) => {
    const header = Buffer.alloc(24)
    header.writeUInt8(0x80, 0)
    header.writeUInt8(opcode, 1)
    header.writeUInt16BE(key.length, 2)
    header.writeUInt8(extrasBytes, 4)
    header.writeUInt32BE((extrasBytes + key.length + value.length + lie) >>> 0, 8)
    header.writeBigUInt64BE(cas, 16)
    return Buffer.concat([header, Buffer.alloc(extrasBytes, fill), Buffer.from(key + value)])
  })
const mutated = fc.tuple(frame, fc.nat(), fc.nat({ max: 255 })).map(([bytes, at, byte]) => {
  const copy = Buffer.from(bytes)
  copy[at % copy.length] = byte
  return copy
})
const noise = fc
  .uint8Array({ minLength: 1, maxLength: 60 })
  .map((bytes) => Buffer.concat([Buffer.from([0x80]), bytes]))
const stream = fc
  .array(fc.oneof({ weight: 6, arbitrary: frame }, { weight: 2, arbitrary: mutated }, noise), {
    minLength: 1,
    maxLength: 8,
  })
  .map((parts) => Buffer.concat(parts))

/** All that a parser says of the beginning of a stream, up to its end or to where it stops. */
function story(bytes: Buffer, poison: number): string[] {
  const buffer = Buffer.alloc(MARGIN + bytes.length + MARGIN, poison)
  bytes.copy(buffer, MARGIN)
  const input = new InputWindow(bytesOf(buffer))
  input.show(input.bytes, MARGIN, MARGIN + bytes.length)
  const request = new Request(input.bytes)
  const parser = new BinaryParser(ACCESS.OPEN)
  const said: string[] = []
  while (input.start < input.end) {
    const start = input.start
    const parsed = parser.parse(input, request)
    const { op, opcode, keyStart, keyBytes, valueBytes, outcome, swallowBytes } = request
    assert.ok(input.start <= input.end)
    if (parsed === PARSED.NEED_MORE) {
      assert.equal(input.start, start)
      return said
    }
    said.push(`${parsed} ${op} ${opcode}`)
    if (parsed === PARSED.MALFORMED || parsed === PARSED.HANG_UP) return said
    assert.ok(input.start > start)
    if (parsed === PARSED.REFUSED) {
      said.push(`${outcome} ${swallowBytes}`)
      input.start = Math.min(input.end, input.start + swallowBytes)
    } else {
      said.push(buffer.toString('latin1', keyStart, keyStart + keyBytes))
    }
    if (parsed === PARSED.READY_WITH_VALUE) {
      said.push(`${valueBytes}`)
      input.start = Math.min(input.end, input.start + valueBytes)
    }
  }
  return said
}

describe('noise in the binary protocol', () => {
  it('is parsed the same whatever lies around it', () => {
    fc.assert(
      fc.property(stream, (bytes) => {
        assert.deepEqual(story(bytes, 0x80), story(bytes, 0))
      }),
      { seed: SEED, numRuns: 2000 },
    )
  })

  it('is parsed the same as far as it has come', () => {
    fc.assert(
      fc.property(stream, fc.nat(), (bytes, at) => {
        const whole = story(bytes, 0)
        const part = story(bytes.subarray(0, at % bytes.length), 0)
        assert.deepEqual(part, whole.slice(0, part.length))
      }),
      { seed: SEED, numRuns: 2000 },
    )
  })

  it('is answered in whole frames, or the connection ends, and nobody else is disturbed', async () => {
    const server = await startServer({ 'l1.max_memory': '2MB', 'server.max_item_size': '100KB' })
    const other = await server.connect()
    for (const bytes of fc.sample(stream, { seed: SEED, numRuns: 300 })) {
      const client = await server.connect()
      client.send(bytes)
      const { rest } = readFrames(Buffer.from(await client.finish(), 'latin1'))
      assert.equal(rest.length, 0)
      client.destroy()
      await other.ask('get none\r\n', 'END\r\n')
    }
    assert.equal((await server.stats()).get('curr_connections'), 2)
    other.destroy()
    await server.stop()
  })
})
