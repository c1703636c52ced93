/**
 * The disk tier as the engine sees it: which key is on disk, reading it, writing it, making it void.
 *
 * ```
 *            find, read              add, supersede, invalidate, flush
 *               │                          │
 *        key map (memory) ◀──────── write-behind ──▶ generations (LevelDB)
 *                                          │
 *                                       journal (what became stale before it is written)
 * ```
 * Nothing here throws on trouble with the disk once `open` has resolved: reading gives nothing, writing
 * waits, and `degraded` says so. Keys are known by a hash of 64 bits only; whoever reads a record compares
 * its key.
 *
 * What holds after any stop: a key has the value of the last batch that names it, unless the journal, a
 * flush or a tombstone says that this value is void. `commit` makes that true before a change is
 * acknowledged.
 */
import type { Bytes } from '../../bytes/ascii.ts'
import type { DiskWaiter } from '../../message/disk-waiter.ts'
import type { Clock, Repeating } from '../../observe/clock.ts'
import type { Logger } from '../../observe/log.ts'
import { METRIC } from '../../observe/metrics.ts'
import type { Metrics } from '../../observe/metrics.ts'
import { SEQUENCES_RESERVED, openDirectory } from './data-directory.ts'
import type { DataDirectory } from './data-directory.ts'
import { MACHINE_FILES } from './file-system.ts'
import type { FileSystem } from './file-system.ts'
import { claimDataDirectory, isStamped } from './format-stamp.ts'
import { InlineReading } from './inline-reading.ts'
import { DirectoryLock } from './generation.ts'
import type { GenerationList } from './generation-list.ts'
import type { Journal } from './journal.ts'
import type { KeyMap } from './key-map.ts'
import { noteBoot } from './machine-boot.ts'
import { Compression } from './record.ts'
import type { CompressionOptions, RecordFields } from './record.ts'
import { RecordReader } from './record-reader.ts'
import type { Found, Place } from './record-reader.ts'
import { ABSENT, Recovery } from './recovery.ts'
import { saveIndex } from './saved-index.ts'
import { Space } from './space.ts'
import type { StateFile } from './state-file.ts'
import type { Facts } from './state-file.ts'
import { WriteBehind } from './write-behind.ts'
import type { ChangeSource, WriteBehindOptions } from './write-behind.ts'

/** Sequence numbers that must be left of those that are reserved. */
const SEQUENCES_LEFT_MIN = 2 ** 21
/** How often the clock is noted, and it is looked whether the directory is still there. */
const TICK_MS = 1000
/** Entries of the index that one slice of a sweep looks at: half a millisecond, or a whole one. */
const SWEEP_STEPS = 16_384

export interface L2Options extends WriteBehindOptions {
  readonly folder: string
  readonly diskBytesMax: number
  readonly writeIntervalMs: number
  /** What the system is likely to have in its page cache is read at once. */
  readonly inlineReads: boolean
  readonly compression: CompressionOptions
}

export class L2Store {
  readonly options: L2Options
  readonly keys: KeyMap
  readonly list: GenerationList
  readonly journal: Journal
  readonly compression: Compression
  readonly writer: WriteBehind
  /** What an earlier process has left to go on from. */
  readonly first: Pick<Facts, 'sequenceReserved' | 'flushPendingAtS'>
  readonly #space: Space
  readonly #files: FileSystem
  readonly #state: StateFile
  #lock: DirectoryLock
  readonly #recovery: Recovery
  readonly #reader: RecordReader
  readonly #source: ChangeSource
  readonly #clock: Clock
  readonly #metrics: Metrics
  readonly #log: Logger
  readonly #timers: Repeating[] = []
  /** What is written from time to time. */
  #writing: Repeating | null = null
  #recovering: Promise<void> = Promise.resolve()
  /** What is on disk can be believed after a crash. */
  #savedTrust = true
  /** The data directory is gone. */
  #isLost = false
  #returning: Promise<void> | null = null

  /** Opens a data directory, or makes one. Rejects as `openDirectory` does. */
  static async open(
    options: L2Options,
    source: ChangeSource,
    clock: Clock,
    metrics: Metrics,
    log: Logger,
    files: FileSystem = MACHINE_FILES,
  ): Promise<L2Store> {
    const directory = await openDirectory(options, clock, log, files)
    return new L2Store(options, directory, source, clock, metrics, log)
  }

