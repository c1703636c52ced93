/**
 * The layout of a directory record: what one batch wrote, in the order in which it was written.
 * Each batch of a generation holds its packs and one directory, so that the in-memory index can be
 * rebuilt from the directories alone. This file knows neither LevelDB nor the index.
 *
 * ```
 * byte  0  magic and version
 *       4  CRC32 of everything behind it
 *       8  entries
 *      12  reserved, 0
 *      16  sequence number low
 *      20  sequence number high
 * then, for each entry, little endian like the header:
 *       0  hash low
 *       4  hash high
 *       8  expires at    wall time in seconds, 0 = never
 *      12  pack          number of the pack within the generation
 *      16  place         offset in the pack in units of 8 bytes, 0xffffffff = a tombstone
 * ```
 */
import { crc32 } from 'node:zlib'
import { assert } from '../../errors.ts'

/** "RMD" and the version of this layout. */
const MAGIC = 0x01_44_4d_52

const CHECK = 4
const CHECKED_FROM = 8
const COUNT = 8
const RESERVED = 12
const SEQUENCE_LO = 16
const SEQUENCE_HI = 20
export const DIRECTORY_HEADER_BYTES = 24

const HASH_LO = 0
const HASH_HI = 4
const EXPIRES_AT = 8
const PACK = 12
const PLACE = 16
export const DIRECTORY_ENTRY_BYTES = 20

/** Offsets in a pack are multiples of this, as records are padded to it. */
const PLACE_UNIT_BYTES = 8
const TOMBSTONE = 0xffff_ffff
/** What a visitor gets for the offset of a tombstone. */
export const TOMBSTONE_OFFSET = -1

const WORD = 4_294_967_296
/** Room for some two hundred entries to begin with; it doubles when a batch is larger. */
const INITIAL_BYTES = 4096

/** Sees one entry; hashes come as signed words. The offset of a tombstone is TOMBSTONE_OFFSET. */
export type DirectoryVisitor = (
  hashHi: number,
  hashLo: number,
  expiresAtS: number,
  pack: number,
  offsetBytes: number,
  /** Of the whole directory. */
  sequence: number,
) => void

/** Builds one directory after the other in one buffer, which grows to the largest of them. */
export class DirectoryWriter {
  #buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  #view = new DataView(this.#buffer.buffer)
  #end = DIRECTORY_HEADER_BYTES

  /** Entries since `begin`. */
  get count(): number {
    return (this.#end - DIRECTORY_HEADER_BYTES) / DIRECTORY_ENTRY_BYTES
  }

  /** Starts an empty directory; the bytes of the one before are not valid any more. */
  begin(): void {
    this.#end = DIRECTORY_HEADER_BYTES
  }

  /** Says where the newest record of a hash lies. */
  add(hashHi: number, hashLo: number, expiresAtS: number, pack: number, offsetBytes: number): void {
    const place = offsetBytes / PLACE_UNIT_BYTES
    assert(
      Number.isInteger(place) && place >= 0 && place < TOMBSTONE,
      'a record lies at a multiple of 8 bytes',
    )
    this.#append(hashHi, hashLo, expiresAtS, pack, place)
  }

  /** Says that no older record of a hash is valid. */
  addTombstone(hashHi: number, hashLo: number): void {
    this.#append(hashHi, hashLo, 0, 0, TOMBSTONE)
  }

  /** The finished directory: a view that is valid until the next call. */
  finish(sequence: number): Buffer {
    assert(Number.isSafeInteger(sequence) && sequence >= 0, 'a sequence number is a whole number')
    const view = this.#view
    view.setUint32(0, MAGIC, true)
    view.setUint32(COUNT, this.count, true)
    view.setUint32(RESERVED, 0, true)
    view.setUint32(SEQUENCE_LO, sequence % WORD, true)
    view.setUint32(SEQUENCE_HI, Math.floor(sequence / WORD), true)
    const directory = this.#buffer.subarray(0, this.#end)
    view.setUint32(CHECK, crc32(directory.subarray(CHECKED_FROM)), true)
    return directory
  }

  #append(hashHi: number, hashLo: number, expiresAtS: number, pack: number, place: number): void {
    const at = this.#end
    if (at + DIRECTORY_ENTRY_BYTES > this.#buffer.length) this.#grow()
    const view = this.#view
    view.setInt32(at + HASH_LO, hashLo, true)
    view.setInt32(at + HASH_HI, hashHi, true)
    view.setUint32(at + EXPIRES_AT, expiresAtS, true)
    view.setUint32(at + PACK, pack, true)
    view.setUint32(at + PLACE, place, true)
    this.#end = at + DIRECTORY_ENTRY_BYTES
  }

  #grow(): void {
    const larger = Buffer.allocUnsafeSlow(this.#buffer.length * 2)
    this.#buffer.copy(larger, 0, 0, this.#end)
    this.#buffer = larger
    this.#view = new DataView(larger.buffer)
  }
}

/**
 * Visits the entries of a directory, the last one first: of several entries of one hash the first
 * that is visited is the valid one. Returns undefined for what is no undamaged directory, and
 * visits nothing of it.
 */
export function readDirectory(
  directory: Buffer,
  visit: DirectoryVisitor,
): { readonly sequence: number } | undefined {
  if (directory.length < DIRECTORY_HEADER_BYTES) return undefined
  const view = new DataView(directory.buffer, directory.byteOffset, directory.length)
  if (view.getUint32(0, true) !== MAGIC) return undefined
  if (view.getUint32(CHECK, true) !== crc32(directory.subarray(CHECKED_FROM))) return undefined
  const count = view.getUint32(COUNT, true)
  if (directory.length !== DIRECTORY_HEADER_BYTES + count * DIRECTORY_ENTRY_BYTES) return undefined
  const sequence = view.getUint32(SEQUENCE_HI, true) * WORD + view.getUint32(SEQUENCE_LO, true)
  if (!Number.isSafeInteger(sequence)) return undefined
  let at = directory.length
  while (at > DIRECTORY_HEADER_BYTES) {
    at -= DIRECTORY_ENTRY_BYTES
    const place = view.getUint32(at + PLACE, true)
    visit(
      view.getInt32(at + HASH_HI, true),
      view.getInt32(at + HASH_LO, true),
      view.getUint32(at + EXPIRES_AT, true),
      view.getUint32(at + PACK, true),
      place === TOMBSTONE ? TOMBSTONE_OFFSET : place * PLACE_UNIT_BYTES,
      sequence,
    )
  }
  return { sequence }
}
