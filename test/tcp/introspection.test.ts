/** Watchers, statistics and live settings of a server, as its clients see them. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { until } from '../helpers/library.ts'
import { startServer, turns } from '../helpers/server.ts'
import type { TestClient, TestServer } from '../helpers/server.ts'

async function store(client: TestClient, from: number, to: number, bytes: number): Promise<void> {
  const value = 'v'.repeat(bytes)
  let commands = ''
  for (let i = from; i < to; i++) commands += `set key${i} 0 0 ${bytes} noreply\r\n${value}\r\n`
  client.send(commands)
  client.send('mn\r\n')
  assert.equal((await client.take(4, 20_000)).toString(), 'MN\r\n')
}

/** The lines that came to a watcher, without what differs from run to run. */
async function events(watcher: TestClient, count: number): Promise<string[]> {
  const enough = (): boolean => watcher.text.split('\n').length > count
  assert.ok(await watcher.until(enough), watcher.text)
  const text = (await watcher.take(watcher.length)).toString('latin1')
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/^ts=\d+\.\d+ gid=\d+ /, '').replace(/cfd=\d+/, 'cfd='))
}

describe('watching', () => {
  let server: TestServer
  before(async () => {
    server = await startServer({ 'l1.max_memory': '2MB', 'server.idle_timeout': '1s' })
  })
  after(() => server.stop())

  async function watch(topics: string): Promise<TestClient> {
    const watcher = await server.connect()
    await watcher.ask(`watch ${topics}\r\n`, 'OK\r\n')
    return watcher
  }

  it('tells of gets, storing, deleting and connections in the words of memcached', async () => {
    const watcher = await watch('fetchers mutations deletions connevents')
    const client = await server.connect()
    const all = [
      'get none',
      'set k%20 0 100 3\r\nabc',
      'get k%20',
      'add k%20 0 0 1\r\nx',
      'append k%20 0 0 1\r\nd',
      'cas k%20 0 0 1 1\r\nx',
      'set e 0 -1 1\r\nx',
      'get e',
      'delete k%20',
      'delete k%20',
      'ms m 1\r\nx',
      'md m I',
      'md m',
      'quit',
    ]
    client.send(all.map((command) => `${command}\r\n`).join(''))
    await client.closed()
    const got = await events(watcher, 22)
    assert.match(got[0]!, /^type=conn_new rip=127\.0\.0\.1 rport=\d+ transport=tcp cfd=$/)
    assert.deepEqual(got.slice(1, -1), [
      'type=item_get key=none status=not_found clsid=0 cfd= size=0',
      'type=item_get key=k%2520 status=not_found clsid=0 cfd= size=0',
      'type=item_store key=k%2520 status=stored cmd=set ttl=100 clsid=1 cfd= size=3',
      'type=item_get key=k%2520 status=found clsid=1 cfd= size=3',
      'type=item_get key=k%2520 status=found clsid=1 cfd= size=3',
      'type=item_store key=k%2520 status=not_stored cmd=add ttl=0 clsid=1 cfd= size=1',
      'type=item_get key=k%2520 status=found clsid=1 cfd= size=3',
      'type=item_store key=k%2520 status=stored cmd=append ttl=0 clsid=1 cfd= size=4',
      'type=item_get key=k%2520 status=found clsid=1 cfd= size=4',
      'type=item_store key=k%2520 status=exists cmd=cas ttl=0 clsid=1 cfd= size=1',
      'type=item_get key=e status=not_found clsid=0 cfd= size=0',
      'type=item_store key=e status=stored cmd=set ttl=0 clsid=1 cfd= size=1',
      'type=item_get key=e status=expired clsid=0 cfd= size=0',
      'type=item_get key=k%2520 status=found clsid=1 cfd= size=4',
      'type=deleted key=k%2520 cmd=delete clsid=1 size=4',
      'type=item_get key=k%2520 status=not_found clsid=0 cfd= size=0',
      'type=item_get key=m status=not_found clsid=0 cfd= size=0',
      'type=item_store key=m status=stored cmd=set ttl=0 clsid=1 cfd= size=1',
      'type=item_get key=m status=found clsid=1 cfd= size=1',
      'type=item_get key=m status=found clsid=1 cfd= size=1',
      'type=deleted key=m cmd=md clsid=1 size=1',
    ])
    assert.match(got.at(-1)!, /^type=conn_close .* transport=tcp reason=normal cfd=$/)
    const stranger = await server.connect()
    stranger.send('GET / HTTP/1.1\r\n')
    await stranger.closed()
    const more = await events(watcher, 2)
    assert.match(more.at(-1)!, /^type=conn_close .* transport=tcp reason=error cfd=$/)
    watcher.destroy()
  })

  it('tells of evictions', async () => {
    const watcher = await watch('evictions')
    const client = await server.connect()
    await store(client, 0, 3000, 1000)
    const [first] = await events(watcher, 1)
    assert.match(first!, /^type=eviction key=\S+ fetch=no ttl=-1 la=\d+ clsid=\d+ size=\d+$/)
    client.destroy()
    watcher.destroy()
  })

  it('tells nobody who does not watch that topic, and nothing in answer to a watcher', async () => {
    const watcher = await watch('deletions')
    watcher.send('version\r\nget a\r\n')
    const client = await server.connect()
    await client.ask('get a\r\nset a 0 0 1\r\nx\r\ndelete a\r\n', 'END\r\nSTORED\r\nDELETED\r\n')
    assert.deepEqual(await events(watcher, 1), ['type=deleted key=a cmd=delete clsid=1 size=1'])
    assert.equal(watcher.text, '')
    client.destroy()
    watcher.destroy()
  })

  it('skips a watcher that does not read, and says how much it missed', async () => {
    const watcher = await watch('mutations')
    watcher.socket.pause()
    const client = await server.connect()
    let skipped = 0
    for (let i = 0; i < 100 && skipped === 0; i++) {
      await store(client, 0, 2000, 1)
      skipped = (await server.stats()).get('log_watcher_skipped') ?? 0
    }
    assert.ok(skipped > 0)
    watcher.socket.resume()
    await watcher.until(() => false, 100)
    await client.ask('set last 0 0 1\r\nx\r\n', 'STORED\r\n')
    assert.ok(await watcher.until(() => /^skipped=\d+\nts=.* key=last /m.test(watcher.text)))
    client.destroy()
    watcher.destroy()
  })

  it('counts watchers, and forgets those that have hung up', async () => {
    const watchers = await Promise.all(Array.from({ length: 20 }, () => watch('fetchers')))
    const one = await server.connect()
    await one.ask('watch\r\n', 'WATCHER_TOO_MANY log watcher limit reached\r\n')
    assert.equal((await server.stats()).get('log_watchers'), 20)
    for (const watcher of watchers) watcher.destroy()
    let count = 20
    for (let i = 0; i < 200 && count > 0; i++) {
      await turns(5)
      count = (await server.stats()).get('log_watchers') ?? -1
    }
    assert.equal(count, 0)
    one.destroy()
  })

  it('is refused where the configuration says so, as are dumps', async () => {
    const closed = await startServer({ 'commands.watch': 'false', 'commands.dump': 'false' })
    const client = await closed.connect()
    await client.ask('watch\r\n', 'CLIENT_ERROR watch commands not allowed\r\n')
    await client.ask('lru_crawler metadump all\r\n', 'ERROR metadump not allowed\r\n')
    await client.ask('lru_crawler mgdump all\r\n', 'ERROR key dump not allowed\r\n')
    await client.ask('stats cachedump 1 0\r\n', 'CLIENT_ERROR stats cachedump not allowed\r\n')
    await client.ask('stats detail on\r\n', 'CLIENT_ERROR stats detail not allowed\r\n')
    client.destroy()
    await closed.stop()
  })
})

