import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser } from 'playwright-core'
import type { StatsDocument } from '../../src/http/stats-document.ts'
import { launchBrowser } from './chromium.ts'
import { ITEM, documentAfter } from './document.ts'
import { has, rowsOf, tile, withScene } from './scene.ts'

/** A key may be that: it has no space. */
const TRAP = '<img/src=x/onerror=alert(1)>'
const HIDDEN = '\u202e\u0000'

let browser: Browser
before(async () => {
  browser = await launchBrowser()
})
after(() => browser.close())

describe('what strangers put into the page', () => {
  const value = { text: `${TRAP}\n</pre><script>alert(2)</script>`, isBase64: false, isCut: false }
  const found = { key: TRAP, isBase64: false, item: { ...ITEM, value } }

  it('is text, wherever it stands', () =>
    withScene(browser, { document: trapped, key: () => found }, async ({ page, nextInterval }) => {
      await has(page.locator('#status'), `Not ready: degraded: ${TRAP}`)
      await nextInterval()
      await has(tile(page, 'Gets'), '2,000 in all')
      assert.deepEqual(await rowsOf(page, 'hot-reads-rows'), [[TRAP, '3']])
      assert.deepEqual(await rowsOf(page, 'hot-misses-rows'), [
        [String.raw`${TRAP}\u{202e}\u{0}`, '3'],
      ])
      await page.locator('#hot-reads-rows button').click()
      await has(page.locator('#key-value'), '<script>alert(2)</script>')
      const counts = await page.evaluate(() =>
        ['img', 'script', 'iframe', 'style'].map((name) => document.querySelectorAll(name).length),
      )
      assert.deepEqual(counts, [0, 1, 0, 1])
      const shown = (await page.locator('body').innerText()).split(TRAP).length - 1
      assert.ok(shown >= 12, `${shown} times`)
    }))

  it('could not become markup, code or a request if the page tried', () =>
    withScene(browser, {}, async ({ page, url }) => {
      await has(page.locator('#status'), 'Ready')
      // In a page of its own: that it tries is no fault of the one that is watched.
      const other = await page.context().newPage()
      await other.goto(url)
      const outcomes = await other.evaluate(async (trap) => {
        const tries: readonly (() => unknown)[] = [
          () => (document.body.innerHTML = trap),
          () => document.body.insertAdjacentHTML('beforeend', trap),
          () => document.createElement('iframe').setAttribute('srcdoc', trap),
          () => fetch('https://example.org/'),
        ]
        const isRefused: boolean[] = []
        for (const attempt of tries) {
          try {
            await attempt()
            isRefused.push(false)
          } catch {
            isRefused.push(true)
          }
        }
        // A debugger, which this is run by, may make functions of text; what is called later may not.
        const later = new Promise<boolean>((resolve) => {
          const { port1, port2 } = new MessageChannel()
          port1.addEventListener('message', () => {
            try {
              Reflect.construct(Function, ['return 1'])
              resolve(false)
            } catch {
              resolve(true)
            }
          })
          port1.start()
          port2.postMessage('now')
        })
        return [...isRefused, await later]
      }, TRAP)
      assert.deepEqual(outcomes, [true, true, true, true, true])
    }))
})

describe('the token', () => {
  it('is asked for, refused when wrong, kept for the tab, and in no address', () =>
    withScene(browser, { token: 'open-sesame' }, async ({ page, url, requests }) => {
      const dialog = page.getByRole('dialog', { name: 'This server asks for its token' })
      await dialog.waitFor()
      await has(page.locator('#status'), 'Locked')
      await dialog.getByLabel('Token').fill('nonsense')
      await page.keyboard.press('Enter')
      await has(page.locator('#unlock-note'), 'That was not the token')
      await dialog.getByLabel('Token').fill('open-sesame')
      await page.keyboard.press('Enter')
      await has(page.locator('#status'), 'Ready')
      assert.equal(await dialog.count(), 0)
      await page.reload()
      await has(page.locator('#status'), 'Ready')
      assert.ok(requests.length > 4, requests.join('\n'))
      assert.ok(requests.every((address) => !address.includes('sesame')))
      assert.equal(page.url(), url)
      const kept = await page.evaluate(() => [localStorage.length, document.cookie])
      assert.deepEqual(kept, [0, ''])
      const elsewhere = await page.context().newPage()
      await elsewhere.goto(url)
      await elsewhere.getByRole('dialog').waitFor()
      await page.getByRole('button', { name: 'Forget token' }).click()
      await dialog.waitFor()
    }))

  it('can be given later by who has closed the dialog', () =>
    withScene(browser, { token: 'open-sesame' }, async ({ page }) => {
      const dialog = page.getByRole('dialog')
      await dialog.waitFor()
      await page.keyboard.press('Escape')
      await dialog.waitFor({ state: 'hidden' })
      await page.getByRole('button', { name: 'Enter token' }).click()
      await dialog.getByLabel('Token').fill('open-sesame')
      await page.keyboard.press('Enter')
      await has(page.locator('#status'), 'Ready')
    }))

  it('is not asked for where there is none', () =>
    withScene(browser, {}, async ({ page }) => {
      await has(page.locator('#status'), 'Ready')
      assert.equal(await page.getByRole('dialog').count(), 0)
      assert.equal(await page.getByRole('button', { name: /token/ }).count(), 0)
    }))
})

/** A document in which every text is a trap. */
function trapped(asked: number): StatsDocument {
  const document = documentAfter(asked)
  const key = { key: TRAP, isBase64: false, count: 3, error: 0 }
  const hidden = Buffer.from(`${TRAP}${HIDDEN}`).toString('base64')
  const [client] = document.clients.shown
  const [slow] = document.slowLog!.entries
  const [prefix] = document.prefixes
  const entries = [{ ...slow!, key: TRAP, client: TRAP, command: TRAP }]
  return {
    ...document,
    version: TRAP,
    readiness: { ready: false, reasons: [`degraded: ${TRAP}`] },
    hotKeys: {
      ...document.hotKeys!,
      reads: [key],
      writes: [key],
      bytes: [key],
      misses: [{ ...key, key: hidden, isBase64: true }],
    },
    prefixes: [{ ...prefix!, prefix: TRAP }],
    slowLog: { ...document.slowLog!, entries },
    clients: { count: 1, shown: [{ ...client!, address: TRAP, state: TRAP }] },
    memory: { ...document.memory, policy: { name: TRAP, facts: [[TRAP, TRAP]] } },
    configuration: [[TRAP, TRAP]],
  }
}
