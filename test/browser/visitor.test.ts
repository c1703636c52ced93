import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { textAnswer } from '../../src/http/answer.ts'
import { launchBrowser } from './chromium.ts'
import { ITEM } from './document.ts'
import { chart, factsOf, has, plain, tile, until, withScene } from './scene.ts'

let browser: Browser
before(async () => {
  browser = await launchBrowser()
})
after(() => browser.close())

describe('a server that is gone', () => {
  it('is missed, and found again when it is back', () =>
    withScene(browser, {}, async ({ page, closeDoor, openDoor, nextInterval }) => {
      const isStale = (): Promise<boolean> =>
        page.evaluate(() => document.documentElement.classList.contains('stale'))
      await has(page.locator('#status'), 'Ready')
      await closeDoor()
      await nextInterval()
      await has(page.locator('#status'), /The server is gone for .*: it cannot be reached/)
      assert.ok(await isStale())
      // What was known is still there.
      await has(tile(page, 'Memory'), '48.0')
      await openDoor()
      await page.clock.runFor(16_000)
      await has(page.locator('#status'), 'Ready')
      assert.ok(!(await isStale()))
    }))

  it('is asked less and less often', () =>
    withScene(browser, { document: () => textAnswer(500, 'broken') }, async ({ page, asked }) => {
      for (const [index, waitS] of [1, 2, 4, 8, 15, 15].entries()) {
        await until(() => asked() === index + 1)
        await has(page.locator('#status'), `status 500. Asking again in ${waitS}\u00a0s`)
        await page.clock.runFor(waitS * 1000)
      }
    }))
})

describe('who looks', () => {
  it('decides how often, and whether, the server is asked', () =>
    withScene(browser, {}, async ({ page, asked }) => {
      await has(page.locator('#status'), 'Ready')
      await page.getByRole('button', { name: 'Pause' }).click()
      await has(page.locator('#status'), /Paused; the figures are of \d\d:\d\d:\d\d/)
      const paused = asked()
      await page.clock.runFor(60_000)
      assert.equal(asked(), paused)
      await page.getByLabel('Every').selectOption('15 s')
      assert.equal(asked(), paused)
      await page.getByRole('button', { name: 'Go on' }).click()
      await until(() => asked() === paused + 1)
      await has(page.locator('#status'), 'Ready')
      await page.clock.runFor(7000)
      assert.equal(asked(), paused + 1)
      await page.clock.runFor(8000)
      await until(() => asked() === paused + 2)
    }))

  it('costs nothing while the tab is hidden, and sees the truth at once when it is back', () =>
    withScene(browser, {}, async ({ page, asked }) => {
      await has(page.locator('#status'), 'Ready')
      await setHidden(page, true)
      const hidden = asked()
      await page.clock.runFor(60_000)
      assert.equal(asked(), hidden)
      await setHidden(page, false)
      await until(() => asked() === hidden + 1)
    }))

  it('finds a key, by its name or by choosing one that is shown', () => {
    const queries: string[] = []
    const key = (
      query: URLSearchParams,
    ): { key: string; isBase64: false; item: typeof ITEM | null } => {
      queries.push(query.toString())
      return { key: 'a', isBase64: false, item: query.get('key') === 'none' ? null : ITEM }
    }
    return withScene(browser, { key }, async ({ page }) => {
      const note = page.locator('#key-note')
      await has(page.locator('#status'), 'Ready')
      await page.getByRole('textbox', { name: 'Key', exact: true }).fill('user:ü')
      await page.keyboard.press('Enter')
      await has(note, 'user:ü is in memory and on disk. Its value is not shown')
      assert.deepEqual(await factsOf(page, 'key-facts'), {
        Value: '1.50 KB',
        'Ends in': '1 min 30 s',
        State: 'was read',
        'Unused for': '4 s',
        'Client flags': '7',
        cas: '18446744073709551615',
        'Size class': '12, 2.00 KB',
        Generation: '9',
      })
      await page.fill('#key', 'none')
      await page.keyboard.press('Enter')
      await has(note, 'There is no item of the key none')
      assert.deepEqual(await factsOf(page, 'key-facts'), {})
      await page.locator('#hot-misses-rows button').click()
      await has(note, String.raw`\xff\x00\xe2\x80\xa6 is in memory`)
      await page.getByLabel('The key is given as').selectOption('base64')
      await page.fill('#key', '***')
      await page.getByRole('button', { name: 'Look up' }).click()
      await has(note, 'That is no base64')
      assert.deepEqual(queries, ['key64=dXNlcjrDvA%3D%3D', 'key=none', 'key64=%2FwDigKY%3D'])
    })
  })

  it('goes through the time of a chart by the keyboard', () =>
    withScene(browser, {}, async ({ page, nextInterval }) => {
      for (let sample = 1; sample < 4; sample++) {
        await has(tile(page, 'Gets'), `${sample},000 in all`)
        await nextInterval()
      }
      await has(tile(page, 'Gets'), '4,000 in all')
      const memory = chart(page, 'Memory')
      const canvas = memory.getByRole('img')
      await canvas.focus()
      assert.equal(await memory.locator('.time').textContent(), '')
      await page.keyboard.press('ArrowLeft')
      await has(memory.locator('.time'), /^\d\d:\d\d:\d\d$/)
      const first = await memory.locator('.time').textContent()
      await page.keyboard.press('Home')
      assert.notEqual(await memory.locator('.time').textContent(), first)
      const label = plain((await canvas.getAttribute('aria-label')) ?? '')
      assert.match(label, /^Memory: items 48\.0 MB, pages 56\.0 MB, process 160 MB\./)
      await page.keyboard.press('Escape')
      assert.equal(await memory.locator('.time').textContent(), '')
    }))
})

