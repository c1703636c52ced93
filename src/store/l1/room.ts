/**
 * Making room in a full store, in the one order of eviction that there is.
 *
 * A chunk of some class is wanted. First the next few victims go, whatever their class: in a
 * steady mix one of them has the right size. If none has, memory has to move between the classes:
 * a page is *vacated*, which means that its items are copied into chunks of their class that
 * further victims leave, so that what is evicted is still what the policy names, and not what
 * happens to lie in the page. Only an item that finds no chunk after that is evicted out of turn.
 *
 * A large item wants adjacent pages. Victims go until as much is free as it takes; large ones leave
 * such pages behind, small ones the holes into which the items of vacated pages move.
 *
 * Vacating a page of small items takes up to 30 ms. So a larger store keeps one page free for the next
 * class that needs one, and empties the next in advance: with each item that is stored, some of its items
 * move (docs/decisions/0014). Only who needs pages faster than that waits for a whole one.
 *
 * Pages with a pinned item stay where they are. All of this is synchronous.
 */
import { assert } from '../../errors.ts'
import type { ClassFitter } from './class-fitter.ts'
import type { L1Store } from './l1-store.ts'
import { STATE, hasState, sizeClass } from './layout.ts'
import { LARGE } from './size-classes.ts'
import type { Slabs } from './slabs.ts'

/** Victims before memory moves; more would empty other classes in favour of a rare size. */
const VICTIMS_BEFORE_MOVING = 8
/** Victims for the sake of one item of a page that is being vacated. */
const VICTIMS_PER_MOVE = 4
/** A large item leaves no chunks to move others into, so more of them may go before others move. */
const LARGE_VICTIMS_PER_RUN = 4
/** A large item cannot move: a page of it costs as much as two of items that can. */
const LARGE_COST = 2
const IMPOSSIBLE = -1
/** A smaller store has small pages, and a spare one would be too large a part of it. */
const PAGES_FOR_SPARE = 128
/** Bytes of a page that are emptied for each byte that is stored, so that it is done in time. */
const EMPTIED_PER_STORED = 2
/** And for one item at most, where items are small some 2 ms; for one that is small at least. */
const EMPTIED_BYTES_MAX = 2 ** 17
const EMPTIED_CHUNKS_MIN = 4
/** Bytes that are emptied in a step on the way to a lower limit. */
const STEP_BYTES = 2 ** 15
const NONE = -1

export class RoomMaker {
  readonly #store: L1Store
  readonly #fitter: ClassFitter
  readonly #evictions: boolean
  /** The page that is being emptied, and which of its chunks is next. */
  #page = NONE
  #next = 0
  #movedItems = 0
  /** Pages of this class are not to be emptied. */
  #exceptClass = NONE

  constructor(store: L1Store, fitter: ClassFitter, evictions: boolean) {
    this.#store = store
    this.#fitter = fitter
    this.#evictions = evictions
  }

