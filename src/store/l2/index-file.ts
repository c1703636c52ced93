/**
 * The layout of the index file: the key map as it was at a clean stop, so that the next start knows at
 * once where every key is. It is written once, in one go, and read once; `saved-index.ts` decides
 * whether it is to be believed.
 *
 * ```
 * byte  0  magic and version
 *       4  CRC32 of everything in the head behind it
 *       8  stamp             drawn for this file
 *      12  generations
 *      16  keys              u64
 *      24  sequence number   u64: nothing that was changed later is in the file
 *      32  16 bytes for each generation: number u64 | directories in it u32 | id in the entries u32
 * then, one after the other, chunks of up to 65,536 entries:
 *       0  entries
 *       4  CRC32 of them, begun with the stamp
 *       8  20 bytes for each entry: hash low | hash high | expires at | pack |
 *          generation 8, offset in units of 8 bytes 20, spare 3, referenced 1
 * ```
 * All little endian. The head is written last: a file that was not finished has none.
 */
import { crc32 } from 'node:zlib'
import { MACHINE_FILES } from './file-system.ts'
import type { FileSystem } from './file-system.ts'
import type { KeyMap } from './key-map.ts'

/** "RMI" and the version of this layout. */
const MAGIC = 0x01_49_4d_52

const CHECK = 4
const CHECKED_FROM = 8
const STAMP = 8
const GENERATIONS = 12
const KEYS = 16
const SEQUENCE = 24
const HEAD_BYTES = 32

const NUMBER = 0
const DIRECTORIES = 8
const ID = 12
const GENERATION_BYTES = 16
/** As many as the key map can tell apart. */
const GENERATIONS_MAX = 256

const CHUNK_COUNT = 0
const CHUNK_CHECK = 4
const CHUNK_HEAD_BYTES = 8
/** Entries that are handled in one slice, some 10 ms; a chunk is 1.3 MB. */
const CHUNK_ENTRIES = 65_536

/** Buckets of the key map that are written in one slice. */
const BUCKETS_PER_SLICE = 65_536

const HASH_LO = 0
const HASH_HI = 4
const EXPIRES_AT = 8
const PACK = 12
const PLACE = 16
/** What the file takes for each key, and as good as nothing beside it. */
export const INDEX_ENTRY_BYTES = 20

const GENERATION_SHIFT = 24
const OFFSET_SHIFT = 4
const OFFSET_MASK = 0xf_ffff
const OFFSET_UNIT_BYTES = 8
const REFERENCED = 1

const WORD = 4_294_967_296

/** A generation as it was when the file was written. */
export interface IndexedGeneration {
  /** In the name of its folder. */
  readonly number: number
  /** That had been written to it. */
  readonly directories: number
  /** In the entries of the file. */
  readonly id: number
}

export interface IndexHead {
  /** Not 0. */
  readonly stamp: number
  readonly sequence: number
  readonly generations: readonly IndexedGeneration[]
}

/** Writes a key map that does not change meanwhile. Rejects with the error of the system. */
export async function writeIndex(
  path: string,
  head: IndexHead,
  keys: KeyMap,
  files: FileSystem = MACHINE_FILES,
): Promise<void> {
  const known = new Set(head.generations.map(({ id }) => id))
  const chunk = Buffer.allocUnsafeSlow(CHUNK_HEAD_BYTES + CHUNK_ENTRIES * INDEX_ENTRY_BYTES)
  const view = viewOf(chunk)
  const file = files.openSync(path, 'w')
  try {
    let end = HEAD_BYTES + head.generations.length * GENERATION_BYTES
    let at = CHUNK_HEAD_BYTES
    let keyCount = 0
    const writeChunk = (): void => {
      if (at === CHUNK_HEAD_BYTES) return
      const count = (at - CHUNK_HEAD_BYTES) / INDEX_ENTRY_BYTES
      view.setUint32(CHUNK_COUNT, count, true)
      view.setUint32(CHUNK_CHECK, crc32(chunk.subarray(CHUNK_HEAD_BYTES, at), head.stamp), true)
      writeAll(files, file, chunk.subarray(0, at), end)
      end += at
      keyCount += count
      at = CHUNK_HEAD_BYTES
    }
    let cursor = 0
    do {
      // In the order of buckets, because that is quicker to load.
      cursor = keys.walkBuckets(cursor, BUCKETS_PER_SLICE, (entry) => {
        if (!known.has(keys.generation(entry))) return
        if (at === chunk.length) writeChunk()
        putEntry(view, at, keys, entry)
        at += INDEX_ENTRY_BYTES
      })
      await nextTurn()
    } while (cursor !== 0)
    writeChunk()
    writeAll(files, file, headBytes(head, keyCount), 0)
  } finally {
    files.closeSync(file)
  }
}