describe('statistics', () => {
  let server: TestServer
  let client: TestClient
  before(async () => {
    server = await startServer({ 'l1.max_memory': '8MB' })
    client = await server.connect()
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  it('of classes are none where nothing is stored', async () => {
    assert.deepEqual(await client.list('stats items', 'END\r\n'), [])
  })

  it('of a class count what was done with its items', async () => {
    client.send('set a 0 0 1\r\n1\r\nget a b\r\nincr a 1\r\ndecr a 1\r\ntouch a 0\r\n')
    client.send('cas a 0 0 1 9\r\n2\r\nset b 0 0 1\r\n1\r\ndelete b\r\nmn\r\n')
    await client.until(() => client.text.endsWith('MN\r\n'))
    await client.take(client.length)
    const items = await client.list('stats items', 'END\r\n')
    assert.equal(items.length, 28)
    assert.ok(items.includes('STAT items:1:number 1'))
    assert.ok(items.includes('STAT items:1:hits_to_cold 1'))
    const slabs = await client.list('stats slabs', 'END\r\n')
    assert.equal(slabs.length, 17)
    const counts =
      'get_hits 1,cmd_set 3,delete_hits 1,incr_hits 1,decr_hits 1,cas_hits 0,cas_badval 1'
    for (const count of `${counts},touch_hits 1,used_chunks 1`.split(',')) {
      assert.ok(slabs.includes(`STAT 1:${count}`), count)
    }
    assert.ok(slabs.includes('STAT active_slabs 1'))
    await client.ask('stats reset\r\n', 'RESET\r\n')
    assert.ok((await client.list('stats slabs', 'END\r\n')).includes('STAT 1:cmd_set 0'))
  })

  it('of connections name each of them, and who asks', async () => {
    const watcher = await server.connect()
    await watcher.ask('watch\r\n', 'OK\r\n')
    const sender = await server.connect()
    await sender.ask('mn\r\nset half 0 0 6\r\nhal', 'MN\r\n')
    const rows = await client.list('stats conns', 'END\r\n')
    assert.equal(rows[0], `STAT 1:addr tcp:127.0.0.1:${server.port}`)
    assert.equal(rows[1], 'STAT 1:state conn_listening')
    const states = rows.flatMap((row) => /^STAT \d+:state (\S+)/.exec(row)?.[1] ?? [])
    assert.deepEqual(states, ['conn_listening', 'conn_parse_cmd', 'conn_watch', 'conn_nread'])
    assert.match(rows[3]!, /^STAT 2:addr tcp:127\.0\.0\.1:\d+$/)
    assert.equal(rows[4], `STAT 2:listen_addr tcp:127.0.0.1:${server.port}`)
    watcher.destroy()
    sender.destroy()
  })

  it('are the same rows in the binary protocol', async () => {
    const rows = await client.list('stats slabs', 'END\r\n')
    const other = await server.connect()
    other.send(statFrame('slabs'))
    const last = Buffer.alloc(24)
    last.writeUInt16BE(0x8110, 0)
    assert.ok(await other.until(() => other.text.endsWith(last.toString('latin1'))))
    const names = rows.map((row) => row.split(' ')[1]!)
    let at = 0
    for (const name of names) at = other.text.indexOf(name, at)
    assert.ok(at > 0)
    other.destroy()
  })

  it('by prefix are one entry in the binary protocol', async () => {
    await client.ask('stats detail on\r\nget p:1\r\n', 'OK\r\nEND\r\n')
    const other = await server.connect()
    other.send(statFrame('detail dump'))
    const text = 'detailedPREFIX p get 1 hit 0 set 0 del 0\r\nEND\r\n'
    assert.ok(await other.until(() => other.text.includes(text)), other.text)
    await client.ask('stats detail off\r\n', 'OK\r\n')
    other.destroy()
  })

  it('of unknown names are not found in the binary protocol', async () => {
    const other = await server.connect()
    for (const name of ['foo', 'cachedump 1 0', 'detail foo']) {
      other.send(statFrame(name))
      const frame = await other.take(24 + 'Not found'.length)
      assert.equal(frame.readUInt16BE(6), 1, name)
    }
    other.destroy()
  })

  it('by prefix are counted from the start with -D', async () => {
    const counting = await startServer({
      'commands.detail': 'true',
      'commands.prefix_delimiter': '|',
    })
    const one = await counting.connect()
    await one.ask('get a|b\r\nget c:d\r\n', 'END\r\nEND\r\n')
    await one.ask('stats detail dump\r\n', 'PREFIX a get 1 hit 0 set 0 del 0\r\nEND\r\n')
    one.destroy()
    await counting.stop()
  })

  it('in long lists leave room for others', async () => {
    await client.ask('stats detail on\r\n', 'OK\r\n')
    for (let i = 0; i < 5000; i++) client.send(`mg p${i}:x q\r\n`)
    await client.ask('mn\r\n', 'MN\r\n')
    const yields = (await server.stats()).get('conn_yields') ?? 0
    const rows = await client.list('stats detail dump', 'END\r\n')
    assert.equal(rows.filter((row) => /^PREFIX p\d+ get 1 hit 0/.test(row)).length, 5000)
    assert.ok((await server.stats()).get('conn_yields')! >= yields + 10)
    await client.ask('stats detail off\r\nstats reset\r\n', 'OK\r\nRESET\r\n')
  })
})

describe('the clock of a server with --debug', () => {
  it('is moved, stopped and let go on by clients', async () => {
    const server = await startServer({}, 'onread', { debug: true })
    const client = await server.connect()
    await client.ask('set a 0 100 1\r\nx\r\n', 'STORED\r\n')
    await client.ask(
      'debugtime p\r\ndebugtime 99\r\nget a\r\n',
      'OK\r\nOK\r\nVALUE a 0 1\r\nx\r\nEND\r\n',
    )
    await client.ask('debugtime 2\r\nget a\r\n', 'OK\r\nEND\r\n')
    await client.ask('debugtime r\r\ndebugtime x\r\ndebugtime\r\n', 'OK\r\nERROR\r\nERROR\r\n')
    client.destroy()
    await server.stop()
  })
})

describe('the limit of memory', () => {
  it('is lowered while the server runs, and raised', async (t) => {
    const server = await startServer({ 'l1.max_memory': '16MB' })
    t.after(() => server.stop())
    const client = await server.connect()
    await store(client, 0, 20_000, 1000)
    const figure = async (name: string): Promise<number> => (await server.stats()).get(name)!
    assert.ok((await figure('total_malloced')) > 15 * 2 ** 20)
    await client.ask('cache_memlimit 8\r\n', 'OK\r\n')
    assert.equal(await figure('limit_maxbytes'), 8 * 2 ** 20)
    await until(async () => (await figure('total_malloced')) <= 8 * 2 ** 20)
    assert.ok((await figure('curr_items')) > 6000)
    await store(client, 30_000, 35_000, 1000)
    assert.ok((await figure('total_malloced')) <= 8 * 2 ** 20)
    await client.ask(
      'cache_memlimit 257\r\n',
      'MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust\r\n',
    )
    await client.ask('cache_memlimit 16\r\n', 'OK\r\n')
    await store(client, 40_000, 60_000, 1000)
    assert.ok((await figure('total_malloced')) > 15 * 2 ** 20)
    assert.ok((await figure('total_malloced')) <= 16 * 2 ** 20)
    const evictions = await figure('evictions')
    await client.ask('cache_memlimit 48\r\n', 'OK\r\n')
    await store(client, 60_000, 80_000, 1000)
    assert.equal(await figure('evictions'), evictions)
    await store(client, 80_000, 120_000, 1000)
    assert.ok((await figure('total_malloced')) > 47 * 2 ** 20)
    assert.ok((await figure('total_malloced')) <= 48 * 2 ** 20)
    assert.ok((await figure('curr_items')) > 40_000)
    client.destroy()
  })
})

function statFrame(name: string): Buffer {
  const frame = Buffer.alloc(24 + name.length)
  frame.writeUInt16BE(0x8010, 0)
  frame.writeUInt16BE(name.length, 2)
  frame.writeUInt32BE(name.length, 8)
  frame.write(name, 24)
  return frame
}
