/** What a run has found, as text: a row for each policy, and each violation with its history. */
import { FAULTS } from './key-history.ts'
import { emptyTally } from './model.ts'
import type { Finding, Policy, Tally } from './model.ts'
import type { ChainResult } from './chain.ts'

export interface PolicyReport {
  readonly policy: Policy
  readonly tally: Tally
  rounds: number
  kills: number
  stops: number
  sentBytes: number
}

export interface ChainName {
  readonly policy: Policy
  readonly seed: number
  readonly firstRound: number
  readonly dataDir: string
}

/** Findings of one chain that are shown; the others mostly say the same. */
const FINDINGS_SHOWN = 4
const TALLIED = [
  'acknowledged',
  'flushes',
  'checked',
  'misses',
  'lostAllowed',
  'reappeared',
  'refused',
  'lost',
  ...FAULTS,
] as const satisfies readonly (keyof Tally)[]

export function newReport(policy: Policy): PolicyReport {
  return { policy, tally: emptyTally(), rounds: 0, kills: 0, stops: 0, sentBytes: 0 }
}

export function addChain(report: PolicyReport, result: ChainResult): void {
  const { tally } = report
  const added = result.model.tally
  for (const name of TALLIED) tally[name] += added[name]
  tally.lostOldestMs = Math.max(tally.lostOldestMs, added.lostOldestMs)
  report.rounds += result.rounds
  report.kills += result.kills
  report.stops += result.stops
  report.sentBytes += result.sentBytes
}

/** Violations of every kind. */
export function violations({ tally }: PolicyReport): number {
  return tally.lost + FAULTS.reduce((sum, fault) => sum + tally[fault], 0)
}

export function renderReport({ policy, tally, ...rest }: PolicyReport): string {
  const allowed = `${tally.lostAllowed} (oldest ${tally.lostOldestMs.toFixed(0)} ms)`
  const rows: readonly (readonly [string, string | number])[] = [
    ['rounds', rest.rounds],
    ['kills', rest.kills],
    ['clean stops', rest.stops],
    ['values sent', `${(rest.sentBytes / 1e6).toFixed(0)} MB`],
    ['acknowledged', tally.acknowledged],
    ['flushes', tally.flushes],
    ['checked keys', tally.checked],
    ['misses', tally.misses],
    ['refused', tally.refused],
    ['missed, then there', tally.reappeared],
    ['lost, as allowed', allowed],
    ['LOST', tally.lost],
    ['STALE', tally.stale],
    ['RESURRECTED', tally.resurrected],
    ['WRONG BYTES', tally.wrong],
    ['WRONG CAS', tally.cas],
    ['PROTOCOL', tally.protocol],
  ]
  const lines = rows.map(([name, value]) => `  ${name.padEnd(20)}${value}`)
  return `${policy}\n${lines.join('\n')}`
}

export function renderFindings(chain: ChainName, findings: readonly Finding[]): string {
  const shown = findings.slice(0, FINDINGS_SHOWN).map(({ fault, key, why, history }) => {
    const lines = history.map((line) => `    ${line}`)
    return [`  ${fault.toUpperCase()} ${key}: ${why}`, ...lines].join('\n')
  })
  const more = findings.length - FINDINGS_SHOWN
  if (more > 0) shown.push(`  and ${more} more`)
  const head = `${chain.policy}, seed ${chain.seed}, rounds from ${chain.firstRound}, data kept in ${chain.dataDir}`
  return [head, ...shown].join('\n')
}
