import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { createServer as createPlainServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { defaultConfig } from '../../src/config/load.ts'
import type { KeyDocument, StatsDocument } from '../../src/http/stats-document.ts'
import { startServer } from '../helpers/server.ts'
import type { Settings, TestServer } from '../helpers/server.ts'

const OWN_PORT: Settings = { 'metrics.bind': '127.0.0.1:0' }

async function withServer(
  settings: Settings,
  use: (server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await startServer({ ...OWN_PORT, ...settings })
  try {
    await use(server)
  } finally {
    await server.stop()
  }
}

async function json<Document>(response: Response): Promise<Document> {
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tests say which document it is
  return (await response.json()) as Document
}

/** A request as fetch does not send it. */
function ask(url: string, method: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { method, headers, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    asking.on('error', reject)
    asking.end()
  })
}

describe('the side door', () => {
  it('says that the server lives, and is ready', () =>
    withServer({}, async (server) => {
      const health = await server.get('/healthz')
      assert.equal(health.status, 200)
      assert.equal(await health.text(), 'ok\n')
      const ready = await server.get('/readyz')
      assert.equal(ready.status, 200)
      assert.equal(ready.headers.get('cache-control'), 'no-store')
    }))

  it('says that a server with as many connections as there may be is not ready', () =>
    withServer({ 'server.max_connections': '2' }, async (server) => {
      const clients = [await server.connect(), await server.connect()]
      for (const client of clients) await client.ask('version\r\n', 'VERSION 1.6.45\r\n')
      const full = await server.get('/readyz')
      assert.equal(full.status, 503)
      assert.match(await full.text(), /^full: there are 2 connections/)
      assert.equal((await server.get('/healthz')).status, 200)
    }))

  it('shows everything as one document', () =>
    withServer({ 'metrics.token': '' }, async (server) => {
      const client = await server.connect()
      await client.ask('set a 5 0 3\r\nabc\r\nget a\r\n', 'STORED\r\nVALUE a 5 3\r\nabc\r\nEND\r\n')
      const stats = await json<StatsDocument>(await server.get('/stats.json'))
      assert.equal(stats.format, 1)
      assert.equal(stats.version, 'test')
      assert.deepEqual(stats.readiness, { ready: true, reasons: [] })
      assert.equal(stats.counters['get_hits'], 1)
      assert.equal(stats.gauges.items, 1)
      assert.equal(stats.gauges.connections, 1)
      assert.equal(stats.disk, null)
      assert.deepEqual(
        stats.memory.classes.map(({ items, bytes, sets }) => [items, bytes, sets]),
        [[1, 52, 1]],
      )
      assert.equal(stats.clients.count, 1)
      assert.match(stats.clients.shown[0]?.address ?? '', /^tcp:127\.0\.0\.1:\d+$/)
      assert.ok(stats.configuration.some(([key]) => key === 'l1.max_memory'))
      assert.ok(!stats.configuration.some(([key]) => key === 'metrics.token'))
    }))

  it('shows an item of memory and of disk without using it, and its value only where that is allowed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rat-side-door-'))
    const disk: Settings = { 'l2.enabled': 'true', 'l2.data_dir': folder }
    try {
      await withServer({ ...disk, 'l2.write_policy': 'write-through' }, async (server) => {
        const client = await server.connect()
        await client.ask('set a 5 0 3\r\nabc\r\n', 'STORED\r\n')
        await client.ask('set b 0 100 2\r\n\x00\xff\r\n', 'STORED\r\n')
        const { item, ...name } = await json<KeyDocument>(await server.get('/key?key=a'))
        assert.deepEqual(name, { key: 'a', isBase64: false })
        assert.equal(item?.tier, 'both')
        assert.equal(item.clientFlags, 5)
        assert.equal(item.isFetched, false)
        assert.equal(item.ttlS, null)
        assert.equal(item.value, null)
        assert.equal((await json<KeyDocument>(await server.get('/key?key=c'))).item, null)
        const stats = await server.stats()
        assert.equal(stats.get('cmd_get'), 0)
      })
      // After a start nothing is in memory.
      await withServer({ ...disk, 'metrics.allow_values': 'true' }, async (server) => {
        const a = await json<KeyDocument>(await server.get('/key?key64=YQ=='))
        assert.equal(a.item?.tier, 'disk')
        assert.deepEqual(a.item.value, { text: 'abc', isBase64: false, isCut: false })
        assert.equal(a.item.generation, 1)
        assert.equal(a.item.idleS, null)
        const b = await json<KeyDocument>(await server.get('/key?key=b'))
        assert.ok(b.item !== null && b.item.ttlS !== null && b.item.ttlS > 90)
        assert.deepEqual(b.item.value, { text: 'AP8=', isBase64: true, isCut: false })
        assert.equal((await server.stats()).get('curr_items'), 0)
        const { disk: tier } = await json<StatsDocument>(await server.get('/stats.json'))
        assert.equal(tier?.state, 'ok')
        assert.deepEqual(
          tier.generations.map(({ id, items }) => [id, items]),
          [[1, 2]],
        )
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('refuses what is no key', () =>
    withServer({}, async (server) => {
      for (const query of [
        '',
        '?key=',
        '?key=a&key64=YQ==',
        '?key64=*',
        `?key=${'k'.repeat(251)}`,
      ]) {
        assert.equal((await server.get(`/key${query}`)).status, 400, query)
      }
    }))

  it('answers who brings the token in the header that is for it, and shows the page to anybody', () =>
    withServer({ 'metrics.token': 'open-sesame' }, async (server) => {
      const status = async (path: string, headers: Record<string, string>): Promise<number> =>
        (await server.get(path, { headers, redirect: 'manual' })).status
      for (const path of ['/stats.json', '/metrics', '/key?key=a', '/nothing']) {
        assert.equal(await status(path, {}), 401, path)
      }
      assert.equal(await status('/metrics', { authorization: 'Bearer open-sesamy' }), 401)
      assert.equal(await status('/stats.json?token=open-sesame', {}), 401)
      assert.equal(await status('/stats.json', { cookie: 'token=open-sesame' }), 401)
      assert.equal(await status('/metrics', { authorization: 'Bearer open-sesame' }), 200)
      assert.equal(await status('/healthz', {}), 200)
      assert.equal(await status('/readyz', {}), 200)
      const page = await server.get('/')
      assert.equal(page.status, 200)
      assert.doesNotMatch(await page.text(), /sesame/)
    }))

  it('shows the page, with a policy that lets it run and nothing else', () =>
    withServer({}, async (server) => {
      const { headers, status } = await server.get('/')
      assert.equal(status, 200)
      assert.equal(headers.get('content-type'), 'text/html; charset=utf-8')
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
      assert.equal(headers.get('referrer-policy'), 'no-referrer')
      assert.equal(headers.get('x-frame-options'), 'DENY')
      assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none'; script-src/)
    }))

  it('takes GET and HEAD only, by a name of this machine', () =>
    withServer({}, async (server) => {
      const response = await server.get('/stats.json', { method: 'HEAD' })
      assert.equal(response.status, 200)
      assert.equal(await response.text(), '')
      const url = response.url
      assert.equal(await ask(url, 'POST', {}), 405)
      assert.equal(await ask(url, 'DELETE', {}), 405)
      assert.equal(await ask(url, 'GET', { host: 'localhost:9150' }), 200)
      assert.equal(await ask(url, 'GET', { host: '[::1]' }), 200)
      assert.equal(await ask(url, 'GET', { host: 'evil.example' }), 421)
      assert.equal(await ask(url, 'GET', { host: '127.0.0.1.evil.example' }), 421)
      assert.equal((await server.get('/nothing')).status, 404)
      assert.equal(await ask(url, 'GET', { cookie: 'c'.repeat(10_000) }), 431)
    }))

  it('cannot be had where another address than the default is taken', async () => {
    const plain = createPlainServer()
    await new Promise<void>((resolve) => {
      plain.listen(0, '127.0.0.1', resolve)
    })
    const bound = plain.address()
    assert.ok(bound !== null && typeof bound === 'object')
    try {
      await assert.rejects(startServer({ 'metrics.bind': `127.0.0.1:${bound.port}` }), {
        code: 'CANNOT_BIND',
      })
    } finally {
      plain.close()
    }
  })

  it('is gone without where its default address is taken', async () => {
    const { bind } = defaultConfig().metrics
    // Whoever has it: the second of two servers has not.
    const first = await startServer({ 'metrics.bind': bind })
    const second = await startServer({ 'metrics.bind': bind })
    try {
      const client = await second.connect()
      await client.ask('version\r\n', 'VERSION 1.6.45\r\n')
      await assert.rejects(second.get('/healthz'))
    } finally {
      await second.stop()
      await first.stop()
    }
  })
})
