/** A short differential run against the memcached on the PATH; `npm run test:diff` is the long one. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MODES, runDifferential } from './run.ts'
import { versionOf } from './server-process.ts'

const PROGRAM = fileURLToPath(new URL('../../dist/bin/rat-memcached.js', import.meta.url))
const REFERENCE = process.env['MEMCACHED'] ?? 'memcached'

describe('beside memcached', () => {
  for (const mode of MODES) {
    it(`the same replies come back in mode ${mode.name}`, async () => {
      const version = versionOf(REFERENCE)
      assert.ok(version !== undefined, `${REFERENCE} is no memcached`)
      const said: string[] = []
      const result = await runDifferential({
        reference: REFERENCE,
        version,
        program: PROGRAM,
        seconds: 3,
        roundSeconds: 3,
        seed: 1,
        modes: [mode],
        differencesMax: 1,
        say: (text) => said.push(text),
      })
      assert.equal(result.differences, 0, said.join('\n'))
      assert.ok(result.commands > 50, `${result.commands} commands`)
    })
  }
})
