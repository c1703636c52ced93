/**
 * The state file: the few facts that must survive any stop, `state` in the data directory.
 *
 * Two slots are written in turn, each with a counter and a CRC32 of what follows it. The slot that
 * is valid and has the greater counter counts, so that a write that tears leaves the facts of the
 * write before it. The file has its full length from the start: saving needs no space on the disk.
 *
 * ```
 *  0        one block of 4096 bytes a slot, of which these are used, little endian:
 *  |  magic u32 | check u32 | counter u64 | seed k0 i32 | seed k1 i32 | sequence reserved u64 |
 *  |  flushed up to u64 | flush pending at u64 | clock u64 | flags u32 | index stamp u32 |
 *  |  believed from u64 |
 *  4096     the other slot
 *  8192
 * ```
 */
import { randomBytes } from 'node:crypto'
import { dirname, basename } from 'node:path'
import { crc32 } from 'node:zlib'
import { ServerError } from '../../errors.ts'
import { createDurably, errorCode, MACHINE_FILES } from './file-system.ts'
import type { FileSystem } from './file-system.ts'

/** The distance of the slots: a block of a file system, so that one write never touches both. */
const SLOT_DISTANCE = 4096
const FILE_BYTES = 2 * SLOT_DISTANCE

const AT_MAGIC = 0
const AT_CHECK = 4
const AT_COUNTER = 8
const AT_SEED_K0 = 16
const AT_SEED_K1 = 20
const AT_SEQUENCE_RESERVED = 24
const AT_FLUSHED_UP_TO = 32
const AT_FLUSH_PENDING_AT = 40
const AT_CLOCK = 48
const AT_FLAGS = 56
const AT_INDEX_STAMP = 60
const AT_BELIEVED_FROM = 64
const SLOT_BYTES = 72

/** "RATS", as it stands in the file. */
const MAGIC = 0x5354_4152
const FLAG_TRUSTED = 1
const FLAG_CLEAN_STOP = 2
const WORD = 4_294_967_296

/** Refilled by whoever owns the state file; `save` writes it as it stands. */
export interface Facts {
  /** The seed of the hash of keys, drawn once in the life of a data directory. */
  readonly seedK0: number
  readonly seedK1: number
  /** Sequence numbers up to this one may have been given out. The next process starts above it. */
  sequenceReserved: number
  /** Whatever was stored under this sequence number or a smaller one is dead. */
  flushedUpTo: number
  /** When a flush that was asked for in advance is due, in wall seconds; 0 for none. */
  flushPendingAtS: number
  /** The wall clock when it was last looked at: time does not run back over a restart. */
  clockS: number
  /** False: something on disk may be stale, and nothing says what. All of it has to go. */
  trusted: boolean
  /** True: the process stopped of its own will, and has written everything that there was to write. */
  cleanStop: boolean
  /** Of the index file that was written at that stop, 0 if none was. */
  indexStamp: number
  /**
   * Directories of generations with a smaller number are not believed: one that may have made void
   * what they name is lost.
   */
  believedFrom: number
}

export class StateFile {
  readonly facts: Facts
  /** Whether the file was made by this call of `open`: there was no state before. */
  readonly isNew: boolean
  readonly #files: FileSystem
  readonly #path: string
  #file: number
  readonly #slot: Buffer = Buffer.alloc(SLOT_BYTES)
  readonly #view: DataView
  #counter: number
  #slotNext: number

  /** Saves that failed, since the file was opened. */
  failedSaves = 0
  /** What the system said last, for the log. */
  lastError: unknown

  /**
   * Opens the file, or makes one with a new seed, nothing reserved, nothing flushed, trusted, and
   * no clean stop. Throws a `ServerError` DATA_DIR_UNUSABLE if it can neither be read and written
   * nor made, or if both slots are damaged.
   */
  static open(path: string, files: FileSystem = MACHINE_FILES): StateFile {
    const isNew = !isThere(path, files)
    if (isNew) create(path, files)
    let file: number
    try {
      file = files.openSync(path, 'r+')
    } catch (error) {
      throw unusable(path, `cannot be opened for writing (${errorCode(error)})`, error)
    }
    try {
      const newest = newestSlot(readWhole(path, file, files))
      if (newest === undefined) {
        throw unusable(
          path,
          'is damaged, in both of its copies; what is stored cannot be used any more',
        )
      }
      return new StateFile(path, files, file, isNew, newest)
    } catch (error) {
      files.closeSync(file)
      throw error
    }
  }

  private constructor(path: string, files: FileSystem, file: number, isNew: boolean, newest: Slot) {
    this.#path = path
    this.#files = files
    this.#file = file
    this.#view = new DataView(this.#slot.buffer, this.#slot.byteOffset, SLOT_BYTES)
    this.isNew = isNew
    this.facts = newest.facts
    this.#counter = newest.counter
    this.#slotNext = 1 - newest.index
  }

