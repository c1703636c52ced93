import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { startServer } from '../helpers/server.ts'
import type { Settings, TestServer } from '../helpers/server.ts'
import { launchBrowser } from './chromium.ts'
import { factsOf, has, plain, rowsOf, tile } from './scene.ts'

const TRAP = '<img/src=x/onerror=alert(1)>'

let browser: Browser
before(async () => {
  browser = await launchBrowser()
})
after(() => browser.close())

/** A server with a disk, its side door in a browser. */
async function withServer(
  settings: Settings,
  play: (server: TestServer, page: Page) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'rat-page-'))
  const server = await startServer({
    'metrics.bind': '127.0.0.1:0',
    'l2.enabled': 'true',
    'l2.data_dir': folder,
    'l2.write_policy': 'write-through',
    ...settings,
  })
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    page.on('dialog', (dialog) => assert.fail(dialog.message()))
    await page.goto((await server.get('/')).url)
    await play(server, page)
  } finally {
    await context.close()
    await server.stop()
    rmSync(folder, { recursive: true })
  }
}

describe('the page of a server', () => {
  it('shows what the server did', () =>
    withServer({}, async (server, page) => {
      const client = await server.connect()
      await client.ask('set a 0 0 3\r\nabc\r\n', 'STORED\r\n')
      await client.ask('get a\r\n', 'VALUE a 0 3\r\nabc\r\nEND\r\n')
      for (let i = 0; i < 3; i++) await client.ask('get none\r\n', 'END\r\n')
      await has(page.locator('#status'), 'Ready')
      await has(tile(page, 'Gets').locator('.more'), '4 in all')
      await has(tile(page, 'Sets').locator('.more'), '1 in all')
      assert.equal(
        plain(await tile(page, 'Hit ratio').locator('.more').innerText()),
        '25.0 % in all',
      )
      // A second document has come: there are rates.
      await has(tile(page, 'Gets').locator('.main'), '/s')
      assert.match((await rowsOf(page, 'clients'))[0]?.[1] ?? '', /^tcp:127\.0\.0\.1:\d+$/)
      const classes = await rowsOf(page, 'classes')
      assert.deepEqual(
        classes.map((row) => row.slice(1, 3)),
        [['1', '1']],
      )
      assert.deepEqual(
        (await rowsOf(page, 'generations')).map((row) => row[0]),
        ['1, new'],
      )
      await page.fill('#configuration-filter', 'l2.write_policy')
      assert.deepEqual(await rowsOf(page, 'configuration'), [
        ['l2.write_policy', '"write-through"'],
      ])
    }))

  it('shows the keys that are asked for most, as text whatever they are', () =>
    withServer({}, async (server, page) => {
      const client = await server.connect()
      for (let i = 0; i < 20; i++) await client.ask(`get ${TRAP}\r\n`, 'END\r\n')
      await client.ask('set shop:1 0 0 1\r\nx\r\n', 'STORED\r\n')
      await has(page.locator('#hot-reads-rows'), TRAP)
      await has(page.locator('#hot-misses-rows'), TRAP)
      await has(page.locator('#hot-writes-rows'), 'shop:1')
      await has(page.locator('#prefixes'), 'shop')
      assert.equal(await page.locator('img').count(), 0)
    }))

  it('finds keys of any bytes, shows values where that is allowed, and leaves the items alone', () =>
    withServer({ 'metrics.allow_values': 'true' }, async (server, page) => {
      const client = await server.connect()
      const value = '<b>bold</b>'
      await client.ask(`set ${TRAP} 7 100 ${value.length}\r\n${value}\r\n`, 'STORED\r\n')
      await client.ask('ms /wDigKY= 2 b\r\nhi\r\n', 'HD\r\n')
      await page.fill('#key', TRAP)
      await page.keyboard.press('Enter')
      await has(page.locator('#key-note'), `${TRAP} is in memory and on disk.`)
      await has(page.locator('#key-value'), value)
      const facts = await factsOf(page, 'key-facts')
      assert.equal(facts['Client flags'], '7')
      assert.match(facts['Ends in'] ?? '', /^1 min (?:40|3\d) s$/)
      assert.equal(facts['State'], 'was never read')
      await page.getByLabel('The key is given as').selectOption('base64')
      await page.fill('#key', '/wDigKY=')
      await page.keyboard.press('Enter')
      await has(page.locator('#key-note'), String.raw`\xff\x00\xe2\x80\xa6 is in memory`)
      await has(page.locator('#key-value'), 'hi')
      assert.equal(await page.locator('img').count(), 0)
      assert.equal((await server.stats()).get('cmd_get'), 0)
    }))

  it('shows no value where that is not allowed, and nothing without the token', () =>
    withServer({ 'metrics.token': 'open-sesame' }, async (server, page) => {
      const client = await server.connect()
      await client.ask('set a 0 0 6\r\nsecret\r\n', 'STORED\r\n')
      await page.getByRole('dialog').waitFor()
      assert.equal(await page.locator('#configuration tr').count(), 0)
      await page.fill('#token', 'open-sesame')
      await page.keyboard.press('Enter')
      await has(page.locator('#status'), 'Ready')
      await page.fill('#key', 'a')
      await page.keyboard.press('Enter')
      await has(page.locator('#key-note'), 'Its value is not shown: metrics.allow_values')
      const shown = await page.locator('body').innerText()
      assert.ok(!shown.includes('secret') && !shown.includes('sesame'))
    }))

  it('says that the server is gone when it has stopped', () =>
    withServer({}, async (server, page) => {
      await has(page.locator('#status'), 'Ready')
      await server.stop()
      await has(page.locator('#status'), 'The server is gone')
    }))
})
