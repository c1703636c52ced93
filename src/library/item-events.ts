/** From what becomes of items by themselves to events with their keys. */
import type { ItemListener } from '../engine/departures.ts'
import type { Cache } from '../engine/cache.ts'
import type { CacheEventName, EventSources } from './events.ts'

/** Makes a cache tell of evictions, demotions, promotions and expiries. */
export function tellOfItems(cache: Cache, events: EventSources): void {
  const { heap } = cache.store
  const tell = (name: Exclude<CacheEventName, 'error'>, item: number): void => {
    if (!events.isHeard(name)) return
    const end = cache.valueStart(item)
    const key = heap.bytes.buffer.toString('utf8', end - cache.keyBytes(item), end)
    // Not within the change of the store that it tells of: a listener may use the cache.
    queueMicrotask(() => events.key(name, key))
  }
  const listener: ItemListener = {
    expired: (item) => tell('expire', item),
    evicted: (item) => tell('evict', item),
    demoted: (item) => tell('demote', item),
    promoted: (item) => tell('promote', item),
  }
  cache.departures.listener = listener
}
