/** The configuration read again while the server runs: what changes at once, what waits, what is refused. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import { KEY_DEFINITIONS, keyPath } from '../../src/config/schema.ts'
import { APPLIED, WAITS, changesIn, running } from '../helpers/reload.ts'
import type { Running } from '../helpers/reload.ts'
import { readStats } from '../helpers/server.ts'
import type { Settings, TestClient } from '../helpers/server.ts'

/** What a reload with one new value is to do, seen by a client that was there before. */
interface Effect {
  readonly start?: Settings
  readonly to: string
  readonly seen: (client: TestClient, running: Running) => Promise<void>
}

/** `stats settings` says so. */
function setting(to: string, name: string, shown: string): Effect {
  return {
    to,
    async seen(client) {
      const rows = await client.list('stats settings', 'END\r\n')
      assert.ok(rows.includes(`STAT ${name} ${shown}`), rows.join('\n'))
    },
  }
}

/** A command is answered otherwise than before. */
function command(to: string, request: string, reply: string, start: Settings = {}): Effect {
  return { to, start, seen: (client) => client.ask(request, reply) }
}

const big = 'x'.repeat(5000)

/** Stores a value and looks how many the disk has taken after a second change went by. */
async function written(client: TestClient): Promise<number> {
  const rows = await client.list('stats l2', 'END\r\n')
  const row = rows.find((text) => text.startsWith('STAT l2_writes '))
  return Number(row?.split(' ')[2])
}

async function untilWritten(client: TestClient, count: number): Promise<void> {
  const deadline = performance.now() + 10_000
  while ((await written(client)) < count) {
    assert.ok(performance.now() < deadline, 'it was not written')
  }
}

/** Stores something that goes to disk only with the new value. */
function goesToDisk(to: string, start: Settings): Effect {
  return {
    to,
    start: { 'l2.write_interval': '5ms', ...start },
    async seen(client) {
      await client.ask('set a 0 60 5000\r\n' + big + '\r\n', 'STORED\r\n')
      await untilWritten(client, 1)
    },
  }
}

