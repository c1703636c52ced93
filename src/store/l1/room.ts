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

export class RoomMaker {
  readonly #store: L1Store
  readonly #fitter: ClassFitter
  readonly #evictions: boolean

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
    if (!this.#vacatePages(1)) return 0
    return slabs.allocate(fitting)
  }

  /** Frees and takes adjacent pages. Returns 0 if that is impossible. */
  makeRun(pages: number): number {
    const slabs = this.#store.slabs
    if (!this.#evictions || pages > slabs.pageLimit) return 0
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
    if (slabs.pagePins(page) > 0) return IMPOSSIBLE
    const bytes = slabs.pageUsed(page) * slabs.classes.chunkBytes[classId]!
    const victim = policy.victim()
    const isNext = victim !== 0 && sizeClass(heap.words, victim) === classId
    return isNext ? bytes / 2 : bytes
  }
}
