/**
 * `stats items`, `stats slabs` and `stats sizes`: what size classes hold and what was done with their
 * items, under memcached's names.
 *
 * There is one order of eviction for all classes here, so all items of a class are in one queue, which is
 * called cold; what belongs to memcached's other queues is 0.
 */
import { CLASS_METRIC } from '../observe/metrics.ts'
import type { ClassMetricSlot } from '../observe/metrics.ts'
import type { CommandContext } from './context.ts'
import type { Stat } from './stats-report.ts'

/** The class of items that take whole pages, the last one. */
const CLASS_LARGE = 63
/** The oldest item of a class is looked for among as many that would be evicted next. */
const LOOKED_AT_MAX = 2000

type Row = readonly [name: string, value: number]

/** `stats items`: a group for each class that has items. */
export function* itemStats(context: CommandContext): Generator<Stat, void, undefined> {
  const { cache, metrics } = context
  const ages = agesOf(context)
  for (let classId = 1; classId <= CLASS_LARGE; classId++) {
    const number = cache.store.itemsOf(classId)
    if (number === 0) continue
    const count = (slot: ClassMetricSlot): number => metrics.classValue(slot, classId)
    const rows: Row[] = [
      ['number', number],
      ['number_hot', 0],
      ['number_warm', 0],
      ['number_cold', number],
      ['age_hot', 0],
      ['age_warm', 0],
      ['age', ages[classId]!],
      ['mem_requested', cache.store.bytesOf(classId)],
      ['evicted', count(CLASS_METRIC.EVICTED)],
      ['evicted_nonzero', count(CLASS_METRIC.EVICTED_NONZERO)],
      ['evicted_time', count(CLASS_METRIC.EVICTED_TIME)],
      ['outofmemory', count(CLASS_METRIC.OUTOFMEMORY)],
      ['tailrepairs', 0],
      ['reclaimed', count(CLASS_METRIC.RECLAIMED)],
      ['expired_unfetched', count(CLASS_METRIC.EXPIRED_UNFETCHED)],
      ['evicted_unfetched', count(CLASS_METRIC.EVICTED_UNFETCHED)],
      ['evicted_active', 0],
      ['crawler_reclaimed', count(CLASS_METRIC.CRAWLER_RECLAIMED)],
      ['crawler_items_checked', count(CLASS_METRIC.CRAWLER_ITEMS_CHECKED)],
      ['lrutail_reflocked', 0],
      ['moves_to_cold', 0],
      ['moves_to_warm', 0],
      ['moves_within_lru', 0],
      ['direct_reclaims', count(CLASS_METRIC.EVICTED)],
      ['hits_to_hot', 0],
      ['hits_to_warm', 0],
      ['hits_to_cold', count(CLASS_METRIC.GET_HITS)],
      ['hits_to_temp', 0],
    ]
    for (const [name, value] of rows) yield [`items:${classId}:${name}`, String(value)]
  }
}

/** `stats slabs`: a group for each class that has pages, and their sum. */
export function* slabStats(context: CommandContext): Generator<Stat, void, undefined> {
  const { cache, metrics } = context
  const { heap, slabs } = cache.store
  let active = 0
  for (let classId = 1; classId <= CLASS_LARGE; classId++) {
    const pages = slabs.classPages(classId)
    if (pages === 0) continue
    active++
    const isLarge = classId === CLASS_LARGE
    const perPage = isLarge ? 1 : slabs.classes.chunksPerPage[classId]!
    const count = (slot: ClassMetricSlot): number => metrics.classValue(slot, classId)
    const rows: Row[] = [
      ['chunk_size', isLarge ? heap.pageBytes : slabs.classes.chunkBytes[classId]!],
      ['chunks_per_page', perPage],
      ['total_pages', pages],
      ['total_chunks', pages * perPage],
      ['used_chunks', isLarge ? pages : slabs.classUsed(classId)],
      ['free_chunks', isLarge ? 0 : slabs.freeChunks(classId)],
      ['free_chunks_end', 0],
      ['get_hits', count(CLASS_METRIC.GET_HITS)],
      ['cmd_set', count(CLASS_METRIC.CMD_SET)],
      ['delete_hits', count(CLASS_METRIC.DELETE_HITS)],
      ['incr_hits', count(CLASS_METRIC.INCR_HITS)],
      ['decr_hits', count(CLASS_METRIC.DECR_HITS)],
      ['cas_hits', count(CLASS_METRIC.CAS_HITS)],
      ['cas_badval', count(CLASS_METRIC.CAS_BADVAL)],
      ['touch_hits', count(CLASS_METRIC.TOUCH_HITS)],
    ]
    for (const [name, value] of rows) yield [`${classId}:${name}`, String(value)]
  }
  yield ['active_slabs', String(active)]
  yield ['total_malloced', String(slabs.pagesInUse * heap.pageBytes)]
}

/**
 * Seconds since the oldest item of each class was used. The order of eviction is looked at from its end
 * for a bounded way only: a class that has no item there has none that is older than the last one there.
 */
function agesOf({ cache }: CommandContext): Float64Array {
  const ages = new Float64Array(CLASS_LARGE + 1).fill(-1)
  const { policy } = cache.store
  let last = 0
  let item = policy.victim()
  for (let i = 0; i < LOOKED_AT_MAX && item !== 0; i++, item = policy.after(item)) {
    last = cache.idleS(item)
    const classId = cache.sizeClass(item)
    if (ages[classId] === -1) ages[classId] = last
  }
  return ages.map((age) => (age === -1 ? last : age))
}
