import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { SlowCommand, StatsDocument } from '../../src/http/stats-document.ts'
import { READ_MODES, startServer } from '../helpers/server.ts'
import type { Settings, TestClient, TestServer } from '../helpers/server.ts'

async function withServer(
  settings: Settings,
  use: (server: TestServer, client: TestClient) => Promise<void>,
  readMode = READ_MODES[0],
): Promise<void> {
  const server = await startServer({ 'metrics.bind': '127.0.0.1:0', ...settings }, readMode)
  try {
    await use(server, await server.connect())
  } finally {
    await server.stop()
  }
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'rat-insight-'))
  try {
    await use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The figures of one argument of stats. */
async function figures(client: TestClient, argument: string): Promise<Map<string, string>> {
  const lines = await client.list(`stats ${argument}`.trim(), 'END\r\n')
  return new Map(
    lines.map((line) => {
      const [, name = '', value = ''] = line.split(' ')
      return [name, value]
    }),
  )
}

/** How many commands of each class and tier were measured. */
async function counts(client: TestClient): Promise<Record<string, number>> {
  const rows = [...(await figures(client, 'latency'))]
  return Object.fromEntries(
    rows
      .filter(([name]) => name.endsWith(':count') && !name.startsWith('other'))
      .map(([name, value]) => [name.slice(0, -':count'.length), Number(value)]),
  )
}

async function document(server: TestServer): Promise<StatsDocument> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is what this path answers
  return (await (await server.get('/stats.json')).json()) as StatsDocument
}

describe('latencies', () => {
  for (const readMode of READ_MODES) {
    it(`count each command once, by what it does and what it met (${readMode})`, () =>
      withServer(
        {},
        async (_server, client) => {
          const large = 'x'.repeat(200_000)
          await client.ask(`set big 0 0 200000\r\n${large}\r\n`, 'STORED\r\n')
          await client.ask(
            'set a 0 0 1\r\n1\r\nget a b a\r\n',
            'STORED\r\nVALUE a 0 1\r\n1\r\nVALUE a 0 1\r\n1\r\nEND\r\n',
          )
          await client.ask(
            'set a 0 0 1 noreply\r\n2\r\nincr a 3\r\ndecr nothing 1\r\n',
            '5\r\nNOT_FOUND\r\n',
          )
          await client.ask('mg a v\r\nmg nothing v\r\nms a 1\r\n7\r\n', 'VA 1\r\n5\r\nEN\r\nHD\r\n')
          await client.ask(
            'touch a 0\r\ntouch no 0\r\ndelete a\r\ndelete a\r\n',
            'TOUCHED\r\nNOT_FOUND\r\nDELETED\r\nNOT_FOUND\r\n',
          )
          assert.deepEqual(await counts(client), {
            'get:memory': 3,
            'get:miss': 2,
            'set:memory': 4,
            'delete:memory': 1,
            'delete:miss': 1,
            'arithmetic:memory': 1,
            'arithmetic:miss': 1,
            'touch:memory': 1,
            'touch:miss': 1,
          })
        },
        readMode,
      ))
  }

  it('count what waited for the disk apart, and what was written through when it is acknowledged', () =>
    withFolder(async (folder) => {
      const disk = { 'l2.enabled': 'true', 'l2.data_dir': folder }
      await withServer({ ...disk, 'l2.write_policy': 'write-through' }, async (_server, client) => {
        await client.ask('set a 0 0 1\r\n1\r\nset b 0 0 1\r\n1\r\n', 'STORED\r\nSTORED\r\n')
        assert.deepEqual(await counts(client), { 'set:memory': 2 })
      })
      await withServer(disk, async (_server, client) => {
        await client.ask(
          'get a\r\nget a\r\n',
          'VALUE a 0 1\r\n1\r\nEND\r\nVALUE a 0 1\r\n1\r\nEND\r\n',
        )
        await client.ask('append b 0 0 1\r\n2\r\n', 'STORED\r\n')
        assert.deepEqual(await counts(client), {
          'get:memory': 1,
          'get:disk': 1,
          'set:disk': 1,
        })
      })
    }))

  it('are the same in stats, in the document and for Prometheus, and begin anew with stats reset', () =>
    withServer({}, async (server, client) => {
      await client.ask('get a b\r\n', 'END\r\n')
      const { latency } = await document(server)
      const missed = latency.find(({ command }) => command === 'get')
      assert.equal(missed?.count, 2)
      assert.equal(missed.tier, 'miss')
      assert.equal(
        missed.buckets.reduce((sum, [, count]) => sum + count, 0),
        2,
      )
      const shown = await figures(client, 'latency')
      assert.equal(shown.get('get:miss:max_us'), String(missed.maxUs))
      const text = await (await server.get('/metrics')).text()
      const series = 'rat_memcached_command_duration_seconds'
      assert.match(text, new RegExp(`^${series}_count{command="get",tier="miss"} 2$`, 'm'))
      assert.match(
        text,
        new RegExp(`^${series}_bucket{command="get",tier="miss",le="\\+Inf"} 2$`, 'm'),
      )
      await client.ask('stats reset\r\n', 'RESET\r\n')
      assert.deepEqual(await counts(client), {})
    }))

  it('can be left out', () =>
    withServer({ 'metrics.latency': 'false' }, async (server, client) => {
      await client.ask('get a\r\n', 'END\r\n')
      assert.deepEqual([...(await figures(client, 'latency'))], [['latency_enabled', '0']])
      assert.deepEqual([...(await figures(client, 'slow'))], [['slow_threshold_us', '0']])
      const stats = await document(server)
      assert.deepEqual(stats.latency, [])
      assert.equal(stats.slowLog, null)
    }))
})