describe('the looks of the page', () => {
  for (const width of [360, 768, 1280, 1900]) {
    it(`fit into ${width} pixels, and nothing jumps when figures change`, () =>
      withScene(browser, { context: { viewport: { width, height: 900 } } }, async (scene) => {
        const { page, nextInterval } = scene
        await has(tile(page, 'Gets'), '1,000 in all')
        await page.evaluate(() => {
          const shifts: unknown[] = []
          Object.assign(globalThis, { shifts })
          new PerformanceObserver((list) => shifts.push(...list.getEntries())).observe({
            type: 'layout-shift',
          })
        })
        for (let round = 2; round < 6; round++) {
          await nextInterval()
          await has(tile(page, 'Gets'), `${round},000 in all`)
        }
        const outcome = await page.evaluate(() => [
          document.documentElement.scrollWidth - innerWidth,
          Reflect.get(globalThis, 'shifts').length,
        ])
        assert.deepEqual(outcome, [0, 0])
      }))
  }

  it('are dark where the system is, and change with it, lines included', () =>
    withScene(browser, { context: { colorScheme: 'light' } }, async ({ page, nextInterval }) => {
      await has(tile(page, 'Gets'), '1,000 in all')
      await nextInterval()
      await has(tile(page, 'Gets'), '2,000 in all')
      const light = await coloursOf(page)
      await page.emulateMedia({ colorScheme: 'dark' })
      await until(async () => (await coloursOf(page)).chart !== light.chart)
      const dark = await coloursOf(page)
      assert.ok(brightness(light.back) > 200 && brightness(light.text) < 80, JSON.stringify(light))
      assert.ok(brightness(dark.back) < 60 && brightness(dark.text) > 180, JSON.stringify(dark))
    }))
})

interface Colours {
  readonly back: string
  readonly text: string
  readonly chart: string
}

function coloursOf(page: Page): Promise<Colours> {
  return page.evaluate(() => {
    const { backgroundColor, color } = getComputedStyle(document.documentElement)
    const chartUrl = document.querySelector('canvas')!.toDataURL()
    return { back: backgroundColor, text: color, chart: chartUrl }
  })
}

/** The mean of the parts of "rgb(1, 2, 3)". */
function brightness(colour: string): number {
  const parts = (colour.match(/\d+/g) ?? []).map(Number)
  return (parts[0]! + parts[1]! + parts[2]!) / 3
}

function setHidden(page: Page, isHidden: boolean): Promise<void> {
  return page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }, isHidden)
}
