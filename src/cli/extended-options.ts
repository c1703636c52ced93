/** The names that memcached 1.6 takes after -o, and what becomes of each here. */

export type ExtendedEffect =
  | { readonly kind: 'idle-timeout' }
  /** Accepted with a warning: it tunes a mechanism that works differently here. */
  | { readonly kind: 'inert' }
  /** Ignoring it would leave connections open to all, or lose data. */
  | { readonly kind: 'refused'; readonly because: string }

const INERT_NAMES: readonly string[] = [
  'maxconns_fast',
  'no_maxconns_fast',
  'hashpower',
  'no_hashexpand',
  'hash_algorithm',
  'tail_repair_time',
  'lru_crawler',
  'no_lru_crawler',
  'lru_crawler_sleep',
  'lru_crawler_tocrawl',
  'lru_maintainer',
  'no_lru_maintainer',
  'hot_lru_pct',
  'warm_lru_pct',
  'hot_max_factor',
  'warm_max_factor',
  'temporary_ttl',
  'slab_reassign',
  'no_slab_reassign',
  'slab_automove',
  'slab_automove_ratio',
  'slab_automove_window',
  'slab_automove_freeratio',
  'slab_chunk_max',
  'slab_sizes',
  'modern',
  'no_modern',
  'worker_logbuf_size',
  'watcher_logbuf_size',
  'read_buf_mem_limit',
  'resp_obj_mem_limit',
  'track_sizes',
  'inline_ascii_resp',
  'no_inline_ascii_resp',
  'no_chunked_items',
  'drop_privileges',
  'no_drop_privileges',
  'relaxed_privileges',
]

const REFUSED_FAMILIES: readonly { readonly prefix: string; readonly because: string }[] = [
  { prefix: 'ssl_', because: 'there is no encryption here' },
  { prefix: 'ext_', because: 'the disk tier has options of its own: --data-dir, --max-disk-size' },
  { prefix: 'proxy_', because: 'there is no proxy here' },
]

/** The names worth suggesting for one that is unknown. */
export const EXTENDED_NAMES: readonly string[] = ['idle_timeout', ...INERT_NAMES]

/** What a name of -o does; `undefined` if memcached does not know it either. */
export function extendedEffect(name: string): ExtendedEffect | undefined {
  if (name === 'idle_timeout') return { kind: 'idle-timeout' }
  if (INERT_NAMES.includes(name)) return { kind: 'inert' }
  const family = REFUSED_FAMILIES.find(({ prefix }) => name.startsWith(prefix))
  return family === undefined ? undefined : { kind: 'refused', because: family.because }
}
