/**
 * Verifies every invariant of a store by walking all of it. For tests, and for a debugger.
 *
 * Throws an Error that names the first thing that is wrong; returns what it counted.
 */
import { assert } from '../../errors.ts'
import type { L1Store } from './l1-store.ts'
import {
  STATE,
  hasState,
  hashNext,
  hashOf,
  itemBytes,
  keyBytes,
  keyStart,
  pins,
  queueNext,
  queuePrev,
  sizeClass,
  valueBytes,
} from './layout.ts'
import { LARGE } from './size-classes.ts'

export interface IntegrityReport {
  /** Items that are linked. */
  linked: number
  /** Chunks that are in use without being linked: reservations, and unlinked but pinned items. */
  unlinked: number
}

/** Checks everything. O(memory). */
export function checkIntegrity(store: L1Store): IntegrityReport {
  const linked = checkPages(store)
  checkIndex(store, linked.items)
  checkOrder(store, linked.items)
  assert(linked.bytes === store.usedBytes, `usedBytes ${store.usedBytes} is really ${linked.bytes}`)
  checkClasses(store, linked.items)
  const { memoryBytesMax, entriesMax } = store.options
  assert(
    store.memoryBytes <= memoryBytesMax,
    `${store.memoryBytes} bytes are in use of ${memoryBytesMax}`,
  )
  assert(entriesMax === 0 || store.count <= entriesMax, `${store.count} items of ${entriesMax}`)
  return { linked: linked.items.size, unlinked: linked.unlinked }
}

/** Walks the pages: every chunk is free or an item of the page's class; the counts agree. */
function checkPages(store: L1Store): { items: Set<number>; unlinked: number; bytes: number } {
  const { slabs, heap } = store
  const words = heap.words
  const items = new Set<number>()
  const usedByClass = new Map<number, number>()
  const pagesByClass = new Map<number, number>()
  let unlinked = 0
  let bytes = 0
  let pagesInUse = 0
  let closed = 0
  for (let page = 0; page < slabs.pageCount; page++) {
    if (slabs.isFree(page)) continue
    pagesInUse++
    if (slabs.isClosed(page)) closed++
    const first = slabs.runStart(page)
    const classId = slabs.pageClass(first)
    pagesByClass.set(classId, (pagesByClass.get(classId) ?? 0) + 1)
    if (first !== page) continue
    const chunks = classId === LARGE ? 1 : slabs.pageCarved(page)
    let used = 0
    let pagePins = 0
    for (let i = 0; i < chunks; i++) {
      const item = slabs.chunkAt(page, i)
      if (!hasState(words, item, STATE.ALLOCATED)) {
        assert(classId !== LARGE, `run at page ${page} is in use but its item is free`)
        continue
      }
      used++
      pagePins += pins(words, item)
      assert(sizeClass(words, item) === classId, `item ${item} is not of the class of its page`)
      const size = itemBytes(keyBytes(words, item), valueBytes(words, item))
      assert(size <= store.chunkBytes(item), `item ${item} is larger than its chunk`)
      if (hasState(words, item, STATE.LINKED)) {
        items.add(item)
        bytes += size
      } else {
        unlinked++
        assert(pins(words, item) > 0, `item ${item} is neither linked nor pinned: it has leaked`)
      }
    }
    usedByClass.set(classId, (usedByClass.get(classId) ?? 0) + used)
    assert(slabs.pageUsed(page) === used, `page ${page} counts ${slabs.pageUsed(page)} of ${used}`)
    assert(slabs.pagePins(page) === pagePins, `page ${page} counts its pins wrongly`)
    assert(used > 0, `page ${page} is empty but belongs to class ${classId}`)
  }
  assert(slabs.pageLimit <= slabs.pageCount, 'the limit is within the pages that may be used')
  assert(slabs.pageCount <= heap.pageCount, 'there is memory for every page')
  assert(closed <= (store.isEmptying ? 1 : 0), `${closed} pages are closed and not being emptied`)
  assert(
    slabs.sparePages === 0 || slabs.pagesLeft >= 0,
    `${slabs.pagesInUse} pages and a spare one of ${slabs.pageLimit}`,
  )
  assert(pagesInUse === slabs.pagesInUse, `${slabs.pagesInUse} pages are really ${pagesInUse}`)
  for (let classId = 1; classId <= LARGE; classId++) {
    const pages = pagesByClass.get(classId) ?? 0
    assert(slabs.classPages(classId) === pages, `class ${classId} has ${pages} pages`)
    const used = usedByClass.get(classId) ?? 0
    assert(slabs.classUsed(classId) === used, `class ${classId} has ${used} chunks in use`)
  }
  return { items, unlinked, bytes }
}

/** The counts of size classes are those of their items. */
function checkClasses(store: L1Store, items: Set<number>): void {
  const words = store.heap.words
  const counts = new Map<number, number>()
  const bytes = new Map<number, number>()
  for (const item of items) {
    const classId = sizeClass(words, item)
    const size = itemBytes(keyBytes(words, item), valueBytes(words, item))
    counts.set(classId, (counts.get(classId) ?? 0) + 1)
    bytes.set(classId, (bytes.get(classId) ?? 0) + size)
  }
  for (let classId = 1; classId <= LARGE; classId++) {
    const count = counts.get(classId) ?? 0
    assert(store.itemsOf(classId) === count, `class ${classId} has ${count} items`)
    assert(store.bytesOf(classId) === (bytes.get(classId) ?? 0), `bytes of class ${classId}`)
  }
}

/** Walks the index: every linked item is in its bucket once, with a key of its own. */
function checkIndex(store: L1Store, items: Set<number>): void {
  const { index, heap } = store
  const words = heap.words
  const seen = new Set<number>()
  const keys = new Set<string>()
  for (let bucket = 0; bucket < index.bucketCount; bucket++) {
    for (let item = index.bucketHead(bucket); item !== 0; item = hashNext(words, item)) {
      assert(items.has(item), `bucket ${bucket} holds ${item}, which is not a linked item`)
      assert(!seen.has(item), `item ${item} is in the index twice`)
      assert(index.bucketOf(hashOf(words, item)) === bucket, `item ${item} is in a foreign bucket`)
      seen.add(item)
      const start = keyStart(item)
      const key = heap.bytes.buffer.toString('latin1', start, start + keyBytes(words, item))
      assert(!keys.has(key), `the key ${JSON.stringify(key)} is there twice`)
      keys.add(key)
    }
  }
  assert(seen.size === items.size, `${items.size - seen.size} linked items are not in the index`)
  assert(index.count === items.size, `the index counts ${index.count} of ${items.size}`)
}

/**
 * Walks the order of eviction: every linked item once, and the links agree in both directions. A
 * policy may have several queues, one after the other.
 */
function checkOrder(store: L1Store, items: Set<number>): void {
  const { policy, heap } = store
  const words = heap.words
  const seen = new Set<number>()
  let older = 0
  for (let item = policy.victim(); item !== 0; item = policy.after(item)) {
    assert(items.has(item), `the order holds ${item}, which is not a linked item`)
    assert(!seen.has(item), `item ${item} is in the order twice`)
    const isTail = older === 0 || queuePrev(words, older) === 0
    if (!isTail) assert(queuePrev(words, older) === item, `${older} and its newer neighbour`)
    assert(queueNext(words, item) === (isTail ? 0 : older), `${item} and its older neighbour`)
    seen.add(item)
    older = item
  }
  assert(seen.size === items.size, `${items.size - seen.size} linked items are not in the order`)
}
