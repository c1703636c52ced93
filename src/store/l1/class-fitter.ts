/**
 * Adds size classes for what is stored: where most items of a page are far smaller than its chunks, as
 * where all values have one length, the next page of that class is given to a class that fits them.
 *
 * It looks only when a class is about to take another page, at a sample of the one that it took last, so
 * that storing an item costs nothing. See docs/decisions/0013.
 */
import type { Heap } from './heap.ts'
import { STATE, hasState, itemBytes, keyBytes, valueBytes } from './layout.ts'
import { LARGE } from './size-classes.ts'
import type { Slabs } from './slabs.ts'

/** Items of a page that are looked at. */
const SAMPLE = 64
/** Fewer are small by chance. */
const SAMPLE_MIN = 16
/** All but one in so many have to fit. */
const OUTLIER_PART = 32
/** And a page has to hold this much more of them. */
const GAIN = 1.04

export class ClassFitter {
  readonly #heap: Heap
  readonly #slabs: Slabs
  readonly #sizes = new Float64Array(SAMPLE)

  constructor(heap: Heap, slabs: Slabs) {
    this.#heap = heap
    this.#slabs = slabs
  }

  /** The class to take a page for, instead of `classId`, for an item of some bytes. */
  fit(classId: number, bytes: number): number {
    const { classes } = this.#slabs
    const page = this.#slabs.newestPage(classId)
    if (page === -1) return classId
    const count = this.#sampleSizes(page)
    if (count < SAMPLE_MIN) return classId
    const most = this.#sizes[count - 1 - Math.floor(count / OUTLIER_PART)]!
    if (bytes > most || classes.classFor(most) !== classId) return classId
    if (classes.chunksOf(most) < GAIN * classes.chunksPerPage[classId]!) return classId
    let added = classes.add(most)
    if (added === 0 && this.#removeUnused()) added = classes.add(most)
    return added === 0 ? classId : added
  }

  /** Sizes of items of a page, ascending. Returns how many. */
  #sampleSizes(page: number): number {
    const { words } = this.#heap
    const carved = this.#slabs.pageCarved(page)
    const step = Math.max(1, Math.floor(carved / SAMPLE))
    let count = 0
    for (let i = 0; i < carved && count < SAMPLE; i += step) {
      const item = this.#slabs.chunkAt(page, i)
      if (!hasState(words, item, STATE.ALLOCATED)) continue
      this.#sizes[count++] = itemBytes(keyBytes(words, item), valueBytes(words, item))
    }
    this.#sizes.fill(Infinity, count).sort()
    return count
  }

  /** Makes an id free that no page has any more. */
  #removeUnused(): boolean {
    const { classes } = this.#slabs
    for (let classId = 1; classId < LARGE; classId++) {
      if (!classes.isAdded(classId) || this.#slabs.classPages(classId) > 0) continue
      classes.remove(classId)
      return true
    }
    return false
  }
}
