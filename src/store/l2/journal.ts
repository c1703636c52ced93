/**
 * The journal: which keys have become stale on disk, said before it is acknowledged.
 *
 * Whatever replaces or removes a key that disk has is named here, with its sequence number, by one
 * `write` before the replies of a turn leave. The page cache keeps what was written when the
 * process is killed; `sync` is for when the machine may stop, too.
 *
 * ```
 *  add ─→ buffer ──commit──→ current segment ──full, or forgetUpTo──→ sealed segments ─→ unlinked
 * ```
 * Entries that the system refuses stay in the buffer, in their order, and are written by the next
 * commit that succeeds. When there are too many of them, names are lost, and `overflowed` says so
 * until what they named is superseded on disk; only the store knows what to do then.
 *
 * An entry that outlives its reason is harmless: records and tombstones with a greater sequence
 * number are not touched by it. So files may be removed in any order, late, or never.
 */
import { ServerError } from '../../errors.ts'
import { errorCode, MACHINE_FILES } from './file-system.ts'
import type { FileSystem } from './file-system.ts'
import {
  ENTRY_BYTES,
  listSegments,
  segmentPath,
  sequenceAt,
  writeStale,
} from './journal-segment.ts'

/** A segment is sealed by the write that brings it here: 43,690 entries, read in 1 ms at a start. */
const SEGMENT_BYTES = 1_048_576
/** Entries that the buffer holds without growing: 24 KiB. */
const BUFFER_ENTRIES_START = 1024
/** Entries that wait for a disk that refuses them, at most: 1.5 MiB. */
const PENDING_ENTRIES_MAX = 65_536
/**
 * A shorter segment is not given up for a new file: to make one and to remove one takes longer than a
 * batch takes of the main thread otherwise, and entries that are superseded do no harm.
 */
const ROTATE_BYTES_MIN = 65_536

export interface JournalOptions {
  readonly segmentBytes?: number
  readonly pendingEntriesMax?: number
  readonly files?: FileSystem
}

interface Segment {
  readonly path: string
  /** Length in whole entries; there may be a part of one behind. */
  bytes: number
  /** Greatest sequence number, or one that is greater still. */
  lastSequence: number
  bytesSynced: number
  /** Being removed, or gone: nothing in it is needed any more. */
  isForgotten: boolean
}

export class Journal {
  readonly #folder: string
  readonly #files: FileSystem
  readonly #segmentBytes: number
  readonly #pendingEntriesMax: number

  #buffer: Buffer
  #view: DataView
  #pendingEntries = 0
  /** At least the greatest sequence number of the entries in the buffer. */
  #pendingLast = 0
  /** The greatest sequence number that found no room in the buffer, 0 if none. */
  #lostLast = 0

  #numberNext: number
  #current: Segment | undefined
  #file = -1
  #sealed: Segment[] = []
  /** Of earlier processes. */
  #replayed: Segment[]
  /** Everything up to this sequence number is superseded. */
  #supersededUpTo = 0
  readonly #removals = new Set<Promise<void>>()
  #folderSynced = true

  /** Writes and closings that failed, since the journal was opened. */
  failedWrites = 0
  /** Removals of segments that failed; each is tried again when the next segment goes. */
  failedRemovals = 0
  /** What the system said last, for the log. */
  lastError: unknown

  /**
   * Finds the segments of earlier processes and makes no file yet. Throws a `ServerError`
   * DATA_DIR_UNUSABLE if the folder cannot be listed.
   */
  static open(folder: string, options: JournalOptions = {}): Journal {
    const files = options.files ?? MACHINE_FILES
    try {
      const old = listSegments(folder, files)
      return new Journal(
        folder,
        options,
        old.map(({ path }) => newSegment(path, files.sizeSync(path))),
        (old.at(-1)?.number ?? 0) + 1,
      )
    } catch (error) {
      throw new ServerError(
        'DATA_DIR_UNUSABLE',
        `data directory ${folder}: its journal cannot be listed (${errorCode(error)})`,
        error,
      )
    }
  }

