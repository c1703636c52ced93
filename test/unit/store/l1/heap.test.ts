import assert from 'node:assert/strict'
import { constants } from 'node:buffer'
import { describe, it } from 'node:test'
import { ServerError } from '../../../../src/errors.ts'
import { createHeap, createTable } from '../../../../src/store/l1/heap.ts'

const isMemoryUnavailable = (error: unknown): error is ServerError =>
  error instanceof ServerError && error.code === 'MEMORY_UNAVAILABLE'

describe('the heap', () => {
  it('shows the same memory as bytes and as little-endian words', () => {
    const heap = createHeap(64, 4096, 3)
    assert.equal(heap.bytes.buffer.length, 64 + 3 * 4096)
    assert.equal(heap.words.length * 4, heap.bytes.buffer.length)
    heap.words[16] = 0x0102_0304
    assert.deepEqual([...heap.bytes.buffer.subarray(64, 68)], [4, 3, 2, 1])
    heap.bytes.buffer[heap.bytes.buffer.length - 1] = 0x80
    assert.equal(heap.words.at(-1), -0x8000_0000)
    assert.equal(heap.bytes.view.byteLength, heap.bytes.buffer.length)
  })

  it('is all zero', () => {
    const heap = createHeap(64, 4096, 2)
    assert.ok(heap.words.every((word) => word === 0))
    assert.ok(createTable(100).every((word) => word === 0))
  })

  it('says how much memory was wanted and how much there can be, where that is less', () => {
    const pageBytes = 2 ** 20
    const pages = Math.floor(constants.MAX_LENGTH / pageBytes) + 1
    assert.throws(
      () => createHeap(64, pageBytes, pages),
      (error) => isMemoryUnavailable(error) && error.message.includes(`${pages * pageBytes}`),
    )
  })

  it('has as many pages as can be addressed where more are wanted than needed', () => {
    const pageBytes = 2 ** 20
    assert.equal(createHeap(64, pageBytes, 2, 5).pageCount, 5)
    const pages = Math.floor(Math.min(constants.MAX_LENGTH, 2 ** 34) / pageBytes)
    assert.ok(createHeap(64, pageBytes, 2, pages + 1).pageCount <= pages)
  })

  it('is refused where a handle would not reach its end', () => {
    // 16 GiB and a page: more than 31 bits of eight bytes each.
    assert.throws(() => createHeap(8, 2 ** 20, 2 ** 14 + 1), isMemoryUnavailable)
  })
})
