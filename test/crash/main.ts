/**
 * `npm run test:crash`: kills servers under load and checks what they remember.
 *
 *     npm run test:crash -- --rounds 200 --seed 7 --policy write-behind
 *
 * `--memory-only` runs the server without its disk tier: then anything may be lost, and nothing else.
 * `--program FILE` runs another build. Exits with 1 if an answer was stale, resurrected, wrong or lost without leave. Every choice comes
 * from the seed; what the server does in the meantime does not, so a failure may need some rounds to
 * come again. The data directory of a chain that failed is kept.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { POLICIES } from './model.ts'
import type { Policy } from './model.ts'
import { renderReport, violations } from './report.ts'
import { runCrashTest } from './run.ts'
import { ProcessLauncher, builtProgram } from './server-process.ts'

/** The default of l2.write_interval, and a second for a machine that is busy. */
const WINDOW_MS = 100 + 1000
const LOAD_MAX_MS = 2000

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    policy: { type: 'string', default: 'all' },
    program: { type: 'string', default: builtProgram(ROOT) },
    'memory-only': { type: 'boolean', default: false },
    window: { type: 'string', default: String(WINDOW_MS) },
  },
})
const rounds = Number(values.rounds)
const seed = Number(values.seed)
const windowMs = Number(values.window)
const policies = POLICIES.filter((one) => values.policy === 'all' || values.policy === one)
if (policies.length === 0 || !(rounds > 0) || !Number.isInteger(seed) || !(windowMs >= 0)) {
  console.error(`test:crash: --rounds N --seed S --policy ${POLICIES.join('|')}|all --window MS`)
  process.exit(2)
}
process.exitCode = await main(policies)

async function main(chosen: readonly Policy[]): Promise<number> {
  const startedMs = performance.now()
  console.log(`crash test: ${rounds} rounds for each of ${chosen.join(', ')}; seed ${seed}`)
  const reports = await runCrashTest({
    launcher: new ProcessLauncher([values.program]),
    policies: chosen,
    rounds,
    seed,
    windowMs,
    loadMaxMs: LOAD_MAX_MS,
    isMemoryOnly: values['memory-only'],
    say: (text) => console.log(text),
  })
  for (const report of reports) console.log(renderReport(report))
  const found = reports.reduce((sum, report) => sum + violations(report), 0)
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0)
  console.log(
    `${found === 0 ? 'passed' : `FAILED: ${found} violations`}, ${seconds} s, seed ${seed}`,
  )
  return found === 0 ? 0 : 1
}
