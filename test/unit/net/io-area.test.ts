import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf } from '../../../src/bytes/ascii.ts'
import type { OutputSink } from '../../../src/bytes/output-buffer.ts'
import { IO_BYTES, IoArea, OUTPUT_BYTES } from '../../../src/net/io-area.ts'

const sink: OutputSink = {
  flush: () => assert.fail('nothing here fills the buffer'),
  sendPinned: () => assert.fail('nothing here is pinned'),
}

function area(): IoArea {
  return new IoArea(bytesOf(Buffer.alloc(IO_BYTES)))
}

/** Somebody with replies that the system has not taken. */
function holding(): { holdsOutput: boolean } {
  return { holdsOutput: true }
}

/** What a connection does with `length` bytes of reply. */
function handOver(io: IoArea, length: number): Buffer {
  io.out.position += length
  const view = io.written()
  io.out.base = io.out.position
  return view
}

describe('IoArea', () => {
  it('is written from its start again when all has left', () => {
    const io = area()
    const out = io.openOutput(sink)
    const start = out.base
    assert.equal(handOver(io, 100).length, 100)
    io.rewind()
    assert.equal(out.base, start)
    assert.equal(out.position, start)
    assert.equal(out.bytes, io.bytes)
  })

  it('gives out the same view for the same length, over the bytes that were written', () => {
    const io = area()
    const out = io.openOutput(sink)
    out.bytes.buffer.write('first', out.position, 'latin1')
    const first = handOver(io, 5)
    assert.equal(first.toString('latin1'), 'first')
    io.rewind()
    out.bytes.buffer.write('again', out.position, 'latin1')
    assert.equal(handOver(io, 5), first)
    assert.equal(first.toString('latin1'), 'again')
  })

  it('gives a view of the second part where a first one was handed over before', () => {
    const io = area()
    const out = io.openOutput(sink)
    out.bytes.buffer.write('onetwo', out.position, 'latin1')
    handOver(io, 3)
    assert.equal(handOver(io, 3).toString('latin1'), 'two')
  })

  it('is left to a socket that still reads from it, until that has sent everything', () => {
    const io = area()
    const out = io.openOutput(sink)
    handOver(io, 100)
    const slow = holding()
    io.leaveTo(slow)
    assert.notEqual(out.bytes, io.bytes)
    assert.equal(out.limit - out.base, OUTPUT_BYTES)
    io.openOutput(sink)
    assert.notEqual(out.bytes, io.bytes, 'while the slow one has not sent it')
    slow.holdsOutput = false
    io.openOutput(sink)
    assert.equal(out.bytes, io.bytes)
  })

  it('is not left to a socket that was given nothing of it', () => {
    const io = area()
    const out = io.openOutput(sink)
    io.leaveTo(holding())
    assert.equal(out.bytes, io.bytes)
    const elsewhere = holding()
    handOver(io, 10)
    io.leaveTo(elsewhere)
    const other = out.bytes
    io.leaveTo(holding())
    assert.equal(out.bytes, other, 'nor is the buffer beside it')
  })

  it('writes a buffer beside it from its start again while the area is busy', () => {
    const io = area()
    const out = io.openOutput(sink)
    handOver(io, 10)
    io.leaveTo(holding())
    const beside = out.bytes
    for (let turn = 0; turn < 3; turn++) {
      handOver(io, OUTPUT_BYTES)
      io.rewind()
      assert.equal(out.bytes, beside)
      assert.equal(out.base, 0)
    }
  })
})