  /** Writes the facts, to the page cache. On failure the facts of the last save stay in the file. */
  save(): boolean {
    fillSlot(this.#view, this.#slot, this.#counter + 1, this.facts)
    try {
      const at = this.#slotNext * SLOT_DISTANCE
      const written = this.#files.writeSync(this.#file, this.#slot, 0, SLOT_BYTES, at)
      if (written !== SLOT_BYTES) throw new Error(`the system wrote ${written} bytes`)
    } catch (error) {
      return this.#failed(error)
    }
    this.#counter++
    this.#slotNext = 1 - this.#slotNext
    return true
  }

  /** Writes the facts and waits until the device has them. */
  async saveDurably(): Promise<boolean> {
    if (!this.save()) return false
    try {
      await this.#files.syncFile(this.#path)
    } catch (error) {
      return this.#failed(error)
    }
    return true
  }

  /**
   * Makes the file anew, whole, with the facts as they stand: for the return from trouble, when the
   * directory may be another one than that which the file was opened in. Waits for the device.
   */
  recreate(): boolean {
    try {
      createWith(this.#path, this.#files, this.facts, this.#counter)
      const file = this.#files.openSync(this.#path, 'r+')
      const before = this.#file
      this.#file = file
      this.#counter += 2
      this.#slotNext = 0
      this.#files.closeSync(before)
    } catch (error) {
      return this.#failed(error)
    }
    return true
  }

  /** Closes the file without a save. */
  close(): void {
    this.#files.closeSync(this.#file)
  }

  #failed(error: unknown): false {
    this.failedSaves++
    this.lastError = error
    return false
  }
}

interface Slot {
  readonly index: number
  readonly counter: number
  readonly facts: Facts
}

function isThere(path: string, files: FileSystem): boolean {
  try {
    files.sizeSync(path)
    return true
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw unusable(path, `cannot be looked at (${errorCode(error)})`, error)
  }
}

function create(path: string, files: FileSystem): void {
  const seed = randomBytes(8)
  const facts: Facts = {
    seedK0: seed.readInt32LE(0),
    seedK1: seed.readInt32LE(4),
    sequenceReserved: 0,
    flushedUpTo: 0,
    flushPendingAtS: 0,
    clockS: 0,
    trusted: true,
    cleanStop: false,
    indexStamp: 0,
    believedFrom: 0,
  }
  try {
    createWith(path, files, facts, 0)
  } catch (error) {
    throw unusable(path, `cannot be made (${errorCode(error)})`, error)
  }
}

/** Both slots are valid from the start, the first one older; their counters follow `counter`. */
function createWith(path: string, files: FileSystem, facts: Facts, counter: number): void {
  const bytes = Buffer.alloc(FILE_BYTES)
  for (let index = 0; index < 2; index++) {
    const slot = bytes.subarray(index * SLOT_DISTANCE, index * SLOT_DISTANCE + SLOT_BYTES)
    fillSlot(viewOf(slot), slot, counter + 1 + index, facts)
  }
  createDurably(files, dirname(path), basename(path), bytes)
}

/** What there is of the file; the rest is zeros. */
function readWhole(path: string, file: number, files: FileSystem): Buffer {
  const bytes = Buffer.alloc(FILE_BYTES)
  try {
    for (let at = 0; at < FILE_BYTES;) {
      const read = files.readSync(file, bytes, at, FILE_BYTES - at, at)
      if (read === 0) break
      at += read
    }
  } catch (error) {
    throw unusable(path, `cannot be read (${errorCode(error)})`, error)
  }
  return bytes
}

function newestSlot(bytes: Buffer): Slot | undefined {
  const first = readSlot(bytes, 0)
  const second = readSlot(bytes, 1)
  if (first === undefined || second === undefined) return first ?? second
  return first.counter > second.counter ? first : second
}

function readSlot(bytes: Buffer, index: number): Slot | undefined {
  const start = index * SLOT_DISTANCE
  const slot = bytes.subarray(start, start + SLOT_BYTES)
  const view = viewOf(slot)
  if (view.getUint32(AT_MAGIC, true) !== MAGIC) return undefined
  if (view.getUint32(AT_CHECK, true) !== checkOf(slot)) return undefined
  const flags = view.getUint32(AT_FLAGS, true)
  return {
    index,
    counter: getU64(view, AT_COUNTER),
    facts: {
      seedK0: view.getInt32(AT_SEED_K0, true),
      seedK1: view.getInt32(AT_SEED_K1, true),
      sequenceReserved: getU64(view, AT_SEQUENCE_RESERVED),
      flushedUpTo: getU64(view, AT_FLUSHED_UP_TO),
      flushPendingAtS: getU64(view, AT_FLUSH_PENDING_AT),
      clockS: getU64(view, AT_CLOCK),
      trusted: (flags & FLAG_TRUSTED) !== 0,
      cleanStop: (flags & FLAG_CLEAN_STOP) !== 0,
      indexStamp: view.getUint32(AT_INDEX_STAMP, true),
      believedFrom: getU64(view, AT_BELIEVED_FROM),
    },
  }
}

function fillSlot(view: DataView, slot: Buffer, counter: number, facts: Facts): void {
  const flags = (facts.trusted ? FLAG_TRUSTED : 0) | (facts.cleanStop ? FLAG_CLEAN_STOP : 0)
  view.setUint32(AT_MAGIC, MAGIC, true)
  setU64(view, AT_COUNTER, counter)
  view.setInt32(AT_SEED_K0, facts.seedK0, true)
  view.setInt32(AT_SEED_K1, facts.seedK1, true)
  setU64(view, AT_SEQUENCE_RESERVED, facts.sequenceReserved)
  setU64(view, AT_FLUSHED_UP_TO, facts.flushedUpTo)
  setU64(view, AT_FLUSH_PENDING_AT, facts.flushPendingAtS)
  setU64(view, AT_CLOCK, facts.clockS)
  view.setUint32(AT_FLAGS, flags, true)
  view.setUint32(AT_INDEX_STAMP, facts.indexStamp, true)
  setU64(view, AT_BELIEVED_FROM, facts.believedFrom)
  view.setUint32(AT_CHECK, checkOf(slot), true)
}

/** Of everything behind the check word. */
function checkOf(slot: Buffer): number {
  return crc32(slot.subarray(AT_COUNTER, SLOT_BYTES))
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

function unusable(path: string, what: string, cause?: unknown): ServerError {
  return new ServerError(
    'DATA_DIR_UNUSABLE',
    `the state file ${path} ${what}: put right what is wrong there, or start with an empty data directory`,
    cause,
  )
}
