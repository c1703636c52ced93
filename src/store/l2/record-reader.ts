/** Finding records by their places: in batches that wait to be written, and in packs on disk. */
import { bytesOf } from '../../bytes/ascii.ts'
import type { Bytes } from '../../bytes/ascii.ts'
import type { Clock } from '../../observe/clock.ts'
import type { Logger } from '../../observe/log.ts'
import { LATENCY, METRIC } from '../../observe/metrics.ts'
import type { Metrics } from '../../observe/metrics.ts'
import type { GenerationList } from './generation-list.ts'
import { InlineReading } from './inline-reading.ts'
import type { WriteBehind } from './write-behind.ts'

/** A disk that has answered none of the reads under way for so long, or not the write, may have stopped. */
const STUCK_READ_MS = 50
const STUCK_WRITE_MS = 500

/** A record in a pack that was read or waits to be written. */
export interface Found {
  readonly bytes: Bytes
  readonly offset: number
  readonly end: number
}

/** A place of a record on disk. */
export interface Place {
  readonly generation: number
  readonly pack: number
  readonly offset: number
}

export class RecordReader {
  readonly #list: GenerationList
  readonly #writer: WriteBehind
  readonly #clock: Clock
  readonly #metrics: Metrics
  readonly #log: Logger
  /** Null: everything is read through the pool of threads. */
  readonly #inline: InlineReading | null
  /** Reads of the pool that are under way, and when one of them ended or the first began. */
  #underWay = 0
  #movedMs = 0

  constructor(
    list: GenerationList,
    writer: WriteBehind,
    clock: Clock,
    metrics: Metrics,
    log: Logger,
    inline: InlineReading | null,
  ) {
    this.#list = list
    this.#writer = writer
    this.#clock = clock
    this.#metrics = metrics
    this.#log = log
    this.#inline = inline
  }

  /**
   * Reads a record at once, if that can be expected to take next to no time. Gives undefined where it
   * cannot, and for whatever is wrong: `read` finds out what.
   */
  readNow(generation: number, pack: number, offset: number): Found | undefined {
    const pending = this.#writer.pendingPack(generation, pack)
    if (pending !== undefined) return { bytes: pending.bytes, offset, end: pending.length }
    const inline = this.#inline
    if (inline === null || this.#isStuck() || !inline.begin()) return undefined
    let bytes: Buffer | undefined
    try {
      bytes = this.#list.byId(generation)?.db.readNow(pack)
    } catch {
      // `read` finds the same, counts it, and looks what else there is.
    }
    const tookUs = inline.end() * 1000
    if (bytes === undefined) return undefined
    this.#metrics.count(METRIC.L2_READS)
    this.#metrics.count(METRIC.L2_READS_INLINE)
    this.#metrics.add(METRIC.L2_READ_US, tookUs)
    this.#metrics.time(LATENCY.L2_READ, tookUs)
    this.#metrics.add(METRIC.L2_BYTES_READ, bytes.length)
    return { bytes: bytesOf(bytes), offset, end: bytes.length }
  }

  /**
   * Reads the records at some places, with one `getMany` a generation. Calls `found` for each place as
   * soon as it is known, with undefined for what cannot be read. Never rejects.
   */
  async read(
    places: readonly Place[],
    found: (index: number, record: Found | undefined) => void,
  ): Promise<void> {
    const byGeneration = new Map<number, number[]>()
    for (const [index, place] of places.entries()) {
      const pending = this.#writer.pendingPack(place.generation, place.pack)
      if (pending !== undefined) {
        found(index, { bytes: pending.bytes, offset: place.offset, end: pending.length })
        continue
      }
      const others = byGeneration.get(place.generation)
      if (others === undefined) byGeneration.set(place.generation, [index])
      else others.push(index)
    }
    await Promise.all(
      [...byGeneration].map(([id, indexes]) => this.#readFrom(id, indexes, places, found)),
    )
  }

  async #readFrom(
    id: number,
    indexes: readonly number[],
    places: readonly Place[],
    found: (index: number, record: Found | undefined) => void,
  ): Promise<void> {
    const numbers = [...new Set(indexes.map((index) => places[index]!.pack))]
    const beganMs = this.#clock.elapsedMs()
    if (this.#underWay++ === 0) this.#movedMs = beganMs
    let packs: readonly (Buffer | undefined)[] = []
    try {
      packs = (await this.#list.byId(id)?.db.read(numbers)) ?? []
    } catch (error) {
      this.#log.debug({ err: error }, 'a generation cannot be read')
    }
    this.#underWay--
    this.#movedMs = this.#clock.elapsedMs()
    this.#metrics.add(METRIC.L2_READS, numbers.length)
    const tookUs = (this.#movedMs - beganMs) * 1000
    this.#metrics.add(METRIC.L2_READ_US, tookUs)
    this.#metrics.time(LATENCY.L2_READ, tookUs)
    const byNumber = new Map<number, Bytes>()
    for (const [at, number] of numbers.entries()) {
      const bytes = packs[at]
      if (bytes === undefined) {
        this.#metrics.count(METRIC.L2_READ_ERRORS)
        continue
      }
      this.#metrics.add(METRIC.L2_BYTES_READ, bytes.length)
      byNumber.set(number, bytesOf(bytes))
    }
    for (const index of indexes) {
      const { pack, offset } = places[index]!
      const bytes = byNumber.get(pack)
      found(index, bytes === undefined ? undefined : { bytes, offset, end: bytes.buffer.length })
    }
  }

  /** Whether the disk seems to have stopped answering: then nobody is to wait for it but those who must. */
  #isStuck(): boolean {
    if (this.#underWay === 0 && !this.#writer.isWriting) return false
    const nowMs = this.#clock.elapsedMs()
    if (this.#underWay > 0 && nowMs - this.#movedMs > STUCK_READ_MS) return true
    return this.#writer.isWriting && nowMs - this.#writer.writingSinceMs > STUCK_WRITE_MS
  }
}
