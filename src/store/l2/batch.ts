/**
 * What goes to disk together: records gathered into packs, and a directory that lists them.
 *
 * A batch is *open* while records are added to it and *closed* when it is handed to its generation.
 * From the moment a record is in a batch, the key map says that its key is in that pack of that
 * generation: until the pack is written it is read from here. So a record has one place only, and
 * nothing changes in the key map when writing succeeds.
 *
 * ```
 * pack 7            pack 8            pack 9
 * | rec | rec |rec| | record    |   | | one large record            |     directory: hash → pack, offset
 * ```
 * Within a batch the last entry of a hash counts. Who changes a key whose record waits in an open
 * batch adds a tombstone behind it.
 */
import { bytesOf, copyBytes } from '../../bytes/ascii.ts'
import type { Bytes } from '../../bytes/ascii.ts'
import { DirectoryWriter } from './directory.ts'
import type { Compression, RecordFields } from './record.ts'
import { recordBytes, writeRecord } from './record.ts'

/**
 * What is read at once for one item. Smaller packs cost more writes, larger ones more reading: with
 * 8 KiB an item of 150 bytes costs 0.8 us of processor time to write, and any item 6.4 us to read where
 * 50 are read together (docs/decisions/0009).
 */
export const PACK_BYTES = 8192
/** Buffers of packs that are kept for the next batch. */
const POOLED_PACKS_MAX = 256
/** Bytes of an entry of the directory, for the account of what waits. */
const ENTRY_BYTES = 20

export interface Pack {
  readonly number: number
  readonly bytes: Bytes
  length: number
}

/** Buffers of one pack each, used again and again. */
export class PackPool {
  readonly #free: Bytes[] = []

  take(): Bytes {
    return this.#free.pop() ?? bytesOf(Buffer.allocUnsafeSlow(PACK_BYTES))
  }

  giveBack(bytes: Bytes): void {
    if (bytes.buffer.length === PACK_BYTES && this.#free.length < POOLED_PACKS_MAX) {
      this.#free.push(bytes)
    }
  }
}

export class Batch {
  /** Where it is to be written. */
  generation: number
  readonly packs: Pack[] = []
  readonly directory: DirectoryWriter = new DirectoryWriter()
  /** Records that it holds. */
  items = 0
  tombstones = 0
  /** Bytes of values as clients gave them. */
  valueBytes = 0
  /** Memory that it takes. */
  bytes = 0
  readonly #firstPack: number
  readonly #pool: PackPool
  readonly #compression: Compression
  #open: Pack | null = null

  constructor(generation: number, firstPack: number, pool: PackPool, compression: Compression) {
    this.generation = generation
    this.#firstPack = firstPack
    this.#pool = pool
    this.#compression = compression
  }

  /** Whether there is nothing to write. */
  get isEmpty(): boolean {
    return this.items === 0 && this.tombstones === 0
  }
  /** The number that the next pack has. */
  get nextPack(): number {
    return this.#firstPack + this.packs.length
  }
  /** Where the record is that was added last. */
  lastPack = 0
  lastOffset = 0

  /** Adds an item: its key and value are copied. */
  add(
    hashHi: number,
    hashLo: number,
    fields: RecordFields,
    key: Bytes,
    keyStart: number,
    value: Bytes,
    valueStart: number,
  ): void {
    const pack = this.#packFor(recordBytes(fields.keyBytes, fields.valueBytes))
    const at = pack.length
    writeRecord(pack.bytes, at, fields, key, keyStart, value, valueStart)
    this.valueBytes += fields.valueBytes
    this.#added(hashHi, hashLo, fields.expiresAtS, pack, this.#compression.compress(pack.bytes, at))
  }

  /** Adds a record as it stands in another pack. */
  addCopy(
    hashHi: number,
    hashLo: number,
    expiresAtS: number,
    from: Bytes,
    at: number,
    length: number,
  ): void {
    const pack = this.#packFor(length)
    copyBytes(pack.bytes, pack.length, from, at, length)
    this.#added(hashHi, hashLo, expiresAtS, pack, length)
  }

  /** Says that nothing older than this is to be found under a hash. */
  addTombstone(hashHi: number, hashLo: number): void {
    this.directory.addTombstone(hashHi, hashLo)
    this.tombstones++
    this.bytes += ENTRY_BYTES
  }

  /** The pack with a number, if it is in this batch. */
  pack(number: number): Pack | undefined {
    const index = number - this.#firstPack
    // Beyond its ends an array looks for the index as if it were a name: 15 times as slow.
    return index >= 0 && index < this.packs.length ? this.packs[index] : undefined
  }

  /** The batch is written or given up: its buffers may be used again. */
  release(): void {
    for (const pack of this.packs) this.#pool.giveBack(pack.bytes)
    this.packs.length = 0
  }

  #packFor(length: number): Pack {
    if (length > PACK_BYTES) {
      return this.#begin(bytesOf(Buffer.allocUnsafeSlow(length)))
    }
    const open = this.#open
    if (open !== null && open.length + length <= PACK_BYTES) return open
    this.#open = this.#begin(this.#pool.take())
    return this.#open
  }

  #begin(bytes: Bytes): Pack {
    const pack: Pack = { number: this.nextPack, bytes, length: 0 }
    this.packs.push(pack)
    this.bytes += bytes.buffer.length
    return pack
  }

  #added(hashHi: number, hashLo: number, expiresAtS: number, pack: Pack, length: number): void {
    this.lastPack = pack.number
    this.lastOffset = pack.length
    this.directory.add(hashHi, hashLo, expiresAtS, pack.number, pack.length)
    pack.length += length
    this.items++
    this.bytes += ENTRY_BYTES
  }
}
