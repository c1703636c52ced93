/**
 * `stats settings`: the configuration in force, under memcached's names where it has one.
 *
 * Settings of memcached that have no counterpart here are left out, not invented, but for those
 * whose absence tools take for an error; these say what is true of this server.
 */
import type { Config } from '../config/schema.ts'
import type { Stat } from './stats-report.ts'

/** `tcpPort` is that of the first TCP listener, 0 if there is none. */
export function settingsStats(
  config: Config,
  tcpPort: number,
  verbosity: number,
  slabChunkMax: number,
  requiresLogin: boolean,
): Stat[] {
  const { commands, l1, server } = config
  const asciiUsers = config.auth.file === '' ? 'yes' : config.auth.file
  const unix = server.bind.find((address) => address.startsWith('unix:'))
  const hosts = server.bind.filter((address) => !address.startsWith('unix:'))
  return [
    ['maxbytes', String(l1.memoryBytesMax)],
    ['maxconns', String(server.connectionsMax)],
    ['tcpport', String(tcpPort)],
    ['udpport', '0'],
    ['inter', hosts.length === 0 ? 'NULL' : hosts.join(',')],
    ['verbosity', String(verbosity)],
    ['evictions', l1.evictions ? 'on' : 'off'],
    ['domain_socket', unix === undefined ? 'NULL' : unix.slice('unix:'.length)],
    ['umask', server.unixMode.toString(8)],
    ['num_threads', '1'],
    ['stat_key_prefix', ':'],
    ['detail_enabled', 'no'],
    ['reqs_per_event', String(server.commandsPerTurnMax)],
    ['cas_enabled', 'yes'],
    ['tcp_backlog', String(server.backlog)],
    ['binding_protocol', server.protocol === 'auto' ? 'auto-negotiate' : server.protocol],
    ['auth_enabled_sasl', yesNo(requiresLogin && server.protocol !== 'ascii')],
    ['auth_enabled_ascii', requiresLogin && server.protocol !== 'binary' ? asciiUsers : 'no'],
    ['item_size_max', String(server.itemBytesMax)],
    ['maxconns_fast', yesNo(server.whenFull === 'refuse')],
    ['slab_chunk_max', String(slabChunkMax)],
    ['slab_reassign', 'yes'],
    ['lru_crawler', 'no'],
    ['lru_maintainer_thread', 'no'],
    ['flush_enabled', yesNo(commands.flushEnabled)],
    ['dump_enabled', yesNo(commands.dumpEnabled)],
    ['watch_enabled', yesNo(commands.watchEnabled)],
    ['hash_algorithm', 'halfsiphash-1-3'],
    ['lru_segmented', 'no'],
    ['idle_timeout', String(Math.round(server.idleTimeoutMs / 1000))],
    ...extstoreSettings(config),
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

/** memcached shows these only with TLS. */
function tlsSettings({ tls }: Config): Stat[] {
  if (!tls.enabled) return []
  return [
    ['ssl_chain_cert', tls.certFile],
    ['ssl_key', tls.keyFile === '' ? tls.certFile : tls.keyFile],
    ['ssl_verify_mode', tls.verify],
    ['ssl_keyformat', '1'],
    ['ssl_ciphers', tls.ciphers === '' ? 'NULL' : tls.ciphers],
    ['ssl_ca_cert', tls.caFile === '' ? 'NULL' : tls.caFile],
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
function extstoreSettings({ l2 }: Config): Stat[] {
  if (!l2.enabled) return []
  return [
    ['ext_item_size', String(l2.itemBytesMin)],
    ['ext_item_age', '0'],
    ['ext_low_ttl', String(Math.round(l2.ttlMinMs / 1000))],
    ['ext_recache_rate', l2.promotion === 'never' ? '0' : '1'],
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
    ['l2_warmup_rate', String(l2.warmupBytesPerS)],
    ['compression_enabled', compression.enabled ? 'yes' : 'no'],
    ['compression_min_size', String(compression.valueBytesMin)],
    ['compression_max_size', String(compression.valueBytesMax)],
    ['large_value_threshold', String(performance.largeValueBytesMin)],
  ]
}
