/**
 * Pages and chunks: which are free, which class a page belongs to.
 *
 * A page belongs to one size class as long as one of its chunks is in use, and goes back to the
 * common pool when the last one is freed. Each page has its own list of free chunks, and each
 * class a list of its pages that have one, so that taking, giving back, emptying a page and
 * finding the sparsest one are all cheap. Chunks are carved when first needed: a fresh page costs
 * nothing to begin.
 *
 * ```
 * page:  | chunk 0 | chunk 1 | ... carved - 1 | never used yet        | tail < one chunk |
 * ```
 * Not for: deciding what to evict, or when. A request that cannot be met returns 0.
 */
import { assert } from '../../errors.ts'
import { UNIT_BYTES, createTable } from './heap.ts'
import type { Heap } from './heap.ts'
import { hashNext, initializeFree } from './layout.ts'
import { LARGE, SizeClasses } from './size-classes.ts'

const NO_PAGE = -1
/** Marks in `#pageClass` beside class ids. */
const FREE = 0
/** A page of a run that is not its first. */
const RUN_TAIL = 255

export class Slabs {
  readonly classes: SizeClasses
  readonly #heap: Heap
  #pageCount: number
  readonly #words: Int32Array
  /** log2 of the units of a page. */
  readonly #pageShift: number
  readonly #baseUnits: number
  readonly #pageClass: Uint8Array
  /** Chunks in use, per page. */
  readonly #pageUsed: Int32Array
  /** Chunks carved, per page; in the first page of a run, the pages of the run. */
  readonly #pageCarved: Int32Array
  readonly #pageFreeChunk: Int32Array
  /** Pins on items of the page: a pinned page cannot be vacated. */
  readonly #pagePins: Int32Array
  /** 1 while the page is being vacated: it is in no list and gives out nothing. */
  readonly #pageClosed: Uint8Array
  /** No item of the page is over before this instant, in seconds; 0: none ever is. */
  readonly #pageExpiresFrom: Uint32Array
  readonly #pageNext: Int32Array
  readonly #pagePrev: Int32Array
  /** First page of the class that has a chunk to give. */
  readonly #classPartial: Int32Array
  readonly #classPages: Int32Array
  readonly #classUsed: Int32Array
  /** The page that was added to a class last. */
  readonly #classNewest: Int32Array
  /** No page below this one is free. */
  #freeFrom = 0
  #pagesInUse = 0
  /** Pages that may be in use at a time. */
  pageLimit: number
  /** Free pages that are kept for who cannot do without one: none or one. */
  sparePages = 0

