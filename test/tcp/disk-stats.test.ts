/** What `stats`, `stats l2` and `stats settings` tell of the disk tier. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { startServer } from '../helpers/server.ts'
import type { Settings, TestClient, TestServer } from '../helpers/server.ts'

const folder = mkdtempSync(join(tmpdir(), 'rat-stats-'))
after(() => rmSync(folder, { recursive: true }))

/** More than what memory holds, of values that are not compressed. */
const ITEMS = 3000
const VALUE_BYTES = 1000

/** memcached's names in memcached's order, and what stands around them. */
const GETS = [
  'get_flushed',
  'get_extstore',
  'get_aborted_extstore',
  'get_oom_extstore',
  'recache_from_extstore',
  'miss_from_extstore',
  'badcrc_from_extstore',
  'delete_misses',
]
const STORE = [
  'log_watchers',
  'extstore_memory_pressure',
  'extstore_compact_lost',
  'extstore_compact_rescues',
  'extstore_compact_resc_cold',
  'extstore_compact_resc_old',
  'extstore_compact_skipped',
  'extstore_page_allocs',
  'extstore_page_evictions',
  'extstore_page_reclaims',
  'extstore_pages_free',
  'extstore_pages_used',
  'extstore_objects_evicted',
  'extstore_objects_read',
  'extstore_objects_written',
  'extstore_objects_used',
  'extstore_bytes_evicted',
  'extstore_bytes_written',
  'extstore_bytes_read',
  'extstore_bytes_used',
  'extstore_bytes_fragmented',
  'extstore_limit_maxbytes',
  'extstore_io_queue',
  'bytes',
]

let servers = 0

/** Every change is on disk before it is acknowledged, so that figures can be foretold. */
function start(settings: Settings = {}): Promise<TestServer> {
  return startServer({
    'l2.enabled': 'true',
    'l2.data_dir': join(folder, String(servers++)),
    'l2.max_disk_size': '64MB',
    'l2.write_policy': 'write-through',
    'l1.max_memory': '2MB',
    'l1.eviction': 'lru',
    'server.max_item_size': '512KB',
    ...settings,
  })
}

/** The figures that a command shows. */
async function figures(client: TestClient, command: string): Promise<Map<string, string>> {
  client.send(`${command}\r\n`)
  assert.ok(await client.until(() => client.text.endsWith('END\r\n')), client.text)
  const reply = (await client.take(client.length)).toString('latin1')
  return new Map(
    reply
      .split('\r\n')
      .slice(0, -2)
      .map((line) => {
        const [, name = '', value = ''] = /^STAT (\S+) (\S*)$/.exec(line) ?? []
        assert.notEqual(name, '', line)
        return [name, value]
      }),
  )
}

/** Reads figures as numbers, and fails for one that is not there. */
function reader(from: ReadonlyMap<string, string>): (name: string) => number {
  return (name) => {
    const value = from.get(name)
    assert.notEqual(value, undefined, name)
    return Number(value)
  }
}

async function fill(client: TestClient): Promise<void> {
  for (let i = 0; i < ITEMS; i++) {
    client.send(`set k${i} 0 0 ${VALUE_BYTES}\r\n${'x'.repeat(VALUE_BYTES)}\r\n`)
  }
  await client.expect('STORED\r\n'.repeat(ITEMS))
}

