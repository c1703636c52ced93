/**
 * Items in memory: found by key, ordered for eviction, counted, bounded.
 *
 * The life of an item: `reserve` (a chunk with a header and a key, pinned once for its owner) →
 * the owner fills in the value → `link` (found from now on; the pin is gone) → `unlink` → its chunk
 * is free again once nobody pins it. Every reservation has one owner, who links or abandons it.
 *
 * Invariants (checked by `integrity.ts`): linked items are in the index, in the order of eviction
 * and in the counts, exactly once; pages and index stay within `memoryBytesMax`; there are never
 * more than `entriesMax` items.
 *
 * Handles are borrowed: `reserve` and `link` may evict or move any item that is not pinned.
 * Not for: time, protocols, conditions. What is expired is for the engine to say.
 */
import { copyBytes } from '../../bytes/ascii.ts'
import type { Bytes } from '../../bytes/ascii.ts'
import { assert } from '../../errors.ts'
import { ClassFitter } from './class-fitter.ts'
import { UNIT_BYTES, createHeap, createTable } from './heap.ts'
import type { Heap } from './heap.ts'
import { BUCKET_BYTES, KeyIndex } from './key-index.ts'
import {
  PINS_MAX,
  STATE,
  addPin,
  addState,
  expiresAt,
  hasState,
  hashOf,
  initialize,
  itemBytes,
  keyBytes,
  keyStart,
  pins,
  removePin,
  removeState,
  setExpiresAt,
  setValueBytes,
  sizeClass,
  valueBytes,
} from './layout.ts'
import type { EvictionPolicy } from './policy/policy.ts'
import { createPolicy } from './policy/registry.ts'
import type { PolicyName } from './policy/registry.ts'
import { RoomMaker } from './room.ts'
import { LARGE } from './size-classes.ts'
import { Slabs } from './slabs.ts'

/** Largest page, memcached's. */
const PAGE_BYTES_MAX = 2 ** 20
const PAGE_BYTES_MIN = 2 ** 16
/** With 256 pages or more, one half-filled page for each of some 50 classes wastes about a tenth. */
const PAGES_WANTED = 256
/** Smallest chunk there is: no store holds more items than this allows. */
const ITEM_BYTES_MIN = 64

/** Who hears of what the store does by itself. */
export interface StoreListener {
  /** An item is about to be unlinked to make room. It is still whole. */
  evicting(item: number): void
  /** An item is somewhere else now. */
  moved(item: number): void
  /** A page changed its class; `movedItems` were copied elsewhere for it. */
  pageVacated(movedItems: number): void
}

export interface L1Options {
  /** Bytes for pages and index together. */
  memoryBytesMax: number
  /** What `memoryBytesMax` may be raised to, if the system has the address space; left out, not at all. */
  memoryBytesReserved?: number
  /** Most items, 0 for as many as memory holds. */
  entriesMax: number
  /** Without evictions a full store refuses. */
  evictions: boolean
  policy: PolicyName
  /** Bytes at the start of the heap for the network, a multiple of 8. */
  ioBytes: number
  /** Bytes of a page, a power of two; chosen by the memory where it is not given. */
  pageBytes?: number
}

export class L1Store {
  readonly heap: Heap
  readonly slabs: Slabs
  readonly index: KeyIndex
  readonly policy: EvictionPolicy
  readonly options: L1Options
  /** The most that the limit of memory can be. */
  readonly memoryBytesReserved: number
  readonly #words: Int32Array
  readonly #room: RoomMaker
  readonly #fitter: ClassFitter
  readonly #listener: StoreListener
  #usedBytes = 0
  /** Linked items, and their bytes, by size class. */
  readonly #classItems = createTable(LARGE + 1)
  readonly #classBytes = new Float64Array(LARGE + 1)