const EFFECTS: Readonly<Record<string, Effect>> = {
  'server.max_connections': {
    to: '1',
    async seen(_, { connect }) {
      const second = await connect()
      await second.expect('ERROR Too many open connections\r\n')
      second.destroy()
    },
  },
  'server.when_full': {
    to: 'wait',
    start: { 'server.max_connections': '1' },
    async seen(client, { connect }) {
      const second = await connect()
      second.send('mn\r\n')
      client.destroy()
      await second.expect('MN\r\n')
      second.destroy()
    },
  },
  'server.max_connections_per_address': {
    to: '1',
    async seen(_, { connect }) {
      const second = await connect()
      await second.expect('ERROR Too many open connections\r\n')
      second.destroy()
    },
  },
  'server.max_item_size': command(
    '4KB',
    `set a 0 0 5000\r\n${big}\r\n`,
    'SERVER_ERROR object too large for cache\r\n',
  ),
  'server.idle_timeout': { to: '1s', seen: (client) => client.closed(10_000) },
  'server.shutdown_timeout': {
    to: '0s',
    start: { 'server.shutdown_timeout': '1h' },
    // A client with half a value would be waited for.
    async seen(client, { server }) {
      client.send('set a 0 0 10\r\nhalf')
      await server.stop()
    },
  },
  'server.max_commands_per_turn': setting('7', 'reqs_per_event', '7'),
  'server.max_get_line': {
    to: '2KB',
    async seen(client) {
      client.send(`get ${'k '.repeat(3000)}`)
      await client.closed()
    },
  },
  'server.max_pending_output': setting('16KB', 'max_pending_output', '16384'),
  'server.max_inflight': setting('300MB', 'max_inflight', String(300 * 2 ** 20)),
  'commands.flush_all': command('false', 'flush_all\r\n', 'CLIENT_ERROR flush_all not allowed\r\n'),
  'commands.dump': command(
    'false',
    'lru_crawler metadump all\r\n',
    'ERROR metadump not allowed\r\n',
  ),
  'commands.watch': command('false', 'watch\r\n', 'CLIENT_ERROR watch commands not allowed\r\n'),
  'commands.shutdown': command(
    'true',
    'shutdown nonsense\r\n',
    'CLIENT_ERROR invalid shutdown mode\r\n',
  ),
  'commands.detail': {
    to: 'true',
    async seen(client) {
      await client.ask('get a:1\r\n', 'END\r\n')
      const rows = await client.list('stats detail dump', 'END\r\n')
      assert.deepEqual(rows, ['PREFIX a get 1 hit 0 set 0 del 0'])
    },
  },
  'l1.max_memory': setting('32MB', 'maxbytes', String(32 * 2 ** 20)),
  'l2.max_disk_size': {
    to: '64MB',
    async seen(client) {
      const rows = await client.list('stats l2', 'END\r\n')
      assert.ok(rows.includes(`STAT l2_limit_maxbytes ${64 * 2 ** 20}`))
    },
  },
  'l2.write_policy': goesToDisk('write-behind', { 'l2.write_policy': 'on-evict' }),
  'l2.write_interval': goesToDisk('5ms', { 'l2.write_interval': '1m' }),
  'l2.max_staged': setting('8MB', 'l2_max_staged', String(8 * 2 ** 20)),
  'l2.sync': setting('always', 'l2_sync', 'always'),
  'l2.sync_interval': setting('7s', 'l2_sync_interval_ms', '7000'),
  'l2.min_item_size': goesToDisk('0', { 'l2.min_item_size': '10KB' }),
  'l2.max_item_size': goesToDisk('10KB', { 'l2.max_item_size': '1KB' }),
  'l2.min_ttl': goesToDisk('1s', { 'l2.min_ttl': '1h' }),
  'l2.promotion': setting('never', 'ext_recache_rate', '0'),
  'compression.enabled': setting('false', 'compression_enabled', 'no'),
  'compression.min_size': setting('100', 'compression_min_size', '100'),
  'compression.max_size': setting('1MB', 'compression_max_size', String(2 ** 20)),
  'performance.large_value_threshold': setting('2KB', 'large_value_threshold', '2048'),
  'ttl.default': {
    to: '1h',
    seen: (client) => client.ask('ms a 1\r\nx\r\nmg a t\r\n', 'HD\r\nHD t3600\r\n'),
  },
  'ttl.max': {
    to: '1h',
    seen: (client) => client.ask('ms a 1 T9999\r\nx\r\nmg a t\r\n', 'HD\r\nHD t3600\r\n'),
  },
  'ttl.sweep_interval': {
    to: '100ms',
    start: { 'ttl.sweep_interval': '0' },
    async seen(client) {
      await client.ask(
        'set a 0 -1 1\r\nx\r\nset b 0 0 1\r\nx\r\nflush_all\r\n',
        'STORED\r\nSTORED\r\nOK\r\n',
      )
      const deadline = performance.now() + 10_000
      for (;;) {
        const rows = await client.list('stats', 'END\r\n')
        if (rows.includes('STAT curr_items 0')) break
        assert.ok(performance.now() < deadline, 'nothing was swept')
      }
    },
  },
  'metrics.allow_values': {
    to: 'true',
    start: { 'metrics.bind': '127.0.0.1:0' },
    async seen(_, { server }) {
      const answer = await fetch(`http://${server.sideDoor()}/stats.json`)
      assert.match(await answer.text(), /"allowsValues":true/)
    },
  },
  'metrics.degraded_limit': {
    to: '5m',
    start: { 'metrics.bind': '127.0.0.1:0' },
    async seen(_, { server }) {
      const answer = await fetch(`http://${server.sideDoor()}/stats.json`)
      assert.match(await answer.text(), /"metrics\.degraded_limit","\\"5m\\""/)
    },
  },
  'logging.summary_interval': {
    to: '1s',
    async seen(client, { lines }) {
      await client.ask('get a\r\n', 'END\r\n')
      const deadline = performance.now() + 10_000
      while (!lines.some(({ msg }) => msg === 'summary')) {
        assert.ok(performance.now() < deadline, 'there was no summary')
        await client.ask('mn\r\n', 'MN\r\n')
      }
    },
  },
  'logging.level': {
    to: 'debug',
    async seen(_, { connect, lines }) {
      const second = await connect()
      await second.ask('mn\r\n', 'MN\r\n')
      assert.ok(lines.some(({ level }) => level === 'debug'))
      second.destroy()
    },
  },
}

/** In reload-files.test.ts, and what is about the log of the program in unit/cli/log.test.ts. */
const ELSEWHERE: readonly string[] = [
  'logging.file',
  'logging.stream',
  'logging.pretty',
  'logging.max_file_size',
  'logging.max_files',
  'auth.file',
  'auth.max_attempts',
  'auth.max_failures_per_minute',
  'tls.cert',
  'tls.key',
  'tls.ca',
  'tls.ciphers',
  'tls.min_version',
  'tls.session_cache',
]

