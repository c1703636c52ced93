/**
 * The competition of the settings of the hybrid policy: for each a *shadow*, a store of keys without
 * items that sees the requests of a sample of the keys, and a score, the hits of the shadow.
 *
 * The sample is chosen by hash and halved as the store grows, so that a shadow holds 1024 to 2048
 * keys, or all of a smaller store. The shadows share one table of keys. Each key has, per setting, a
 * place in one of three queues:
 *
 * ```
 * key    | hash | chain | per setting (8 lanes, 6 in use): | queue 2, uses 2 | prev | next | stamp |
 * ```
 * so that a request that hits in all shadows reads and writes one short row. A key leaves the table
 * when it is in no queue.
 *
 * Not for: items. What a setting means for them is in `hybrid.ts`, and what is written here about
 * queues has to do the same with keys.
 */
import { assert } from '../../../errors.ts'
import { createTable } from '../heap.ts'
import { GHOST_SHARE, SETTINGS, USES_MAX, isSpared } from './settings.ts'
import type { FrequencySketch } from './sketch.ts'

/** Most keys of a shadow. With 1024, 0.08 points of hit ratio are lost. */
const SHADOW_KEYS_MAX = 2048
const LANES = 8
const COUNT = SETTINGS.length
/** Keys in the table: no shadow and its ghosts hold more than two shadows' worth. */
const KEYS = 2 * COUNT * SHADOW_KEYS_MAX
const BUCKETS = 8192
/** Scores are kept for some ten periods. */
const DECAY = 0.9
/** A setting takes over if it leads by this share of the requests of the sample. */
const LEAD = 0.002
/** Halvings of the sample at most: it is taken from 31 bits of the hash. */
const HALVINGS_MAX = 20
const SAMPLE_ALL = 2 ** 31

const NOWHERE = 0
const SMALL = 1
const MAIN = 2
const GHOST = 3
const QUEUES = 4
const USES_BITS = 2
const USES_MASK = 3
const NONE = -1
const STAMP_MASK = 0xffff

export class Duel {
  readonly #sketch: FrequencySketch
  readonly #buckets: Int16Array = shorts(BUCKETS).fill(NONE)
  readonly #hash: Int32Array = createTable(KEYS)
  readonly #chain: Int16Array = shorts(KEYS)
  /** Queue and uses of a key, by key and lane. */
  readonly #state: Uint8Array
  /** The same, four lanes a word. */
  readonly #stateWords: Int32Array
  readonly #prev: Int16Array = shorts(KEYS * LANES)
  readonly #next: Int16Array = shorts(KEYS * LANES)
  /** When a key became a ghost, in ghosts of the lane. */
  readonly #stamp: Uint16Array
  readonly #head: Int16Array = shorts(LANES * QUEUES).fill(NONE)
  readonly #tail: Int16Array = shorts(LANES * QUEUES).fill(NONE)
  readonly #length: Int32Array = createTable(LANES * QUEUES)
  readonly #ghostsMade: Int32Array = createTable(LANES)
  readonly #scores: Float64Array = new Float64Array(COUNT)
  #scored = 0
  #freeKey: number = NONE
  #carved = 0
  #halvings = 0
  #sampleBelow = SAMPLE_ALL
  #capacity = 1
  #ghostLife = 1
  readonly #smallMax: Int32Array = createTable(LANES)
  /** The setting in force. */
  current = 0

  constructor(sketch: FrequencySketch) {
    this.#sketch = sketch
    this.#stateWords = createTable((KEYS * LANES) / 4)
    this.#state = new Uint8Array(this.#stateWords.buffer)
    this.#stamp = new Uint16Array(createTable((KEYS * LANES) / 2).buffer)
  }