  private constructor(
    options: L2Options,
    directory: DataDirectory,
    source: ChangeSource,
    clock: Clock,
    metrics: Metrics,
    log: Logger,
  ) {
    this.options = options
    this.keys = directory.keys
    this.list = directory.list
    this.journal = directory.journal
    this.#files = directory.files
    this.#state = directory.state
    this.first = directory.first
    this.#lock = directory.lock
    this.#source = source
    this.#clock = clock
    this.#metrics = metrics
    this.#log = log
    this.compression = new Compression(options.compression)
    this.writer = new WriteBehind(
      this.list,
      this.keys,
      this.journal,
      this.compression,
      source,
      options,
      clock,
      metrics,
      log,
    )
    const disbelieve = (number: number): void => this.#disbelieve(number)
    this.#space = new Space(this.list, this.keys, this.writer, disbelieve, clock, metrics, log)
    this.writer.afterBatch = () => this.#space.afterBatch()
    const facts = (): number => this.#state.facts.flushedUpTo
    this.#recovery = new Recovery(
      this.list,
      this.keys,
      this.writer,
      directory.stale,
      facts,
      disbelieve,
      clock,
      log,
    )
    if (directory.isIndexed) this.#recovery.skip()
    const inline = options.inlineReads ? new InlineReading(clock) : null
    this.#reader = new RecordReader(this.list, this.writer, clock, metrics, log, inline)
  }

  get facts(): Readonly<Facts> {
    return this.#state.facts
  }
  /** It is not known yet of every key whether it is on disk. */
  get isRecovering(): boolean {
    return this.#recovery.isRunning
  }
  /** Resolves when it is known of every key whether it is on disk. */
  get recovered(): Promise<void> {
    return this.#recovering
  }
  get degraded(): boolean {
    return this.writer.degraded || !this.#savedTrust || this.#isLost
  }

  /** Begins to write, and to find out what there is. Called once. */
  start(): void {
    const { facts } = this.#state
    this.#recovering = this.#recover()
    this.#writing = this.#writeEvery(this.options.writeIntervalMs)
    this.#timers.push(
      this.#clock.every(TICK_MS, () => {
        facts.clockS = this.#clock.nowS
        this.#state.save()
        if (!this.#savedTrust) this.commit()
        this.#lookForDirectory()
      }),
    )
  }

  /** The options have changed, which this store and its parts share. */
  optionsChanged(): void {
    if (this.#writing === null) return
    this.#writing.stop()
    this.#writing = this.#writeEvery(this.options.writeIntervalMs)
    this.writer.makeRoom()
  }

  #writeEvery(intervalMs: number): Repeating {
    return this.#clock.every(intervalMs, () => {
      if (!this.writer.isIdle) this.writer.writeSoon()
    })
  }

  // ------------------------------------------------------------------ asking

  /** The entry of a key that is on disk and not over, or 0. */
  find(hashHi: number, hashLo: number): number {
    const { keys } = this
    const entry = keys.find(hashHi, hashLo)
    if (entry === 0 || keys.generation(entry) === ABSENT) return 0
    const expiresAtS = keys.expiresAtS(entry)
    if (expiresAtS !== 0 && expiresAtS <= this.#clock.nowS) {
      this.#drop(entry)
      return 0
    }
    return entry
  }

  /** Whether it cannot be said yet if a key is on disk: `inquire`. */
  isUnknown(hashHi: number, hashLo: number): boolean {
    return this.isRecovering && this.keys.find(hashHi, hashLo) === 0
  }

  inquire(hashHi: number, hashLo: number, waiter: DiskWaiter): void {
    this.#recovery.inquire(hashHi, hashLo, waiter)
  }

  placeOf(entry: number): Place {
    const { keys } = this
    return {
      generation: keys.generation(entry),
      pack: keys.pack(entry),
      offset: keys.offset(entry),
    }
  }

  /** Whether the record of a key is still where it was. */
  isAt(entry: number, place: Place): boolean {
    const { keys } = this
    return (
      keys.generation(entry) === place.generation &&
      keys.pack(entry) === place.pack &&
      keys.offset(entry) === place.offset
    )
  }

  /** Reads the record of an entry at once, if that takes next to no time; see `RecordReader.readNow`. */
  readNow(entry: number): Found | undefined {
    const { keys } = this
    return this.#reader.readNow(keys.generation(entry), keys.pack(entry), keys.offset(entry))
  }

  /** Reads the records at some places; see `RecordReader.read`. */
  read(
    places: readonly Place[],
    found: (index: number, record: Found | undefined) => void,
  ): Promise<void> {
    return this.#reader.read(places, found)
  }

  // ---------------------------------------------------------------- changing

  /**
   * What is on disk under a hash is stale: a newer value is in memory. It stays in the index until that
   * value is added, or `invalidate` is called.
   */
  supersede(hashHi: number, hashLo: number, sequence: number): void {
    const { keys, writer } = this
    const entry = keys.find(hashHi, hashLo)
    if (entry === 0) {
      if (!this.isRecovering) return
      keys.insert(hashHi, hashLo)
    } else if (writer.isOpen(keys.generation(entry), keys.pack(entry))) {
      // It would be written with a sequence number that is later than this change.
      writer.addTombstone(hashHi, hashLo)
      this.#drop(entry)
    } else if (keys.isReferenced(entry)) {
      // It is not to be carried forward: that would make it look newer than this change.
      keys.setPlace(entry, keys.generation(entry), keys.pack(entry), keys.offset(entry))
    }
    this.#note(hashHi, hashLo, sequence)
  }

  /** Nothing is to be found under a hash any more. Returns whether anything was. */
  invalidate(hashHi: number, hashLo: number, sequence: number): boolean {
    const { keys, writer } = this
    const entry = keys.find(hashHi, hashLo)
    if (entry === 0 && !this.isRecovering) return false
    writer.addTombstone(hashHi, hashLo)
    if (entry === 0) keys.insert(hashHi, hashLo)
    else this.#drop(entry)
    this.#note(hashHi, hashLo, sequence)
    return true
  }

  /** Forgets an entry whose record says by itself that it is over. */
  forget(entry: number): void {
    this.#drop(entry)
  }

  /**
   * Forgets keys whose records are over, in a slice from a cursor on, and returns the next cursor: 0 at
   * the end, and to begin with.
   */
  sweep(cursor: number): number {
    const { keys } = this
    return keys.walkExpired(cursor, SWEEP_STEPS, this.#clock.nowS, (entry) => {
      // What is absent is known to be gone already; while the index is recovered it has to stay so.
      if (keys.generation(entry) === ABSENT) return
      this.#drop(entry)
      this.#metrics.count(METRIC.L2_SWEPT)
    })
  }

  /** Adds an item to what is written next. Returns false if a disk in trouble leaves no room for it. */
  add(
    hashHi: number,
    hashLo: number,
    fields: RecordFields,
    bytes: Bytes,
    keyStart: number,
    valueStart: number,
  ): boolean {
    const entry = this.keys.find(hashHi, hashLo)
    return this.writer.add(entry, hashHi, hashLo, fields, bytes, keyStart, bytes, valueStart)
  }

  /** Something was said to the journal that is not in its file yet. */
  get uncommitted(): boolean {
    return this.journal.pending
  }

  /** Writes what `supersede` and `invalidate` noted. To be called before their changes are acknowledged. */
  commit(): void {
    if (this.journal.commit() && !this.journal.overflowed) {
      if (!this.#savedTrust) this.#trust(true)
    } else if (this.#savedTrust) {
      this.#trust(false)
    }
  }

  /** Makes everything void that was stored up to now. */
  flush(sequence: number, pendingAtS: number): void {
    const { facts } = this.#state
    facts.flushPendingAtS = pendingAtS
    if (pendingAtS === 0) facts.flushedUpTo = sequence
    if (!this.#state.save()) this.#trust(false)
    if (pendingAtS !== 0) return
    this.keys.clear()
    this.writer.discardOpen()
    // What a batch is on its way to goes later, with nothing that points to it.
    const old = this.list.slots.slice(0, -1).filter(({ id }) => !this.writer.writesTo(id))
    void this.#space.dropFlushed(old).catch((error: unknown) => {
      this.#log.error({ err: error }, 'a flushed generation cannot be removed')
    })
  }

  /** Keeps the numbers reserved that will be given out next. Called as they are given out. */
  reserveSequences(sequence: number): void {
    const { facts } = this.#state
    if (facts.sequenceReserved - sequence > SEQUENCES_LEFT_MIN) return
    facts.sequenceReserved = sequence + SEQUENCES_RESERVED
    if (!this.#state.save()) this.#trust(false)
  }

  // ---------------------------------------------------------------- stopping

  /** Writes everything and closes. Resolves when nothing is open any more. */
  async close(): Promise<void> {
    for (const timer of this.#timers) timer.stop()
    this.#writing?.stop()
    this.#writing = null
    const wasRecovering = this.isRecovering
    this.#recovery.stop()
    await this.#recovering
    await this.#returning
    let isWritten: boolean
    // A generation that is being dropped may still have something carried forward.
    do {
      isWritten = await this.writer.finish()
      await this.#space.settle()
    } while (isWritten && !this.writer.isIdle)
    const { facts } = this.#state
    facts.clockS = this.#clock.nowS
    facts.cleanStop = isWritten && !wasRecovering
    if (isWritten) this.journal.forgetUpTo(this.#source.sequence)
    if (facts.cleanStop) {
      const { folder } = this.options
      const { sequence } = this.#source
      const files = this.#files
      facts.indexStamp = await saveIndex(folder, this.keys, this.list, sequence, this.#log, files)
    }
    this.#state.save()
    await this.list.closeAll()
    await this.journal.close()
    this.#state.close()
    await this.#lock.close()
  }

  async #recover(): Promise<void> {
    if (!this.isRecovering) {
      // A clean stop has written all that the old journal named.
      this.journal.forgetReplayed()
      return
    }
    try {
      if (!(await this.#recovery.run([...this.list.slots]))) return
      // What the old journal named has its tombstones now; they have to be written before it goes.
      await new Promise<void>((resolve) => {
        this.writer.whenWritten({ proceed: resolve })
      })
      if (!this.degraded) this.journal.forgetReplayed()
    } catch (error) {
      this.#log.error({ err: error }, 'the index of the disk tier cannot be recovered')
    }
  }

  /** Begins anew where somebody has removed the data directory. */
  #lookForDirectory(): void {
    if (this.#returning !== null) return
    const { folder } = this.options
    if (!this.#isLost) {
      if (isStamped(folder, this.#files)) return
      this.#isLost = true
      this.#log.error({ data_dir: folder }, 'the data directory is gone: beginning anew')
      this.#recovery.stop()
      this.keys.clear()
    }
    this.#returning = this.#beginAnew()
      .catch((error: unknown) => {
        this.#log.debug({ err: error }, 'the data directory cannot be made')
      })
      .finally(() => {
        this.#returning = null
      })
  }

  async #beginAnew(): Promise<void> {
    const { folder } = this.options
    claimDataDirectory(folder, this.#files)
    await this.#lock.close()
    this.#lock = await DirectoryLock.open(folder)
    if (!this.#state.recreate()) throw new Error('the state file cannot be made')
    noteBoot(folder, this.#files)
    this.journal.restart()
    const old = [...this.list.slots]
    await this.list.add()
    // What waits for a generation that is gone would be written there.
    this.keys.clear()
    this.writer.discardOpen()
    this.#isLost = false
    this.#log.info({ data_dir: folder }, 'the data directory is there again, and empty')
    await this.#space.dropFlushed(old)
  }

  #note(hashHi: number, hashLo: number, sequence: number): void {
    this.journal.add(hashHi, hashLo, sequence)
    this.#metrics.count(METRIC.L2_JOURNALED)
  }

  /** Takes an entry out of the index; while it is being recovered, it stays as absent. */
  #drop(entry: number): void {
    if (this.isRecovering) this.keys.setPlace(entry, ABSENT, 0, 0)
    else this.keys.remove(entry)
  }

  /** Notes that a generation, and what is older, is not to be believed after a crash. */
  #disbelieve(number: number): void {
    const { facts } = this.#state
    this.list.believedFrom = Math.max(this.list.believedFrom, number + 1)
    facts.believedFrom = this.list.believedFrom
    if (!this.#state.save()) this.#trust(false)
  }

  /** Notes whether what is on disk can be believed after a crash. */
  #trust(isTrusted: boolean): void {
    this.#savedTrust = isTrusted
    this.#state.facts.trusted = isTrusted
    if (!this.#state.save() || isTrusted) return
    this.#log.error(
      { err: this.journal.lastError },
      'the journal of the disk tier cannot be written: after a crash the tier will be emptied',
    )
  }
}
