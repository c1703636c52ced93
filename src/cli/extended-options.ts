/** The names that memcached 1.6 takes after -o, and what becomes of each here. */

export type ExtendedEffect =
  /** Sets a key of the configuration to what it is given, or to what `value` makes of that. */
  | {
      readonly kind: 'key'
      readonly key: string
      readonly value: (given: string) => string | undefined
    }
  /** A file and a size: where the disk tier lies, and how large it may be. */
  | { readonly kind: 'disk' }
  /** Accepted with a warning: it tunes a mechanism that works differently here. */
  | { readonly kind: 'inert' }
  /** Ignoring it would leave something open, or not do what is wanted. */
  | { readonly kind: 'refused'; readonly because: string }

const VERIFY_MODES: readonly string[] = ['none', 'request', 'require', 'request']
const VERSIONS: readonly string[] = ['1.0', '1.1', '1.2', '1.3']

/** What sets a key. A function answers `undefined` for what it does not take. */
const KEY_NAMES: Readonly<
  Record<string, readonly [key: string, value: (given: string) => string | undefined]>
> = {
  idle_timeout: ['server.idle_timeout', seconds],
  maxconns_fast: ['server.when_full', only('refuse')],
  no_maxconns_fast: ['server.when_full', only('wait')],
  ssl_chain_cert: ['tls.cert', text],
  ssl_key: ['tls.key', text],
  ssl_ca_cert: ['tls.ca', text],
  ssl_ciphers: ['tls.ciphers', text],
  ssl_verify_mode: ['tls.verify', (given) => oneOf(VERIFY_MODES, given)],
  ssl_min_version: ['tls.min_version', (given) => oneOf(VERSIONS, given)],
  ssl_session_cache: ['tls.session_cache', only('true')],
  ext_item_size: ['l2.min_item_size', whole],
  ext_low_ttl: ['l2.min_ttl', seconds],
}

const INERT_NAMES: readonly string[] = [
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
  'no_slab_automove',
  'slab_automove_version',
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
  'sock_cookie_id',
  'ssl_wbuf_size',
  'ssl_kernel_tls',
  'ext_page_size',
  'ext_page_count',
  'ext_wbuf_size',
  'ext_threads',
  'ext_io_depth',
  'ext_item_age',
  'ext_recache_rate',
  'ext_compact_under',
  'ext_drop_under',
  'ext_max_frag',
  'ext_max_sleep',
  'ext_drop_unread',
  'no_ext_drop_unread',
]

/** The names worth suggesting for one that is unknown. */
export const EXTENDED_NAMES: readonly string[] = [
  ...Object.keys(KEY_NAMES),
  'ext_path',
  'ssl_keyformat',
  ...INERT_NAMES,
]

/** What a name of -o does; `undefined` if memcached does not know it either. */
export function extendedEffect(name: string, given: string): ExtendedEffect | undefined {
  const row = Object.hasOwn(KEY_NAMES, name) ? KEY_NAMES[name] : undefined
  if (row !== undefined) return { kind: 'key', key: row[0], value: row[1] }
  if (name === 'ext_path') return { kind: 'disk' }
  if (name === 'ssl_keyformat') {
    return given === 'PEM' || given === '1'
      ? { kind: 'inert' }
      : { kind: 'refused', because: 'keys are read as PEM' }
  }
  if (INERT_NAMES.includes(name)) return { kind: 'inert' }
  if (name.startsWith('proxy_')) return { kind: 'refused', because: 'there is no proxy here' }
  return undefined
}

/** PATH:SIZE of memcached's external storage, whose size may have the letters m, g, t and p. */
export function diskPath(given: string): { path: string; size: string } | undefined {
  const match = /^(.+?):(\d+)([mgtp])(?::\w+)?$/i.exec(given)
  if (match === null) return undefined
  const [, path = '', count = '', letter = ''] = match
  const gigabytes = { t: 1024, p: 1024 ** 2 }[letter.toLowerCase()]
  const size = gigabytes === undefined ? `${count}${letter}` : `${Number(count) * gigabytes}g`
  return { path, size }
}

function only(value: string): (given: string) => string | undefined {
  return (given) => (given === '' ? value : undefined)
}

function text(given: string): string | undefined {
  return given === '' ? undefined : given
}

function whole(given: string): string | undefined {
  return /^\d+$/.test(given) ? given : undefined
}

function seconds(given: string): string | undefined {
  return /^\d+$/.test(given) ? `${given}s` : undefined
}

/** memcached counts these from 0; the word itself is understood as well. */
function oneOf(words: readonly string[], given: string): string | undefined {
  const word = given.replace(/^tlsv/i, '')
  return words.includes(word) ? word : words[/^\d$/.test(given) ? Number(given) : -1]
}
