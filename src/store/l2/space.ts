/**
 * Keeps the generations within the cap: opens the next one when the newest is full, and drops the
 * oldest before there is one too many.
 *
 * What was read of a generation since it was written is carried forward into the newest one, up to a
 * share of a generation; the rest is forgotten. Where the clients write faster than that, the cap
 * counts for more than what could have been carried.
 *
 * Everything here is done in slices, between which requests are served.
 */
import { bytesOf } from '../../bytes/ascii.ts'
import type { Bytes } from '../../bytes/ascii.ts'
import type { Clock } from '../../observe/clock.ts'
import type { Logger } from '../../observe/log.ts'
import { METRIC } from '../../observe/metrics.ts'
import type { Metrics } from '../../observe/metrics.ts'
import { FAULT, faultOf } from './fault.ts'
import type { GenerationList, Slot } from './generation-list.ts'
import type { KeyMap } from './key-map.ts'
import { isIntact, recordLengthAt } from './record.ts'
import type { WriteBehind } from './write-behind.ts'

/** The oldest begins to go when this part of a generation is left of the cap. */
const DROP_PART = 2
/** And has to be gone before more is written when only this part is. */
const HURRY_PART = 8
/** Of a generation that is dropped, at most this part is carried forward. */
const CARRIED_PART = 4
/** Entries of the key map that are looked at in one slice: half a millisecond. */
const WALK_STEPS = 16_384
/** Packs that are read together when records are carried. */
const PACKS_AT_A_TIME = 16
/** A newest generation is measured again when so much was written to it. */
const COUNT_EVERY_BYTES = 8 * 2 ** 20

/** A record that may be carried: its hash and its place. */
interface Candidate {
  readonly hashHi: number
  readonly hashLo: number
  readonly pack: number
  readonly offset: number
}

export class Space {
  readonly #list: GenerationList
  readonly #keys: KeyMap
  readonly #writer: WriteBehind
  readonly #clock: Clock
  readonly #metrics: Metrics
  readonly #log: Logger
  readonly #disbelieve: (number: number) => void
  #dropping: Promise<void> | null = null
  /** Generations that are full and not sealed yet. */
  readonly #full: Slot[] = []
  /** Carrying takes too long: drop without it. */
  #hurry = false
  /** Ends a wait for room to carry to. */
  #wake: () => void = () => undefined

  constructor(
    list: GenerationList,
    keys: KeyMap,
    writer: WriteBehind,
    disbelieve: (number: number) => void,
    clock: Clock,
    metrics: Metrics,
    log: Logger,
  ) {
    this.#disbelieve = disbelieve
    this.#list = list
    this.#keys = keys
    this.#writer = writer
    this.#clock = clock
    this.#metrics = metrics
    this.#log = log
  }

