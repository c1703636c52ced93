/** All items of one server in a file and in another server, through the tools and the wire. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { SystemClock } from '../../src/observe/clock.ts'
import { DumpWriter, readDump } from '../../src/tools/dump-file.ts'
import type { DumpedItem } from '../../src/tools/dump-file.ts'
import { dump } from '../../src/tools/dump.ts'
import type { DumpCounts } from '../../src/tools/dump.ts'
import { restore, shortfall } from '../../src/tools/restore.ts'
import type { RestoreCounts, RestoreOptions } from '../../src/tools/restore.ts'
import { ServerClient } from '../../src/tools/server-client.ts'
import { readTarget } from '../../src/tools/target.ts'
import { startServer } from '../helpers/server.ts'
import type { Settings, TestClient, TestServer } from '../helpers/server.ts'

const clock = new SystemClock()
const root = mkdtempSync(join(tmpdir(), 'rat-dump-'))
after(() => {
  clock.stop()
  rmSync(root, { recursive: true })
})

async function withServer(
  settings: Settings,
  use: (server: TestServer, client: TestClient) => Promise<void>,
): Promise<void> {
  const server = await startServer(settings)
  try {
    const client = await server.connect()
    await use(server, client)
    client.destroy()
  } finally {
    await server.stop()
  }
}

function open({ port }: TestServer): Promise<ServerClient> {
  return ServerClient.open(readTarget(`127.0.0.1:${port}`), clock)
}

async function dumped(server: TestServer): Promise<{ file: Buffer; counts: DumpCounts }> {
  const pieces: Buffer[] = []
  const writer = new DumpWriter((bytes) => {
    pieces.push(Buffer.from(bytes))
    return Promise.resolve()
  })
  const [lister, fetcher] = [await open(server), await open(server)]
  await writer.begin(0)
  const counts = await dump(lister, fetcher, writer, clock, () => undefined)
  await writer.end()
  lister.close()
  fetcher.close()
  return { file: Buffer.concat(pieces), counts }
}

function blocksOf(file: Buffer): AsyncGenerator<DumpedItem[], void, undefined> {
  let at = 0
  return readDump((length) => {
    at += length
    return Promise.resolve(at > file.length ? null : file.subarray(at - length, at))
  })
}

async function restored(
  server: TestServer,
  file: Buffer,
  options: Partial<RestoreOptions> = {},
): Promise<RestoreCounts> {
  const client = await open(server)
  const all = { add: false, keepCas: false, ...options }
  const counts = await restore(client, blocksOf(file), all, clock, () => undefined)
  client.close()
  return counts
}

/** Items of a dump by their keys, without the cas values where these are not to be compared. */
async function itemsIn(file: Buffer, withCas: boolean): Promise<Map<string, object>> {
  const items = new Map<string, object>()
  for await (const block of blocksOf(file)) {
    for (const item of block) {
      const value = item.value.toString('latin1')
      const cas = withCas ? {} : { casHi: 0, casLo: 0 }
      items.set(item.key.toString('latin1'), { ...item, value, ...cas })
    }
  }
  return items
}

const ITEMS = 6000
const big = 'B'.repeat(1_000_000)

/** Items of all kinds; with 4 MB of memory most of them are on disk only in the end. */
async function fill(client: TestClient): Promise<void> {
  await client.ask(`set big 1 0 ${big.length}\r\n${big}\r\n`, 'STORED\r\n')
  await client.ask('ms AAEKIA== 3 b F5 T500\r\na\0c\r\n', 'HD\r\n')
  await client.ask('ms stale 3 T500 F9\r\nabc\r\nmd stale I\r\n', 'HD\r\nHD\r\n')
  await client.ask('ms gone 1\r\nx\r\nmd gone I\r\nmg gone v\r\n', 'HD\r\nHD\r\nVA 1 X W\r\nx\r\n')
  await client.ask('ms won 1 T20\r\nx\r\nmg won R30\r\n', 'HD\r\nHD W\r\n')
  await client.ask('set empty 4294967295 0 0\r\n\r\n', 'STORED\r\n')
  await client.ask('set schl\u00FCssel%41 0 0 2\r\nab\r\n', 'STORED\r\n')
  for (let i = 0; i < ITEMS; i++) {
    const value = `${i}`.repeat(1 + (i % 700))
    const expiry = i % 2 === 0 ? 0 : 10_000 + i
    client.send(`set k${i} ${i} ${expiry} ${value.length} noreply\r\n${value}\r\n`)
  }
  await client.ask('mn\r\n', 'MN\r\n')
}

const SMALL: Settings = {
  'l1.max_memory': '4MB',
  'server.max_item_size': '2MB',
  'l2.enabled': 'true',
  'l2.max_disk_size': '64MB',
}
const SPECIAL = 7

