/**
 * Which key is where on disk: from the 64-bit hash of a key to its place, in typed arrays only.
 *
 * It knows no key, only hashes: whoever reads a record compares the key in it, so that two keys with
 * one hash cost a miss and never a wrong value. It keeps a hash once, counts how many entries point
 * into each generation, and leaves to its owner what a generation means.
 *
 * A chained hash table that grows one bucket at a time, like `store/l1/key-index.ts` (linear hashing,
 * W. Litwin, 1980; docs/decisions/0003). Entries and buckets lie in chunks that are added one by one
 * and never move. So there is no pause for rehashing, and at most 32 bytes a key, slack included,
 * from some 500,000 keys on: 24 for the entry, 4 for its bucket, and what the last chunks have not
 * used yet. An *entry* is the number of its slot, from 1; 0 is none. It names its key until the key
 * is removed.
 *
 * ```
 * word 0  next          the next entry in the bucket (the next free slot, when free)
 *      1  hash low      picks the bucket
 *      2  hash high
 *      3  expires at    wall time in seconds, 0 = never
 *      4  pack          number of the pack within the generation
 *      5  | generation 8 | offset 20 | referenced 1 | spare 2 | in use 1 |
 * ```
 * The offset counts in units of 8 bytes from the start of the pack.
 */
import { assert } from '../../errors.ts'

/** Entries in a chunk of entries, and buckets in a chunk of buckets: 1.5 MiB and 256 KiB. */
const CHUNK_SHIFT = 16
const CHUNK_SLOTS = 1 << CHUNK_SHIFT
const CHUNK_MASK = CHUNK_SLOTS - 1
/** Buckets at the start: few, for they lie close together while there are few keys. */
const LEVEL_START = 8

/** What following the chain of a bucket costs, in entries that are looked at in order. */
const STEPS_OF_REMOVAL = 8

const ENTRY_WORDS = 6
const NEXT = 0
const HASH_LO = 1
const HASH_HI = 2
const EXPIRES_AT = 3
const PACK = 4
const PLACE = 5

const GENERATION_SHIFT = 24
const OFFSET_SHIFT = 4
const OFFSET_MASK = 0xf_ffff
const OFFSET_UNIT_BYTES = 8
const REFERENCED = 8
const IN_USE = 1

/** Generations that can be told apart. */
export const KEY_MAP_GENERATIONS = 256
/** The farthest offset within a pack that an entry can hold. */
export const OFFSET_BYTES_MAX: number = OFFSET_MASK * OFFSET_UNIT_BYTES
/** The most keys: numbers of buckets then stay below 2^31. */
export const ENTRIES_MAX: number = 2 ** 30

export class KeyMap {
  readonly entriesMax: number
  #entryChunks: Int32Array[] = []
  /** By chunk of entries: no entry of it is over before this instant; 0: none ever is. */
  #expiresFrom: number[] = []
  #bucketChunks: Int32Array[] = []
  #count = 0
  /** The lowest slot that was never used. */
  #top = 1
  /** First of the free slots below `#top`, or 0. */
  #free = 0
  #split = 0
  #mask = 2 ** LEVEL_START - 1
  readonly #counts = new Int32Array(KEY_MAP_GENERATIONS)
  readonly #referenced = new Int32Array(KEY_MAP_GENERATIONS)

  /** `entriesMax` is the most keys that it takes. */
  constructor(entriesMax: number = ENTRIES_MAX) {
    this.entriesMax = Math.min(entriesMax, ENTRIES_MAX)
  }

  /** Keys in the map. */
  get count(): number {
    return this.#count
  }
  /** Bytes of the chunks, what is unused in them included. */
  get memoryBytes(): number {
    const words = this.#entryChunks.length * ENTRY_WORDS + this.#bucketChunks.length
    return words * CHUNK_SLOTS * Int32Array.BYTES_PER_ELEMENT
  }
  /** Buckets that exist. */
  get bucketCount(): number {
    return this.#mask + 1 + this.#split
  }

