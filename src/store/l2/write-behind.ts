/**
 * What waits to be written, and the one writer that writes it, batch after batch.
 *
 * ```
 * changed items ─┐                 close                      written
 * evicted items ─┼─▶ open batch ───────────▶ batch under way ─────────▶ gone from here
 * tombstones ────┘                              │ refused
 *                                               └──▶ waits, moves to a new generation, tries again
 * ```
 * Items that changed stay in memory and are fetched when a batch is closed, so what changes ten times
 * between two batches is written once. Items that leave memory are added at once.
 *
 * When the disk refuses a batch, nothing is thrown away: the batch is kept and tried again until it is
 * written, in a generation of its own, since LevelDB cannot be written any more after a failure. Until
 * then the tier is *degraded*: nobody waits for it, and what finds no room here is lost and counted.
 *
 * Order: batches are written one after the other, and a batch holds nothing that was stale when it was
 * closed. So the sequence number at its closing tells it from all changes that came later.
 */
import type { Bytes } from '../../bytes/ascii.ts'
import type { DiskWaiter } from '../../message/disk-waiter.ts'
import type { Clock } from '../../observe/clock.ts'
import type { Logger } from '../../observe/log.ts'
import { LATENCY, METRIC } from '../../observe/metrics.ts'
import type { Metrics } from '../../observe/metrics.ts'
import { Batch, PackPool } from './batch.ts'
import type { Pack } from './batch.ts'
import { TOMBSTONE_OFFSET, readDirectory } from './directory.ts'
import type { GenerationList, Slot } from './generation-list.ts'
import type { Journal } from './journal.ts'
import type { KeyMap } from './key-map.ts'
import type { Compression, RecordFields } from './record.ts'

/** A batch is closed at this size: gathering it takes less than a millisecond. */
const BATCH_BYTES = 256 * 1024
/** What leaves memory while a batch is written gathers in the next, which may be this part of a generation. */
const BATCH_PART_MAX = 1 / 4
/** As much may be added above the limit by commands that were under way. */
const HARD_LIMIT_FACTOR = 2
/** First and longest wait before a refused batch is tried again. */
const RETRY_MS_MIN = 250
const RETRY_MS_MAX = 5000

export interface WriteBehindOptions {
  readonly stagedBytesMax: number
  readonly sync: 'never' | 'interval' | 'always'
  readonly syncIntervalMs: number
}

/** Who has items that changed. */
export interface ChangeSource {
  /** The greatest sequence number that was given out. */
  readonly sequence: number
  /** Bytes of items that changed and have not been added yet. */
  readonly changedBytes: number
  /** Adds items that changed until `full` says so. Returns whether all were added. */
  addChanged(full: () => boolean): boolean
}

export class WriteBehind {
  readonly #list: GenerationList
  readonly #keys: KeyMap
  readonly #journal: Journal
  readonly #source: ChangeSource
  readonly #options: WriteBehindOptions
  readonly #clock: Clock
  readonly #metrics: Metrics
  readonly #log: Logger
  readonly #compression: Compression
  readonly #pool = new PackPool()
  #open: Batch
  #underWay: Batch | null = null
  #running: Promise<void> | null = null
  #waiters: DiskWaiter[] = []
  /** Those whose changes are in the batch that is being written. */
  #served: DiskWaiter[] = []
  #blocked: DiskWaiter[] = []
  #lastSyncMs = 0
  /** Ends the wait before a refused batch is tried again. */
  #wake: () => void = () => undefined
  #stopping = false
  /** Called after each batch that was written. */
  afterBatch: () => Promise<void> = () => Promise.resolve()
  /** The disk refuses what is written. */
  degraded = false
  /** A batch is with the disk, and since when. */
  isWriting = false
  writingSinceMs = 0
  /** `afterBatch` is to be called though there may be nothing to write. */
  #wantsRoom = false

