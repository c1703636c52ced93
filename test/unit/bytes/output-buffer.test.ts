import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf } from '../../../src/bytes/ascii.ts'
import { OutputBuffer, PINNED_VALUE_FROM } from '../../../src/bytes/output-buffer.ts'

const BASE = 5
const CAPACITY = 16

/** An output buffer in the middle of a larger one, whose sink collects what it is given. */
function collecting(): { out: OutputBuffer; sent: string[]; pinned: unknown[][] } {
  const sent: string[] = []
  const pinned: unknown[][] = []
  const bytes = bytesOf(Buffer.alloc(BASE + CAPACITY + 5, '.'))
  const out: OutputBuffer = new OutputBuffer(bytes, BASE, CAPACITY, {
    flush: () => {
      sent.push(out.bytes.buffer.toString('latin1', out.base, out.position))
      out.reset(out.bytes, BASE, CAPACITY)
    },
    sendPinned: (source, start, length, item) => pinned.push([source, start, length, item]),
  })
  return { out, sent, pinned }
}

describe('the output buffer', () => {
  it('gathers text until there is no room for more, and sends it then', () => {
    const { out, sent } = collecting()
    out.text('0123456789')
    assert.equal(out.length, 10)
    out.text('abcdef')
    assert.deepEqual(sent, [])
    assert.equal(out.length, 16)
    out.text('X')
    assert.deepEqual(sent, ['0123456789abcdef'])
    assert.equal(out.length, 1)
  })

  it('copies what is longer than itself in parts, in order and without a byte outside', () => {
    for (const length of [0, 1, 15, 16, 17, 31, 32, 33, 100]) {
      const { out, sent } = collecting()
      const text = Array.from({ length }, (_, i) => String.fromCharCode(48 + (i % 70))).join('')
      out.text('<')
      out.copy(bytesOf(Buffer.from(`__${text}__`, 'latin1')), 2, length)
      out.text('>')
      out.sink.flush()
      assert.equal(sent.join(''), `<${text}>`)
      assert.equal(out.bytes.buffer.toString('latin1', 0, BASE), '.....')
      assert.equal(out.bytes.buffer.toString('latin1', BASE + CAPACITY), '.....')
    }
  })

  it('copies a small value and has a large one sent from where it lies', () => {
    const { out, sent, pinned } = collecting()
    const heap = bytesOf(Buffer.alloc(PINNED_VALUE_FROM + 8, 'v'))
    out.value(heap, 8, PINNED_VALUE_FROM, 77)
    assert.deepEqual(pinned, [[heap, 8, PINNED_VALUE_FROM, 77]])
    assert.equal(out.length, 0)
    out.value(heap, 8, PINNED_VALUE_FROM - 1, 78)
    out.sink.flush()
    assert.equal(pinned.length, 1)
    assert.equal(sent.join('').length, PINNED_VALUE_FROM - 1)
  })
})

describe('a text', () => {
  it('is written into a buffer that is larger than 2 GiB, too', () => {
    const sent: string[] = []
    // Address space only: what is not touched takes no memory.
    const large = bytesOf(Buffer.from(new ArrayBuffer(2 ** 31 + 2 ** 16)))
    const sink = { flush: () => sent.push('flush'), sendPinned: () => sent.push('pinned') }
    const out = new OutputBuffer(large, 100, 1000, sink)
    out.text('VERSION 1')
    assert.equal(out.length, 9)
    assert.equal(large.buffer.subarray(100, 109).toString('latin1'), 'VERSION 1')
    assert.deepEqual(sent, [])
  })
})