  /** The entry of a hash, two signed 32-bit words, or 0. */
  find(hashHi: number, hashLo: number): number {
    if (this.#count === 0) return 0
    const bucket = this.#bucketOf(hashLo)
    let entry = this.#bucketChunks[bucket >>> CHUNK_SHIFT]![bucket & CHUNK_MASK]!
    while (entry !== 0) {
      const words = this.#entryChunks[entry >>> CHUNK_SHIFT]!
      const at = (entry & CHUNK_MASK) * ENTRY_WORDS
      if (words[at + HASH_LO] === hashLo && words[at + HASH_HI] === hashHi) return entry
      entry = words[at + NEXT]!
    }
    return 0
  }

  /**
   * A new entry for a hash that has none: in generation 0, not referenced, all else 0. Returns 0
   * where the map is full or the system gives no more memory; then nothing has changed.
   */
  insert(hashHi: number, hashLo: number): number {
    const entry = this.#takeSlot()
    if (entry === 0) return 0
    const bucket = this.#bucketOf(hashLo)
    const heads = this.#bucketChunks[bucket >>> CHUNK_SHIFT]!
    const words = this.#chunkOf(entry)
    const at = wordOf(entry)
    words[at + NEXT] = heads[bucket & CHUNK_MASK]!
    words[at + HASH_LO] = hashLo
    words[at + HASH_HI] = hashHi
    words[at + EXPIRES_AT] = 0
    words[at + PACK] = 0
    words[at + PLACE] = IN_USE
    heads[bucket & CHUNK_MASK] = entry
    this.#count++
    this.#counts[0]!++
    if (this.#count > this.bucketCount) this.#addBucket()
    return entry
  }

  remove(entry: number): void {
    const words = this.#chunkOf(entry)
    const at = wordOf(entry)
    const place = words[at + PLACE]!
    this.#unlink(entry, words[at + HASH_LO]!, words[at + NEXT]!)
    this.#uncount(place)
    words[at + PLACE] = 0
    words[at + NEXT] = this.#free
    this.#free = entry
    this.#count--
  }

  /**
   * Makes the buckets for so many keys at once, in an empty map: inserting them splits none then.
   * Does what it can where the system gives no more memory.
   */
  reserve(keyCount: number): void {
    assert(this.#count === 0, 'there is nothing in the buckets yet')
    while (this.bucketCount < Math.min(keyCount, this.entriesMax)) {
      const chunk = this.bucketCount >>> CHUNK_SHIFT
      if (chunk >= this.#bucketChunks.length && !addChunk(this.#bucketChunks, 1)) return
      const end = Math.min(keyCount, this.entriesMax, (chunk + 1) << CHUNK_SHIFT)
      const level = 31 - Math.clz32(end)
      this.#mask = 2 ** level - 1
      this.#split = end - 2 ** level
    }
  }

  /** Forgets all keys and gives the memory back. Costs as little as there are chunks. */
  clear(): void {
    this.#entryChunks = []
    this.#bucketChunks = []
    this.#expiresFrom = []
    this.#count = 0
    this.#top = 1
    this.#free = 0
    this.#split = 0
    this.#mask = 2 ** LEVEL_START - 1
    this.#counts.fill(0)
    this.#referenced.fill(0)
  }

  hashHi(entry: number): number {
    return this.#chunkOf(entry)[wordOf(entry) + HASH_HI]!
  }
  hashLo(entry: number): number {
    return this.#chunkOf(entry)[wordOf(entry) + HASH_LO]!
  }
  expiresAtS(entry: number): number {
    return this.#chunkOf(entry)[wordOf(entry) + EXPIRES_AT]! >>> 0
  }
  generation(entry: number): number {
    return this.#chunkOf(entry)[wordOf(entry) + PLACE]! >>> GENERATION_SHIFT
  }
  pack(entry: number): number {
    return this.#chunkOf(entry)[wordOf(entry) + PACK]! >>> 0
  }
  /** Bytes from the start of the pack. */
  offset(entry: number): number {
    const place = this.#chunkOf(entry)[wordOf(entry) + PLACE]!
    return ((place >>> OFFSET_SHIFT) & OFFSET_MASK) * OFFSET_UNIT_BYTES
  }
  isReferenced(entry: number): boolean {
    return (this.#chunkOf(entry)[wordOf(entry) + PLACE]! & REFERENCED) !== 0
  }

  /** Says where the record of an entry is now, and that it was not read there yet. */
  setPlace(entry: number, generation: number, pack: number, offsetBytes: number): void {
    assert(
      generation >= 0 && generation < KEY_MAP_GENERATIONS,
      'the number of a generation has 8 bits',
    )
    assert(
      offsetBytes >= 0 && offsetBytes <= OFFSET_BYTES_MAX && offsetBytes % OFFSET_UNIT_BYTES === 0,
      'the offset of a record is a multiple of 8 within the reach of an entry',
    )
    const words = this.#chunkOf(entry)
    const at = wordOf(entry)
    this.#uncount(words[at + PLACE]!)
    this.#counts[generation]!++
    const units = offsetBytes / OFFSET_UNIT_BYTES
    words[at + PACK] = pack
    words[at + PLACE] = (generation << GENERATION_SHIFT) | (units << OFFSET_SHIFT) | IN_USE
  }
  setExpiresAtS(entry: number, expiresAtS: number): void {
    this.#chunkOf(entry)[wordOf(entry) + EXPIRES_AT] = expiresAtS
    this.#noteExpiry(entry, expiresAtS)
  }
  setReferenced(entry: number): void {
    const words = this.#chunkOf(entry)
    const at = wordOf(entry) + PLACE
    const place = words[at]!
    if ((place & REFERENCED) !== 0) return
    words[at] = place | REFERENCED
    this.#referenced[place >>> GENERATION_SHIFT]!++
  }

  /** Entries that point into a generation. */
  countOf(generation: number): number {
    return this.#counts[generation]!
  }
  /** Those of them that are referenced. */
  referencedOf(generation: number): number {
    return this.#referenced[generation]!
  }

  /**
   * Walks over all entries in slices: visits those in up to `steps` slots from a cursor on, and
   * returns the next cursor. The first cursor is 0, and 0 is returned at the end. `visit` may change
   * or remove entries; one that is inserted between the slices may be missed.
   */
  walk(cursor: number, steps: number, visit: (entry: number) => void): number {
    let entry = Math.max(1, cursor)
    for (let step = 0; step < steps && entry < this.#top; step++, entry++) {
      const place = this.#chunkOf(entry)[wordOf(entry) + PLACE]!
      if ((place & IN_USE) !== 0) visit(entry)
    }
    return entry < this.#top ? entry : 0
  }

  /**
   * As `walk`, but visits only entries that are over, and leaves out the chunks in which none can be. A
   * visit counts for several steps, because removing an entry costs as much.
   */
  walkExpired(cursor: number, steps: number, nowS: number, visit: (entry: number) => void): number {
    let entry = Math.max(1, cursor)
    for (let step = 0; step < steps && entry < this.#top; step++) {
      const chunk = entry >>> CHUNK_SHIFT
      if (entry === 1 || (entry & CHUNK_MASK) === 0) {
        const fromS = this.#expiresFrom[chunk] ?? 0
        if (fromS === 0 || fromS > nowS) {
          entry = (chunk + 1) << CHUNK_SHIFT
          continue
        }
        this.#expiresFrom[chunk] = 0
      }
      const words = this.#entryChunks[chunk]!
      const at = (entry & CHUNK_MASK) * ENTRY_WORDS
      const expiresAtS = words[at + EXPIRES_AT]! >>> 0
      if (expiresAtS !== 0 && (words[at + PLACE]! & IN_USE) !== 0) {
        if (expiresAtS <= nowS) {
          visit(entry)
          step += STEPS_OF_REMOVAL
        }
        // What is in use nevertheless is to be visited again.
        if ((words[at + PLACE]! & IN_USE) !== 0) this.#noteExpiry(entry, expiresAtS)
      }
      entry++
    }
    return entry < this.#top ? entry : 0
  }

  #noteExpiry(entry: number, expiresAtS: number): void {
    if (expiresAtS === 0) return
    const chunk = entry >>> CHUNK_SHIFT
    const fromS = this.#expiresFrom[chunk] ?? 0
    if (fromS === 0 || expiresAtS < fromS) this.#expiresFrom[chunk] = expiresAtS
  }

  /**
   * As `walk`, but bucket by bucket, with nothing changed meanwhile. A map with as many buckets that
   * is filled in this order fills them in turn, which costs a fraction of filling them at random.
   */
  walkBuckets(cursor: number, steps: number, visit: (entry: number) => void): number {
    if (this.#count === 0) return 0
    const end = Math.min(this.bucketCount, cursor + steps)
    for (let bucket = cursor; bucket < end; bucket++) {
      let entry = this.#bucketChunks[bucket >>> CHUNK_SHIFT]![bucket & CHUNK_MASK]!
      while (entry !== 0) {
        visit(entry)
        entry = this.#chunkOf(entry)[wordOf(entry) + NEXT]!
      }
    }
    return end < this.bucketCount ? end : 0
  }

  #chunkOf(entry: number): Int32Array {
    return this.#entryChunks[entry >>> CHUNK_SHIFT]!
  }

  #bucketOf(hashLo: number): number {
    const bucket = hashLo & this.#mask
    return bucket < this.#split ? hashLo & (this.#mask * 2 + 1) : bucket
  }

  #uncount(place: number): void {
    const generation = place >>> GENERATION_SHIFT
    this.#counts[generation]!--
    if ((place & REFERENCED) !== 0) this.#referenced[generation]!--
  }

  /** A free slot, or 0. Afterwards there are buckets, too. */
  #takeSlot(): number {
    if (this.#count >= this.entriesMax) return 0
    const free = this.#free
    if (free !== 0) {
      this.#free = this.#chunkOf(free)[wordOf(free) + NEXT]!
      return free
    }
    if (this.#bucketChunks.length === 0 && !addChunk(this.#bucketChunks, 1)) return 0
    const isInChunk = this.#top >>> CHUNK_SHIFT < this.#entryChunks.length
    if (!isInChunk && !addChunk(this.#entryChunks, ENTRY_WORDS)) return 0
    return this.#top++
  }

  /** Splits the next bucket in turn. Without memory for it chains get longer, and no more. */
  #addBucket(): void {
    const low = this.#split
    const high = low + this.#mask + 1
    const isInChunk = high >>> CHUNK_SHIFT < this.#bucketChunks.length
    if (!isInChunk && !addChunk(this.#bucketChunks, 1)) return
    const bit = this.#mask + 1
    const lowHeads = this.#bucketChunks[low >>> CHUNK_SHIFT]!
    let entry = lowHeads[low & CHUNK_MASK]!
    let lowHead = 0
    let highHead = 0
    while (entry !== 0) {
      const words = this.#chunkOf(entry)
      const at = wordOf(entry)
      const next = words[at + NEXT]!
      if ((words[at + HASH_LO]! & bit) === 0) {
        words[at + NEXT] = lowHead
        lowHead = entry
      } else {
        words[at + NEXT] = highHead
        highHead = entry
      }
      entry = next
    }
    lowHeads[low & CHUNK_MASK] = lowHead
    this.#bucketChunks[high >>> CHUNK_SHIFT]![high & CHUNK_MASK] = highHead
    this.#split++
    if (this.#split > this.#mask) {
      this.#split = 0
      this.#mask = this.#mask * 2 + 1
    }
  }

  #unlink(entry: number, hashLo: number, next: number): void {
    const bucket = this.#bucketOf(hashLo)
    const heads = this.#bucketChunks[bucket >>> CHUNK_SHIFT]!
    let at = heads[bucket & CHUNK_MASK]!
    if (at === entry) {
      heads[bucket & CHUNK_MASK] = next
      return
    }
    while (at !== 0) {
      const words = this.#chunkOf(at)
      const link = wordOf(at) + NEXT
      at = words[link]!
      if (at === entry) {
        words[link] = next
        return
      }
    }
    assert(false, 'an entry is in its bucket')
  }
}

/** First word of an entry in its chunk. */
function wordOf(entry: number): number {
  return (entry & CHUNK_MASK) * ENTRY_WORDS
}

/** Adds a chunk, unless the system gives no memory. It hands out zeroed memory on first touch. */
function addChunk(chunks: Int32Array[], wordsPerSlot: number): boolean {
  try {
    chunks.push(new Int32Array(CHUNK_SLOTS * wordsPerSlot))
    return true
  } catch {
    return false
  }
}