describe('the slow log', () => {
  it('keeps a command that waited for the disk, and says so', () =>
    withFolder(async (folder) => {
      const disk = { 'l2.enabled': 'true', 'l2.data_dir': folder }
      // A write-through may be quick, but not each of many, with a value that takes its time to write.
      const settings = {
        ...disk,
        'l2.write_policy': 'write-through',
        'metrics.slow_log_threshold': '1ms',
      }
      await withServer(settings, async (server, client) => {
        const value = 'v'.repeat(500_000)
        // On a busy machine one or the other may have run for longer than it waited, but not all of them.
        const slowSet = async (): Promise<SlowCommand | undefined> => {
          const { slowLog } = await document(server)
          return slowLog?.entries.find(({ diskUs, runUs }) => diskUs > runUs)
        }
        let slow = await slowSet()
        for (let i = 0; slow === undefined && i < 100; i++) {
          await client.ask(`set key${i} 0 0 ${value.length}\r\n${value}\r\n`, 'STORED\r\n')
          slow = await slowSet()
        }
        assert.equal(slow!.command, 'set')
        assert.match(slow!.key, /^key\d+$/)
        assert.match(slow!.client, /^127\.0\.0\.1:\d+$/)
        assert.ok(slow!.totalUs >= 1000)
        assert.equal(slow!.totalUs, slow!.queueUs + slow!.runUs + slow!.diskUs)
        const shown = await figures(client, 'slow')
        assert.equal(shown.get('slow_threshold_us'), '1000')
        assert.equal(shown.get(`${slow!.number}:key`), slow!.key)
        await client.ask('stats reset\r\n', 'RESET\r\n')
        // The reset itself may have been slow.
        const left = [...(await figures(client, 'slow'))].filter(([name]) =>
          name.endsWith(':command'),
        )
        assert.ok(left.every(([, command]) => command !== 'set'))
      })
    }))
})