  constructor(
    list: GenerationList,
    keys: KeyMap,
    journal: Journal,
    compression: Compression,
    source: ChangeSource,
    options: WriteBehindOptions,
    clock: Clock,
    metrics: Metrics,
    log: Logger,
  ) {
    this.#list = list
    this.#keys = keys
    this.#journal = journal
    this.#compression = compression
    this.#source = source
    this.#options = options
    this.#clock = clock
    this.#metrics = metrics
    this.#log = log
    this.#open = this.#newBatch()
  }

  /** Memory that what waits takes, beside items that are in L1 still. */
  get stagedBytes(): number {
    return this.#open.bytes + (this.#underWay?.bytes ?? 0)
  }
  get stagedItems(): number {
    return this.#open.items + (this.#underWay?.items ?? 0)
  }
  /** Whether who changes more has to wait. */
  get isCongested(): boolean {
    if (this.degraded) return false
    const waitingBytes = this.stagedBytes + this.#source.changedBytes
    if (waitingBytes > this.#options.stagedBytesMax) return true
    // All of a batch goes to one generation, however full that is.
    return this.#open.bytes > this.#list.generationBytes * BATCH_PART_MAX
  }
  /** Whether nothing is left to be written. */
  get isIdle(): boolean {
    return this.#open.isEmpty && this.#underWay === null && this.#source.changedBytes === 0
  }

  /** The pack that a place names, if it waits to be written. */
  pendingPack(generation: number, number: number): Pack | undefined {
    const under = this.#underWay
    if (under !== null && under.generation === generation) {
      const pack = under.pack(number)
      if (pack !== undefined) return pack
    }
    return this.#open.generation === generation ? this.#open.pack(number) : undefined
  }

  /** Whether something waits to be written to a generation. */
  writesTo(generation: number): boolean {
    return this.#open.generation === generation || this.#underWay?.generation === generation
  }

  /** Whether a place is in the batch that is still open. */
  isOpen(generation: number, pack: number): boolean {
    return this.#open.generation === generation && this.#open.pack(pack) !== undefined
  }

  /** Adds an item. Returns false if there is no room for it, which happens only to a degraded tier. */
  add(
    entry: number,
    hashHi: number,
    hashLo: number,
    fields: RecordFields,
    key: Bytes,
    keyStart: number,
    value: Bytes,
    valueStart: number,
  ): boolean {
    const limit = this.#options.stagedBytesMax * HARD_LIMIT_FACTOR
    if (this.degraded && this.stagedBytes > limit) return false
    const at = entry === 0 ? this.#keys.insert(hashHi, hashLo) : entry
    if (at === 0) return false
    this.#open.add(hashHi, hashLo, fields, key, keyStart, value, valueStart)
    this.#place(at, fields.expiresAtS)
    this.#metrics.count(METRIC.L2_WRITES)
    this.#metrics.add(METRIC.L2_BYTES_ACCEPTED, fields.valueBytes)
    return true
  }

  /** Adds a record as it stands in a pack. */
  addCopy(entry: number, from: Bytes, at: number, length: number): void {
    const hashHi = this.#keys.hashHi(entry)
    const hashLo = this.#keys.hashLo(entry)
    const expiresAtS = this.#keys.expiresAtS(entry)
    this.#open.addCopy(hashHi, hashLo, expiresAtS, from, at, length)
    this.#place(entry, expiresAtS)
  }

  addTombstone(hashHi: number, hashLo: number): void {
    this.#open.addTombstone(hashHi, hashLo)
    this.#metrics.count(METRIC.L2_TOMBSTONES)
  }

  /** Forgets everything that waits, because it is flushed. */
  discardOpen(): void {
    const batch = this.#open
    this.#open = this.#newBatch()
    batch.release()
  }

  /** Lets a waiter proceed when all that has changed up to now is written, or cannot be. */
  whenWritten(waiter: DiskWaiter): void {
    if (this.degraded) {
      // Not at once: who asks is in the middle of something.
      queueMicrotask(() => waiter.proceed())
      return
    }
    this.#waiters.push(waiter)
    this.writeSoon()
  }

  /** Lets a waiter proceed when there is room again. */
  whenUncongested(waiter: DiskWaiter): void {
    this.#metrics.count(METRIC.L2_CONGESTED)
    this.whenRoom(waiter)
  }

  /** The same for who is no client. */
  whenRoom(waiter: DiskWaiter): void {
    this.#blocked.push(waiter)
    this.writeSoon()
  }

  /** Begins to write if there is enough for a batch. */
  writeIfMuch(): void {
    if (this.#open.bytes + this.#source.changedBytes >= BATCH_BYTES) this.writeSoon()
  }

  /** Lets the generations be brought under the cap, which has changed. */
  makeRoom(): void {
    this.#wantsRoom = true
    this.writeSoon()
  }

  /** Begins to write in the next turn, if that is not being done. */
  writeSoon(): void {
    if (this.#running !== null) return
    this.#running = nextTurn()
      .then(() => this.#write())
      .catch((error: unknown) => {
        this.#log.error({ err: error }, 'writing to the disk tier failed unexpectedly')
      })
      .finally(() => {
        this.#running = null
        if (this.#waiters.length > 0 || this.#blocked.length > 0) this.writeSoon()
      })
  }

  /**
   * Writes everything that waits; a disk in trouble is tried once more. Returns whether that was
   * possible. Nothing is written after it.
   */
  async finish(): Promise<boolean> {
    this.#stopping = true
    this.#wake()
    await this.#running
    while (!this.isIdle && !this.degraded) {
      this.writeSoon()
      await this.#running
    }
    return this.isIdle && !this.degraded
  }

  /** Writes batches until nothing is left. */
  async #write(): Promise<void> {
    for (;;) {
      const isAll = this.#source.addChanged(() => this.#open.bytes >= BATCH_BYTES)
      if (isAll) this.#served = this.#waiters.splice(0)
      if (!this.#open.isEmpty) await this.#writeOpen(isAll)
      else if (this.#wantsRoom) await this.#makeRoom()
      release(this.#served)
      this.#unblock()
      if (this.degraded && this.#stopping) return
      if (isAll && this.#waiters.length === 0 && this.#open.bytes < BATCH_BYTES) return
    }
  }

  /** Writes the open batch. `isAll`: nothing that changed before is outside of it. */
  async #writeOpen(isAll: boolean): Promise<void> {
    const batch = this.#open
    const { sequence } = this.#source
    const directory = Buffer.from(batch.directory.finish(sequence))
    this.#underWay = batch
    this.#slotOf(batch).nextPack = batch.nextPack
    this.#open = this.#newBatch()
    const written = await this.#writeUntilWritten(batch, directory)
    this.#underWay = null
    batch.release()
    if (!written) return
    if (isAll) this.#journal.forgetUpTo(sequence)
    await this.#makeRoom()
  }

  async #makeRoom(): Promise<void> {
    this.#wantsRoom = false
    try {
      await this.afterBatch()
      if (!this.#open.isEmpty || this.#open.generation === this.#list.newest.id) return
      // What is empty must not hold on to a generation that is full and may have to go.
      this.discardOpen()
      await this.afterBatch()
    } catch (error) {
      this.#log.warn({ err: error }, 'the disk tier cannot make room or begin a new generation')
    }
  }

  /** Returns false if the program stops before the disk takes the batch. */
  async #writeUntilWritten(batch: Batch, directory: Buffer): Promise<boolean> {
    let waitMs = RETRY_MS_MIN
    for (;;) {
      try {
        await this.#writeOnce(batch, directory)
        if (this.degraded) this.#recovered()
        return true
      } catch (error) {
        this.#refused(error)
      }
      if (this.#stopping) return false
      await this.#pause(waitMs)
      waitMs = Math.min(RETRY_MS_MAX, waitMs * 2)
      try {
        await this.#moveToNewGeneration(batch, directory)
      } catch (error) {
        this.#refused(error)
      }
    }
  }

  async #writeOnce(batch: Batch, directory: Buffer): Promise<void> {
    const slot = this.#slotOf(batch)
    const packs = batch.packs.map(({ number, bytes, length }) => ({
      number,
      bytes: bytes.buffer.subarray(0, length),
    }))
    const beganMs = this.#clock.elapsedMs()
    const sync = this.#mustSync(beganMs)
    this.isWriting = true
    this.writingSinceMs = beganMs
    try {
      await slot.db.write(packs, directory, sync)
      if (sync) await this.#journal.sync()
    } finally {
      this.isWriting = false
    }
    let bytes = directory.length
    for (const pack of packs) bytes += pack.bytes.length
    slot.writtenBytes += bytes
    this.#metrics.add(METRIC.L2_BYTES_WRITTEN, bytes)
    this.#metrics.count(METRIC.L2_BATCHES)
    const tookUs = (this.#clock.elapsedMs() - beganMs) * 1000
    this.#metrics.add(METRIC.L2_WRITE_US, tookUs)
    this.#metrics.time(LATENCY.L2_WRITE, tookUs)
  }

  #mustSync(nowMs: number): boolean {
    const { sync, syncIntervalMs } = this.#options
    if (sync === 'never') return false
    if (sync === 'interval' && nowMs - this.#lastSyncMs < syncIntervalMs) return false
    this.#lastSyncMs = nowMs
    return true
  }

  #refused(error: unknown): void {
    this.#metrics.count(METRIC.L2_WRITE_ERRORS)
    if (this.degraded) return
    this.degraded = true
    this.#log.error(
      { err: error, staged_bytes: this.stagedBytes },
      'the disk tier cannot be written: serving from memory until it can',
    )
    release(this.#served)
    release(this.#waiters)
    this.#unblock()
  }

  #recovered(): void {
    this.degraded = false
    this.#log.info({}, 'the disk tier can be written again')
  }

  /** Makes a new generation the home of a refused batch, and of the one that is open. */
  async #moveToNewGeneration(batch: Batch, directory: Buffer): Promise<void> {
    const refused = this.#slotOf(batch)
    const slot = await this.#list.add()
    const { nextPack } = this.#open
    this.#move(batch, directory, slot)
    this.#move(this.#open, Buffer.from(this.#open.directory.finish(0)), slot)
    slot.nextPack = nextPack
    if (refused.db.lastDirectoryNumber > 0) return
    // Nothing was ever written to it.
    this.#list.remove(refused)
    await this.#list.destroy(refused)
  }

  #move(batch: Batch, directory: Buffer, slot: Slot): void {
    const keys = this.#keys
    const from = batch.generation
    readDirectory(directory, (hashHi, hashLo, _expiresAtS, pack, offset) => {
      if (offset === TOMBSTONE_OFFSET) return
      const entry = keys.find(hashHi, hashLo)
      if (entry === 0 || keys.generation(entry) !== from) return
      if (keys.pack(entry) !== pack || keys.offset(entry) !== offset) return
      keys.setPlace(entry, slot.id, pack, offset)
    })
    batch.generation = slot.id
  }

  #unblock(): void {
    if (this.#blocked.length === 0 || this.isCongested) return
    release(this.#blocked)
  }

  #place(entry: number, expiresAtS: number): void {
    const { generation, lastPack, lastOffset } = this.#open
    this.#keys.setPlace(entry, generation, lastPack, lastOffset)
    this.#keys.setExpiresAtS(entry, expiresAtS)
  }

  #newBatch(): Batch {
    const slot = this.#list.newest
    return new Batch(slot.id, slot.nextPack, this.#pool, this.#compression)
  }

  #slotOf(batch: Batch): Slot {
    return this.#list.byId(batch.generation)!
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      this.#clock.after(ms, resolve)
    })
  }
}

/** Lets those proceed who wait, and nobody who begins to wait meanwhile. */
function release(waiters: DiskWaiter[]): void {
  for (const waiter of waiters.splice(0)) waiter.proceed()
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