  /** `pageCount`: pages that may be used at first, of those of the heap. */
  constructor(heap: Heap, pageCount: number = heap.pageCount) {
    this.#heap = heap
    this.#words = heap.words
    this.#pageShift = Math.log2(heap.pageBytes / UNIT_BYTES)
    assert(Number.isInteger(this.#pageShift), 'the page size is a power of two')
    this.#baseUnits = heap.ioBytes / UNIT_BYTES
    this.classes = new SizeClasses(heap.pageBytes)
    this.#pageClass = new Uint8Array(heap.pageCount)
    this.#pageUsed = createTable(heap.pageCount)
    this.#pageCarved = createTable(heap.pageCount)
    this.#pageFreeChunk = createTable(heap.pageCount)
    this.#pagePins = createTable(heap.pageCount)
    this.#pageClosed = new Uint8Array(heap.pageCount)
    this.#pageExpiresFrom = new Uint32Array(createTable(heap.pageCount).buffer)
    this.#pageNext = createTable(heap.pageCount)
    this.#pagePrev = createTable(heap.pageCount)
    this.#classPartial = createTable(LARGE + 1).fill(NO_PAGE)
    this.#classPages = createTable(LARGE + 1)
    this.#classUsed = createTable(LARGE + 1)
    this.#classNewest = createTable(LARGE + 1).fill(NO_PAGE)
    this.pageLimit = pageCount
    this.#pageCount = pageCount
  }

  get pagesInUse(): number {
    return this.#pagesInUse
  }
  /** Pages that have been within the limit of memory so far; those behind them were never touched. */
  get pageCount(): number {
    return this.#pageCount
  }
  /** Lets further pages of the heap be used. */
  reach(pageCount: number): void {
    this.#pageCount = Math.max(this.#pageCount, pageCount)
  }
  /** Pages that may be taken, without the spare one. */
  get pagesLeft(): number {
    return this.pageLimit - this.sparePages - this.#pagesInUse
  }
  classPages(classId: number): number {
    return this.#classPages[classId]!
  }
  /** Chunks of the class in use. */
  classUsed(classId: number): number {
    return this.#classUsed[classId]!
  }
  pageClass(page: number): number {
    return this.#pageClass[page]!
  }
  pageUsed(page: number): number {
    return this.#pageUsed[page]!
  }
  pageCarved(page: number): number {
    return this.#pageCarved[page]!
  }
  pagePins(page: number): number {
    return this.#pagePins[page]!
  }
  /** The page that a handle lies in. */
  pageOf(item: number): number {
    return (item - this.#baseUnits) >>> this.#pageShift
  }
  /** Handle of a chunk by its place in its page. */
  chunkAt(page: number, index: number): number {
    const first = this.#baseUnits + page * (1 << this.#pageShift)
    const classId = this.#pageClass[page]!
    if (classId === LARGE) return first
    return first + index * (this.classes.chunkBytes[classId]! / UNIT_BYTES)
  }
  /** Whether a handle that was good once still is that of a chunk, in use or not. */
  isChunk(item: number): boolean {
    const page = this.pageOf(item)
    const classId = this.#pageClass[page]!
    if (classId === FREE || classId === RUN_TAIL) return false
    const first = this.#baseUnits + page * (1 << this.#pageShift)
    if (classId === LARGE) return item === first
    const units = this.classes.chunkBytes[classId]! / UNIT_BYTES
    const index = (item - first) / units
    return Number.isInteger(index) && index < this.#pageCarved[page]!
  }
  addPagePin(item: number): void {
    this.#pagePins[this.pageOf(item)]!++
  }
  removePagePin(item: number): void {
    this.#pagePins[this.pageOf(item)]!--
  }

  /** Whether an item of a page may be over. */
  isDue(page: number, nowS: number): boolean {
    const fromS = this.#pageExpiresFrom[page]!
    return fromS !== 0 && fromS <= nowS
  }
  /** Notes when an item will be over; 0, for never, is of no interest. */
  noteExpiry(item: number, expiresAtS: number): void {
    if (expiresAtS === 0) return
    const page = this.pageOf(item)
    const fromS = this.#pageExpiresFrom[page]!
    if (fromS === 0 || expiresAtS < fromS) this.#pageExpiresFrom[page] = expiresAtS
  }
  /** Forgets what was noted, for who looks at all items of the page now and notes what stays. */
  forgetExpiries(page: number): void {
    this.#pageExpiresFrom[page] = 0
  }
  /** Makes all pages due: the items in them are over, whatever was noted. */
  expireAll(): void {
    this.#pageExpiresFrom.fill(1)
  }

  /** The first page of the run that a page belongs to; of a page of chunks, that page. */
  runStart(page: number): number {
    let first = page
    while (this.#pageClass[first] === RUN_TAIL) first--
    return first
  }
  /** Whether a page is the first one of a large item. */
  isRun(page: number): boolean {
    return this.#pageClass[page] === LARGE
  }
  isFree(page: number): boolean {
    return this.#pageClass[page] === FREE
  }

  /** Pages that an item of class LARGE takes. */
  pagesFor(bytes: number): number {
    return Math.ceil(bytes / this.#heap.pageBytes)
  }

  /** Takes a chunk of a class. Returns 0 if the class has none and no page can be added. */
  allocate(classId: number): number {
    let page = this.#classPartial[classId]!
    if (page === NO_PAGE) {
      page = this.#addPage(classId)
      if (page === NO_PAGE) return 0
    }
    let chunk = this.#pageFreeChunk[page]!
    if (chunk === 0) chunk = this.chunkAt(page, this.#pageCarved[page]!++)
    else this.#pageFreeChunk[page] = hashNext(this.#words, chunk)
    this.#classUsed[classId]!++
    if (++this.#pageUsed[page]! === this.classes.chunksPerPage[classId]!) {
      this.#unlinkPartial(classId, page)
    }
    return chunk
  }

  /** Takes adjacent pages for one large item. Returns 0 if there are none. */
  allocateRun(pages: number): number {
    if (pages > this.pagesLeft) return 0
    const first = this.#findRun(pages)
    if (first === NO_PAGE) return 0
    this.#pageClass.fill(RUN_TAIL, first, first + pages)
    this.#pageClass[first] = LARGE
    this.#pageUsed[first] = 1
    this.#pageCarved[first] = pages
    this.#pageExpiresFrom[first] = 0
    this.#pagesInUse += pages
    this.#classPages[LARGE]! += pages
    this.#classUsed[LARGE]!++
    return this.chunkAt(first, 0)
  }

  /** Gives a chunk or a run back. */
  free(item: number): void {
    const page = this.pageOf(item)
    const classId = this.#pageClass[page]!
    this.#classUsed[classId]!--
    if (classId === LARGE) {
      this.#freeRun(page)
      return
    }
    initializeFree(this.#words, item, this.#pageFreeChunk[page]!)
    this.#pageFreeChunk[page] = item
    const wasFull = this.#isFull(page)
    const isEmpty = --this.#pageUsed[page]! === 0
    if (this.#pageClosed[page] === 0) {
      if (wasFull) this.#linkPartial(classId, page)
      if (isEmpty) this.#unlinkPartial(classId, page)
    }
    if (isEmpty) this.#releasePage(classId, page)
  }

  /** Chunks of a class that are free or not carved, in the pages that it has. */
  freeChunks(classId: number): number {
    const perPage = this.classes.chunksPerPage[classId]!
    return this.#classPages[classId]! * perPage - this.#classUsed[classId]!
  }

  /** Keeps a page from handing out chunks while it is being vacated; freeing its last one opens it. */
  closePage(page: number): void {
    if (this.#pageClosed[page] === 1) return
    const classId = this.#pageClass[page]!
    if (classId !== FREE && classId < LARGE && !this.#isFull(page)) {
      this.#unlinkPartial(classId, page)
    }
    this.#pageClosed[page] = 1
  }

  /** Lets a page that was closed, and is not empty yet, hand out chunks again. */
  reopenPage(page: number): void {
    this.#pageClosed[page] = 0
    if (!this.#isFull(page)) this.#linkPartial(this.#pageClass[page]!, page)
  }

  isClosed(page: number): boolean {
    return this.#pageClosed[page] === 1
  }

  /** The page that was added to a class last, if it is still one of it; or -1. */
  newestPage(classId: number): number {
    const page = this.#classNewest[classId]!
    return page !== NO_PAGE && this.#pageClass[page] === classId ? page : NO_PAGE
  }

  /** Whether a chunk of the class can be had without adding a page. */
  hasChunk(classId: number): boolean {
    return this.#classPartial[classId] !== NO_PAGE
  }

  #isFull(page: number): boolean {
    const chunks = this.classes.chunksPerPage[this.#pageClass[page]!]!
    return chunks === this.#pageUsed[page]
  }

  #addPage(classId: number): number {
    if (this.pagesLeft <= 0) return NO_PAGE
    const page = this.#findRun(1)
    if (page === NO_PAGE) return NO_PAGE
    this.#pageClass[page] = classId
    this.#pageUsed[page] = 0
    this.#pageCarved[page] = 0
    this.#pageFreeChunk[page] = 0
    this.#pageExpiresFrom[page] = 0
    this.#pagesInUse++
    this.#classPages[classId]!++
    this.#classNewest[classId] = page
    this.#linkPartial(classId, page)
    return page
  }

  #releasePage(classId: number, page: number): void {
    this.#pageClass[page] = FREE
    this.#pageClosed[page] = 0
    this.#pagesInUse--
    this.#classPages[classId]!--
    if (page < this.#freeFrom) this.#freeFrom = page
  }

  #freeRun(first: number): void {
    const pages = this.#pageCarved[first]!
    this.#pageClass.fill(FREE, first, first + pages)
    this.#pageClosed.fill(0, first, first + pages)
    this.#pageUsed[first] = 0
    this.#pagesInUse -= pages
    this.#classPages[LARGE]! -= pages
    if (first < this.#freeFrom) this.#freeFrom = first
  }

  /** The lowest run of free pages. */
  #findRun(pages: number): number {
    const count = this.#pageCount
    while (this.#freeFrom < count && this.#pageClass[this.#freeFrom] !== FREE) this.#freeFrom++
    let length = 0
    for (let page = this.#freeFrom; page < count; page++) {
      length = this.#pageClass[page] === FREE ? length + 1 : 0
      if (length === pages) return page - pages + 1
    }
    return NO_PAGE
  }

  #linkPartial(classId: number, page: number): void {
    const head = this.#classPartial[classId]!
    this.#pageNext[page] = head
    this.#pagePrev[page] = NO_PAGE
    if (head !== NO_PAGE) this.#pagePrev[head] = page
    this.#classPartial[classId] = page
  }

  #unlinkPartial(classId: number, page: number): void {
    const next = this.#pageNext[page]!
    const prev = this.#pagePrev[page]!
    if (prev === NO_PAGE) this.#classPartial[classId] = next
    else this.#pageNext[prev] = next
    if (next !== NO_PAGE) this.#pagePrev[next] = prev
  }
}
