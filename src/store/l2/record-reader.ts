/** Finding records by their places: in batches that wait to be written, and in packs on disk. */
import { bytesOf } from '../../bytes/ascii.ts'
import type { Bytes } from '../../bytes/ascii.ts'
import type { Clock } from '../../observe/clock.ts'
import type { Logger } from '../../observe/log.ts'
import { LATENCY, METRIC } from '../../observe/metrics.ts'
import type { Metrics } from '../../observe/metrics.ts'
import type { GenerationList } from './generation-list.ts'
import type { WriteBehind } from './write-behind.ts'

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

  constructor(
    list: GenerationList,
    writer: WriteBehind,
    clock: Clock,
    metrics: Metrics,
    log: Logger,
  ) {
    this.#list = list
    this.#writer = writer
    this.#clock = clock
    this.#metrics = metrics
    this.#log = log
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
    let packs: readonly (Buffer | undefined)[] = []
    try {
      packs = (await this.#list.byId(id)?.db.read(numbers)) ?? []
    } catch (error) {
      this.#log.debug({ err: error }, 'a generation cannot be read')
    }
    this.#metrics.add(METRIC.L2_READS, numbers.length)
    const tookUs = (this.#clock.elapsedMs() - beganMs) * 1000
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
}