/** An index file that is open for reading. */
export class IndexReader {
  readonly head: IndexHead
  readonly keyCount: number
  readonly #file: number
  readonly #files: FileSystem
  readonly #bytes: number

  /** Undefined for what has no undamaged head. Throws the error of the system. */
  static open(path: string, files: FileSystem = MACHINE_FILES): IndexReader | undefined {
    const bytes = files.sizeSync(path)
    const file = files.openSync(path, 'r')
    try {
      const start = readAll(files, file, 0, HEAD_BYTES + GENERATIONS_MAX * GENERATION_BYTES)
      const known = readHead(start)
      if (known !== undefined) return new IndexReader(files, file, bytes, ...known)
    } catch (error) {
      files.closeSync(file)
      throw error
    }
    files.closeSync(file)
    return undefined
  }

  private constructor(
    files: FileSystem,
    file: number,
    bytes: number,
    head: IndexHead,
    keyCount: number,
  ) {
    this.#files = files
    this.#file = file
    this.#bytes = bytes
    this.head = head
    this.keyCount = keyCount
  }

  /**
   * Puts the entries into an empty key map: those that are not expired, of generations for which
   * `idOf` has an id. Returns false, with the map empty, where anything is damaged or there is no
   * memory for them. Rejects, in that state, with the error of the system.
   */
  async load(keys: KeyMap, idOf: readonly (number | undefined)[], nowS: number): Promise<boolean> {
    try {
      if (await this.#loadAll(keys, idOf, nowS)) return true
    } catch (error) {
      keys.clear()
      throw error
    }
    keys.clear()
    return false
  }

  close(): void {
    this.#files.closeSync(this.#file)
  }

  async #loadAll(
    keys: KeyMap,
    idOf: readonly (number | undefined)[],
    nowS: number,
  ): Promise<boolean> {
    let at = HEAD_BYTES + this.head.generations.length * GENERATION_BYTES
    let left = this.keyCount
    keys.reserve(left)
    while (left > 0) {
      const longest = CHUNK_HEAD_BYTES + Math.min(left, CHUNK_ENTRIES) * INDEX_ENTRY_BYTES
      const bytes = readAll(this.#files, this.#file, at, longest)
      const count = entriesIn(bytes, this.head.stamp)
      if (count === 0) return false
      const view = viewOf(bytes)
      for (let entry = 0; entry < count; entry++) {
        const entryAt = CHUNK_HEAD_BYTES + entry * INDEX_ENTRY_BYTES
        if (!takeEntry(view, entryAt, keys, idOf, nowS)) return false
      }
      at += CHUNK_HEAD_BYTES + count * INDEX_ENTRY_BYTES
      left -= count
      await nextTurn()
    }
    return at === this.#bytes
  }
}

function putEntry(view: DataView, at: number, keys: KeyMap, entry: number): void {
  view.setInt32(at + HASH_LO, keys.hashLo(entry), true)
  view.setInt32(at + HASH_HI, keys.hashHi(entry), true)
  view.setUint32(at + EXPIRES_AT, keys.expiresAtS(entry), true)
  view.setUint32(at + PACK, keys.pack(entry), true)
  const units = keys.offset(entry) / OFFSET_UNIT_BYTES
  const referenced = keys.isReferenced(entry) ? REFERENCED : 0
  const place = (keys.generation(entry) << GENERATION_SHIFT) | (units << OFFSET_SHIFT) | referenced
  view.setInt32(at + PLACE, place, true)
}

/** Returns false without memory for it. */
function takeEntry(
  view: DataView,
  at: number,
  keys: KeyMap,
  idOf: readonly (number | undefined)[],
  nowS: number,
): boolean {
  const place = view.getInt32(at + PLACE, true)
  const id = idOf[place >>> GENERATION_SHIFT]
  if (id === undefined) return true
  const expiresAtS = view.getUint32(at + EXPIRES_AT, true)
  if (expiresAtS !== 0 && expiresAtS <= nowS) return true
  const entry = keys.insert(view.getInt32(at + HASH_HI, true), view.getInt32(at + HASH_LO, true))
  if (entry === 0) return false
  const offset = ((place >>> OFFSET_SHIFT) & OFFSET_MASK) * OFFSET_UNIT_BYTES
  keys.setPlace(entry, id, view.getUint32(at + PACK, true), offset)
  keys.setExpiresAtS(entry, expiresAtS)
  if ((place & REFERENCED) !== 0) keys.setReferenced(entry)
  return true
}

function headBytes(head: IndexHead, keyCount: number): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES + head.generations.length * GENERATION_BYTES)
  const view = viewOf(bytes)
  view.setUint32(0, MAGIC, true)
  view.setUint32(STAMP, head.stamp, true)
  view.setUint32(GENERATIONS, head.generations.length, true)
  setU64(view, KEYS, keyCount)
  setU64(view, SEQUENCE, head.sequence)
  let at = HEAD_BYTES
  for (const { number, directories, id } of head.generations) {
    setU64(view, at + NUMBER, number)
    view.setUint32(at + DIRECTORIES, directories, true)
    view.setUint32(at + ID, id, true)
    at += GENERATION_BYTES
  }
  view.setUint32(CHECK, crc32(bytes.subarray(CHECKED_FROM)), true)
  return bytes
}