  /** Hits of the shadows, by setting, with the older ones fading. */
  get scores(): readonly number[] {
    return [...this.#scores]
  }

  /** Whether the shadows see requests for the key with this hash. */
  samples(hash: number): boolean {
    return hash >>> 1 < this.#sampleBelow
  }

  /** The number of items of the store, which the shadows are models of. */
  resize(items: number): void {
    while (items >> this.#halvings > SHADOW_KEYS_MAX && this.#halvings < HALVINGS_MAX) {
      this.#halvings++
      this.#sampleBelow /= 2
      this.#dropUnsampled()
    }
    const capacity = Math.max(2, Math.round(items / 2 ** this.#halvings))
    this.#capacity = Math.min(capacity, SHADOW_KEYS_MAX)
    this.#ghostLife = Math.max(1, Math.round(this.#capacity * GHOST_SHARE))
    for (let lane = 0; lane < COUNT; lane++) {
      const { share } = SETTINGS[lane]!
      this.#smallMax[lane] = share === 0 ? 0 : Math.max(1, Math.round(this.#capacity * share))
    }
  }

  /**
   * A request for a key of the sample. `isScored`: it asked for the value. `isFilling`: the store
   * did not have to evict anything for it.
   */
  request(hash: number, isScored: boolean, isFilling: boolean): void {
    let key = this.#find(hash)
    if (key === NONE) key = this.#addKey(hash)
    const row = key * LANES
    for (let lane = 0; lane < COUNT; lane++) {
      const state = this.#state[row + lane]!
      const queue = state >>> USES_BITS
      if (queue === SMALL || queue === MAIN) {
        if ((state & USES_MASK) < USES_MAX) this.#state[row + lane] = state + 1
        if (isScored) this.#scores[lane]!++
      } else {
        this.#enter(lane, key, queue === GHOST)
        this.#fit(lane, isFilling)
      }
    }
    if (isScored) this.#scored++
  }

  /** The key was deleted, or has expired. */
  forget(hash: number): void {
    const key = this.#find(hash)
    if (key === NONE) return
    for (let lane = 0; lane < COUNT; lane++) this.#unlink(lane, key)
    this.#removeKey(key)
  }

  /** Ends a period. Returns whether another setting is in force now. */
  judge(): boolean {
    let best = this.current
    for (let lane = 0; lane < COUNT; lane++) {
      if (this.#scores[lane]! > this.#scores[best]!) best = lane
    }
    const lead = this.#scores[best]! - this.#scores[this.current]!
    const takesOver = best !== this.current && lead >= LEAD * this.#scored
    if (takesOver) this.current = best
    this.#scored *= DECAY
    for (let lane = 0; lane < COUNT; lane++) this.#scores[lane]! *= DECAY
    return takesOver
  }

  #enter(lane: number, key: number, wasGhost: boolean): void {
    if (wasGhost) this.#unlink(lane, key)
    const { share } = SETTINGS[lane]!
    this.#link(lane, key, wasGhost || share === 0 ? MAIN : SMALL, 0)
  }

  /** Lets keys go until a shadow is not larger than it may be. */
  #fit(lane: number, isFilling: boolean): void {
    const small = lane * QUEUES + SMALL
    const main = lane * QUEUES + MAIN
    const length = this.#length
    while (length[small]! + length[main]! > this.#capacity) {
      if (length[small]! > this.#smallMax[lane]! || length[main] === 0) this.#dropSmall(lane)
      else this.#drop(lane, this.#clockVictim(lane))
    }
    // What came in without anything going out must not stay in the small queue for ever.
    const most = this.#smallMax[lane]! + (isFilling ? 0 : 1)
    while (length[small]! > most) this.#move(lane, this.#tail[small]!, MAIN)
  }

  /** Judges the oldest of the small queue: afterwards it is in the main queue, or gone. */
  #dropSmall(lane: number): void {
    const { hits, byGhost } = SETTINGS[lane]!
    const key = this.#tail[lane * QUEUES + SMALL]!
    if ((this.#state[key * LANES + lane]! & USES_MASK) >= hits) {
      this.#move(lane, key, MAIN)
      return
    }
    if (byGhost) {
      this.#becomeGhost(lane, key)
      return
    }
    if (this.#length[lane * QUEUES + MAIN] !== 0) {
      const rival = this.#clockVictim(lane)
      const frequency = this.#sketch.frequency(this.#hash[key]!)
      if (frequency > this.#sketch.frequency(this.#hash[rival]!)) {
        this.#move(lane, key, MAIN)
        if (this.#length[lane * QUEUES + SMALL]! <= this.#smallMax[lane]!) this.#drop(lane, rival)
        return
      }
      if (isSpared(this.#hash[key]!)) this.#move(lane, rival, MAIN)
    }
    this.#drop(lane, key)
  }

  /** The next key of the CLOCK without uses. */
  #clockVictim(lane: number): number {
    const main = lane * QUEUES + MAIN
    for (;;) {
      const key = this.#tail[main]!
      const uses = this.#state[key * LANES + lane]! & USES_MASK
      if (uses === 0) return key
      this.#unlink(lane, key)
      this.#link(lane, key, MAIN, uses - 1)
    }
  }

  #move(lane: number, key: number, queue: number): void {
    this.#unlink(lane, key)
    this.#link(lane, key, queue, 0)
  }

  #becomeGhost(lane: number, key: number): void {
    const ghosts = lane * QUEUES + GHOST
    this.#move(lane, key, GHOST)
    const now = ++this.#ghostsMade[lane]!
    this.#stamp[key * LANES + lane] = now
    for (;;) {
      const oldest = this.#tail[ghosts]!
      if (((now - this.#stamp[oldest * LANES + lane]!) & STAMP_MASK) < this.#ghostLife) return
      this.#drop(lane, oldest)
    }
  }

  #drop(lane: number, key: number): void {
    this.#unlink(lane, key)
    const word = (key * LANES) >> 2
    if (this.#stateWords[word] === 0 && this.#stateWords[word + 1] === 0) this.#removeKey(key)
  }

  #link(lane: number, key: number, queue: number, uses: number): void {
    const at = key * LANES + lane
    const ends = lane * QUEUES + queue
    const head = this.#head[ends]!
    this.#state[at] = (queue << USES_BITS) | uses
    this.#prev[at] = NONE
    this.#next[at] = head
    if (head === NONE) this.#tail[ends] = key
    else this.#prev[head * LANES + lane] = key
    this.#head[ends] = key
    this.#length[ends]!++
  }

  #unlink(lane: number, key: number): void {
    const at = key * LANES + lane
    const queue = this.#state[at]! >>> USES_BITS
    if (queue === NOWHERE) return
    const ends = lane * QUEUES + queue
    const prev = this.#prev[at]!
    const next = this.#next[at]!
    if (prev === NONE) this.#head[ends] = next
    else this.#next[prev * LANES + lane] = next
    if (next === NONE) this.#tail[ends] = prev
    else this.#prev[next * LANES + lane] = prev
    this.#state[at] = 0
    this.#length[ends]!--
  }

  #find(hash: number): number {
    let key = this.#buckets[hash & (BUCKETS - 1)]!
    while (key !== NONE && this.#hash[key] !== hash) key = this.#chain[key]!
    return key
  }

  #addKey(hash: number): number {
    let key = this.#freeKey
    if (key === NONE) {
      key = this.#carved++
      assert(key < KEYS, 'the shadows hold no more keys than there are places')
    } else {
      this.#freeKey = this.#chain[key]!
    }
    const bucket = hash & (BUCKETS - 1)
    this.#hash[key] = hash
    this.#chain[key] = this.#buckets[bucket]!
    this.#buckets[bucket] = key
    return key
  }

  #removeKey(key: number): void {
    const bucket = this.#hash[key]! & (BUCKETS - 1)
    const next = this.#chain[key]!
    let before = this.#buckets[bucket]!
    if (before === key) {
      this.#buckets[bucket] = next
    } else {
      while (this.#chain[before] !== key) before = this.#chain[before]!
      this.#chain[before] = next
    }
    this.#chain[key] = this.#freeKey
    this.#freeKey = key
  }

  /** Removes what is not in the sample any more: some 20,000 steps when the store doubles. */
  #dropUnsampled(): void {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      let key = this.#buckets[bucket]!
      while (key !== NONE) {
        const next = this.#chain[key]!
        if (!this.samples(this.#hash[key]!)) this.forget(this.#hash[key]!)
        key = next
      }
    }
  }
}

function shorts(length: number): Int16Array {
  return new Int16Array(createTable(length / 2).buffer)
}
