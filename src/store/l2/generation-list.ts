/**
 * The generations of the disk tier, oldest first, and how many bytes they may take together.
 *
 * Writes go to the newest. When it is full it is *sealed* and another is opened; when all of them come
 * near the cap, the oldest goes: what was read of it since it was written is carried forward, its keys
 * are forgotten, its folder is removed. Nothing is ever deleted within a generation, so nothing has to
 * be compacted, and whatever is older than a record is gone before the record is.
 *
 * ```
 * gen-00000007   gen-00000008   ...   gen-00000014
 *   oldest, goes next                   newest, is written
 * ```
 * The number in the name grows for ever and is the order. In the key map a generation has a number
 * between 1 and 254 that is free at the time; 0 there means "on disk, but not to be found".
 */
import { join } from 'node:path'
import type { Logger } from '../../observe/log.ts'
import type { Clock } from '../../observe/clock.ts'
import { DROPPED_SUFFIX, FAULT, Generation, faultOf } from './generation.ts'
import type { GenerationOptions } from './generation.ts'
import type { FileSystem } from './file-system.ts'
import { INDEX_ENTRY_BYTES } from './index-file.ts'
import type { KeyMap } from './key-map.ts'

/** Generations that share the cap: one eighth is lost at a time. */
const GENERATIONS_WANTED = 8
/** What may be used of the cap; the rest is for what is being written while the oldest goes. */
const USED_PERMILLE = 960
/** LevelDB keeps a log beside each table that is being filled, twice while it changes. */
const LOGS = 2
const ID_MAX = 254
const FOLDER_FORM = /^gen-(\d{8,})$/
const DAMAGED_FORM = /^gen-(\d{8,})\.damaged-/
const NUMBER_DIGITS = 8

const WRITE_BUFFER_BYTES_MAX = 4 * 2 ** 20
const WRITE_BUFFER_BYTES_MIN = 64 * 2 ** 10
/** A generation is filled in so many turns of its write buffer, at least: its logs come on top of it. */
const WRITE_BUFFERS_MIN = 32
/** Packs are cached by the system; a block cache of LevelDB would keep them twice. */
const CACHE_BYTES = 256 * 2 ** 10
const MAX_OPEN_FILES = 128

/** One generation and what is known of it. */
export interface Slot {
  /** In the key map. */
  readonly id: number
  /** In the name of the folder. */
  readonly number: number
  readonly createdAtS: number
  readonly db: Generation
  /** The number that the next pack in it gets. */
  nextPack: number
  /** Bytes of its files when they were last counted, and what was written since. */
  countedBytes: number
  writtenBytes: number
  /** It is being dropped: nothing is to be read from it any more. */
  isDoomed: boolean
  /** Its folder is removed, or being removed. */
  isGone: boolean
}

export interface GenerationListOptions {
  readonly folder: string
  readonly diskBytesMax: number
}

export class GenerationList {
  readonly slots: Slot[] = []
  readonly #options: GenerationListOptions
  readonly #keys: KeyMap
  readonly #files: FileSystem
  readonly #clock: Clock
  readonly #log: Logger
  readonly #byId: (Slot | undefined)[] = Array.from({ length: ID_MAX + 1 })
  /** Bytes of slots that are out of the list and whose files are still there. */
  #leavingBytes = 0
  #nextNumber = 1
  #nextId = 1
  /** Folders that were set aside since the start because they were damaged. */
  setAsideCount = 0
  /** Folders that were removed since the start, and the bytes in them. */
  droppedCount = 0
  /**
   * Directories of generations with a smaller number are not believed: one that may have made void
   * what they name is lost.
   */
  believedFrom = 0
  droppedBytes = 0

  constructor(
    options: GenerationListOptions,
    keys: KeyMap,
    files: FileSystem,
    clock: Clock,
    log: Logger,
  ) {
    this.#options = options
    this.#keys = keys
    this.#files = files
    this.#clock = clock
    this.#log = log
  }

