/**
 * `stats settings`: the configuration in force, under memcached's names where it has one.
 *
 * Settings of memcached that have no counterpart here are left out, not invented, but for those
 * whose absence tools take for an error; these say what is true of this server.
 */
import type { Config } from '../config/schema.ts'
import type { Crawler } from '../engine/crawler.ts'
import type { TierRules } from '../engine/tiers.ts'
import type { Stat } from './stats-report.ts'
import type { Remembered } from './tuning.ts'

/** Of how many reads of an item from disk one takes it into memory, as far as memcached can say that. */
const RECACHE_RATE: Readonly<Record<TierRules['promotion'], string>> = {
  always: '1',
  'second-hit': '2',
  never: '0',
}

/** What is not in the configuration, or is no more as it says. */
export interface SettingsInForce {
  /** That of the first TCP listener, 0 if there is none. */
  readonly tcpPort: number
  readonly verbosity: number
  readonly slabChunkMax: number
  readonly requiresLogin: boolean
  readonly memoryBytesMax: number
  readonly countsPrefixes: boolean
  readonly crawler: Crawler
  readonly remembered: Remembered
  /** Of the disk tier, if there is one. */
  readonly rules: TierRules | undefined
}

export function settingsStats(config: Config, inForce: SettingsInForce): Stat[] {
  const { commands, l1, server } = config
  const { crawler, remembered, requiresLogin } = inForce
  const asciiUsers = config.auth.file === '' ? 'yes' : config.auth.file
  const unix = server.bind.find((address) => address.startsWith('unix:'))
  const hosts = server.bind.filter((address) => !address.startsWith('unix:'))
  return [
    ['maxbytes', String(inForce.memoryBytesMax)],
    ['maxconns', String(server.connectionsMax)],
    ['tcpport', String(inForce.tcpPort)],
    ['udpport', '0'],
    ['inter', hosts.length === 0 ? 'NULL' : hosts.join(',')],
    ['verbosity', String(inForce.verbosity)],
    ['evictions', l1.evictions ? 'on' : 'off'],
    ['domain_socket', unix === undefined ? 'NULL' : unix.slice('unix:'.length)],
    ['umask', server.unixMode.toString(8)],
    ['num_threads', '1'],
    ['stat_key_prefix', commands.prefixDelimiter],
    ['detail_enabled', yesNo(inForce.countsPrefixes)],
    ['reqs_per_event', String(server.commandsPerTurnMax)],
    ['cas_enabled', 'yes'],
    ['tcp_backlog', String(server.backlog)],
    ['binding_protocol', server.protocol === 'auto' ? 'auto-negotiate' : server.protocol],
    ['auth_enabled_sasl', yesNo(requiresLogin && server.protocol !== 'ascii')],
    ['auth_enabled_ascii', requiresLogin && server.protocol !== 'binary' ? asciiUsers : 'no'],
    ['item_size_max', String(server.itemBytesMax)],
    ['maxconns_fast', yesNo(server.whenFull === 'refuse')],
    ['slab_chunk_max', String(inForce.slabChunkMax)],
    ['slab_reassign', 'yes'],
    ['slab_automove', String(remembered.slabAutomove)],
    ['slab_automove_ratio', remembered.slabAutomoveRatio.toFixed(2)],
    ['lru_crawler', yesNo(crawler.isEnabled)],
    ['lru_crawler_sleep', String(crawler.sleepUs)],
    ['lru_crawler_tocrawl', String(crawler.itemsPerClassMax)],
    ['lru_maintainer_thread', 'no'],
    ['flush_enabled', yesNo(commands.flushEnabled)],
    ['dump_enabled', yesNo(commands.dumpEnabled)],
    ['watch_enabled', yesNo(commands.watchEnabled)],
    ['hash_algorithm', 'halfsiphash-1-3'],
    ['lru_segmented', yesNo(remembered.lruSegmented)],
    ['hot_lru_pct', String(remembered.hotPercent)],
    ['warm_lru_pct', String(remembered.warmPercent)],
    ['hot_max_factor', remembered.hotFactor.toFixed(2)],
    ['warm_max_factor', remembered.warmFactor.toFixed(2)],
    ['temp_lru', yesNo(remembered.temporaryTtlS >= 0)],
    ['temporary_ttl', String(Math.max(0, remembered.temporaryTtlS))],
    ['idle_timeout', String(Math.round(server.idleTimeoutMs / 1000))],
    ...extstoreSettings(config, inForce.rules),
    ['shutdown_command', yesNo(commands.shutdownEnabled)],
    ['ssl_enabled', yesNo(config.tls.enabled)],
    ...tlsSettings(config),
    ['client_flags_size', '4'],
    ['eviction_policy', l1.eviction],
    ['max_entries', String(l1.entriesMax)],
    ['max_get_line', String(server.getLineBytesMax)],
    ['max_pending_output', String(server.pendingOutputBytesMax)],
    ['max_connections_per_address', String(server.connectionsPerAddressMax)],
    ['max_inflight', String(server.inflightBytesMax)],
    ...diskSettings(config),
  ]
}