describe('hot keys and prefixes', () => {
  it('are those that most is done with, with what prefixes have in memory', () =>
    withServer({}, async (server, client) => {
      // The first turn of all is not in the sample.
      await client.ask('version\r\n', 'VERSION 1.6.45\r\n')
      for (let i = 0; i < 10; i++) await client.ask(`set user:${i} 0 0 1\r\n1\r\n`, 'STORED\r\n')
      const large = 'x'.repeat(100_000)
      await client.ask(`set page:1 0 0 100000\r\n${large}\r\n`, 'STORED\r\n')
      for (let i = 0; i < 5; i++)
        await client.ask('get user:3\r\n', 'VALUE user:3 0 1\r\n1\r\nEND\r\n')
      await client.ask('get user:nobody\r\nmg user:nobody\r\n', 'END\r\nEN\r\n')
      await client.ask('delete user:9\r\n', 'DELETED\r\n')
      const hot = await figures(client, 'hotkeys')
      assert.equal(hot.get('hotkeys_sample_every'), '1')
      assert.equal(hot.get('reads:1:key'), 'user%3A3')
      assert.equal(hot.get('reads:1:count'), '5')
      assert.equal(hot.get('misses:1:key'), 'user%3Anobody')
      assert.equal(hot.get('misses:1:count'), '2')
      assert.equal(hot.get('writes:1:key'), 'user%3A9')
      assert.equal(hot.get('bytes:1:key'), 'page%3A1')
      assert.equal(hot.get('bytes:1:count'), '100000')
      const prefixes = await figures(client, 'prefixes')
      const user = [...prefixes].filter(([name]) => name.startsWith('user:'))
      assert.deepEqual(Object.fromEntries(user), {
        'user:gets': '7',
        'user:hits': '5',
        'user:misses': '2',
        'user:sets': '10',
        'user:deletes': '1',
        'user:evictions': '0',
        'user:items': '9',
        'user:bytes': String(9 * (48 + 6 + 1)),
      })
      assert.equal(prefixes.get('page:items'), '1')
      const shown = await document(server)
      assert.equal(shown.hotKeys?.reads[0]?.key, 'user:3')
      assert.deepEqual(
        shown.prefixes.map(({ prefix, items }) => [prefix, items]),
        [
          ['user', 9],
          ['page', 1],
        ],
      )
      await client.ask('stats reset\r\n', 'RESET\r\n')
      assert.equal((await figures(client, 'hotkeys')).get('reads:1:key'), undefined)
    }))

  it('estimate what prefixes have in memory from some of the items, and count what was evicted', () =>
    withServer(
      { 'l1.max_memory': '8MB', 'l1.eviction': 'lru', 'server.max_item_size': '1MB' },
      async (_server, client) => {
        let request = ''
        const value = 'v'.repeat(500)
        for (let i = 0; i < 40_000; i++) {
          request += `set ${i % 4 === 0 ? 'few' : 'many'}:${i} 0 0 500 noreply\r\n${value}\r\n`
        }
        let prefixes = new Map<string, string>()
        const of = (name: string): number => Number(prefixes.get(name))
        const isCounted = (): boolean =>
          of('few:evictions') > 0 && of('many:evictions') > of('few:evictions')
        // A sample may miss the few of one burst, but not of many.
        for (let burst = 0; !isCounted() && burst < 20; burst++) {
          client.send(request)
          await client.ask('mn\r\n', 'MN\r\n')
          prefixes = await figures(client, 'prefixes')
        }
        const stats = await figures(client, '')
        const items = Number(stats.get('curr_items'))
        const estimated = of('few:items') + of('many:items')
        assert.ok(Math.abs(estimated / items - 1) < 0.2, `${estimated} of ${items}`)
        const share = of('few:items') / estimated
        assert.ok(share > 0.15 && share < 0.35, `${share} of the items`)
        assert.ok(of('few:bytes') > 500 * of('few:items'))
        assert.ok(isCounted(), [...prefixes].join(' '))
      },
    ))

  it('can be left out', () =>
    withServer({ 'metrics.hot_keys': 'false' }, async (server, client) => {
      await client.ask('get a:b\r\n', 'END\r\n')
      assert.deepEqual([...(await figures(client, 'hotkeys'))], [['hotkeys_enabled', '0']])
      assert.deepEqual([...(await figures(client, 'prefixes'))], [['prefixes_enabled', '0']])
      const shown = await document(server)
      assert.equal(shown.hotKeys, null)
      assert.deepEqual(shown.prefixes, [])
    }))
})