  constructor(options: L1Options, listener: StoreListener) {
    this.options = options
    this.#listener = listener
    const pageBytes = options.pageBytes ?? pageBytesFor(options.memoryBytesMax)
    const pageCount = Math.floor(options.memoryBytesMax / pageBytes)
    const wanted = Math.floor((options.memoryBytesReserved ?? 0) / pageBytes)
    this.heap = createHeap(options.ioBytes, pageBytes, pageCount, Math.max(pageCount, wanted))
    this.memoryBytesReserved = Math.max(options.memoryBytesMax, this.heap.pageCount * pageBytes)
    this.#words = this.heap.words
    const itemsMax = Math.floor(this.memoryBytesReserved / ITEM_BYTES_MIN)
    this.index = new KeyIndex(
      this.heap,
      options.memoryBytesMax,
      options.entriesMax === 0 ? itemsMax : Math.min(itemsMax, options.entriesMax),
    )
    this.slabs = new Slabs(this.heap, pageCount)
    this.policy = createPolicy(options, this.heap, this.slabs.classes)
    this.#fitter = new ClassFitter(this.heap, this.slabs)
    this.#room = new RoomMaker(this, this.#fitter, options.evictions)
    this.slabs.pageLimit = this.#pagesBeside(this.index.memoryBytes)
  }

  /** Items that are linked. */
  get count(): number {
    return this.index.count
  }
  /** Bytes of headers, keys and values of linked items. */
  get usedBytes(): number {
    return this.#usedBytes
  }
  /** The same for one size class. */
  itemsOf(classId: number): number {
    return this.#classItems[classId]!
  }
  bytesOf(classId: number): number {
    return this.#classBytes[classId]!
  }
  /** The class that an item is of, or would be. */
  classOf(keyLength: number, valueLength: number): number {
    return this.slabs.classes.classFor(itemBytes(keyLength, valueLength))
  }
  /** Bytes taken from the system for pages and index. */
  get memoryBytes(): number {
    return this.slabs.pagesInUse * this.heap.pageBytes + this.index.memoryBytes
  }

  /** The linked item with the key that stands in `bytes`, or 0. */
  find(hash: number, bytes: Bytes, start: number, length: number): number {
    return this.index.find(hash, bytes, start, length)
  }

  /** The linked item with the same key as a reservation, or 0. */
  findSameKey(item: number): number {
    const words = this.#words
    const length = keyBytes(words, item)
    return this.index.find(hashOf(words, item), this.heap.bytes, keyStart(item), length)
  }