/** OpenSSL's numbers, as memcached shows them: that of `require` is `request` and one bit more. */
const VERIFY_NUMBERS = { none: '0', request: '1', require: '3' } as const

/** memcached shows these only with TLS. */
function tlsSettings({ tls }: Config): Stat[] {
  if (!tls.enabled) return []
  return [
    ['ssl_chain_cert', tls.certFile],
    ['ssl_key', tls.keyFile === '' ? tls.certFile : tls.keyFile],
    ['ssl_verify_mode', VERIFY_NUMBERS[tls.verify]],
    ['ssl_keyformat', '1'],
    ['ssl_ciphers', tls.ciphers === '' ? 'NULL' : tls.ciphers],
    ['ssl_ca_cert', tls.caFile === '' ? 'NULL' : tls.caFile],
    ['ssl_kernel_tls', 'no'],
    ['ssl_session_cache', yesNo(tls.sessionCache)],
    ['ssl_min_version', `tlsv${tls.versionMin}`],
  ]
}

function yesNo(is: boolean): string {
  return is ? 'yes' : 'no'
}

/**
 * Of memcached's settings of its external storage those that say the same of the disk tier: from what
 * size, from what time to live, how soon, how often a value that was read stays in memory, what may
 * wait, and that what nobody read is not carried on.
 */
function extstoreSettings({ l2 }: Config, rules: TierRules | undefined): Stat[] {
  if (rules === undefined) return []
  return [
    ['ext_item_size', String(rules.valueBytesMin)],
    ['ext_item_age', '0'],
    ['ext_low_ttl', String(Math.round(rules.secondsToLiveMin))],
    ['ext_recache_rate', RECACHE_RATE[rules.promotion]],
    ['ext_wbuf_size', String(l2.stagedBytesMax)],
    ['ext_drop_unread', 'yes'],
  ]
}

function diskSettings({ l2, compression, performance }: Config): Stat[] {
  if (!l2.enabled) return [['l2_enabled', 'no']]
  return [
    ['l2_enabled', 'yes'],
    ['l2_max_disk_size', String(l2.diskBytesMax)],
    ['l2_write_policy', l2.writePolicy],
    ['l2_write_interval_ms', String(l2.writeIntervalMs)],
    ['l2_max_staged', String(l2.stagedBytesMax)],
    ['l2_sync', l2.sync],
    ['l2_sync_interval_ms', String(l2.syncIntervalMs)],
    ['l2_max_item_size', String(l2.itemBytesMax)],
    ['l2_promotion', l2.promotion],
    ['l2_warmup', l2.warmup],
    ['l2_inline_reads', yesNo(l2.inlineReads)],
    ['l2_warmup_rate', String(l2.warmupBytesPerS)],
    ['compression_enabled', compression.enabled ? 'yes' : 'no'],
    ['compression_min_size', String(compression.valueBytesMin)],
    ['compression_max_size', String(compression.valueBytesMax)],
    ['large_value_threshold', String(performance.largeValueBytesMin)],
  ]
}
