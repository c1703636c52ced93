/**
 * A policy that adapts: settings of one structure compete, and the best one is in force.
 *
 * ```
 *  new keys → | small FIFO | → judged → | main CLOCK | → out          ghosts: what left the small
 *                              ↓ out                                  FIFO; sketch: how often keys
 * ```                                                                 were used
 * A use counts in two bits of the item and, until they are full, in the sketch, and moves nothing.
 * What has come to the end of the small FIFO is judged by the setting in force: it goes to the CLOCK
 * or leaves. The CLOCK gives an item as many further rounds as it had uses, at most three. Which
 * setting is in force is for the `Duel` to say, twice in as many requests as there are items. A
 * switch changes the rules only; items follow a few at a time.
 *
 * Where clients only write, and ask for nothing, the plain CLOCK is in force: there are no hits then by
 * which the settings could be compared.
 *
 * The queues have budgets in bytes of chunks, or in items where the number of items is the limit
 * that binds. The choice of a victim moves items between the queues, but is made once per eviction:
 * the victim stays the same, at the end of its queue, until it is used or removed. The order of a
 * walk is: the queue of the last victim, then the other one.
 *
 * Evidence: docs/decisions/0010.
 */
import type { Heap } from '../heap.ts'
import {
  hashOf,
  itemBytes,
  keyBytes,
  policyByte,
  setPolicyByte,
  sizeClass,
  valueBytes,
} from '../layout.ts'
import { LARGE, SizeClasses } from '../size-classes.ts'
import { Duel } from './duel.ts'
import { Ghosts } from './ghosts.ts'
import type { EvictionPolicy } from './policy.ts'
import { ItemQueue } from './queue.ts'
import { GHOST_SHARE, PLAIN_CLOCK, SETTINGS, USES_MAX, isSpared } from './settings.ts'
import type { Setting } from './settings.ts'
import { FrequencySketch } from './sketch.ts'

const USES_MASK = 3
/** In the policy byte: the item is in the main queue. */
const IN_MAIN = 4
/** Smallest item there can be, for the size of the tables. */
const ITEM_BYTES_MIN = 64
/** Items that follow a switch of the setting, per request. */
const MIGRATIONS = 4
/** Steps of the CLOCK for one victim; the next item then leaves whatever its uses. */
const CLOCK_STEPS_MAX = 256
/** Items that go to the CLOCK for one victim; the next one then leaves whatever its uses. */
const PROMOTIONS_MAX = 256
/** Below this share of what the store held when it last evicted, it is filling up. */
const FULL_SHARE = 0.9
/** Requests per item without an eviction until they are no longer counted. */
const AWAKE_FACTOR = 4
/** A flood: this part of the store was written, and hardly anything was asked for meanwhile. */
const FLOOD_PART = 16
/** What one request that asks for something makes up for, in new items of the mean size. */
const WRITES_PER_READ = 64
/** Fewer say nothing: a small store would follow chance. */
const REQUESTS_PER_PERIOD_MIN = 256

export class HybridPolicy implements EvictionPolicy {
  readonly #words: Int32Array
  readonly #pageBytes: number
  readonly #chunkBytes: Int32Array
  readonly #entriesMax: number
  readonly #small: ItemQueue
  readonly #main: ItemQueue
  readonly #sketch: FrequencySketch
  readonly #ghosts: Ghosts
  readonly #duel: Duel
  #setting: Setting = SETTINGS[0]!
  #count = 0
  #bytes = 0
  #smallCount = 0
  #smallBytes = 0
  /** The victim that was chosen, until it is used or removed; 0 if none is. */
  #chosen = 0
  /** The last victim was chosen in the main queue. */
  #isMainFirst = false
  /** Items at the last eviction, which is what the store holds. */
  #countFull = Infinity
  #bytesFull = Infinity
  #isFilling = true
  #bindsCount = false
  /** The small FIFO is larger than the setting in force wants. */
  #isDraining = false
  /** Items that the shadows are a model of. */
  #capacity = 0
  /** Until the end of the period. */
  #requestsLeft = REQUESTS_PER_PERIOD_MIN
  #requestsSinceEviction = 0
  /** Bytes of new items that nobody's reading makes up for. */
  #unreadBytes = 0
  #isFlooded = false

