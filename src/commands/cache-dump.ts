/** Keys of one size class in memory: the lines of `stats cachedump`, which old tools list a cache by. */
import type { CommandContext } from './context.ts'

/** memcached ends the list when it is as long as this. */
const DUMP_BYTES_MAX = 2 * 1024 * 1024

/** After as many chunks without an item to list, others get their turn. */
const LOOKED_AT_MAX = 4096

/**
 * At most `itemsMax` items, or 0 for as many as fit. Those that come and go meanwhile may be left out.
 * An empty line stands for a pause.
 */
export function* cachedItems(
  { cache, clock, view }: CommandContext,
  classId: number,
  itemsMax: number,
): Generator<string, void, undefined> {
  const { slabs, heap } = cache.store
  let bytes = 0
  let items = 0
  let lookedAt = 0
  for (let page = 0; page < slabs.pageCount; page++) {
    for (let i = 0; i < chunksOf(page); i++) {
      if (++lookedAt % LOOKED_AT_MAX === 0) yield ''
      const item = slabs.chunkAt(page, i)
      if (!cache.isLinked(item) || cache.isDead(item)) continue
      cache.show(item, view)
      const { keyStart, keyBytes, valueBytes } = view
      const key = heap.bytes.buffer.toString('latin1', keyStart, keyStart + keyBytes)
      const ttlS = cache.secondsToLive(item)
      const line = `ITEM ${key} [${valueBytes} b; ${ttlS === -1 ? 0 : clock.nowS + ttlS} s]`
      bytes += line.length
      if (bytes > DUMP_BYTES_MAX) return
      yield line
      items++
      if (items === itemsMax) return
    }
  }

  /** Chunks of a page that may hold an item of the class; the page may change hands between two looks. */
  function chunksOf(page: number): number {
    if (slabs.isFree(page) || slabs.pageClass(page) !== classId) return 0
    return slabs.isRun(page) ? 1 : slabs.pageCarved(page)
  }
}