describe('a dump that is restored', () => {
  it('is all that there was, in memory and on disk', () =>
    withServer({ ...SMALL, 'l2.data_dir': join(root, 'from') }, async (from, client) => {
      await fill(client)
      const stats = await from.stats()
      assert.ok(stats.get('curr_items')! < ITEMS, 'some items are on disk only')
      const { file, counts } = await dumped(from)
      assert.deepEqual([counts.gone, counts.unnameable], [0, 0])
      // What moves from one tier to the other meanwhile may be there twice.
      const found = await itemsIn(file, true)
      assert.equal(found.size, ITEMS + SPECIAL)

      await withServer({ ...SMALL, 'l2.data_dir': join(root, 'to') }, async (to, other) => {
        const done = await restored(to, file, { keepCas: true })
        assert.equal(done.stored, counts.items)
        assert.equal(shortfall(done), null)
        await other.ask('mg AAEKIA== b k f v\r\n', 'VA 3 kAAEKIA== b f5\r\na\0c\r\n')
        const again = await dumped(to)
        assert.deepEqual(await itemsIn(again.file, true), found)
        // What was free to be won is again, and what somebody had won is not.
        await other.ask('mg stale v\r\nmg stale v\r\n', 'VA 3 X W\r\nabc\r\nVA 3 Z X\r\nabc\r\n')
        await other.ask('mg gone v\r\n', 'VA 1 Z X\r\nx\r\n')
        await other.ask('mg won v\r\n', 'VA 1 Z\r\nx\r\n')
      })
    }))

  it('leaves a server as it was: whoever comes first still wins a stale item', () =>
    withServer({}, async (from, client) => {
      await client.ask('ms a 1 T500\r\nx\r\nmd a I\r\n', 'HD\r\nHD\r\n')
      await dumped(from)
      await client.ask('mg a v\r\nmg a v\r\n', 'VA 1 X W\r\nx\r\nVA 1 Z X\r\nx\r\n')
    }))

  it('gives new cas values unless it is told to keep those that there were', () =>
    withServer({}, async (from, client) => {
      await client.ask('ms a 1 E900\r\nx\r\n', 'HD\r\n')
      const { file } = await dumped(from)
      for (const keepCas of [true, false]) {
        await withServer({}, async (to, other) => {
          await restored(to, file, { keepCas })
          other.send('mg a c\r\n')
          await other.until(() => other.text.endsWith('\n'))
          assert.equal(other.text === 'HD c900\r\n', keepCas)
        })
      }
    }))

  it('can leave alone what is there', () =>
    withServer({}, async (from, client) => {
      await client.ask('set a 0 0 3\r\nold\r\nset b 0 0 3\r\nold\r\n', 'STORED\r\nSTORED\r\n')
      const { file } = await dumped(from)
      await client.ask('set a 0 0 3\r\nnew\r\ndelete b\r\n', 'STORED\r\nDELETED\r\n')
      const { stored, kept } = await restored(from, file, { add: true })
      assert.deepEqual([stored, kept], [1, 1])
      const both = 'VALUE a 0 3\r\nnew\r\nVALUE b 0 3\r\nold\r\nEND\r\n'
      await client.ask('get a b\r\n', both)
    }))

  it('leaves out what has expired since', () =>
    withServer({}, async (to) => {
      const nowS = Math.floor(clock.wallUs() / 1_000_000)
      const facts = { value: Buffer.from('x'), clientFlags: 0, casHi: 0, casLo: 1, states: 0 }
      const blocks = [
        [
          { ...facts, key: Buffer.from('past'), expiresAtS: nowS - 1 },
          { ...facts, key: Buffer.from('far'), expiresAtS: 2 ** 40 },
        ],
      ]
      async function* give(): AsyncGenerator<DumpedItem[], void, undefined> {
        for (const block of blocks) yield await Promise.resolve(block)
      }
      const client = await open(to)
      const options = { add: false, keepCas: false }
      const { stored, expired } = await restore(client, give(), options, clock, () => undefined)
      assert.deepEqual([stored, expired], [1, 1])
      client.close()
    }))

  it('says what a server did not take', () =>
    withServer({ 'l2.enabled': 'false', 'server.max_item_size': '2MB' }, async (from, client) => {
      await client.ask(`set big 1 0 ${big.length}\r\n${big}\r\n`, 'STORED\r\n')
      await client.ask('set a 0 0 1\r\nx\r\n', 'STORED\r\n')
      const { file } = await dumped(from)
      await withServer({ 'server.max_item_size': '100KB' }, async (to) => {
        const counts = await restored(to, file)
        assert.deepEqual([counts.stored, counts.refused], [1, 1])
        assert.equal(
          shortfall(counts)?.message,
          'the server refused 1 items: SERVER_ERROR object too large for cache',
        )
      })
    }))

  it('needs a server that lists its keys', () =>
    withServer({ 'commands.dump': 'false' }, async (from) => {
      await assert.rejects(dumped(from), {
        code: 'SERVER_UNEXPECTED',
        message: /answers with "ERROR metadump not allowed"$/,
      })
    }))
})