describe('a reload', () => {
  it('is tested with every key that is live', () => {
    const live = KEY_DEFINITIONS.filter((definition) => definition.live).map(keyPath)
    assert.deepEqual([...Object.keys(EFFECTS), ...ELSEWHERE].sort(), live.sort())
  })

  for (const [key, { start = {}, to, seen }] of Object.entries(EFFECTS)) {
    it(`changes ${key} for who is connected already`, () =>
      running(start, async (server) => {
        const client = await server.connect()
        await client.ask('mn\r\n', 'MN\r\n')
        assert.ok(server.reload({ [key]: to }))
        assert.deepEqual(changesIn(server.lines, APPLIED), [key])
        await seen(client, server)
        client.destroy()
      }))
  }

  it('names each key that has to wait for a restart, again and again', () =>
    running({}, async (server) => {
      const next = { 'server.backlog': '5', 'l1.eviction': 'lru', 'server.max_connections': '9' }
      for (const [reloads, applied] of [
        [1, 1],
        [2, 1],
      ] as const) {
        assert.ok(server.reload(next))
        assert.equal(changesIn(server.lines, APPLIED).length, applied)
        assert.deepEqual(changesIn(server.lines, WAITS).slice(-2).sort(), [
          'l1.eviction',
          'server.backlog',
        ])
        const stats = await readStats({ port: server.port, host: '127.0.0.1' })
        assert.equal(stats.get('config_reloads'), reloads)
        assert.equal(stats.get('max_connections'), 9)
        assert.ok(stats.get('config_reloaded_at')! > 1_700_000_000)
      }
    }))

  it('takes other rules for prefixes, which only a file can have', () =>
    running({}, async ({ server, lines, folder, connect }) => {
      const file = join(folder, 'rules.toml')
      writeFileSync(file, '[[ttl.rules]]\nprefix = "s:"\ndefault = "1h"\n')
      const overrides = [{ key: 'server.bind', value: '127.0.0.1:0', option: 'test' }]
      assert.ok(server.reload(() => loadConfig({ file, env: {}, overrides })))
      assert.ok(changesIn(lines, APPLIED).includes('ttl.rules'))
      const client = await connect()
      await client.ask('ms s:a 1\r\nx\r\nmg s:a t\r\n', 'HD\r\nHD t3600\r\n')
      client.destroy()
    }))

  it('shows nothing of a secret', () =>
    running({}, ({ lines, reload }) => {
      assert.ok(reload({ 'metrics.token': 'secret-of-the-door' }))
      assert.deepEqual(changesIn(lines, WAITS), ['metrics.token'])
      assert.ok(!JSON.stringify(lines).includes('secret-of-the-door'))
      return Promise.resolve()
    }))

  it('cannot give more memory than there was at the start, and lets it wait', () =>
    running({ 'l1.max_memory': '16MB' }, async (server) => {
      assert.ok(server.reload({ 'l1.max_memory': '1GB', 'server.max_item_size': '100MB' }))
      assert.deepEqual(changesIn(server.lines, WAITS), ['server.max_item_size', 'l1.max_memory'])
      const client = await server.connect()
      const rows = await client.list('stats settings', 'END\r\n')
      assert.ok(rows.includes(`STAT maxbytes ${16 * 2 ** 20}`))
      assert.ok(rows.includes(`STAT item_size_max ${2 ** 20}`))
      client.destroy()
    }))

  it('leaves alone what a command has changed, unless that very key is another', () =>
    running({ 'l2.min_item_size': '100' }, async (server) => {
      const client = await server.connect()
      await client.ask('extstore item_size 7\r\n', 'OK\r\n')
      await client.ask('cache_memlimit 20\r\n', 'OK\r\n')
      assert.ok(server.reload({ 'l2.promotion': 'never' }))
      const rows = await client.list('stats settings', 'END\r\n')
      assert.ok(rows.includes('STAT ext_item_size 7'))
      assert.ok(rows.includes(`STAT maxbytes ${20 * 2 ** 20}`))
      assert.ok(server.reload({ 'l2.promotion': 'never', 'l2.min_item_size': '200' }))
      const again = await client.list('stats settings', 'END\r\n')
      assert.ok(again.includes('STAT ext_item_size 200'))
      client.destroy()
    }))

  it('that cannot be read changes nothing, and says why', () =>
    running({}, async (server) => {
      assert.ok(!server.reload({ 'server.max_connections': 'many', 'server.idle_timeout': '5s' }))
      const line = server.lines.find(({ level }) => level === 'error')
      assert.equal(line?.msg, 'the configuration was not reloaded: nothing has changed')
      assert.match(line?.reason ?? '', /server\.max_connections: "many" is not a whole number/)
      const stats = await readStats({ port: server.port, host: '127.0.0.1' })
      assert.equal(stats.get('config_reload_errors'), 1)
      assert.equal(stats.get('config_reloads'), 0)
      assert.equal(stats.get('max_connections'), 1024)
    }))
})

describe('a cap on the disk that is lowered', () => {
  it('is reached without anybody writing', () =>
    running({ 'l2.max_disk_size': '256MB', 'l2.write_interval': '5ms' }, async (server) => {
      const client = await server.connect()
      const value = 'y'.repeat(500_000)
      for (let i = 0; i < 120; i++) client.send(`set k${i} 0 0 500000 noreply\r\n${value}\r\n`)
      await client.ask('mn\r\n', 'MN\r\n')
      await untilWritten(client, 120)
      assert.ok(server.reload({ 'l2.max_disk_size': '16MB', 'l2.write_interval': '5ms' }))
      const deadline = performance.now() + 15_000
      for (;;) {
        const rows = await client.list('stats l2', 'END\r\n')
        const row = rows.find((text) => text.startsWith('STAT l2_disk_bytes '))
        if (Number(row?.split(' ')[2]) <= 16 * 2 ** 20) break
        assert.ok(performance.now() < deadline, rows.join('\n'))
      }
      await client.ask('set a 0 0 1\r\nx\r\nget a\r\n', 'STORED\r\nVALUE a 0 1\r\nx\r\nEND\r\n')
      client.destroy()
    }))
})
