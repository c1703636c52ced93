/**
 * The page in a browser, before a real side door whose documents a test writes. When the test is over it is
 * checked that the page asked nobody else, threw nothing and did nothing that its policy forbids.
 */
import assert from 'node:assert/strict'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { jsonAnswer } from '../../src/http/answer.ts'
import type { Answer, Responder } from '../../src/http/answer.ts'
import { SideDoor } from '../../src/http/door.ts'
import { frontResponders } from '../../src/http/front.ts'
import type { KeyDocument, StatsDocument } from '../../src/http/stats-document.ts'
import { SystemClock } from '../../src/observe/clock.ts'
import { createLoggerTo } from '../../src/observe/log.ts'
import { documentAfter } from './document.ts'

/** How long something may take to appear. */
const PATIENCE_MS = 10_000
/** The interval at which the page asks, at first. */
const INTERVAL_MS = 2000
/** By the browser's clock. */
const STARTED_AT_MS = 1_750_000_000_000
/** Long after: it may not have passed already. */
const PAUSED_AT_MS = STARTED_AT_MS + 3_600_000

export interface SceneOptions {
  readonly token?: string
  /** What is asked for the nth time, from 1 on; left out, the document after so many ticks. */
  readonly document?: (asked: number) => StatsDocument | Answer
  readonly key?: (query: URLSearchParams) => KeyDocument
  readonly context?: BrowserContextOptions
}

export interface Scene {
  readonly page: Page
  /** Where the page is, with a slash at its end. */
  readonly url: string
  /** Everything that the browser asked for. */
  readonly requests: readonly string[]
  /** How often the document was asked for. */
  readonly asked: () => number
  readonly closeDoor: () => Promise<void>
  readonly openDoor: () => Promise<void>
  /** Lets the page's clock run to the time when it asks again. */
  readonly nextInterval: () => Promise<void>
}

export async function withScene(
  browser: Browser,
  options: SceneOptions,
  play: (scene: Scene) => Promise<void>,
): Promise<void> {
  let count = 0
  const clock = new SystemClock()
  const log = createLoggerTo({ write: () => undefined }, 'silent', false)
  const noItem: KeyDocument = { key: 'a', isBase64: false, item: null }
  const responders: ReadonlyMap<string, Responder> = new Map<string, Responder>([
    ...frontResponders(),
    ['/stats.json', () => asAnswer((options.document ?? documentAfter)(++count))],
    ['/key', (query) => asAnswer(options.key?.(query) ?? noItem)],
  ])
  const open = async (port: number): Promise<{ door: SideDoor; address: string }> => {
    const where = { host: '127.0.0.1', port, token: options.token ?? '' }
    const door = new SideDoor(where, responders, clock, log)
    return { door, address: await door.open() }
  }
  let { door, address } = await open(0)
  const context = await browser.newContext(options.context)
  try {
    const page = await context.newPage()
    page.setDefaultTimeout(PATIENCE_MS)
    const requests: string[] = []
    const problems: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    page.on('pageerror', (error) => problems.push(String(error)))
    page.on('dialog', (dialog) => {
      problems.push(`a dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('console', (message) => {
      if (/Content Security Policy|Trusted/.test(message.text())) problems.push(message.text())
    })
    // Its time stands still but when a test lets it run.
    await page.clock.install({ time: STARTED_AT_MS })
    await page.clock.pauseAt(PAUSED_AT_MS)
    const url = `http://${address}/`
    await page.goto(url)
    await play({
      page,
      url,
      requests,
      asked: () => count,
      closeDoor: () => door.close(),
      async openDoor() {
        ;({ door, address } = await open(Number(new URL(url).port)))
      },
      nextInterval: () => page.clock.runFor(INTERVAL_MS),
    })
    assert.deepEqual(problems, [])
    const strange = requests.filter((text) => !text.startsWith(url) && !text.startsWith('data:'))
    assert.deepEqual(strange, [])
  } finally {
    await context.close()
    await door.close()
    clock.stop()
  }
}

/** Waits until an element has this text, or one like it. */
export async function has(element: Locator, text: string | RegExp): Promise<void> {
  try {
    await element.filter({ hasText: text }).first().waitFor({ state: 'attached' })
  } catch {
    const shown = await element
      .first()
      .textContent({ timeout: 1000 })
      .catch(() => 'nothing')
    assert.fail(`${String(text)} was expected, shown is: ${shown}`)
  }
}

/** Looks again and again until it is so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!(await isSo())) {
    assert.ok(performance.now() < deadline, `it did not become so: ${isSo.toString()}`)
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
  }
}

/** The cells of a table's rows. */
export async function rowsOf(page: Page, id: string): Promise<string[][]> {
  const rows = await page.locator(`#${id} tr`).all()
  return Promise.all(
    rows.map(async (row) => (await row.locator('th, td').allTextContents()).map(plain)),
  )
}

/** The figures of a chart's legend, "gets 1.00 k/s". */
export async function legendOf(page: Page, title: string): Promise<string[]> {
  const items = chart(page, title).locator('.legend li')
  const [labels, values] = await Promise.all([
    items.locator('.label').allTextContents(),
    items.locator('.value').allTextContents(),
  ])
  return labels.map((label, index) => plain(`${label} ${values[index]}`))
}

/** The chart whose title begins like this. */
export function chart(page: Page, title: string): Locator {
  return page.locator('figure', { has: page.locator('h3', { hasText: new RegExp(`^${title}`) }) })
}

/** Names and values of a list. */
export async function factsOf(page: Page, id: string): Promise<Record<string, string>> {
  const list = page.locator(`#${id}`)
  const [names, values] = await Promise.all([
    list.locator('dt').allTextContents(),
    list.locator('dd').allTextContents(),
  ])
  return Object.fromEntries(names.map((name, index) => [name, plain(values[index] ?? '')]))
}

export function tile(page: Page, name: string): Locator {
  return page.locator('#tiles > div').filter({ has: page.locator('dt', { hasText: name }) })
}

/** Spaces that do not break are of no interest here. */
export function plain(text: string): string {
  return text.replaceAll('\u00a0', ' ')
}

function asAnswer(answer: StatsDocument | KeyDocument | Answer): Answer {
  return 'status' in answer ? answer : jsonAnswer(200, answer)
}