  /** After each batch: measures, opens the next generation, drops the oldest. */
  async afterBatch(): Promise<void> {
    const list = this.#list
    const { newest } = list
    if (newest.writtenBytes >= COUNT_EVERY_BYTES) await list.count(newest)
    if (list.bytesOf(newest) + list.logBytesMax >= list.generationBytes) {
      await list.add()
      this.#full.push(newest)
    }
    // The batch that is open when a generation is full still goes to it.
    while (this.#full.length > 0 && !this.#writer.writesTo(this.#full[0]!.id)) {
      void this.#seal(this.#full.shift()!)
    }
    // More than once only where the cap was lowered.
    while (await this.#dropOldest());
  }

  /** Returns true if that had to be waited for: then more may have to go. */
  async #dropOldest(): Promise<boolean> {
    const list = this.#list
    const oldest = list.slots[0]!
    const left = list.bytesMax - list.bytes
    if (left > list.generationBytes / DROP_PART) return false
    if (oldest === list.newest || this.#writer.writesTo(oldest.id)) return false
    this.#dropping ??= this.#drop(oldest).finally(() => {
      this.#dropping = null
    })
    if (left >= list.generationBytes / HURRY_PART) return false
    this.#hurry = true
    this.#wake()
    await this.#dropping
    this.#hurry = false
    return true
  }

  /** Waits until nothing is being dropped. */
  async settle(): Promise<void> {
    await this.#dropping
  }

  /** Drops all generations but the newest, whose records the sequence of the flush makes void. */
  async dropFlushed(slots: readonly Slot[]): Promise<void> {
    for (const slot of slots) this.#list.remove(slot)
    for (const slot of slots) await this.#list.destroy(slot)
  }

  async #seal(slot: Slot): Promise<void> {
    try {
      await slot.db.flushToTable()
      if (!slot.isDoomed) await this.#list.count(slot)
    } catch (error) {
      this.#log.warn({ err: error }, 'a generation of the disk tier cannot be sealed')
    }
  }

  async #drop(slot: Slot): Promise<void> {
    // Once a key is forgotten nothing says that its record is stale; so it must not come back after a
    // crash, nor where its folder cannot be removed.
    this.#disbelieve(slot.number)
    try {
      const candidates = await this.#forgetOrCarry(slot)
      await this.#carry(slot, candidates)
      await this.#purge(slot)
      this.#list.remove(slot)
      await this.#list.destroy(slot)
    } catch (error) {
      this.#list.remove(slot)
      await this.#purge(slot)
      // A flush was quicker.
      if (slot.isGone && faultOf(error) === FAULT.CLOSED) return
      this.#log.error({ err: error }, 'the oldest generation of the disk tier cannot be removed')
    }
  }

  /** Forgets the keys of a generation, but for those that were read: returns these. */
  async #forgetOrCarry(slot: Slot): Promise<Candidate[]> {
    const keys = this.#keys
    const candidates: Candidate[] = []
    const mayCarry = keys.referencedOf(slot.id) > 0
    await this.#walk((entry) => {
      if (keys.generation(entry) !== slot.id) return
      const expiresAtS = keys.expiresAtS(entry)
      const isAlive = expiresAtS === 0 || expiresAtS > this.#clock.nowS
      if (mayCarry && isAlive && keys.isReferenced(entry)) {
        candidates.push({
          hashHi: keys.hashHi(entry),
          hashLo: keys.hashLo(entry),
          pack: keys.pack(entry),
          offset: keys.offset(entry),
        })
      } else {
        this.#forget(entry)
      }
    })
    return candidates.sort((a, b) => b.pack - a.pack)
  }

  /** Writes the candidates anew, the youngest first, until there has been enough. */
  async #carry(slot: Slot, candidates: readonly Candidate[]): Promise<void> {
    let budget = this.#list.generationBytes / CARRIED_PART
    for (let from = 0; from < candidates.length && budget > 0 && !this.#hurry;) {
      const numbers: number[] = []
      let to = from
      while (to < candidates.length) {
        const { pack } = candidates[to]!
        if (numbers.at(-1) !== pack) {
          if (numbers.length === PACKS_AT_A_TIME) break
          numbers.push(pack)
        }
        to++
      }
      const packs = await slot.db.read(numbers)
      const byNumber = new Map(
        packs.map((bytes, i) => [numbers[i]!, bytes === undefined ? undefined : bytesOf(bytes)]),
      )
      for (; from < to; from++) {
        const candidate = candidates[from]!
        const pack = byNumber.get(candidate.pack)
        if (pack !== undefined) budget -= this.#carryOne(slot, candidate, pack)
      }
      // What a disk in trouble does not take would gather in memory.
      if (this.#writer.degraded) return
      if (this.#writer.isCongested) await this.#room()
    }
  }

  /** Waits until what was carried is written, or must not be waited for any more. */
  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      this.#writer.whenRoom({ proceed: resolve })
    })
  }

  #carryOne(slot: Slot, candidate: Candidate, pack: Bytes): number {
    const keys = this.#keys
    const { hashHi, hashLo, offset } = candidate
    const entry = keys.find(hashHi, hashLo)
    // It has changed or gone meanwhile: then there is nothing to carry. What was superseded is not
    // referenced any more.
    if (entry === 0 || keys.generation(entry) !== slot.id || !keys.isReferenced(entry)) return 0
    if (keys.pack(entry) !== candidate.pack || keys.offset(entry) !== offset) return 0
    const length = recordLengthAt(pack, offset, pack.buffer.length)
    if (length === 0 || !isIntact(pack, offset)) return 0
    this.#writer.addCopy(entry, pack, offset, length)
    this.#metrics.count(METRIC.L2_CARRIED)
    return length
  }

  /** Forgets what still points to a generation that goes. */
  async #purge(slot: Slot): Promise<void> {
    const keys = this.#keys
    if (keys.countOf(slot.id) === 0) return
    await this.#walk((entry) => {
      if (keys.generation(entry) === slot.id) this.#forget(entry)
    })
  }

  #forget(entry: number): void {
    this.#keys.remove(entry)
    this.#metrics.count(METRIC.L2_DROPPED)
  }

  async #walk(visit: (entry: number) => void): Promise<void> {
    let cursor = 0
    do {
      cursor = this.#keys.walk(cursor, WALK_STEPS, visit)
      if (cursor !== 0 && !this.#hurry) await nextTurn()
    } while (cursor !== 0)
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
