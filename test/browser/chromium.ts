/**
 * A real browser for tests: whichever of Chromium's kind is on the PATH. `CHROMIUM` names another one.
 */
import assert from 'node:assert/strict'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'] as const

export function launchBrowser(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM'] ?? findBrowser()
  assert.ok(executablePath !== undefined, `there is none of ${NAMES.join(', ')} on the PATH`)
  // What is shown is our own page; as root, and in most containers, there is no sandbox to be had.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}

function findBrowser(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