  /** How large one of them becomes. Those that are there when the cap changes are as they are. */
  get generationBytes(): number {
    return Math.floor((this.#options.diskBytesMax * USED_PERMILLE) / 1000 / GENERATIONS_WANTED)
  }
  /** The generation that is written; there is one from `openAll` or `add` on. */
  get newest(): Slot {
    return this.slots.at(-1)!
  }
  /** Bytes that all of them take, as far as that is known. */
  get bytes(): number {
    let sum = this.#leavingBytes
    for (const slot of this.slots) sum += this.bytesOf(slot)
    return sum
  }
  /** Bytes that all of them may take, beside the index that is saved at a clean stop. */
  get bytesMax(): number {
    const indexBytes = this.#keys.count * INDEX_ENTRY_BYTES
    return (this.#options.diskBytesMax * USED_PERMILLE) / 1000 - indexBytes
  }

  bytesOf(slot: Slot): number {
    return slot.countedBytes + slot.writtenBytes
  }

  byId(id: number): Slot | undefined {
    return this.#byId[id]
  }

  /**
   * Opens what an earlier process left. What cannot be opened because it is damaged is set aside.
   * Opening may take room for what was not sealed: where there is none, the oldest goes.
   */
  async openAll(): Promise<void> {
    const { folder } = this.#options
    const names = this.#files.readdirSync(folder)
    for (const name of names) {
      if (name.endsWith(DROPPED_SUFFIX)) await Generation.destroy(join(folder, name))
      this.#noteLost(Number(DAMAGED_FORM.exec(name)?.[1] ?? 0))
    }
    const numbers = names
      .map((name) => Number(FOLDER_FORM.exec(name)?.[1] ?? 0))
      .filter((number) => number > 0)
      .sort((a, b) => a - b)
    for (const number of numbers) {
      this.#nextNumber = number + 1
      await this.#openOld(number)
    }
  }

  async #openOld(number: number): Promise<void> {
    const path = this.#pathOf(number)
    for (;;) {
      try {
        await this.#open(path, number, false)
        return
      } catch (error) {
        const fault = faultOf(error)
        if (fault === FAULT.CORRUPT) {
          await this.setAside(path, error)
          this.#noteLost(number)
          return
        }
        const oldest = this.slots[0]
        if (fault !== FAULT.NO_SPACE || oldest === undefined) throw error
        this.#log.error(
          { generation: oldest.number },
          'the disk is full: the oldest generation goes, so that the others can be opened',
        )
        this.remove(oldest)
        await this.destroy(oldest)
      }
    }
  }

  #noteLost(number: number): void {
    if (number > 0) this.believedFrom = Math.max(this.believedFrom, number + 1)
  }

  /** Opens an empty generation, which is the newest from now on. */
  async add(): Promise<Slot> {
    const number = this.#nextNumber++
    return this.#open(this.#pathOf(number), number, true)
  }

  /** Takes a slot out of the list, so that nothing is read from it or written to it any more. */
  remove(slot: Slot): void {
    slot.isDoomed = true
    const at = this.slots.indexOf(slot)
    if (at < 0) return
    this.slots.splice(at, 1)
    this.#leavingBytes += this.bytesOf(slot)
  }

  /** Removes the folder of a slot that is out of the list; its keys are forgotten already. */
  async destroy(slot: Slot): Promise<void> {
    if (slot.isGone) return
    slot.isGone = true
    try {
      await slot.db.close()
      await Generation.destroy(this.#pathOf(slot.number))
    } finally {
      this.#byId[slot.id] = undefined
      this.#leavingBytes -= this.bytesOf(slot)
      this.droppedCount++
      this.droppedBytes += this.bytesOf(slot)
    }
  }

  /** Renames a damaged folder, so that the rest can serve and somebody can look at it. */
  async setAside(path: string, error: unknown): Promise<void> {
    const kept = await Generation.setAside(path)
    this.setAsideCount++
    this.#log.error({ err: error, kept }, 'a generation of the disk tier is damaged: set aside')
  }

  /** Counts the bytes of a slot's files. */
  async count(slot: Slot): Promise<void> {
    const before = slot.writtenBytes
    const bytes = await slot.db.diskBytes()
    if (slot.isDoomed) return
    slot.countedBytes = bytes
    slot.writtenBytes -= before
  }

  /** Bytes that a generation takes at most beside what was written to it. */
  get logBytesMax(): number {
    return LOGS * this.#writeBufferBytes
  }

  get #writeBufferBytes(): number {
    return Math.min(
      WRITE_BUFFER_BYTES_MAX,
      Math.max(WRITE_BUFFER_BYTES_MIN, Math.floor(this.generationBytes / WRITE_BUFFERS_MIN)),
    )
  }

  get #levelOptions(): GenerationOptions {
    const writeBufferBytes = this.#writeBufferBytes
    return {
      writeBufferBytes,
      cacheBytes: CACHE_BYTES,
      maxFileBytes: Math.max(2 ** 20, writeBufferBytes),
      maxOpenFiles: MAX_OPEN_FILES,
    }
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.slots.map((slot) => slot.db.close()))
  }

  async #open(path: string, number: number, isNew: boolean): Promise<Slot> {
    const id = this.#freeId()
    const db = await Generation.open(path, id, this.#levelOptions, isNew)
    const slot: Slot = {
      id,
      number,
      createdAtS: this.#clock.nowS,
      db,
      nextPack: isNew ? 0 : (await db.lastPackNumber()) + 1,
      countedBytes: isNew ? 0 : await db.diskBytes(),
      writtenBytes: 0,
      isDoomed: false,
      isGone: false,
    }
    this.slots.push(slot)
    this.#byId[id] = slot
    return slot
  }

  #pathOf(number: number): string {
    return join(this.#options.folder, `gen-${String(number).padStart(NUMBER_DIGITS, '0')}`)
  }

  /** A number that no generation has and no key points to. */
  #freeId(): number {
    for (;;) {
      const id = this.#nextId
      this.#nextId = id === ID_MAX ? 1 : id + 1
      if (this.#byId[id] === undefined && this.#keys.countOf(id) === 0) return id
    }
  }
}
