/**
 * The sizes in which memory is handed out.
 *
 * Chunk sizes grow by a constant factor, each rounded up so that a page holds a whole number of
 * chunks with as little left over as possible. The ids run from 1 to at most 62: tools walk the
 * classes of `stats` until they meet 64. What is larger than the largest class takes whole pages,
 * under the id `LARGE`.
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
  /** Number of classes, without LARGE. */
  readonly count: number
  /** Bytes of a chunk, by class id; index 0 is unused. */
  readonly chunkBytes: Int32Array
  /** Chunks of a page, by class id. */
  readonly chunksPerPage: Int32Array
  /** Largest item that fits a chunk. */
  readonly chunkBytesMax: number
  readonly #table: Uint8Array

  constructor(pageBytes: number) {
    let sizes = chunkSizes(pageBytes, GROWTH_FACTOR)
    for (let f = GROWTH_FACTOR; sizes.length > CLASS_ID_MAX; f += GROWTH_STEP) {
      sizes = chunkSizes(pageBytes, f)
    }
    this.count = sizes.length
    this.chunkBytes = Int32Array.from([0, ...sizes])
    this.chunksPerPage = Int32Array.from([0, ...sizes.map((size) => Math.floor(pageBytes / size))])
    this.chunkBytesMax = sizes.at(-1)!
    this.#table = new Uint8Array(TABLE_BYTES_MAX / CHUNK_ALIGN + 1)
    for (let i = 0; i < this.#table.length; i++) this.#table[i] = this.#bisect(i * CHUNK_ALIGN)
  }

  /** The smallest class whose chunks hold `bytes`, or LARGE. */
  classFor(bytes: number): number {
    if (bytes <= TABLE_BYTES_MAX) return this.#table[(bytes + CHUNK_ALIGN - 1) >>> 3]!
    return this.#bisect(bytes)
  }

  #bisect(bytes: number): number {
    if (bytes > this.chunkBytesMax) return LARGE
    let low = 1
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.chunkBytes[middle]! < bytes) low = middle + 1
      else high = middle
    }
    return low
  }
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
