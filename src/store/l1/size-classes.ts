/**
 * The sizes in which memory is handed out.
 *
 * Chunk sizes grow by a constant factor, each rounded up so that a page holds a whole number of
 * chunks with as little left over as possible. The ids run from 1 to at most 62: tools walk the
 * classes of `stats` until they meet 64. What is larger than the largest class takes whole pages,
 * under the id `LARGE`.
 *
 * Ids that are left over go to classes in between that are added for sizes which are stored often
 * (docs/decisions/0013). They fit behind the others, so that ids ascend with sizes only up to there.
 */

/** Smallest chunk: a header, a key of 4 bytes and a value of 12. */
const CHUNK_BYTES_MIN = 64
const CHUNK_ALIGN = 8
/** 8 % of a chunk is then wasted on average; see docs/decisions/0002. */
const GROWTH_FACTOR = 1.15
const GROWTH_STEP = 0.005
const CLASS_ID_MAX = 62
/** Sizes up to this are looked up in a table, larger ones by bisection. */
const TABLE_BYTES_MAX = 4096

/** Class id of items that take whole pages. */
export const LARGE = 63

export class SizeClasses {
  /** The highest id, without LARGE. */
  count: number
  /** Bytes of a chunk, by class id; index 0 is unused. */
  readonly chunkBytes: Int32Array
  /** Chunks of a page, by class id. */
  readonly chunksPerPage: Int32Array
  /** Largest item that fits a chunk. */
  readonly chunkBytesMax: number
  readonly #pageBytes: number
  /** The classes that are always there have ids up to this. */
  readonly #fixedCount: number
  /** Ids of all classes, by size. */
  #bySize: number[]
  readonly #table: Uint8Array

  constructor(pageBytes: number) {
    let sizes = chunkSizes(pageBytes, GROWTH_FACTOR)
    for (let f = GROWTH_FACTOR; sizes.length > CLASS_ID_MAX; f += GROWTH_STEP) {
      sizes = chunkSizes(pageBytes, f)
    }
    this.#pageBytes = pageBytes
    this.count = sizes.length
    this.#fixedCount = sizes.length
    this.chunkBytes = new Int32Array(CLASS_ID_MAX + 1)
    this.chunkBytes.set(sizes, 1)
    this.chunksPerPage = this.chunkBytes.map((size) =>
      size === 0 ? 0 : Math.floor(pageBytes / size),
    )
    this.chunkBytesMax = sizes.at(-1)!
    this.#bySize = sizes.map((_, i) => i + 1)
    this.#table = new Uint8Array(TABLE_BYTES_MAX / CHUNK_ALIGN + 1)
    this.#fillTable()
  }

  /** Whether a class was added, and may be taken out again. */
  isAdded(classId: number): boolean {
    return classId > this.#fixedCount && classId <= this.count && this.chunkBytes[classId] !== 0
  }

  /**
   * Adds a class for items up to `bytes`, if there is an id for it. Returns it, or 0. Items that are in
   * chunks of the next larger class stay there.
   */
  add(bytes: number): number {
    let id = this.#fixedCount + 1
    while (id <= this.count && this.chunkBytes[id] !== 0) id++
    if (id > CLASS_ID_MAX) return 0
    this.count = Math.max(this.count, id)
    const chunkBytes = chunkFor(this.#pageBytes, bytes)
    this.chunkBytes[id] = chunkBytes
    this.chunksPerPage[id] = Math.floor(this.#pageBytes / chunkBytes)
    const at = this.#bySize.findIndex((other) => this.chunkBytes[other]! > chunkBytes)
    this.#bySize.splice(at, 0, id)
    this.#fillTable()
    return id
  }

  /** Takes out a class that was added and has no page. */
  remove(classId: number): void {
    this.chunkBytes[classId] = 0
    this.chunksPerPage[classId] = 0
    this.#bySize = this.#bySize.filter((id) => id !== classId)
    this.#fillTable()
  }

  /** Chunks of a page that hold `bytes` each. */
  chunksOf(bytes: number): number {
    return Math.floor(this.#pageBytes / chunkFor(this.#pageBytes, bytes))
  }

  /** The smallest class whose chunks hold `bytes`, or LARGE. */
  classFor(bytes: number): number {
    if (bytes <= TABLE_BYTES_MAX) return this.#table[(bytes + CHUNK_ALIGN - 1) >>> 3]!
    return this.#bisect(bytes)
  }

  #bisect(bytes: number): number {
    if (bytes > this.chunkBytesMax) return LARGE
    const ids = this.#bySize
    let low = 0
    let high = ids.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.chunkBytes[ids[middle]!]! < bytes) low = middle + 1
      else high = middle
    }
    return ids[low]!
  }

  #fillTable(): void {
    for (let i = 0; i < this.#table.length; i++) this.#table[i] = this.#bisect(i * CHUNK_ALIGN)
  }
}

/** The chunk for items up to some bytes that leaves as little of a page over as possible. */
function chunkFor(pageBytes: number, bytes: number): number {
  const aligned = Math.ceil(bytes / CHUNK_ALIGN) * CHUNK_ALIGN
  return alignDown(pageBytes / Math.floor(pageBytes / aligned))
}

/** Ascending, the last one half a page: what is larger than a third of one is given that. */
function chunkSizes(pageBytes: number, factor: number): number[] {
  const sizes: number[] = []
  let wanted = CHUNK_BYTES_MIN
  while (wanted <= pageBytes / 3) {
    const size = alignDown(pageBytes / Math.floor(pageBytes / wanted))
    sizes.push(size)
    wanted = alignDown(Math.max(size + CHUNK_ALIGN, size * factor + CHUNK_ALIGN - 1))
  }
  sizes.push(pageBytes / 2)
  return sizes
}

function alignDown(bytes: number): number {
  return Math.floor(bytes / CHUNK_ALIGN) * CHUNK_ALIGN
}
