/**
 * A crash test: the rounds of each policy, cut into chains that share a data directory, two chains
 * at a time. Directories of chains without a finding are removed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../../bench/wire/draws.ts'
import { runChain } from './chain.ts'
import type { Policy } from './model.ts'
import { addChain, newReport, renderFindings } from './report.ts'
import type { PolicyReport } from './report.ts'
import type { Launcher } from './server-process.ts'

export interface CrashRun {
  readonly launcher: Launcher
  readonly policies: readonly Policy[]
  readonly rounds: number
  readonly seed: number
  readonly windowMs: number
  readonly loadMaxMs: number
  readonly isMemoryOnly: boolean
  readonly say: (text: string) => void
}

interface Plan {
  readonly firstRound: number
  readonly rounds: number
  readonly seed: number
}

const CHAINS_AT_A_TIME = 2
const CHAIN_ROUNDS_MAX = 6

export async function runCrashTest(run: CrashRun): Promise<PolicyReport[]> {
  const folder = mkdtempSync(join(tmpdir(), 'rat-crash-'))
  const reports: PolicyReport[] = []
  let isClean = true
  for (const policy of run.policies) {
    const report = newReport(policy)
    reports.push(report)
    const plans = planChains(run.rounds, run.seed)
    const worker = async (): Promise<void> => {
      for (let plan = plans.shift(); plan !== undefined; plan = plans.shift()) {
        const dataDir = join(folder, `${policy}-${plan.firstRound}`)
        const { launcher, windowMs, loadMaxMs, isMemoryOnly } = run
        const { rounds, seed, firstRound } = plan
        const shared = { launcher, windowMs, loadMaxMs, isMemoryOnly, policy, dataDir }
        const result = await runChain({ ...shared, rounds, seed })
        addChain(report, result)
        const { findings } = result.model
        if (findings.length === 0) {
          rmSync(dataDir, { recursive: true, force: true })
          rmSync(`${dataDir}.log`, { force: true })
        } else {
          isClean = false
          run.say(renderFindings({ policy, seed: run.seed, firstRound, dataDir }, findings))
        }
      }
    }
    await Promise.all(Array.from({ length: CHAINS_AT_A_TIME }, worker))
  }
  if (isClean) rmSync(folder, { recursive: true, force: true })
  return reports
}

/** Chains of random length that make up a number of rounds. */
function planChains(rounds: number, seed: number): Plan[] {
  const random = seededRandom(seed)
  const plans: Plan[] = []
  for (let first = 1; first <= rounds;) {
    const wanted = 1 + Math.floor(random() * CHAIN_ROUNDS_MAX)
    const length = Math.min(wanted, rounds - first + 1)
    plans.push({ firstRound: first, rounds: length, seed: Math.floor(random() * 2 ** 32) })
    first += length
  }
  return plans
}