  private constructor(
    folder: string,
    options: JournalOptions,
    replayed: Segment[],
    numberNext: number,
  ) {
    this.#folder = folder
    this.#files = options.files ?? MACHINE_FILES
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES
    this.#pendingEntriesMax = options.pendingEntriesMax ?? PENDING_ENTRIES_MAX
    this.#replayed = replayed
    this.#numberNext = numberNext
    this.#buffer = Buffer.alloc(
      Math.min(BUFFER_ENTRIES_START, this.#pendingEntriesMax) * ENTRY_BYTES,
    )
    this.#view = viewOf(this.#buffer)
  }

  /** Whether there is anything that the next commit would write. */
  get pending(): boolean {
    return this.#pendingEntries !== 0
  }
  /** Whether something that was added is neither written nor kept. */
  get overflowed(): boolean {
    return this.#lostLast !== 0
  }
  /** Bytes of all segments, those of earlier processes included. */
  get bytes(): number {
    return sumOfBytes(this.#replayed) + sumOfBytes(this.#sealed) + (this.#current?.bytes ?? 0)
  }
  /** Entries of all segments. */
  get entries(): number {
    return Math.floor(this.bytes / ENTRY_BYTES)
  }

  /** Names a key as stale from a sequence number (above 0) on. No I/O unless the buffer is full. */
  add(hashHi: number, hashLo: number, sequence: number): void {
    const at = this.#pendingEntries * ENTRY_BYTES
    if (at === this.#buffer.length && !this.#makeRoom()) {
      if (sequence > this.#lostLast) this.#lostLast = sequence
      return
    }
    writeStale(this.#view, this.#pendingEntries * ENTRY_BYTES, hashHi, hashLo, sequence)
    this.#pendingEntries++
    if (sequence > this.#pendingLast) this.#pendingLast = sequence
  }

  /**
   * Writes what was added. True if all of it is with the system now; false if the system refused,
   * and then what is not written stays for the next commit.
   */
  commit(): boolean {
    if (this.#pendingEntries === 0) return true
    const bytesWritten = this.#write(this.#pendingEntries * ENTRY_BYTES)
    const entries = Math.floor(bytesWritten / ENTRY_BYTES)
    const segment = this.#current
    if (segment !== undefined && entries > 0) {
      // A part of an entry behind these is written over by the next write.
      segment.bytes += entries * ENTRY_BYTES
      if (this.#pendingLast > segment.lastSequence) segment.lastSequence = this.#pendingLast
      this.#pendingEntries -= entries
    }
    if (this.#pendingEntries === 0) {
      this.#pendingLast = 0
      if (segment!.bytes >= this.#segmentBytes) this.#seal()
      return true
    }
    const start = entries * ENTRY_BYTES
    this.#buffer.copyWithin(0, start, start + this.#pendingEntries * ENTRY_BYTES)
    // A full disk has room again one day; what else a file refuses, another may take.
    if (segment !== undefined && segment.bytes > 0 && !isFull(this.lastError)) this.#seal()
    return false
  }

  /** Everything with a sequence number up to this one is superseded on disk: lets go of it. */
  forgetUpTo(sequence: number): void {
    if (this.#lostLast <= sequence) this.#lostLast = 0
    if (this.#pendingEntries !== 0) this.#dropPendingUpTo(sequence)
    const current = this.#current
    if (current !== undefined && current.bytes >= ROTATE_BYTES_MIN) this.#seal()
    if (sequence > this.#supersededUpTo) this.#supersededUpTo = sequence
    this.#removeSuperseded()
  }

  #removeSuperseded(): void {
    if (this.#sealed.length === 0) return
    const sequence = this.#supersededUpTo
    const superseded = this.#sealed.filter((segment) => segment.lastSequence <= sequence)
    this.#sealed = this.#sealed.filter((segment) => segment.lastSequence > sequence)
    for (const segment of superseded) this.#remove(segment)
  }

  /** Removes the segments of earlier processes: what they name is superseded, or no longer there. */
  forgetReplayed(): void {
    const replayed = this.#replayed
    this.#replayed = []
    for (const segment of replayed) this.#remove(segment)
  }

  /**
   * Lets the next commit begin a new file. For the return from trouble: a file in a folder that was
   * removed can still be written, and nobody would find it again.
   */
  restart(): void {
    if (this.#current !== undefined) this.#seal()
  }

  /** Brings what was committed to the device. False if that failed. */
  async sync(): Promise<boolean> {
    const unsynced = this.#sealed.filter(isUnsynced)
    const current = this.#current
    if (current !== undefined && isUnsynced(current)) unsynced.push(current)
    let isSynced = true
    for (const segment of unsynced) {
      const bytes = segment.bytes
      try {
        await this.#files.syncFile(segment.path)
        segment.bytesSynced = bytes
      } catch (error) {
        if (segment.isForgotten) continue
        this.#noteFailure(error)
        isSynced = false
      }
    }
    if (!isSynced || this.#folderSynced) return isSynced
    this.#folderSynced = true
    try {
      await this.#files.syncFolder(this.#folder)
    } catch (error) {
      this.#folderSynced = false
      this.#noteFailure(error)
    }
    return this.#folderSynced
  }

  /** Commits, closes, and waits until the removals have ended. What is not superseded stays. */
  async close(): Promise<void> {
    this.commit()
    if (this.#current !== undefined) this.#seal()
    this.#removeSuperseded()
    await Promise.all(this.#removals)
  }

  /** Writes the first bytes of the buffer; returns how many the system took. */
  #write(bytes: number): number {
    let done = 0
    try {
      const segment = this.#current ?? this.#begin()
      while (done < bytes) {
        const start = segment.bytes + done
        const written = this.#files.writeSync(this.#file, this.#buffer, done, bytes - done, start)
        if (written === 0) throw new Error('the system wrote nothing')
        done += written
      }
    } catch (error) {
      this.#noteFailure(error)
    }
    return done
  }

  #begin(): Segment {
    const path = segmentPath(this.#folder, this.#numberNext)
    this.#numberNext++
    try {
      this.#file = this.#files.openSync(path, 'wx')
    } catch (error) {
      // The number is free again, unless it is this one that is taken.
      if (errorCode(error) !== 'EEXIST') this.#numberNext--
      throw error
    }
    this.#folderSynced = false
    this.#current = newSegment(path, 0)
    return this.#current
  }

  #seal(): void {
    this.#sealed.push(this.#current!)
    this.#current = undefined
    try {
      this.#files.closeSync(this.#file)
    } catch (error) {
      this.#noteFailure(error)
    }
  }

  #remove(segment: Segment): void {
    segment.isForgotten = true
    const removal = this.#files.unlink(segment.path).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return
      this.failedRemovals++
      this.lastError = error
      this.#sealed.push(segment)
    })
    this.#removals.add(removal)
    void removal.then(() => this.#removals.delete(removal))
  }

  /** Makes the full buffer larger, or writes it when it is as large as it may be. */
  #makeRoom(): boolean {
    const entries = this.#buffer.length / ENTRY_BYTES
    if (entries >= this.#pendingEntriesMax) {
      this.commit()
      return this.#pendingEntries < this.#pendingEntriesMax
    }
    const larger = Buffer.alloc(Math.min(entries * 2, this.#pendingEntriesMax) * ENTRY_BYTES)
    this.#buffer.copy(larger)
    this.#buffer = larger
    this.#view = viewOf(larger)
    return true
  }

  #dropPendingUpTo(sequence: number): void {
    let kept = 0
    for (let i = 0; i < this.#pendingEntries; i++) {
      const at = i * ENTRY_BYTES
      if (sequenceAt(this.#view, at) <= sequence) continue
      if (kept !== i) this.#buffer.copyWithin(kept * ENTRY_BYTES, at, at + ENTRY_BYTES)
      kept++
    }
    this.#pendingEntries = kept
    if (kept === 0) this.#pendingLast = 0
  }

  #noteFailure(error: unknown): void {
    this.failedWrites++
    this.lastError = error
  }
}

function newSegment(path: string, bytes: number): Segment {
  return { path, bytes, lastSequence: 0, bytesSynced: 0, isForgotten: false }
}

function isUnsynced({ bytes, bytesSynced, isForgotten }: Segment): boolean {
  return bytesSynced < bytes && !isForgotten
}

function sumOfBytes(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segment.bytes, 0)
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

function isFull(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'ENOSPC' || code === 'EDQUOT'
}
