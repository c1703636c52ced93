/** Dumps of all keys, in memory and on disk, as clients see them. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { READ_MODES, startServer, turns } from '../helpers/server.ts'
import type { Settings, TestClient, TestServer } from '../helpers/server.ts'

/** Their dump is more than what the system and the server hold for a client that does not read. */
const KEYS = 100_000

function keysOf(lines: readonly string[]): string[] {
  return lines.flatMap((line) => /^(?:key=|mg )(\S+)/.exec(line)?.[1] ?? [])
}

async function store(client: TestClient, from: number, to: number, bytes: number): Promise<void> {
  const value = 'v'.repeat(bytes)
  let commands = ''
  for (let i = from; i < to; i++) commands += `set key${i} 0 0 ${bytes} noreply\r\n${value}\r\n`
  client.send(commands)
  client.send('mn\r\n')
  assert.equal((await client.take(4, 20_000)).toString(), 'MN\r\n')
}

function keysFrom(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `key${from + i}`).sort()
}

for (const readMode of READ_MODES) {
  describe(`a dump of keys in memory, read by ${readMode}`, () => {
    let server: TestServer
    before(async () => {
      server = await startServer({ 'l1.max_memory': '32MB' }, readMode)
      const client = await server.connect()
      await store(client, 0, KEYS, 10)
      client.destroy()
    })
    after(() => server.stop())

    it('lists each key once, and then takes other commands', async () => {
      const client = await server.connect()
      const lines = await client.list('lru_crawler metadump all', 'END\r\n')
      assert.equal(lines[0], 'OK')
      assert.deepEqual(keysOf(lines).sort(), keysFrom(0, KEYS))
      assert.match(lines[1]!, / exp=-1 la=\d+ cas=\d+ fetch=no cls=\d+ size=\d+ flags=0 $/)
      const commands = await client.list('lru_crawler mgdump hash', 'EN\r\n')
      assert.deepEqual(keysOf(commands).sort(), keysFrom(0, KEYS))
      await client.ask('version\r\n', 'VERSION 1.6.45\r\n')
      client.destroy()
    })

    it('lets others in between, and one dump at a time', async () => {
      const dumping = await server.connect()
      const other = await server.connect()
      await other.ask('mn\r\n', 'MN\r\n')
      // Nothing is taken from this socket, so that the dump cannot go on to its end.
      dumping.socket.pause()
      dumping.send('lru_crawler metadump all\r\n')
      await turns(4)
      await other.ask('set key0 0 0 1\r\nx\r\n', 'STORED\r\n')
      await other.ask('lru_crawler mgdump all\r\n', 'BUSY currently processing crawler request\r\n')
      await other.ask('lru_crawler crawl all\r\n', 'BUSY currently processing crawler request\r\n')
      assert.equal((await server.stats()).get('lru_crawler_running'), 1)
      dumping.socket.resume()
      assert.ok(await dumping.until(() => dumping.text.endsWith('END\r\n'), 20_000))
      assert.equal((await server.stats()).get('lru_crawler_running'), 0)
      dumping.destroy()
      other.destroy()
    })

    it('is over when its client hangs up', async () => {
      const dumping = await server.connect()
      dumping.socket.pause()
      dumping.send('lru_crawler metadump all\r\n')
      await turns(4)
      dumping.destroy()
      const other = await server.connect()
      let answer = 'BUSY'
      for (let i = 0; i < 200 && answer.startsWith('BUSY'); i++) {
        await turns(5)
        other.send('lru_crawler mgdump 63\r\n')
        assert.ok(await other.until(() => /^(?:BUSY.*|OK\r\nEN)\r\n$/.test(other.text)))
        answer = (await other.take(other.length)).toString('latin1')
      }
      assert.equal(answer, 'OK\r\nEN\r\n')
      other.destroy()
    })

    it('is ended for a client that has said all that it has to say', async () => {
      const client = await server.connect()
      client.send('lru_crawler mgdump all\r\n')
      const text = await client.finish()
      assert.equal(keysOf(text.split('\r\n')).length, KEYS)
    })
  })
}

