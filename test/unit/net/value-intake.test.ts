import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf } from '../../../src/bytes/ascii.ts'
import { InputWindow } from '../../../src/bytes/input-window.ts'
import { Request } from '../../../src/message/request.ts'
import { INTAKE, ValueIntake } from '../../../src/net/value-intake.ts'
import type { Intake } from '../../../src/net/value-intake.ts'

const VALUE_START = 16

interface Taken {
  readonly intake: Intake
  readonly value: string
  readonly rest: string
}

/** Takes a value of `valueBytes` from pieces; what a piece leaves stands before the next one. */
function take(pieces: readonly string[], valueBytes: number, trailerBytes = 2): Taken {
  const heap = bytesOf(Buffer.alloc(256, '#'))
  const request = new Request(heap)
  request.valueBytes = valueBytes
  request.trailerBytes = trailerBytes
  request.valueStart = VALUE_START
  const value = new ValueIntake()
  value.begin()
  let intake: Intake = INTAKE.INCOMPLETE
  let rest = ''
  for (const piece of pieces) {
    assert.equal(value.active, true)
    const input = new InputWindow(bytesOf(Buffer.from(`${rest}${piece}`, 'latin1')))
    input.show(input.bytes, 0, input.bytes.buffer.length)
    intake = value.take(input, request, heap)
    rest = input.bytes.buffer.toString('latin1', input.start, input.end)
  }
  assert.equal(value.active, intake === INTAKE.INCOMPLETE)
  const { buffer } = heap
  assert.equal(buffer.toString('latin1', 0, VALUE_START), '#'.repeat(VALUE_START))
  const end = VALUE_START + valueBytes
  assert.equal(buffer[end], '#'.charCodeAt(0), 'nothing is written behind the value')
  return { intake, value: buffer.toString('latin1', VALUE_START, end), rest }
}

describe('the intake of a value', () => {
  it('leaves what follows the line end', () => {
    const expected = { intake: INTAKE.COMPLETE, value: 'value', rest: 'get k\r\n' }
    assert.deepEqual(take(['value\r\nget k\r\n'], 5), expected)
  })

  it('takes a value in two pieces, cut anywhere', () => {
    const text = 'a\r\nb\0\r\n'
    for (let cut = 0; cut < text.length; cut++) {
      const expected = { intake: INTAKE.COMPLETE, value: 'a\r\nb\0', rest: 'x' }
      assert.deepEqual(take([text.slice(0, cut), `${text.slice(cut)}x`], 5), expected, `${cut}`)
    }
  })

  it('takes a value byte by byte', () => {
    const expected = { intake: INTAKE.COMPLETE, value: 'value', rest: '' }
    assert.deepEqual(take('value\r\n'.split(''), 5), expected)
  })

  it('takes an empty value', () => {
    assert.deepEqual(take(['\r\n'], 0), { intake: INTAKE.COMPLETE, value: '', rest: '' })
    assert.deepEqual(take(['\r', '\n'], 0), { intake: INTAKE.COMPLETE, value: '', rest: '' })
  })

  it('waits for the whole line end', () => {
    for (const text of ['', 'val', 'value', 'value\r']) {
      assert.equal(take([text], 5).intake, INTAKE.INCOMPLETE, text)
    }
  })

  it('says what is not closed by a line end, and has taken two bytes for it', () => {
    for (const end of ['xx', '\rx', 'x\n', '\n\r', '\n\n']) {
      const expected = { intake: INTAKE.MALFORMED, value: 'value', rest: '!' }
      assert.deepEqual(take([`value${end}!`], 5), expected, JSON.stringify(end))
    }
  })

  it('wants no line end where none belongs to a value', () => {
    const expected = { intake: INTAKE.COMPLETE, value: 'value', rest: '\r\n' }
    assert.deepEqual(take(['val', 'ue\r\n'], 5, 0), expected)
  })
})