  /**
   * `entriesMax` is the most items there can be, 0 if only memory limits them. Where there is more memory
   * than `memoryBytes` later, sketch and ghosts stay what they are, and tell less of each item.
   */
  constructor(
    heap: Heap,
    entriesMax: number,
    classes: SizeClasses = new SizeClasses(heap.pageBytes),
    memoryBytes: number = heap.pageBytes * heap.pageCount,
  ) {
    this.#words = heap.words
    this.#pageBytes = heap.pageBytes
    this.#chunkBytes = classes.chunkBytes
    this.#entriesMax = entriesMax
    this.#small = new ItemQueue(heap)
    this.#main = new ItemQueue(heap)
    const fitting = Math.ceil(memoryBytes / ITEM_BYTES_MIN)
    const itemsMax = entriesMax === 0 ? fitting : Math.min(entriesMax, fitting)
    this.#sketch = new FrequencySketch(itemsMax)
    this.#ghosts = new Ghosts(itemsMax)
    this.#duel = new Duel(this.#sketch)
  }

  /** Which of the settings is in force. */
  get setting(): number {
    return this.#duel.current
  }

  inserted(item: number): void {
    this.#insert(item, 0)
  }

  insertedAgain(item: number): void {
    if (this.#unreadBytes > 0) this.#read()
    this.#insert(item, 1)
  }

  insertedCold(item: number): void {
    setPolicyByte(this.#words, item, 0)
    this.#small.pushBack(item)
    this.#weigh(item, 1)
    this.#smallCount++
    this.#smallBytes += this.#weight(item)
    this.#chosen = item
    this.#isMainFirst = false
  }

  touched(item: number): void {
    if (this.#unreadBytes > 0) this.#read()
    this.#use(item, true)
  }

  missed(): void {
    if (this.#unreadBytes > 0) this.#read()
  }

  rewritten(item: number): void {
    this.#use(item, false)
  }

  replaced(from: number, to: number): void {
    const words = this.#words
    const isInMain = this.#isInMain(from)
    setPolicyByte(words, to, policyByte(words, from))
    ;(isInMain ? this.#main : this.#small).replace(from, to)
    const gain = this.#weight(to) - this.#weight(from)
    this.#bytes += gain
    if (!isInMain) this.#smallBytes += gain
    if (this.#chosen === from) this.#chosen = to
    this.#use(to, false)
  }

  removed(item: number): void {
    const hash = hashOf(this.#words, item)
    const isSmall = !this.#isInMain(item)
    if (item === this.#chosen) {
      this.#chosen = 0
      this.#evicted()
      if (isSmall) this.#ghosts.add(hash, Math.max(1, this.#capacity * GHOST_SHARE))
    } else if (this.#duel.samples(hash)) {
      this.#duel.forget(hash)
    }
    if (isSmall) {
      this.#small.remove(item)
      this.#smallCount--
      this.#smallBytes -= this.#weight(item)
    } else {
      this.#main.remove(item)
    }
    this.#weigh(item, -1)
  }

  relocated(from: number, to: number): void {
    const isInMain = this.#isInMain(to)
    ;(isInMain ? this.#main : this.#small).replace(from, to)
    if (this.#chosen === from) this.#chosen = to
  }

  victim(): number {
    if (this.#chosen === 0) {
      this.#chosen = this.#choose()
      this.#isMainFirst = this.#chosen !== 0 && this.#isInMain(this.#chosen)
    }
    return this.#chosen
  }

  after(item: number): number {
    const isInMain = this.#isInMain(item)
    const newer = isInMain ? this.#main.newer(item) : this.#small.newer(item)
    if (newer !== 0) return newer
    if (isInMain !== this.#isMainFirst) return 0
    return isInMain ? this.#small.tail : this.#main.tail
  }

  #isInMain(item: number): boolean {
    return (policyByte(this.#words, item) & IN_MAIN) !== 0
  }

  #insert(item: number, uses: number): void {
    const words = this.#words
    const hash = hashOf(words, item)
    this.#unreadBytes += Math.min(this.#weight(item), this.#bytesOfRead())
    if (!this.#isFlooded && this.#unreadBytes > this.#bytes / FLOOD_PART) this.#changeFlood(true)
    const { share, byGhost } = this.#setting
    const wasGhost = this.#ghosts.take(hash)
    this.#weigh(item, 1)
    if (share === 0 || (byGhost && wasGhost)) {
      setPolicyByte(words, item, IN_MAIN | uses)
      this.#main.pushFront(item)
    } else {
      setPolicyByte(words, item, uses)
      this.#small.pushFront(item)
      this.#smallCount++
      this.#smallBytes += this.#weight(item)
    }
    this.#isFilling =
      this.#count <= this.#countFull * FULL_SHARE && this.#bytes <= this.#bytesFull * FULL_SHARE
    if (this.#count > this.#capacity) {
      this.#capacity = this.#count
      this.#duel.resize(this.#count)
    }
    this.#sketch.growFor(this.#capacity)
    this.#ghosts.growFor(this.#capacity)
    // In bytes, the small FIFO may be too large for a while: where sizes differ, evictions come in
    // bursts, and what came in between them is not to go to the CLOCK unjudged.
    if (this.#isFilling || (this.#bindsCount && this.#isSmallOver(1))) this.#isDraining = true
    this.#sketch.add(hash)
    this.#countRequest(hash, true)
  }

  #use(item: number, isScored: boolean): void {
    const words = this.#words
    const byte = policyByte(words, item)
    const isFull = (byte & USES_MASK) === USES_MAX
    if (!isFull) setPolicyByte(words, item, byte + 1)
    if (item === this.#chosen) this.#chosen = 0
    // While nothing is evicted there is nothing to be learnt.
    if (this.#requestsSinceEviction > this.#capacity * AWAKE_FACTOR) return
    const hash = hashOf(words, item)
    // What is in use all the time need not be counted any further: that spares the sketch.
    if (!isFull) this.#sketch.add(hash)
    this.#countRequest(hash, isScored)
  }

  /** What is done for each request, hit or miss. */
  #countRequest(hash: number, isScored: boolean): void {
    this.#requestsSinceEviction++
    if (this.#duel.samples(hash)) this.#duel.request(hash, isScored, this.#isFilling)
    if (this.#isDraining) this.#drain()
    if (--this.#requestsLeft <= 0) this.#endPeriod()
  }

  #endPeriod(): void {
    this.#requestsLeft = Math.max(REQUESTS_PER_PERIOD_MIN, this.#capacity >> 1)
    if (this.#capacity !== this.#count && !this.#isFilling) {
      this.#capacity = this.#count
      this.#duel.resize(this.#count)
    }
    if (this.#duel.judge() && !this.#isFlooded) this.#follow(this.#duel.current)
  }

  /** Puts a setting in force. */
  #follow(setting: number): void {
    this.#setting = SETTINGS[setting]!
    this.#isDraining = true
  }

  /**
   * Notes that somebody asks for keys. Who only writes says nothing about what will be wanted: then the
   * shadows have no hits to compare, and what is new is the better guess.
   */
  #read(): void {
    this.#unreadBytes -= this.#bytesOfRead()
    if (this.#unreadBytes > 0) return
    this.#unreadBytes = 0
    if (this.#isFlooded) this.#changeFlood(false)
  }

  /** Bytes that one request makes up for; an item never counts for more, however large it is. */
  #bytesOfRead(): number {
    return (WRITES_PER_READ * this.#bytes) / Math.max(1, this.#count)
  }

  #changeFlood(isFlooded: boolean): void {
    this.#isFlooded = isFlooded
    this.#follow(isFlooded ? PLAIN_CLOCK : this.#duel.current)
  }

  /** Moves what is too much in the small FIFO over to the CLOCK, unjudged, a few items at a time. */
  #drain(): void {
    for (let i = 0; i < MIGRATIONS; i++) {
      if (this.#smallCount === 0 || !this.#isSmallOver(1)) {
        this.#isDraining = false
        return
      }
      const item = this.#small.tail
      if (item === this.#chosen) this.#chosen = 0
      this.#toMain(item, policyByte(this.#words, item) & USES_MASK)
    }
  }

  /** Whether the small FIFO takes its share and so many items more; in bytes: more than its share. */
  #isSmallOver(slack: number): boolean {
    const { share } = this.#setting
    if (this.#bindsCount || this.#isFilling) {
      const most = share === 0 ? 0 : Math.max(1, Math.round(share * this.#count))
      return this.#smallCount >= most + slack
    }
    return this.#smallBytes > share * this.#bytes
  }

  #choose(): number {
    const words = this.#words
    const { hits, byGhost } = this.#setting
    for (let i = 0; i < PROMOTIONS_MAX; i++) {
      const item = this.#small.tail
      const isMainEmpty = this.#main.tail === 0
      if (item === 0) return isMainEmpty ? 0 : this.#clockVictim()
      if (!isMainEmpty && !this.#isSmallOver(0)) return this.#clockVictim()
      if ((policyByte(words, item) & USES_MASK) >= hits) {
        this.#toMain(item, 0)
        continue
      }
      if (byGhost || isMainEmpty) return item
      const rival = this.#clockVictim()
      const hash = hashOf(words, item)
      if (this.#sketch.frequency(hash) <= this.#sketch.frequency(hashOf(words, rival))) {
        if (isSpared(hash)) this.#main.moveToFront(rival)
        return item
      }
      this.#toMain(item, 0)
      // Where the CLOCK has less than its share, after a large item for one, it grows.
      if (!this.#isSmallOver(0)) return rival
    }
    return this.#small.tail === 0 ? this.#main.tail : this.#small.tail
  }

  /** Turns the CLOCK to an item without uses. */
  #clockVictim(): number {
    for (let i = 0; i < CLOCK_STEPS_MAX; i++) {
      const item = this.#main.tail
      const uses = policyByte(this.#words, item) & USES_MASK
      if (uses === 0) return item
      setPolicyByte(this.#words, item, IN_MAIN | (uses - 1))
      this.#main.moveToFront(item)
    }
    return this.#main.tail
  }

  #toMain(item: number, uses: number): void {
    this.#small.remove(item)
    this.#smallCount--
    this.#smallBytes -= this.#weight(item)
    setPolicyByte(this.#words, item, IN_MAIN | uses)
    this.#main.pushFront(item)
  }

  #evicted(): void {
    this.#bindsCount = this.#entriesMax !== 0 && this.#count >= this.#entriesMax
    this.#countFull = this.#count
    this.#bytesFull = this.#bytes
    this.#requestsSinceEviction = 0
    if (this.#count < this.#capacity >> 1) this.#shrink()
  }

  /** The store holds far fewer items than the shadows are a model of, because they are larger now. */
  #shrink(): void {
    this.#capacity = this.#count
    this.#duel.resize(this.#count)
    const period = Math.max(REQUESTS_PER_PERIOD_MIN, this.#count >> 1)
    this.#requestsLeft = Math.min(this.#requestsLeft, period)
  }

  #weigh(item: number, sign: number): void {
    this.#count += sign
    this.#bytes += sign * this.#weight(item)
  }

  /** Bytes of memory that an item takes; they stay the same while it is linked. */
  #weight(item: number): number {
    const words = this.#words
    const classId = sizeClass(words, item)
    if (classId !== LARGE) return this.#chunkBytes[classId]!
    const bytes = itemBytes(keyBytes(words, item), valueBytes(words, item))
    return Math.ceil(bytes / this.#pageBytes) * this.#pageBytes
  }
}
