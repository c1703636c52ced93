/**
 * `stats hotkeys` and `stats prefixes`: which keys, and prefixes of keys, are used most, as estimated from a
 * sample of the commands; and what each prefix has in memory, from a sample of its items.
 */
import { uriEncoded } from '../bytes/uri.ts'
import { RANKINGS } from '../observe/hot-keys.ts'
import type { PrefixFigures } from '../observe/prefix-counts.ts'
import type { CommandContext } from './context.ts'
import { keyOfItem } from './notes.ts'
import type { Stat } from './stats-report.ts'

export const HOT_KEYS_SHOWN_MAX = 20
export const PREFIXES_SHOWN_MAX = 100
/** Chunks that are looked at to say what prefixes have in memory: about a millisecond. */
const CHUNKS_LOOKED_AT = 2000
/** The class of items that take whole pages. */
const CLASS_LARGE = 63

export interface PrefixReport extends PrefixFigures {
  readonly prefix: string
  /** In memory. */
  readonly items: number
  readonly bytes: number
}

/** `stats hotkeys`: a group for each key of each ranking, the first one first. */
export function* hotKeyStats({ watchers }: CommandContext): Generator<Stat, void, undefined> {
  const { sample } = watchers
  yield ['hotkeys_enabled', sample === null ? '0' : '1']
  if (sample === null) return
  yield ['hotkeys_window', String(Math.round(sample.hot.windowMs / 1000))]
  yield ['hotkeys_sample_every', String(sample.every)]
  for (const ranking of RANKINGS) {
    for (const [index, frequent] of sample.hot.top(ranking, HOT_KEYS_SHOWN_MAX).entries()) {
      const name = `${ranking}:${index + 1}`
      yield [`${name}:key`, uriEncoded(frequent.key)]
      yield [`${name}:count`, String(frequent.count)]
      yield [`${name}:error`, String(frequent.error)]
    }
  }
}

/** `stats prefixes`: a group for each prefix, the one that is used most first. */
export function* prefixStats(context: CommandContext): Generator<Stat, void, undefined> {
  yield ['prefixes_enabled', context.watchers.sample === null ? '0' : '1']
  for (const { prefix, ...figures } of prefixReports(context)) {
    const { gets, hits, sets, deletes, evictions, items, bytes } = figures
    const rows: [string, number][] = [
      ['gets', gets],
      ['hits', hits],
      ['misses', gets - hits],
      ['sets', sets],
      ['deletes', deletes],
      ['evictions', evictions],
      ['items', items],
      ['bytes', bytes],
    ]
    const name = uriEncoded(prefix)
    for (const [figure, value] of rows) yield [`${name}:${figure}`, String(value)]
  }
}

/** The prefixes that are used most, with what they have in memory. */
export function prefixReports(context: CommandContext): PrefixReport[] {
  const { sample } = context.watchers
  if (sample === null) return []
  const top = sample.prefixes.top(PREFIXES_SHOWN_MAX)
  if (top.length === 0) return []
  const stock = stockOf(context)
  return top.map(([prefix, figures]) => {
    const { items, bytes } = stock.get(prefix) ?? { items: 0, bytes: 0 }
    return { prefix, ...figures, items: Math.round(items), bytes: Math.round(bytes) }
  })
}

/**
 * What prefixes have in memory, from chunks that are drawn: a page first, then one of its chunks. Where there
 * are no more chunks than are drawn, all of them are looked at. An item stands for as many as it was unlikely
 * to be drawn.
 */
function stockOf(context: CommandContext): Map<string, { items: number; bytes: number }> {
  const { cache, watchers } = context
  const { slabs } = cache.store
  const stock = new Map<string, { items: number; bytes: number }>()
  const add = (item: number, weight: number): void => {
    const prefix = watchers.sample?.prefixes.prefixOf(keyOfItem(context, item))
    if (prefix === undefined) return
    const sums = stock.get(prefix) ?? { items: 0, bytes: 0 }
    sums.items += weight
    sums.bytes += weight * cache.store.itemBytes(item)
    stock.set(prefix, sums)
  }
  const pages = Array.from({ length: slabs.pageCount }, (_, page) => page).filter((page) =>
    slabs.isRun(page) ? slabs.runStart(page) === page : !slabs.isFree(page),
  )
  const chunksOf = (page: number): number =>
    slabs.pageClass(page) === CLASS_LARGE ? 1 : slabs.pageCarved(page)
  const chunks = pages.reduce((sum, page) => sum + chunksOf(page), 0)
  const isLive = (item: number): boolean =>
    slabs.isChunk(item) && cache.isLinked(item) && !cache.isDead(item)
  if (chunks <= CHUNKS_LOOKED_AT) {
    for (const page of pages) {
      for (let index = 0; index < chunksOf(page); index++) {
        const item = slabs.chunkAt(page, index)
        if (isLive(item)) add(item, 1)
      }
    }
    return stock
  }
  for (let drawn = 0; drawn < CHUNKS_LOOKED_AT; drawn++) {
    const page = pages[Math.floor(Math.random() * pages.length)]!
    const count = chunksOf(page)
    const item = slabs.chunkAt(page, Math.floor(Math.random() * count))
    if (isLive(item)) add(item, (pages.length * count) / CHUNKS_LOOKED_AT)
  }
  return stock
}
