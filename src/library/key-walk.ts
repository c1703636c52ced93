/**
 * All keys of a cache, those in memory first, then those that only the disk has; a few at a time, so that
 * others get their turn. What is stored or removed meanwhile may be met or not.
 */
import type { Crawler } from '../engine/crawler.ts'
import type { Cache } from '../engine/cache.ts'
import type { DiskWalk } from '../engine/disk-walk.ts'
import type { Clock } from '../observe/clock.ts'

/** Keys that are gathered in one turn. */
const KEYS_PER_TURN = 1000
/** Buckets that are looked at in one turn, where they are empty. */
const BUCKETS_PER_TURN = 8192
/** Behind the last bucket of the index, whose walk is over 32 bits of hashes. */
const WALK_END = 2 ** 32
/** While somebody else walks over all items, it is asked again after this. */
const RETRY_MS = 10

export class KeyWalk {
  readonly #cache: Cache
  readonly #crawler: Crawler
  readonly #clock: Clock

  constructor(cache: Cache, crawler: Crawler, clock: Clock) {
    this.#cache = cache
    this.#crawler = crawler
    this.#clock = clock
  }

  /** Keys in no order. */
  async *keys(): AsyncGenerator<string, void, undefined> {
    while (!this.#crawler.take()) await this.#pause()
    const { tier, store } = this.#cache
    let disk: DiskWalk | null = null
    try {
      if (tier !== null) {
        // Loads native code, which a cache without a disk can do without.
        const walk = await import('../engine/disk-walk.ts')
        disk = new walk.DiskWalk(tier, store)
      }
      yield* this.#inMemory(disk)
      if (disk !== null) yield* this.#onDisk(disk)
    } finally {
      disk?.stop()
      this.#crawler.release()
    }
  }

  async *#inMemory(disk: DiskWalk | null): AsyncGenerator<string, void, undefined> {
    const cache = this.#cache
    const { index, heap } = cache.store
    const { bytes } = heap
    const gathered: string[] = []
    const visit = (item: number): void => {
      if (cache.isDead(item)) return
      const end = cache.valueStart(item)
      const length = cache.keyBytes(item)
      disk?.listed(bytes, end - length, length)
      gathered.push(bytes.buffer.toString('utf8', end - length, end))
    }
    for (let cursor = 0; cursor < WALK_END;) {
      for (let i = 0; i < BUCKETS_PER_TURN && cursor < WALK_END; i++) {
        cursor = index.walk(cursor, visit)
        if (gathered.length >= KEYS_PER_TURN) break
      }
      // In the same turn as the last bucket: what leaves memory from now on is met on disk.
      if (cursor >= WALK_END) disk?.begin()
      yield* gathered.splice(0)
      await turn()
    }
  }

  async *#onDisk(disk: DiskWalk): AsyncGenerator<string, void, undefined> {
    const gathered: string[] = []
    while (!disk.isOver) {
      if (disk.isWaiting) {
        await new Promise<void>((resolve) => {
          disk.whenReady({ proceed: resolve })
        })
        continue
      }
      disk.visitPack(({ bytes, keyStart, fields }) => {
        gathered.push(bytes.buffer.toString('utf8', keyStart, keyStart + fields.keyBytes))
      })
      yield* gathered.splice(0)
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(RETRY_MS, resolve)
    })
  }
}

/** Lets the event loop go round. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
