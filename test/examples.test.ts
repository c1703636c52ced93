/** Every program of `examples/` prints what its first lines say. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../examples/', import.meta.url))
const names = readdirSync(FOLDER)

describe('the examples', () => {
  it('are there', () => assert.ok(names.length >= 6))

  for (const name of names) {
    it(`${name} prints what it says it prints`, () => {
      const head = /^\/\/ .*Prints:\n((?:\/\/ {3}.*\n)+)/m.exec(readFileSync(FOLDER + name, 'utf8'))
      const expected = head?.[1]?.replaceAll(/^\/\/ {3}/gm, '')
      const run = spawnSync(process.execPath, [FOLDER + name], {
        encoding: 'utf8',
        timeout: 60_000,
      })
      assert.equal(run.stderr, '')
      assert.equal(run.stdout, expected)
      assert.equal(run.status, 0)
    })
  }
})
