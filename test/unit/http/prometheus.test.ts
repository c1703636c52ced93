import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { METRIC } from '../../../src/observe/metrics.ts'
import { startServer } from '../../helpers/server.ts'

const PAGE = readFileSync(new URL('../../../docs/METRICS.md', import.meta.url), 'utf8')

/** The text of `/metrics` of a server with both tiers that has done a little. */
async function scrape(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'rat-metrics-'))
  const server = await startServer({
    'metrics.bind': '127.0.0.1:0',
    'l2.enabled': 'true',
    'l2.data_dir': folder,
  })
  try {
    const client = await server.connect()
    await client.ask('set a 0 0 1\r\n1\r\n', 'STORED\r\n')
    await client.ask('add a 0 0 1\r\n1\r\n', 'NOT_STORED\r\n')
    await client.ask('cas a 0 0 1 99\r\n1\r\n', 'EXISTS\r\n')
    await client.ask('get a b\r\n', 'VALUE a 0 1\r\n1\r\nEND\r\n')
    await client.ask('incr a 2\r\n', '3\r\n')
    await client.ask('delete b\r\n', 'NOT_FOUND\r\n')
    const response = await server.get('/metrics')
    assert.equal(response.status, 200)
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    return await response.text()
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true })
  }
}

/** Names in the first cells of the tables of a section. */
function namesIn(start: string): string[] {
  const section = PAGE.slice(PAGE.indexOf(start))
  return [...section.matchAll(/^\| `(\w+)` +\|/gm)].map(([, name]) => name!)
}

describe('/metrics', () => {
  it('counts commands as memcached_exporter does', async () => {
    const text = await scrape()
    const value = (series: string): number => {
      const line = text.split('\n').find((other) => other.startsWith(`${series} `))
      return Number(line?.slice(series.length + 1))
    }
    assert.equal(value('memcached_up'), 1)
    assert.equal(value('memcached_version{version="1.6.45"}'), 1)
    assert.equal(value('memcached_commands_total{command="get",status="hit"}'), 1)
    assert.equal(value('memcached_commands_total{command="get",status="miss"}'), 1)
    // set and add; cas is apart.
    assert.equal(value('memcached_commands_total{command="set",status="hit"}'), 2)
    assert.equal(value('memcached_commands_total{command="cas",status="badval"}'), 1)
    assert.equal(value('memcached_commands_total{command="incr",status="hit"}'), 1)
    assert.equal(value('memcached_commands_total{command="delete",status="miss"}'), 1)
    assert.equal(value('memcached_slab_current_items{slab="1"}'), 1)
    assert.equal(value('memcached_extstore_limit_maxbytes'), Number.NaN)
    assert.ok(value('memcached_extstore_bytes_limit') > 0)
    assert.equal(value('rat_memcached_items{tier="memory"}'), 1)
  })

  it('shows what docs/METRICS.md lists, and nothing else', async () => {
    const text = await scrape()
    const shown = [...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name!)
    const counters = Object.keys(METRIC).map((name) => {
      const words = name
        .toLowerCase()
        .replace(/_us$/, '_seconds')
        .replace(/^total_/, '')
      return `rat_memcached_${words}_total`
    })
    const listed = namesIn('## For Prometheus')
    const others = shown.filter((name) => !counters.includes(name))
    assert.deepEqual(others.sort(), listed.sort())
    // A counter has one name, there or here.
    const own = shown.filter((name) => counters.includes(name))
    assert.ok(own.length > 30)
    assert.ok(!own.includes('rat_memcached_get_hits_total'))
    assert.ok(own.includes('rat_memcached_l2_hits_total'))
    assert.ok(own.includes('rat_memcached_l2_read_seconds_total'))
  })

  it('has a line of help, a type and no series twice', async () => {
    const text = await scrape()
    const series = text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.slice(0, line.lastIndexOf(' ')))
    assert.equal(new Set(series).size, series.length)
    for (const [, name] of text.matchAll(/^# TYPE (\w+) /gm)) {
      assert.match(text, new RegExp(`^# HELP ${name} \\S`, 'm'))
    }
    assert.ok(!text.includes('NaN'))
  })
})
