import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser } from './chromium.ts'
import { documentAfter } from './document.ts'
import { chart, factsOf, has, legendOf, plain, rowsOf, tile, withScene } from './scene.ts'

let browser: Browser
before(async () => {
  browser = await launchBrowser()
})
after(() => browser.close())

describe('the figures of the page', () => {
  it('are those of the document, and rates of two of them', () =>
    withScene(browser, {}, async ({ page, nextInterval }) => {
      await has(page.locator('#status'), 'Ready')
      await has(tile(page, 'Gets'), '1,000 in all')
      await nextInterval()
      await has(tile(page, 'Gets'), '2,000 in all')
      const shown = async (name: string): Promise<string[]> =>
        (await tile(page, name).locator('.main, .more').allTextContents()).map(plain)
      assert.deepEqual(await shown('Gets'), ['1.00 k/s', '2,000 in all'])
      assert.deepEqual(await shown('Hit ratio'), ['90.0 %', '90.0 % in all'])
      assert.deepEqual(await shown('Sets'), ['300/s', '600 in all'])
      assert.deepEqual(await shown('Reads, p99'), ['100 µs', 'from disk 1.50 ms'])
      assert.deepEqual(await shown('Writes, p99'), ['30 µs', 'half within 30 µs'])
      assert.deepEqual(await shown('Memory'), ['48.0 MB', 'of 64.0 MB, 12.3 k items'])
      assert.deepEqual(await shown('Disk'), ['300 MB', 'of 1.00 GB, 98.8 k items'])
      assert.deepEqual(await shown('Connections'), ['51', 'of 1,024'])
      assert.match(await page.locator('#about').innerText(), /^9\.8\.7 · like memcached 1\.6\.45/)
    }))

  it('are lines over time, whose values stand above them', () =>
    withScene(browser, {}, async ({ page, nextInterval }) => {
      await has(tile(page, 'Gets'), '1,000 in all')
      await nextInterval()
      await has(tile(page, 'Gets'), '2,000 in all')
      const expected: Record<string, string[]> = {
        Requests: ['gets 1.00 k/s', 'sets 300/s', 'others 0/s'],
        'Gets, by where': ['memory 700/s', 'disk 200/s', 'nowhere 100/s'],
        'Hit ratio': ['both tiers 90.0 %', 'memory 70.0 %', 'disk, of the rest 66.7 %'],
        'Time of reads': ['p50 20 µs', 'p99 100 µs', 'disk p50 400 µs', 'disk p99 1.50 ms'],
        'Time of writes': ['p50 30 µs', 'p99 30 µs'],
        'Leaving memory': ['to disk 40/s', 'from disk 30/s', 'evicted 5/s', 'expired 0/s'],
        Memory: ['items 48.0 MB', 'pages 56.0 MB', 'process 160 MB'],
        Network: ['received 3.00 MB/s', 'sent 2.00 MB/s'],
        Connections: ['open 51', 'new/s 0', 'refused/s 0'],
        Processor: ['program 25.0 %', 'system 12.5 %'],
        Lateness: ['p50 100 µs', 'p99 900 µs', 'longest 2.50 ms'],
      }
      for (const [title, figures] of Object.entries(expected)) {
        assert.deepEqual(await legendOf(page, title), figures)
      }
    }))

  it('fill the tables', () =>
    withScene(browser, {}, async ({ page }) => {
      await has(page.locator('#status'), 'Ready')
      const classes = await rowsOf(page, 'classes')
      assert.deepEqual(classes[0], ['96 B', '40.0 k', '4', '30', '2.75 MB · 68.7 %'])
      assert.equal(classes.at(-1)?.[0], 'pages of 1.00 MB')
      assert.deepEqual(await rowsOf(page, 'generations'), [
        ['7', '1 h 0 min', '30.0 k', '1.23 k', '128 MB'],
        ['8', '1 h 0 min', '30.0 k', '1.23 k', '128 MB'],
        ['9, new', '1 h 0 min', '30.0 k', '1.23 k', '44.0 MB'],
      ])
      assert.deepEqual(await rowsOf(page, 'hot-reads-rows'), [
        ['user:1', '5.00 k'],
        ['user:2', '2.50 k'],
      ])
      assert.deepEqual(await rowsOf(page, 'hot-bytes-rows'), [['image:4', '33.0 MB']])
      assert.deepEqual(await rowsOf(page, 'hot-misses-rows'), [
        [String.raw`\xff\x00\xe2\x80\xa6`, '12'],
      ])
      assert.deepEqual(await rowsOf(page, 'prefixes'), [
        ['user', '1.00 k', '90.0 %', '30', '4', '2.00 k', '5.00 MB'],
      ])
      const [slow] = await rowsOf(page, 'slow')
      const times = ['15.5 ms', '500 µs', '1.00 ms', '14.0 ms']
      assert.deepEqual(slow?.slice(1), ['get', 'report:2026', ...times, 'tcp:127.0.0.1:50001'])
      assert.deepEqual(await rowsOf(page, 'clients'), [['1', 'tcp:127.0.0.1:50001', 'read', '3 s']])
      await has(page.locator('#clients-note'), 'the first 1 of 102')
      const facts = await factsOf(page, 'facts')
      assert.equal(facts['Order of eviction'], 'hybrid')
      assert.equal(facts['Written for a byte'], '2.13')
      assert.equal((await rowsOf(page, 'configuration')).length, 3)
      await page.fill('#configuration-filter', 'MEMORY')
      assert.deepEqual(await rowsOf(page, 'configuration'), [['l1.max_memory', '"64MB"']])
    }))

  it('say what there is not', () => {
    const nothing = { disk: null, hotKeys: null, slowLog: null, prefixes: [] }
    return withScene(
      browser,
      { document: (asked) => documentAfter(asked, nothing) },
      async ({ page }) => {
        await has(tile(page, 'Disk'), 'no disk tier')
        await has(page.locator('#disk-note'), 'There is no disk tier')
        await has(page.locator('#hot-note'), 'metrics.hot_keys')
        assert.equal(await page.locator('#hot-reads').isVisible(), false)
        await has(page.locator('#slow-note'), 'metrics.slow_log_threshold')
        await has(page.locator('#prefixes'), 'none was seen yet')
        assert.equal(await chart(page, 'Disk').isVisible(), false)
      },
    )
  })

  it('tell why the server is not ready', () => {
    const readiness = { ready: false, reasons: ['recovering: 12 % of the index', 'full'] }
    return withScene(
      browser,
      { document: (asked) => documentAfter(asked, { readiness }) },
      async ({ page }) => {
        await has(page.locator('#status'), 'Not ready: recovering: 12 % of the index; full')
      },
    )
  })

  it('are no rates where the server began anew', () => {
    const life = { pid: 5, startedAtS: 1_700_000_001 }
    const document = (asked: number): ReturnType<typeof documentAfter> =>
      asked === 1 ? documentAfter(500) : documentAfter(asked - 1, life)
    return withScene(browser, { document }, async ({ page, nextInterval }) => {
      const main = tile(page, 'Gets').locator('.main')
      await has(tile(page, 'Gets'), '500,000 in all')
      await nextInterval()
      await has(tile(page, 'Gets'), '1,000 in all')
      assert.equal(await main.innerText(), '–')
      await nextInterval()
      await has(tile(page, 'Gets'), '2,000 in all')
      assert.equal(plain(await main.innerText()), '1.00 k/s')
    })
  })
})
