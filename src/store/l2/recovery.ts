/**
 * Finds out again what is on disk, after a stop that could not save the index.
 *
 * The directories of all generations are read, the newest first: the first entry of a hash that is met
 * is the valid one. An entry that a later entry, the journal, a flush or the clock has made void is
 * kept in the key map as *absent* (generation 0), so that no older entry takes its place; at the end the
 * absent ones are taken out.
 *
 * The server serves meanwhile. A key that is in the map is known; one that is not may still turn up, so
 * who asks for it waits until it does, or until all is read. Changes of that time are in the map before
 * older entries are met, and stay.
 *
 * Where a directory is missing or damaged nobody knows what it has made void. Then what is older is not
 * believed any more: rather a miss than a value that had been replaced.
 */
import type { DiskWaiter } from '../../message/disk-waiter.ts'
import type { Clock } from '../../observe/clock.ts'
import type { Logger } from '../../observe/log.ts'
import { TOMBSTONE_OFFSET, readDirectory } from './directory.ts'
import type { GenerationList, Slot } from './generation-list.ts'
import type { KeyMap } from './key-map.ts'
import type { StaleKeys } from './stale-keys.ts'
import type { WriteBehind } from './write-behind.ts'

/** The generation of a key of which it is known that the disk has no valid copy. */
export const ABSENT = 0
/** Entries that are handled in one slice: about a millisecond. */
const ENTRIES_PER_SLICE = 8192
const WALK_STEPS = 65_536

interface Inquiry {
  readonly hashHi: number
  readonly hashLo: number
  readonly waiter: DiskWaiter
}

export class Recovery {
  readonly #list: GenerationList
  readonly #keys: KeyMap
  readonly #writer: WriteBehind
  readonly #stale: StaleKeys
  readonly #clock: Clock
  readonly #log: Logger
  readonly #flushedUpTo: () => number
  readonly #disbelieve: (number: number) => void
  #inquiries: Inquiry[] = []
  #entriesInSlice = 0
  #isStopped = false
  isRunning = true

  constructor(
    list: GenerationList,
    keys: KeyMap,
    writer: WriteBehind,
    stale: StaleKeys,
    flushedUpTo: () => number,
    disbelieve: (number: number) => void,
    clock: Clock,
    log: Logger,
  ) {
    this.#list = list
    this.#keys = keys
    this.#writer = writer
    this.#stale = stale
    this.#flushedUpTo = flushedUpTo
    this.#disbelieve = disbelieve
    this.#clock = clock
    this.#log = log
  }

  /** Lets a waiter proceed when it is known whether a hash is on disk. */
  inquire(hashHi: number, hashLo: number, waiter: DiskWaiter): void {
    this.#inquiries.push({ hashHi, hashLo, waiter })
  }

  stop(): void {
    this.#isStopped = true
  }

  /** There is nothing to find out: the index is known already. */
  skip(): void {
    this.isRunning = false
  }

  /** Reads everything. Resolves when the index is whole, or, to false, when it had to stop. */
  async run(slots: readonly Slot[]): Promise<boolean> {
    const beganMs = this.#clock.elapsedMs()
    const newestFirst = slots.toReversed()
    for (const [index, slot] of newestFirst.entries()) {
      if (slot.number < this.#list.believedFrom) {
        this.#log.warn(
          {},
          'what is older than a damaged generation, or was about to go, is removed',
        )
        await this.#giveUp(newestFirst.slice(index))
        break
      }
      if (await this.#readSlot(slot)) continue
      if (this.#isStopped) break
      // A directory that cannot be read today may be there again after a crash.
      this.#disbelieve(slot.number)
      if (slot === this.#list.newest) await this.#beginNext()
      await this.#giveUp(newestFirst.slice(index + 1))
      break
    }
    await this.#takeOutAbsent()
    this.isRunning = false
    this.#answer()
    this.#log.info(
      { items: this.#keys.count, ms: Math.round(this.#clock.elapsedMs() - beganMs) },
      'the disk tier has its index again',
    )
    return !this.#isStopped
  }

  /** Returns false where something is missing, or it is to stop. */
  async #readSlot(slot: Slot): Promise<boolean> {
    try {
      for await (const bytes of slot.db.directoriesBackwards()) {
        if (this.#isStopped) return false
        if (slot.isDoomed) return true
        if (bytes === undefined || !this.#readOne(slot, bytes)) {
          this.#log.error(
            { generation: slot.number },
            'a directory of the disk tier is lost: what is older than it is not used any more',
          )
          return false
        }
        if (this.#entriesInSlice < ENTRIES_PER_SLICE) continue
        this.#entriesInSlice = 0
        this.#answer()
        await nextTurn()
      }
    } catch (error) {
      if (slot.isDoomed) return true
      this.#log.error({ err: error, generation: slot.number }, 'a generation cannot be read')
      return false
    }
    return true
  }

  #readOne(slot: Slot, bytes: Buffer): boolean {
    const keys = this.#keys
    const { nowS } = this.#clock
    const flushedUpTo = this.#flushedUpTo()
    const read = readDirectory(bytes, (hashHi, hashLo, expiresAtS, pack, offset, sequence) => {
      this.#entriesInSlice++
      if (keys.find(hashHi, hashLo) !== 0) return
      const entry = keys.insert(hashHi, hashLo)
      if (sequence <= flushedUpTo || offset === TOMBSTONE_OFFSET) return
      if (this.#stale.sequenceOf(hashHi, hashLo) > sequence) {
        // The journal that says so will go; from now on the disk says it.
        this.#writer.addTombstone(hashHi, hashLo)
        return
      }
      if (expiresAtS !== 0 && expiresAtS <= nowS) return
      keys.setPlace(entry, slot.id, pack, offset)
      keys.setExpiresAtS(entry, expiresAtS)
    })
    return read !== undefined
  }

  /** What is written from now on goes where it will be believed. */
  async #beginNext(): Promise<void> {
    try {
      await this.#list.add()
    } catch (error) {
      this.#log.warn({ err: error }, 'what is written now will be lost in a crash')
    }
  }

  /** Removes generations that cannot be believed. */
  async #giveUp(slots: readonly Slot[]): Promise<void> {
    for (const slot of slots) this.#list.remove(slot)
    for (const slot of slots) {
      try {
        await this.#list.destroy(slot)
      } catch (error) {
        // The next start tries again.
        this.#log.warn({ err: error, generation: slot.number }, 'a generation cannot be removed')
      }
    }
  }

  async #takeOutAbsent(): Promise<void> {
    const keys = this.#keys
    let cursor = 0
    do {
      cursor = keys.walk(cursor, WALK_STEPS, (entry) => {
        if (keys.generation(entry) === ABSENT) keys.remove(entry)
      })
      if (cursor !== 0) await nextTurn()
    } while (cursor !== 0)
  }

  /** Lets those proceed who asked for what is known by now. */
  #answer(): void {
    const asked = this.#inquiries
    this.#inquiries = []
    for (const inquiry of asked) {
      const isKnown = !this.isRunning || this.#keys.find(inquiry.hashHi, inquiry.hashLo) !== 0
      if (isKnown) inquiry.waiter.proceed()
      else this.#inquiries.push(inquiry)
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