  /**
   * Frees and takes a chunk of a class for an item of some bytes. Where it takes another page, that may be
   * one of a class that fits better. Returns 0 if there is none to be had.
   */
  makeChunk(classId: number, bytes: number): number {
    if (!this.#evictions) return 0
    const slabs = this.#store.slabs
    for (let i = 0; i < VICTIMS_BEFORE_MOVING; i++) {
      if (!this.#store.evictOne()) break
      const chunk = slabs.allocate(classId)
      if (chunk !== 0) return chunk
    }
    const fitting = this.#fitter.fit(classId, bytes)
    while (this.#page !== NONE) this.#empty(EMPTIED_BYTES_MAX)
    if (!this.takeSpare() && !this.#vacatePages(1)) return 0
    const chunk = slabs.allocate(fitting)
    this.#beginEmptying(fitting)
    return chunk
  }

  /** Whether a page is being emptied in advance. */
  get isEmptying(): boolean {
    return this.#page !== NONE
  }

  /** Goes on emptying, because an item of some bytes is stored. */
  emptyFor(bytes: number): void {
    this.#empty(Math.min(EMPTIED_BYTES_MAX, EMPTIED_PER_STORED * bytes))
  }

  /**
   * Goes on emptying a page, and begins with one if none is. Returns whether there is one that is empty
   * now, or none that can be.
   */
  emptyStep(): boolean {
    if (this.#store.slabs.sparePages > 0) return true
    if (this.#page === NONE) this.#beginEmptying(NONE)
    if (this.#page !== NONE) this.#empty(STEP_BYTES)
    return this.#page === NONE
  }

  /** Lets the spare page be used. Returns whether there is one. */
  takeSpare(): boolean {
    const { slabs } = this.#store
    const isThere = slabs.sparePages > 0
    slabs.sparePages = 0
    return isThere
  }

  /** Begins to empty a page in advance, of another class than the one that needs pages. */
  #beginEmptying(exceptClass: number): void {
    const { slabs } = this.#store
    if (!this.#evictions || slabs.pageLimit < PAGES_FOR_SPARE) return
    this.#exceptClass = exceptClass
    const page = this.#cheapestWindow(1)
    this.#exceptClass = NONE
    // A large item is evicted as a whole; there is nothing to begin with.
    if (page === IMPOSSIBLE || slabs.pageClass(page) >= LARGE) return
    slabs.closePage(page)
    this.#page = page
    this.#next = 0
    this.#movedItems = 0
  }

  #empty(bytes: number): void {
    const { slabs, heap } = this.#store
    const page = this.#page
    // The last of its items may have left by itself, or the page was vacated with others.
    if (!slabs.isClosed(page)) {
      this.#page = NONE
      return
    }
    if (slabs.pagePins(page) > 0) {
      slabs.reopenPage(page)
      this.#page = NONE
      return
    }
    const classId = slabs.pageClass(page)
    const chunks = Math.ceil(bytes / slabs.classes.chunkBytes[classId]!)
    const end = Math.min(slabs.pageCarved(page), this.#next + Math.max(EMPTIED_CHUNKS_MIN, chunks))
    for (; this.#next < end && slabs.isClosed(page); this.#next++) {
      const item = slabs.chunkAt(page, this.#next)
      if (!hasState(heap.words, item, STATE.ALLOCATED)) continue
      if (this.#move(item, classId, slabs)) this.#movedItems++
    }
    if (slabs.isClosed(page)) return
    this.#page = NONE
    this.#store.pageVacated(this.#movedItems)
    if (slabs.pagesLeft > 0) slabs.sparePages = 1
  }

  /** Frees and takes adjacent pages. Returns 0 if that is impossible. */
  makeRun(pages: number): number {
    const slabs = this.#store.slabs
    if (!this.#evictions || pages > slabs.pageLimit) return 0
    if (this.takeSpare()) {
      const item = slabs.allocateRun(pages)
      if (item !== 0) return item
    }
    // Where pins leave no adjacent pages, nothing is to be evicted in vain.
    if (this.#cheapestWindow(pages) === IMPOSSIBLE) return 0
    const item = this.#evictForRun(pages)
    if (item !== 0) return item
    if (!this.#vacatePages(pages)) return 0
    while (slabs.pagesInUse + pages > slabs.pageLimit) {
      if (!this.#vacatePages(1)) return 0
    }
    return slabs.allocateRun(pages)
  }

  /**
   * Evicts in order what a run of pages holds, and takes the run if that has freed it. Otherwise the
   * chunks that were freed take in the items of the pages that are vacated next.
   */
  #evictForRun(pages: number): number {
    const { heap, policy, slabs } = this.#store
    let budget = pages * heap.pageBytes
    while (budget > 0) {
      const victim = policy.victim()
      if (victim === 0) return 0
      const isLarge = sizeClass(heap.words, victim) === LARGE
      const bytes = this.#store.chunkBytes(victim)
      budget -= isLarge ? bytes / LARGE_VICTIMS_PER_RUN : bytes
      const pagesBefore = slabs.pagesInUse
      this.#store.evict(victim)
      if (slabs.pagesInUse === pagesBefore) continue
      const item = slabs.allocateRun(pages)
      if (item !== 0) return item
    }
    return 0
  }

  /** Empties pages until no more than `pages` are in use. Returns whether that was possible. */
  shrinkTo(pages: number): boolean {
    const slabs = this.#store.slabs
    if (slabs.pagesInUse + slabs.sparePages > pages) slabs.sparePages = 0
    while (slabs.pagesInUse > pages) {
      if (!this.#evictions || !this.#vacatePages(1)) return false
    }
    return true
  }

  /**
   * Empties the adjacent pages whose items cost least to move; they may be free already. Returns
   * false if there are none without pins.
   */
  #vacatePages(pages: number): boolean {
    const slabs = this.#store.slabs
    const first = this.#cheapestWindow(pages)
    if (first === IMPOSSIBLE) return false
    for (let page = first; page < first + pages; page++) {
      if (!slabs.isFree(page)) slabs.closePage(page)
    }
    for (let page = first; page < first + pages; page++) {
      if (!slabs.isFree(page)) this.#store.pageVacated(this.#vacate(page))
    }
    return true
  }

  /** Empties one page. Returns how many of its items were kept elsewhere. */
  #vacate(page: number): number {
    const { slabs, heap } = this.#store
    const classId = slabs.pageClass(page)
    if (classId >= LARGE) {
      this.#store.evict(slabs.chunkAt(slabs.runStart(page), 0))
      return 0
    }
    let moved = 0
    const carved = slabs.pageCarved(page)
    for (let i = 0; i < carved && !slabs.isFree(page); i++) {
      const item = slabs.chunkAt(page, i)
      if (!hasState(heap.words, item, STATE.ALLOCATED)) continue
      if (this.#move(item, classId, slabs)) moved++
    }
    assert(slabs.isFree(page), 'a vacated page is free')
    return moved
  }

  #move(item: number, classId: number, slabs: Slabs): boolean {
    for (let i = 0; i < VICTIMS_PER_MOVE && !slabs.hasChunk(classId); i++) {
      const victim = this.#store.policy.victim()
      this.#store.evict(victim)
      if (victim === item) return false
    }
    if (!slabs.hasChunk(classId)) {
      this.#store.evict(item)
      return false
    }
    this.#store.relocate(item, slabs.allocate(classId))
    return true
  }

  /**
   * The first of `pages` adjacent pages that are cheapest to empty, in bytes that have to be
   * evicted or moved. Pages of the class that the next victim has count half: its chunks are those
   * that fall free. Free pages cost nothing, but a single page that is free already is no answer.
   */
  #cheapestWindow(pages: number): number {
    const { slabs } = this.#store
    const count = slabs.pageCount
    let best = IMPOSSIBLE
    let bestCost = Infinity
    let cost = 0
    let blocked = 0
    for (let page = 0; page < count; page++) {
      const entering = this.#costOf(page)
      if (entering === IMPOSSIBLE) blocked++
      else cost += entering
      const leaving = page - pages
      if (leaving >= 0) {
        const left = this.#costOf(leaving)
        if (left === IMPOSSIBLE) blocked--
        else cost -= left
      }
      const first = page - pages + 1
      if (first < 0 || blocked > 0 || cost >= bestCost) continue
      if (pages === 1 && slabs.isFree(page)) continue
      best = first
      bestCost = cost
    }
    return best
  }

  #costOf(page: number): number {
    const { slabs, heap, policy } = this.#store
    if (slabs.isFree(page)) return 0
    const classId = slabs.pageClass(page)
    if (classId >= LARGE) {
      return slabs.pagePins(slabs.runStart(page)) > 0 ? IMPOSSIBLE : heap.pageBytes * LARGE_COST
    }
    if (slabs.pagePins(page) > 0 || classId === this.#exceptClass) return IMPOSSIBLE
    const bytes = slabs.pageUsed(page) * slabs.classes.chunkBytes[classId]!
    const victim = policy.victim()
    const isNext = victim !== 0 && sizeClass(heap.words, victim) === classId
    return isNext ? bytes / 2 : bytes
  }
}