  /**
   * Takes a chunk for an item and writes its header and key. Returns 0 if no memory can be had.
   * May evict and move items.
   */
  reserve(
    hash: number,
    bytes: Bytes,
    start: number,
    keyLength: number,
    valueLength: number,
  ): number {
    const total = itemBytes(keyLength, valueLength)
    let classId = this.slabs.classes.classFor(total)
    let item: number
    if (classId === LARGE) {
      const pages = this.slabs.pagesFor(total)
      item = this.slabs.allocateRun(pages)
      if (item === 0) item = this.#room.makeRun(pages)
    } else {
      const { slabs } = this
      if (this.#room.isEmptying) this.#room.emptyFor(total)
      if (!slabs.hasChunk(classId) && slabs.pagesLeft > 0) {
        classId = this.#fitter.fit(classId, total)
      }
      item = slabs.allocate(classId)
      if (item === 0) {
        item = this.#room.makeChunk(classId, total)
        if (item !== 0) classId = slabs.pageClass(slabs.pageOf(item))
      }
    }
    if (item === 0) return 0
    initialize(this.#words, item, hash, keyLength, valueLength, classId)
    copyBytes(this.heap.bytes, keyStart(item), bytes, start, keyLength)
    this.slabs.addPagePin(item)
    return item
  }

  /** `reserve` with the key of an item, which has to be pinned. */
  reserveSameKey(item: number, valueLength: number): number {
    const words = this.#words
    const length = keyBytes(words, item)
    return this.reserve(hashOf(words, item), this.heap.bytes, keyStart(item), length, valueLength)
  }

  /** Gives a reservation back. */
  abandon(item: number): void {
    this.unpin(item)
  }

  /**
   * Makes a reservation the item of its key, in place of `old` (0 if the key has none). Returns
   * false, with the reservation untouched, if `entriesMax` forbids another item.
   */
  link(item: number, old: number): boolean {
    if (old !== 0) {
      this.index.replace(old, item)
      this.policy.replaced(old, item)
      this.#leave(old)
    } else {
      if (!this.#admitOne()) return false
      this.index.insert(item)
      this.policy.inserted(item)
    }
    this.#linked(item)
    return true
  }

  /**
   * `link` for an item that has come back from disk: as one that is used again, or, if it is not to
   * `stay`, as the next one to go.
   */
  linkAgain(item: number, stay: boolean): boolean {
    if (!this.#admitOne()) return false
    this.index.insert(item)
    if (stay) this.policy.insertedAgain(item)
    else this.policy.insertedCold(item)
    this.#linked(item)
    return true
  }

  /**
   * Makes a linked item one with a value of another length, in its place, as if it were new. Returns
   * false, with nothing changed, if its chunk is of another class or somebody pins it.
   */
  rewrite(item: number, valueLength: number): boolean {
    const words = this.#words
    const keyLength = keyBytes(words, item)
    const classId = this.slabs.classes.classFor(itemBytes(keyLength, valueLength))
    if (classId === LARGE || classId !== sizeClass(words, item)) return false
    if (pins(words, item) !== 0) return false
    const more = valueLength - valueBytes(words, item)
    this.#usedBytes += more
    this.#classBytes[classId]! += more
    setValueBytes(words, item, valueLength)
    removeState(words, item, STATE.FETCHED)
    this.policy.rewritten(item)
    return true
  }

  /** Whether an item can be had without evicting another. */
  hasRoomFor(keyLength: number, valueLength: number): boolean {
    const { entriesMax } = this.options
    if (entriesMax !== 0 && this.index.count >= entriesMax) return false
    const { slabs } = this
    const total = itemBytes(keyLength, valueLength)
    const classId = slabs.classes.classFor(total)
    const pages = classId === LARGE ? slabs.pagesFor(total) : 1
    if (pages <= slabs.pagesLeft) return true
    return classId !== LARGE && slabs.hasChunk(classId)
  }

  /** Takes an item out. Its memory is free again when its last pin is gone. */
  unlink(item: number): void {
    this.index.remove(item)
    this.policy.removed(item)
    this.#leave(item)
  }

  /** What leaving means beside the index and the order of eviction. */
  #leave(item: number): void {
    const words = this.#words
    const classId = sizeClass(words, item)
    const bytes = itemBytes(keyBytes(words, item), valueBytes(words, item))
    removeState(words, item, STATE.LINKED)
    this.#usedBytes -= bytes
    this.#classItems[classId]!--
    this.#classBytes[classId]! -= bytes
    if (pins(words, item) === 0) this.slabs.free(item)
  }

  /** Says when an item, or a reservation, will be over: wall time in seconds, 0 for never. */
  setExpiry(item: number, expiresAtS: number): void {
    setExpiresAt(this.#words, item, expiresAtS)
    this.slabs.noteExpiry(item, expiresAtS)
  }

  isLinked(item: number): boolean {
    return hasState(this.#words, item, STATE.LINKED)
  }

  isPinned(item: number): boolean {
    return pins(this.#words, item) !== 0
  }

  /** Keeps an item where it is. Returns false if it has as many pins as can be counted. */
  pin(item: number): boolean {
    if (pins(this.#words, item) === PINS_MAX) return false
    addPin(this.#words, item)
    this.slabs.addPagePin(item)
    return true
  }

  unpin(item: number): void {
    const words = this.#words
    assert(pins(words, item) > 0, 'only who pinned an item unpins it')
    removePin(words, item)
    this.slabs.removePagePin(item)
    if (pins(words, item) === 0 && !hasState(words, item, STATE.LINKED)) this.slabs.free(item)
  }

  /** Evicts the next victim of the policy. Returns false if there is none. */
  evictOne(): boolean {
    const victim = this.policy.victim()
    if (victim === 0) return false
    this.evict(victim)
    return true
  }

  evict(item: number): void {
    this.#listener.evicting(item)
    this.unlink(item)
  }

  /** Copies an item that is not pinned into another chunk of its class and frees the old one. */
  relocate(from: number, to: number): void {
    const words = this.#words
    const start = from * UNIT_BYTES
    const length = itemBytes(keyBytes(words, from), valueBytes(words, from))
    this.heap.bytes.buffer.copyWithin(to * UNIT_BYTES, start, start + length)
    this.index.replace(from, to)
    this.policy.relocated(from, to)
    this.slabs.noteExpiry(to, expiresAt(words, to))
    this.slabs.free(from)
    this.#listener.moved(to)
  }

  /** Whether a page is being emptied, some items with each that is stored. */
  get isEmptying(): boolean {
    return this.#room.isEmptying
  }

  /** Tells the listener that a page was given away. */
  pageVacated(movedItems: number): void {
    this.#listener.pageVacated(movedItems)
  }

  /** Header, key and value. */
  itemBytes(item: number): number {
    return itemBytes(keyBytes(this.#words, item), valueBytes(this.#words, item))
  }

  /** Bytes of the chunk or pages that an item takes. */
  chunkBytes(item: number): number {
    const classId = sizeClass(this.#words, item)
    if (classId !== LARGE) return this.slabs.classes.chunkBytes[classId]!
    const total = itemBytes(keyBytes(this.#words, item), valueBytes(this.#words, item))
    return this.slabs.pagesFor(total) * this.heap.pageBytes
  }

  #linked(item: number): void {
    const words = this.#words
    const classId = sizeClass(words, item)
    const bytes = itemBytes(keyBytes(words, item), valueBytes(words, item))
    addState(words, item, STATE.LINKED)
    this.#usedBytes += bytes
    this.#classItems[classId]!++
    this.#classBytes[classId]! += bytes
    removePin(words, item)
    this.slabs.removePagePin(item)
    if (this.index.wantsGrowth) this.#growIndex()
  }

  #admitOne(): boolean {
    const max = this.options.entriesMax
    if (max === 0) return true
    while (this.index.count >= max) {
      if (!this.options.evictions || !this.evictOne()) return false
    }
    return true
  }

  /**
   * Goes a step towards a new limit of memory, `memoryBytesReserved` at most: up at once, down by the page
   * that is sparsest. Returns whether another step is needed; a store without evictions may stay above.
   */
  stepTo(memoryBytesMax: number): boolean {
    const { options } = this
    const isAbove = memoryBytesMax < this.memoryBytes
    if (isAbove && !this.#room.emptyStep()) return true
    // A page that was emptied step by step is not in use any more.
    const lower = this.memoryBytes - (this.#room.takeSpare() ? 0 : this.heap.pageBytes)
    options.memoryBytesMax = Math.max(memoryBytesMax, Math.min(lower, options.memoryBytesMax))
    this.slabs.reach(Math.floor(options.memoryBytesMax / this.heap.pageBytes))
    const pageLimit = this.#pagesBeside(this.index.memoryBytes)
    if (!this.#room.shrinkTo(pageLimit)) {
      // What cannot be given up stays within the limit.
      options.memoryBytesMax = Math.max(options.memoryBytesMax, this.memoryBytes)
      this.slabs.pageLimit = this.#pagesBeside(this.index.memoryBytes)
      return false
    }
    this.slabs.pageLimit = pageLimit
    return options.memoryBytesMax > memoryBytesMax
  }

  /** Adds a bucket, and gives up a page for it where no other memory is left. */
  #growIndex(): void {
    const pageLimit = this.#pagesBeside(this.index.memoryBytes + BUCKET_BYTES)
    // Where no page can be had, without evictions or with pins, the chains of the index grow.
    if (!this.#room.shrinkTo(pageLimit)) return
    this.slabs.pageLimit = pageLimit
    this.index.grow()
  }

  /** Pages that there may be beside an index of some bytes. */
  #pagesBeside(indexBytes: number): number {
    const free = this.options.memoryBytesMax - indexBytes
    return Math.max(1, Math.floor(free / this.heap.pageBytes))
  }
}

function pageBytesFor(memoryBytes: number): number {
  const wanted = 2 ** Math.floor(Math.log2(memoryBytes / PAGES_WANTED))
  return Math.max(PAGE_BYTES_MIN, Math.min(PAGE_BYTES_MAX, wanted))
}
