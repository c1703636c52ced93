/** A short crash test of the built program; `npm run test:crash` is the long one. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { POLICIES } from './model.ts'
import { renderReport, violations } from './report.ts'
import { runCrashTest } from './run.ts'
import { ProcessLauncher, builtProgram } from './server-process.ts'

const ROUNDS = 3
/** The write interval, and two seconds: other tests run beside this one. */
const WINDOW_MS = 2100
const LOAD_MAX_MS = 1000

const program = builtProgram(fileURLToPath(new URL('../..', import.meta.url)))

describe('a server that is killed', { concurrency: POLICIES.length }, () => {
  for (const policy of POLICIES) {
    it(`never answers with what is over, and keeps what ${policy} promises`, async () => {
      const seed = Date.now() % 1_000_000
      const said: string[] = []
      const [report] = await runCrashTest({
        launcher: new ProcessLauncher([program]),
        policies: [policy],
        rounds: ROUNDS,
        seed,
        windowMs: WINDOW_MS,
        loadMaxMs: LOAD_MAX_MS,
        isMemoryOnly: false,
        say: (text) => said.push(text),
      })
      assert.ok(report !== undefined)
      const told = `seed ${seed}\n${said.join('\n')}\n${renderReport(report)}`
      assert.equal(violations(report), 0, told)
      assert.ok(report.tally.checked > 0, told)
    })
  }
})
