import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createHeap } from '../../../../src/store/l1/heap.ts'
import type { Heap } from '../../../../src/store/l1/heap.ts'
import { initialize } from '../../../../src/store/l1/layout.ts'
import { LARGE } from '../../../../src/store/l1/size-classes.ts'
import { Slabs } from '../../../../src/store/l1/slabs.ts'
import { seededWords } from '../../../helpers/store.ts'

const PAGE_BYTES = 4096

function create(pages: number): { slabs: Slabs; heap: Heap } {
  const heap = createHeap(64, PAGE_BYTES, pages)
  return { slabs: new Slabs(heap), heap }
}

/** Takes chunks until there are none. */
function drain(slabs: Slabs, classId: number): number[] {
  const chunks: number[] = []
  for (let chunk = slabs.allocate(classId); chunk !== 0; chunk = slabs.allocate(classId)) {
    chunks.push(chunk)
  }
  return chunks
}

describe('slabs', () => {
  it('hand out chunks that do not overlap and lie in the pages, for every class', () => {
    const { slabs } = create(3)
    for (let classId = 1; classId <= slabs.classes.count; classId++) {
      const size = slabs.classes.chunkBytes[classId]!
      const chunks = drain(slabs, classId)
      assert.equal(chunks.length, 3 * slabs.classes.chunksPerPage[classId]!)
      const starts = chunks.map((chunk) => chunk * 8).sort((a, b) => a - b)
      assert.ok(starts[0]! >= 64)
      assert.ok(starts.at(-1)! + size <= 64 + 3 * PAGE_BYTES)
      for (let i = 1; i < starts.length; i++) assert.ok(starts[i]! - starts[i - 1]! >= size)
      assert.equal(slabs.classUsed(classId), chunks.length)
      assert.equal(slabs.freeChunks(classId), 0)
      for (const chunk of chunks) slabs.free(chunk)
      assert.equal(slabs.pagesInUse, 0)
      assert.equal(slabs.classUsed(classId), 0)
    }
  })

  it('give a page back to all classes when its last chunk is freed', () => {
    const { slabs } = create(1)
    const chunks = drain(slabs, 1)
    assert.equal(slabs.allocate(2), 0)
    for (const chunk of chunks.slice(1)) slabs.free(chunk)
    assert.equal(slabs.allocate(2), 0, 'one chunk keeps the page')
    slabs.free(chunks[0]!)
    assert.ok(slabs.isFree(0))
    assert.notEqual(slabs.allocate(2), 0)
  })

  it('fill the pages of a class before they add one', () => {
    const { slabs } = create(4)
    const chunks = drain(slabs, 3)
    const perPage = slabs.classes.chunksPerPage[3]!
    // One chunk in each of three pages, the fourth stays full.
    for (const page of [0, 1, 2]) slabs.free(chunks[page * perPage]!)
    assert.equal(slabs.freeChunks(3), 3)
    const again = drain(slabs, 3)
    assert.deepEqual(new Set(again), new Set([0, 1, 2].map((page) => chunks[page * perPage]!)))
  })

  it('never use more pages at a time than the limit', () => {
    const { slabs } = create(4)
    slabs.pageLimit = 2
    assert.equal(drain(slabs, 1).length, 2 * slabs.classes.chunksPerPage[1]!)
    assert.equal(slabs.pagesInUse, 2)
    assert.equal(slabs.allocateRun(1), 0)
    slabs.pageLimit = 4
    assert.notEqual(slabs.allocateRun(2), 0)
    assert.equal(slabs.allocate(1), 0)
  })

  it('find adjacent pages for a large item, and know each of them as part of it', () => {
    const { slabs, heap } = create(6)
    const small = slabs.allocate(1)
    const run = slabs.allocateRun(3)
    initialize(heap.words, run, 0, 1, 3 * PAGE_BYTES - 100, LARGE)
    assert.equal(slabs.pageOf(run), 1)
    for (const page of [1, 2, 3]) assert.equal(slabs.runStart(page), 1)
    assert.equal(slabs.pagesInUse, 4)
    assert.equal(slabs.classPages(LARGE), 3)
    assert.equal(slabs.allocateRun(3), 0, 'only two are left')
    slabs.free(run)
    assert.equal(slabs.pagesInUse, 1)
    assert.equal(slabs.pageOf(slabs.allocateRun(5)), 1)
    slabs.free(small)
    assert.equal(slabs.pageOf(slabs.allocateRun(1)), 0)
  })

  it('say that a page is needed for a page of bytes, and two for a byte more', () => {
    const { slabs } = create(1)
    assert.equal(slabs.pagesFor(PAGE_BYTES), 1)
    assert.equal(slabs.pagesFor(PAGE_BYTES + 1), 2)
  })

  it('find no run where the free pages are not adjacent', () => {
    const { slabs } = create(4)
    const runs = [1, 2, 3, 4].map(() => slabs.allocateRun(1))
    slabs.free(runs[0]!)
    slabs.free(runs[2]!)
    assert.equal(slabs.allocateRun(2), 0)
    slabs.free(runs[1]!)
    assert.equal(slabs.pageOf(slabs.allocateRun(3)), 0)
  })

  it('hand out no chunk of a closed page, and open it when it is empty', () => {
    const { slabs } = create(2)
    const first = slabs.allocate(2)
    slabs.closePage(0)
    assert.ok(!slabs.hasChunk(2))
    const second = slabs.allocate(2)
    assert.equal(slabs.pageOf(second), 1, 'a new page')
    slabs.free(first)
    assert.ok(slabs.isFree(0))
    assert.equal(slabs.pageOf(slabs.allocate(1)), 0)
  })

  it('do not open a full page that was closed when one of its chunks is freed', () => {
    const { slabs } = create(1)
    const chunks = drain(slabs, 5)
    slabs.closePage(0)
    slabs.free(chunks[0]!)
    assert.ok(!slabs.hasChunk(5))
    for (const chunk of chunks.slice(1)) slabs.free(chunk)
    assert.equal(drain(slabs, 5).length, chunks.length)
  })

  it('survive any order of taking and giving back', () => {
    const random = seededWords(42)
    const { slabs } = create(8)
    slabs.pageLimit = 7
    /** Chunks in use, with the bytes that belong to each. */
    const used = new Map<number, { classId: number; bytes: number }>()
    const owner = new Int32Array(8 * PAGE_BYTES + 64)
    for (let step = 0; step < 4000; step++) {
      if (random() % 2 === 0) {
        const classId = random() % 4 === 0 ? LARGE : 1 + (random() % slabs.classes.count)
        const pages = 1 + (random() % 3)
        const chunk = classId === LARGE ? slabs.allocateRun(pages) : slabs.allocate(classId)
        if (chunk !== 0) {
          const bytes = classId === LARGE ? pages * PAGE_BYTES : slabs.classes.chunkBytes[classId]!
          assert.ok(!used.has(chunk))
          for (const at of [0, bytes >> 1, bytes - 1]) assert.equal(owner[chunk * 8 + at], 0)
          owner.fill(chunk, chunk * 8, chunk * 8 + bytes)
          used.set(chunk, { classId, bytes })
        }
      } else if (used.size > 0) {
        const chunk = [...used.keys()][random() % used.size]!
        const { bytes } = used.get(chunk)!
        owner.fill(0, chunk * 8, chunk * 8 + bytes)
        used.delete(chunk)
        slabs.free(chunk)
      }
      const pages = new Set<number>()
      for (const [chunk, { bytes }] of used) {
        const first = slabs.pageOf(chunk)
        for (let at = 0; at < bytes; at += PAGE_BYTES) pages.add(first + at / PAGE_BYTES)
      }
      assert.equal(slabs.pagesInUse, pages.size)
      assert.ok(pages.size <= slabs.pageLimit)
    }
    for (const chunk of used.keys()) slabs.free(chunk)
    assert.equal(slabs.pagesInUse, 0)
  })
})