/** The head and the number of keys at the beginning of some bytes. */
function readHead(bytes: Buffer): [IndexHead, number] | undefined {
  if (bytes.length < HEAD_BYTES) return undefined
  const view = viewOf(bytes)
  if (view.getUint32(0, true) !== MAGIC) return undefined
  const count = view.getUint32(GENERATIONS, true)
  const end = HEAD_BYTES + count * GENERATION_BYTES
  if (count > GENERATIONS_MAX || end > bytes.length) return undefined
  if (view.getUint32(CHECK, true) !== crc32(bytes.subarray(CHECKED_FROM, end))) return undefined
  const generations: IndexedGeneration[] = []
  for (let at = HEAD_BYTES; at < end; at += GENERATION_BYTES) {
    generations.push({
      number: getU64(view, at + NUMBER),
      directories: view.getUint32(at + DIRECTORIES, true),
      id: view.getUint32(at + ID, true),
    })
  }
  const stamp = view.getUint32(STAMP, true)
  return [{ stamp, sequence: getU64(view, SEQUENCE), generations }, getU64(view, KEYS)]
}

/** How many entries an undamaged chunk at the beginning of some bytes has; 0 for any other. */
function entriesIn(bytes: Buffer, stamp: number): number {
  if (bytes.length < CHUNK_HEAD_BYTES) return 0
  const view = viewOf(bytes)
  const count = view.getUint32(CHUNK_COUNT, true)
  const end = CHUNK_HEAD_BYTES + count * INDEX_ENTRY_BYTES
  if (end > bytes.length) return 0
  const check = crc32(bytes.subarray(CHUNK_HEAD_BYTES, end), stamp)
  return view.getUint32(CHUNK_CHECK, true) === check ? count : 0
}

function writeAll(files: FileSystem, file: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length;) {
    done += files.writeSync(file, bytes, done, bytes.length - done, position + done)
  }
}

/** What there is at a position, up to a length. */
function readAll(files: FileSystem, file: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  let done = 0
  while (done < length) {
    const read = files.readSync(file, bytes, done, length - done, position + done)
    if (read === 0) break
    done += read
  }
  return bytes.subarray(0, done)
}

/** An integer from 0 to 2^53. */
function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value | 0, true)
  view.setUint32(at + 4, Math.floor(value / WORD), true)
}

function getU64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * WORD + view.getUint32(at, true)
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
