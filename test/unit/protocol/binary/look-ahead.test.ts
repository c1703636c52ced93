import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf } from '../../../../src/bytes/ascii.ts'
import { InputWindow } from '../../../../src/bytes/input-window.ts'
import { lookAhead } from '../../../../src/protocol/binary/look-ahead.ts'

function frame(opcode: number, key: string, extras: number, value: string): Buffer {
  const header = Buffer.alloc(24)
  header[0] = 0x80
  header[1] = opcode
  header.writeUInt16BE(key.length, 2)
  header[4] = extras
  header.writeUInt32BE(extras + key.length + value.length, 8)
  return Buffer.concat([header, Buffer.alloc(extras), Buffer.from(key + value)])
}

function keysOf(...parts: readonly Buffer[]): string[] {
  const buffer = Buffer.concat(parts)
  const input = new InputWindow(bytesOf(buffer))
  input.show(input.bytes, 0, buffer.length)
  lookAhead(input)
  const { count, starts, ends } = input.ahead
  return Array.from({ length: count }, (_, index) =>
    buffer.toString('latin1', starts[index], ends[index]),
  )
}

describe('looking ahead in frames', () => {
  it('finds keys behind extras, and passes over values and frames without a key', () => {
    const frames = [frame(0, 'a', 0, ''), frame(1, 'bb', 8, 'value'), frame(10, '', 0, '')]
    assert.deepEqual(keysOf(...frames, frame(5, 'ccc', 20, '')), ['a', 'bb', 'ccc'])
  })

  it('ends where a key is cut, or a frame is none', () => {
    const cut = frame(0, 'long', 0, '').subarray(0, 26)
    assert.deepEqual(keysOf(frame(0, 'a', 0, ''), cut), ['a'])
    assert.deepEqual(keysOf(frame(0, 'a', 0, ''), Buffer.from('get b\r\n'.repeat(9))), ['a'])
  })
})
