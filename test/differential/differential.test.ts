/**
 * A short differential run against the memcached on the PATH; `npm run test:diff` is the long one. Its
 * seeds and its length are fixed, in steps and not in time: a slow machine plays the same.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MODES, runDifferential } from './run.ts'
import { versionOf } from './server-process.ts'

const PROGRAM = fileURLToPath(new URL('../../dist/bin/rat-memcached.js', import.meta.url))
const STEPS = 250
/** Far more than they take: who is not done by then hangs. */
const SECONDS_MAX = 120
const REFERENCE = process.env['MEMCACHED'] ?? 'memcached'

describe('beside memcached', () => {
  for (const [at, mode] of MODES.entries()) {
    it(`the same replies come back in mode ${mode.name}`, async () => {
      const version = versionOf(REFERENCE)
      assert.ok(version !== undefined, `${REFERENCE} is no memcached`)
      const said: string[] = []
      const result = await runDifferential({
        reference: REFERENCE,
        version,
        program: PROGRAM,
        seconds: SECONDS_MAX,
        roundSeconds: SECONDS_MAX,
        roundSteps: STEPS,
        roundsMax: 1,
        seed: 1 + at,
        modes: [mode],
        differencesMax: 1,
        say: (text) => said.push(text),
      })
      assert.equal(result.differences, 0, said.join('\n'))
      assert.ok(result.commands > 2 * STEPS, `${result.commands} commands`)
    })
  }
})