describe('statistics of the disk tier', () => {
  it('have the names of memcached at the places of memcached', async () => {
    const server = await start()
    const client = await server.connect()
    const names = [...(await figures(client, 'stats')).keys()]
    const runOf = (first: string, length: number): string[] =>
      names.slice(names.indexOf(first), names.indexOf(first) + length)
    assert.deepEqual(runOf('get_flushed', GETS.length), GETS)
    assert.deepEqual(runOf('log_watchers', STORE.length), STORE)
    client.destroy()
    await server.stop()
  })

  it('tell what was written, what left memory and what came back', async () => {
    const server = await start()
    const client = await server.connect()
    await fill(client)
    const value = 'x'.repeat(VALUE_BYTES)
    await client.ask('get k0\r\n', `VALUE k0 0 ${VALUE_BYTES}\r\n${value}\r\nEND\r\n`)
    const l2 = reader(await figures(client, 'stats l2'))
    const all = reader(await figures(client, 'stats'))

    assert.equal(l2('l2_enabled'), 1)
    assert.equal(l2('l2_writes'), ITEMS)
    assert.equal(l2('l2_bytes_accepted'), ITEMS * VALUE_BYTES)
    assert.equal(l2('l2_items'), ITEMS)
    assert.equal(all('extstore_objects_used'), ITEMS)
    assert.equal(all('extstore_objects_written'), ITEMS)

    // Whatever is not in memory was demoted; nothing was lost.
    assert.equal(all('evictions'), 0)
    assert.ok(l2('l2_demotions') > ITEMS / 4, `${l2('l2_demotions')} demotions`)
    assert.equal(all('curr_items'), ITEMS - l2('l2_demotions') + l2('l2_promotions'))

    assert.equal(l2('l2_hits'), 1)
    assert.equal(l2('l2_misses'), 0)
    assert.equal(l2('l2_promotions'), 1)
    assert.equal(all('get_extstore'), 1)
    assert.equal(all('recache_from_extstore'), 1)
    assert.equal(all('extstore_objects_read'), 1)
    assert.ok(l2('l2_bytes_read') >= VALUE_BYTES)
    assert.equal(all('extstore_bytes_read'), l2('l2_bytes_read'))
    client.destroy()
    await server.stop()
  })

  it('tell how long the disk took', async () => {
    const server = await start()
    const client = await server.connect()
    await fill(client)
    client.send('get k0\r\n')
    await client.until(() => client.text.endsWith('END\r\n'))
    await client.take(client.length)
    const l2 = reader(await figures(client, 'stats l2'))
    for (const name of ['l2_read', 'l2_write']) {
      const quantiles = ['p50', 'p90', 'p99', 'max'].map((which) => l2(`${name}_${which}_us`))
      assert.ok(quantiles[0]! > 0, `${name}: ${quantiles.join(', ')}`)
      assert.deepEqual(
        quantiles,
        quantiles.toSorted((a, b) => a - b),
      )
    }
    assert.ok(l2('l2_write_p50_us') <= l2('l2_write_us'))
    client.destroy()
    await server.stop()
  })

  it('tell what it costs: bytes written, bytes compressed, memory of the index', async () => {
    const server = await start({ 'l1.max_memory': '8MB' })
    const client = await server.connect()
    for (let i = 0; i < 10; i++) {
      await client.ask(`set c${i} 0 0 8192\r\n${'ab'.repeat(4096)}\r\n`, 'STORED\r\n')
    }
    const l2 = reader(await figures(client, 'stats l2'))
    assert.equal(l2('l2_compressed_values'), 10)
    assert.ok(l2('l2_compression_ratio') < 0.1, `${l2('l2_compression_ratio')}`)
    assert.ok(l2('l2_write_amplification') < 0.5, `${l2('l2_write_amplification')}`)
    assert.ok(l2('l2_write_amplification') > 0)
    assert.ok(l2('l2_index_bytes') > 0)
    assert.equal(l2('l2_limit_maxbytes'), 64 * 1024 ** 2)
    client.destroy()
    await server.stop()
  })

  it('count only what can be found on disk, generation by generation', async () => {
    const server = await start()
    const client = await server.connect()
    await fill(client)
    for (let i = 0; i < 100; i++) await client.ask(`delete k${i}\r\n`, 'DELETED\r\n')
    const all = await figures(client, 'stats l2')
    const l2 = reader(all)
    assert.equal(l2('l2_items'), ITEMS - 100)
    const numbers = [...all.keys()].flatMap(
      (name) => /^generation:(\d+):items$/.exec(name)?.[1] ?? [],
    )
    assert.equal(numbers.length, l2('l2_generations'))
    const sum = (what: string): number =>
      numbers.reduce((total, number) => total + l2(`generation:${number}:${what}`), 0)
    assert.equal(sum('items'), ITEMS - 100)
    assert.equal(sum('bytes'), l2('l2_disk_bytes'))
    assert.equal(sum('writable'), 1)
    assert.ok(sum('age') >= 0 && sum('age') < 60 * numbers.length)
    client.destroy()
    await server.stop()
  })

  it('tell the journal and what waits, under a policy that lets it wait', async () => {
    const server = await start({ 'l2.write_policy': 'write-behind', 'l2.write_interval': '1m' })
    const client = await server.connect()
    await client.ask('set k 0 0 5\r\nhello\r\n', 'STORED\r\n')
    const l2 = reader(await figures(client, 'stats l2'))
    assert.ok(l2('l2_changed_bytes') > 5)
    assert.equal(l2('l2_writes'), 0)
    assert.equal(l2('l2_journal_entries'), 0, 'the disk has nothing that could be stale')
    const all = reader(await figures(client, 'stats'))
    const percent = (100 * l2('l2_changed_bytes')) / (64 * 1024 ** 2)
    assert.equal(all('extstore_memory_pressure'), Number(percent.toFixed(2)))
    client.destroy()
    await server.stop()
  })

  it('tell what the journal names: a value on disk that has been replaced since', async () => {
    // An eighth of what may wait is written before the interval is over.
    const server = await start({
      'l2.write_policy': 'write-behind',
      'l2.write_interval': '1m',
      'l2.max_staged': '1MB',
    })
    const client = await server.connect()
    for (let i = 0; i < 3; i++) {
      await client.ask(`set k${i} 0 0 50000\r\n${'x'.repeat(50_000)}\r\n`, 'STORED\r\n')
    }
    let l2 = reader(await figures(client, 'stats l2'))
    while (l2('l2_batches') === 0 || l2('l2_staged_bytes') > 0) {
      l2 = reader(await figures(client, 'stats l2'))
    }
    await client.ask('set k0 0 0 1\r\nx\r\n', 'STORED\r\n')
    l2 = reader(await figures(client, 'stats l2'))
    assert.equal(l2('l2_journaled'), 1)
    assert.equal(l2('l2_journal_entries'), 1)
    assert.ok(l2('l2_journal_bytes') > 0)
    client.destroy()
    await server.stop()
  })

  it('begin at 0 again after a reset, but for what is there', async () => {
    const server = await start()
    const client = await server.connect()
    await fill(client)
    await client.ask('stats reset\r\n', 'RESET\r\n')
    const l2 = reader(await figures(client, 'stats l2'))
    for (const name of ['l2_writes', 'l2_demotions', 'l2_batches', 'l2_write_max_us']) {
      assert.equal(l2(name), 0, name)
    }
    assert.equal(l2('l2_items'), ITEMS)
    client.destroy()
    await server.stop()
  })

  it('are not there without a disk tier', async () => {
    const server = await startServer()
    const client = await server.connect()
    const names = [...(await figures(client, 'stats')).keys()].join(' ')
    assert.doesNotMatch(names, /extstore|l2_/)
    assert.deepEqual([...(await figures(client, 'stats l2'))], [['l2_enabled', '0']])
    const settings = await figures(client, 'stats settings')
    assert.equal(settings.get('l2_enabled'), 'no')
    assert.equal(settings.get('ext_item_size'), undefined)
    client.destroy()
    await server.stop()
  })

  it('have a name that may not be shortened', async () => {
    const server = await startServer()
    const client = await server.connect()
    await client.ask('stats l\r\n', 'ERROR\r\n')
    await client.ask('stats l22\r\n', 'ERROR\r\n')
    client.destroy()
    await server.stop()
  })
})

describe('settings of the disk tier', () => {
  it('stand where memcached has those of its own', async () => {
    const server = await start({
      'l2.min_item_size': '512',
      'l2.min_ttl': '30s',
      'l2.promotion': 'second-hit',
      'l2.sync': 'interval',
    })
    const client = await server.connect()
    const settings = await figures(client, 'stats settings')
    const names = [...settings.keys()]
    assert.ok(names.indexOf('idle_timeout') < names.indexOf('ext_item_size'))
    assert.ok(names.indexOf('ext_drop_unread') < names.indexOf('ssl_enabled'))
    assert.equal(settings.get('ext_item_size'), '512')
    assert.equal(settings.get('ext_low_ttl'), '30')
    assert.equal(settings.get('l2_enabled'), 'yes')
    assert.equal(settings.get('l2_max_disk_size'), String(64 * 1024 ** 2))
    assert.equal(settings.get('l2_write_policy'), 'write-through')
    assert.equal(settings.get('l2_promotion'), 'second-hit')
    assert.equal(settings.get('l2_sync'), 'interval')
    client.destroy()
    await server.stop()
  })
})