describe('a dump of a cache on two tiers', () => {
  const folders: string[] = []
  let server: TestServer
  afterEach(async () => {
    await server.stop()
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })

  async function start(settings: Settings): Promise<TestClient> {
    const folder = mkdtempSync(join(tmpdir(), 'rat-dump-'))
    folders.push(folder)
    server = await startServer({
      'l2.enabled': 'true',
      'l2.data_dir': folder,
      'l2.write_interval': '10ms',
      'l1.max_memory': '2MB',
      ...settings,
    })
    return server.connect()
  }

  for (const policy of ['write-behind', 'write-through', 'on-evict']) {
    it(`lists each key once, most of them on disk, with ${policy}`, async () => {
      const client = await start({ 'l2.write_policy': policy })
      await store(client, 0, 20_000, 200)
      await client.ask('delete key7\r\n', 'DELETED\r\n')
      assert.ok((await server.stats()).get('curr_items')! < 10_000)
      const lines = await client.list('lru_crawler metadump all', 'END\r\n')
      const keys = keysOf(lines)
      assert.equal(keys.length, new Set(keys).size)
      assert.deepEqual(
        keys.sort(),
        keysFrom(0, 20_000).filter((key) => key !== 'key7'),
      )
      for (const line of lines.slice(1)) {
        assert.match(line, /^key=key\d+ exp=-1 la=\d+ cas=\d+ fetch=\w+ cls=\d+ size=\d+ flags=0 $/)
      }
      client.destroy()
    })
  }

  it('shows of a key on disk what it shows of one in memory, but for its last use', async () => {
    const client = await start({})
    await client.ask('set first 7 1000 3\r\nabc\r\n', 'STORED\r\n')
    await client.ask('ms Zm9v 1 b\r\nx\r\n', 'HD\r\n')
    const lineOf = async (key: string): Promise<string[]> =>
      (await client.list('lru_crawler metadump all', 'END\r\n'))
        .filter((line) => line.startsWith(`key=${key} `))
        .map((line) => line.replace(/ la=\d+/, ''))
    const inMemory = await lineOf('first')
    assert.match(inMemory[0]!, /^key=first exp=\d{10} cas=\d+ fetch=no cls=1 size=\d+ flags=7 $/)
    await store(client, 0, 20_000, 200)
    assert.deepEqual(await lineOf('first'), inMemory)
    assert.equal((await lineOf('foo')).length, 1)
    const commands = await client.list('lru_crawler mgdump all', 'EN\r\n')
    assert.ok(commands.includes('mg Zm9v b'))
    client.destroy()
  })

  it('lists nothing that was flushed, and what is stored after that', async () => {
    const client = await start({})
    await store(client, 0, 10_000, 200)
    await client.ask('flush_all\r\n', 'OK\r\n')
    await store(client, 10_000, 10_005, 200)
    const lines = await client.list('lru_crawler mgdump all', 'EN\r\n')
    assert.deepEqual(keysOf(lines).sort(), keysFrom(10_000, 10_005))
    client.destroy()
  })

  it('misses no key that others read meanwhile', async () => {
    const client = await start({})
    const reader = await server.connect()
    await store(client, 0, 20_000, 200)
    client.send('lru_crawler mgdump all\r\n')
    for (let i = 0; i < 200; i++) {
      const wanted = Array.from({ length: 20 }, (_, n) => `key${(i * 97 + n * 1013) % 20_000}`)
      reader.send(`get ${wanted.join(' ')}\r\n`)
      await reader.until(() => reader.text.endsWith('END\r\n'))
      await reader.take(reader.length)
    }
    assert.ok(await client.until(() => client.text.endsWith('EN\r\n'), 20_000))
    const keys = keysOf(client.text.split('\r\n'))
    assert.equal(new Set(keys).size, 20_000)
    client.destroy()
    reader.destroy()
  })

  it('extstore changes what goes to disk from now on', async () => {
    const client = await start({})
    await client.ask('extstore item_size 100\r\n', 'OK\r\n')
    await client.ask('extstore recache_rate 0\r\n', 'OK\r\n')
    const settings = await client.list('stats settings', 'END\r\n')
    assert.ok(settings.includes('STAT ext_item_size 100'))
    assert.ok(settings.includes('STAT ext_recache_rate 0'))
    await client.ask('set small 0 0 1\r\nx\r\n', 'STORED\r\n')
    await client.ask(`set large 0 0 200\r\n${'x'.repeat(200)}\r\n`, 'STORED\r\n')
    const isWritten = async (): Promise<boolean> =>
      (await client.list('stats l2', 'END\r\n')).includes('STAT l2_refused 1')
    for (let i = 0; i < 200 && !(await isWritten()); i++) await turns(50)
    const l2 = await client.list('stats l2', 'END\r\n')
    assert.ok(l2.includes('STAT l2_items 1'), l2.join('\n'))
    client.destroy()
  })
})
