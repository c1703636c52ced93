/**
 * The figures of `stats`, under memcached's names and in its order as far as they mean anything
 * here. Made when asked for; nothing is kept for it.
 */
import { METRIC } from '../observe/metrics.ts'
import type { MetricSlot } from '../observe/metrics.ts'
import type { CommandContext } from './context.ts'
import { extstoreGetStats, extstoreStats } from './disk-report.ts'

export type Stat = readonly [name: string, value: string]

const MICROSECONDS = 1_000_000

/** `stats` without an argument. */
export function generalStats(context: CommandContext): Stat[] {
  const { cache, clock, facts, metrics } = context
  const { index, slabs } = cache.store
  const usage = process.resourceUsage()
  const count = (slot: MetricSlot): string => String(metrics.value(slot))
  return [
    ['pid', String(process.pid)],
    ['uptime', String(clock.nowS - facts.startedAtS)],
    ['time', String(clock.nowS)],
    ['version', facts.compatibleVersion],
    ['libevent', `libuv-${process.versions.uv}`],
    ['rat_memcached_version', facts.ownVersion],
    ['node_version', process.versions.node],
    ['pointer_size', '64'],
    ['rusage_user', seconds(usage.userCPUTime)],
    ['rusage_system', seconds(usage.systemCPUTime)],
    ['max_connections', String(facts.maxConnections)],
    ['curr_connections', String(facts.currentConnections())],
    ['total_connections', count(METRIC.TOTAL_CONNECTIONS)],
    ['rejected_connections', count(METRIC.REJECTED_CONNECTIONS)],
    ['connection_structures', String(facts.currentConnections())],
    ['response_obj_oom', '0'],
    ['response_obj_count', '1'],
    ['response_obj_bytes', '0'],
    ['read_buf_count', '1'],
    ['read_buf_bytes', String(cache.store.options.ioBytes)],
    ['read_buf_bytes_free', '0'],
    ['read_buf_oom', '0'],
    ['reserved_fds', '0'],
    ['cmd_get', count(METRIC.CMD_GET)],
    ['cmd_set', count(METRIC.CMD_SET)],
    ['cmd_flush', count(METRIC.CMD_FLUSH)],
    ['cmd_touch', count(METRIC.CMD_TOUCH)],
    ['cmd_meta', count(METRIC.CMD_META)],
    ['get_hits', count(METRIC.GET_HITS)],
    ['get_misses', count(METRIC.GET_MISSES)],
    ['get_expired', count(METRIC.GET_EXPIRED)],
    ['get_flushed', count(METRIC.GET_FLUSHED)],
    ...extstoreGetStats(context),
    ['delete_misses', count(METRIC.DELETE_MISSES)],
    ['delete_hits', count(METRIC.DELETE_HITS)],
    ['incr_misses', count(METRIC.INCR_MISSES)],
    ['incr_hits', count(METRIC.INCR_HITS)],
    ['decr_misses', count(METRIC.DECR_MISSES)],
    ['decr_hits', count(METRIC.DECR_HITS)],
    ['cas_misses', count(METRIC.CAS_MISSES)],
    ['cas_hits', count(METRIC.CAS_HITS)],
    ['cas_badval', count(METRIC.CAS_BADVAL)],
    ['touch_hits', count(METRIC.TOUCH_HITS)],
    ['touch_misses', count(METRIC.TOUCH_MISSES)],
    ['store_too_large', count(METRIC.STORE_TOO_LARGE)],
    ['store_no_memory', count(METRIC.STORE_NO_MEMORY)],
    ['auth_cmds', count(METRIC.AUTH_CMDS)],
    ['auth_errors', count(METRIC.AUTH_ERRORS)],
    ['auth_throttled', count(METRIC.AUTH_THROTTLED)],
    ['bytes_read', count(METRIC.BYTES_READ)],
    ['bytes_written', count(METRIC.BYTES_WRITTEN)],
    ['limit_maxbytes', String(context.memoryLimit.bytes)],
    ['accepting_conns', facts.isAccepting() ? '1' : '0'],
    ['listen_disabled_num', count(METRIC.LISTEN_DISABLED_NUM)],
    ['time_in_listen_disabled_us', '0'],
    ['idle_kicks', count(METRIC.IDLE_KICKS)],
    ['lines_too_long', count(METRIC.LINES_TOO_LONG)],
    ['output_blocked', count(METRIC.OUTPUT_BLOCKED)],
    ['conn_errors', count(METRIC.CONN_ERRORS)],
    ['rejected_by_address', count(METRIC.REJECTED_BY_ADDRESS)],
    ['inflight_bytes', String(facts.inflightBytes())],
    ['inflight_kicks', count(METRIC.INFLIGHT_KICKS)],
    ['log_lines_lost', String(facts.logLinesLost())],
    ['config_reloads', count(METRIC.CONFIG_RELOADS)],
    ['config_reload_errors', count(METRIC.CONFIG_RELOAD_ERRORS)],
    ['config_reloaded_at', String(facts.configReloadedAtS())],
    ['ssl_new_sessions', count(METRIC.SSL_NEW_SESSIONS)],
    ['ssl_handshake_errors', count(METRIC.SSL_HANDSHAKE_ERRORS)],
    ['time_since_server_cert_refresh', String(sinceRefreshS(context))],
    ['threads', '1'],
    ['conn_yields', count(METRIC.CONN_YIELDS)],
    ['round_robin_fallback', '0'],
    ['unexpected_napi_ids', '0'],
    ['hash_power_level', String(index.level)],
    ['hash_bytes', String(index.memoryBytes)],
    ['hash_is_expanding', '0'],
    ['slab_reassign_rescues', count(METRIC.SLAB_REASSIGN_RESCUES)],
    ['slab_reassign_chunk_rescues', '0'],
    ['slab_reassign_inline_reclaim', '0'],
    ['slab_reassign_busy_items', '0'],
    ['slab_reassign_busy_deletes', '0'],
    ['slab_reassign_busy_nomem', '0'],
    ['slab_reassign_last_busy_status', 'none'],
    ['slab_reassign_running', cache.store.isEmptying ? '1' : '0'],
    ['slabs_moved', count(METRIC.SLABS_MOVED)],
    ['lru_crawler_running', context.crawler.isRunning ? '1' : '0'],
    ['lru_crawler_starts', count(METRIC.LRU_CRAWLER_STARTS)],
    ['malloc_fails', '0'],
    ['log_worker_dropped', '0'],
    ['log_worker_written', '0'],
    ['log_watcher_skipped', count(METRIC.LOG_WATCHER_SKIPPED)],
    ['log_watcher_sent', count(METRIC.LOG_WATCHER_SENT)],
    ['log_watchers', String(context.watchers.count)],
    ...extstoreStats(context),
    ['bytes', String(cache.usedBytes)],
    ['curr_items', String(cache.count)],
    ['total_items', count(METRIC.TOTAL_ITEMS)],
    ['total_malloced', String(slabs.pagesInUse * cache.store.heap.pageBytes)],
    ['slab_global_page_pool', String(Math.max(0, slabs.pageLimit - slabs.pagesInUse))],
    ['lru_maintainer_juggles', '0'],
    ['expired_unfetched', count(METRIC.EXPIRED_UNFETCHED)],
    ['evicted_unfetched', count(METRIC.EVICTED_UNFETCHED)],
    ['evicted_active', '0'],
    ['evictions', count(METRIC.EVICTIONS)],
    ['reclaimed', count(METRIC.RECLAIMED)],
    ['crawler_reclaimed', count(METRIC.CRAWLER_RECLAIMED)],
    ['crawler_items_checked', count(METRIC.CRAWLER_ITEMS_CHECKED)],
    ['swept', count(METRIC.SWEPT)],
    ['lrutail_reflocked', '0'],
    ['moves_to_cold', '0'],
    ['moves_to_warm', '0'],
    ['moves_within_lru', '0'],
    ['direct_reclaims', count(METRIC.EVICTIONS)],
    ['lru_bumps_dropped', '0'],
    ['age_oldest', String(cache.oldestAgeS)],
  ]
}

/** Seconds since certificates were read; 0 without TLS. */
function sinceRefreshS({ clock, facts }: CommandContext): number {
  const readAtS = facts.certificatesReadAtS()
  return readAtS === 0 ? 0 : clock.nowS - readAtS
}

/** memcached's `sec.usec`. */
function seconds(microseconds: number): string {
  const whole = Math.floor(microseconds / MICROSECONDS)
  return `${whole}.${String(microseconds % MICROSECONDS).padStart(6, '0')}`
}
