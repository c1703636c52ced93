// What a run of the benchmark found, and on what: the shape of the JSON file. It names no machine and no path.

import { execFileSync } from 'node:child_process'
import { cpus, release, type as systemName } from 'node:os'
import { type LoadResult } from './load-spec.ts'
import { PROJECT } from './servers.ts'
import { type Workload } from './workloads.ts'

/** One run of one workload against one server. */
export interface Measurement extends LoadResult {
  readonly workload: string
  readonly server: string
  readonly round: number
  /** Resident memory of the server at the end. */
  readonly residentBytes: number | null
}

export interface ServerVersion {
  readonly name: string
  readonly version: string
}

export interface Environment {
  readonly date: string
  readonly commit: string
  /** Whether the working tree had changes that the commit doesn't hold. */
  readonly isModified: boolean
  readonly cpuModel: string
  readonly cpuCount: number
  readonly kernel: string
  readonly node: string
  readonly isPinned: boolean
}

export interface BenchResult {
  readonly environment: Environment
  readonly options: { seconds: number; rounds: number; memoryMb: number; commandLine: string }
  readonly servers: readonly ServerVersion[]
  readonly measurements: readonly Measurement[]
}

export function describeEnvironment(isPinned: boolean): Environment {
  const commit = git(['rev-parse', '--short', 'HEAD']) ?? 'unknown'
  const changes = git(['status', '--porcelain', '--untracked-files=no', 'src', 'bin'])
  return {
    date: new Date().toISOString().slice(0, 10),
    commit,
    isModified: changes !== null && changes !== '',
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    cpuCount: cpus().length,
    kernel: `${systemName()} ${release()}`,
    node: process.version,
    isPinned,
  }
}

/** The median of a server's values in the rounds whose every byte was right; null without any. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export interface Ratio {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** The ratio of two servers, taken round by round; null if no round has both. */
export function ratioOf(
  measurements: readonly Measurement[],
  workload: Workload['name'],
  server: string,
  baseline: string,
  metric: (measurement: Measurement) => number | null,
): Ratio | null {
  const valid = measurements.filter((one) => one.workload === workload && one.failure === null)
  const ratios: number[] = []
  for (const ours of valid.filter((one) => one.server === server)) {
    const theirs = valid.find((one) => one.server === baseline && one.round === ours.round)
    const above = metric(ours)
    const below = theirs === undefined ? null : metric(theirs)
    if (above !== null && below !== null && below > 0) ratios.push(above / below)
  }
  const middle = median(ratios)
  if (middle === null) return null
  return { median: middle, least: Math.min(...ratios), most: Math.max(...ratios) }
}

export function opsPerS(one: Measurement): number {
  return one.requests / one.seconds
}

export function cpuUsPerRequest(one: Measurement): number | null {
  return one.cpuUs === null || one.requests === 0 ? null : one.cpuUs / one.requests
}

/** The share of one core that the server used. */
export function serverCpuShare(one: Measurement): number | null {
  return one.cpuUs === null ? null : one.cpuUs / (one.seconds * 1e6)
}

function git(words: readonly string[]): string | null {
  try {
    const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore']
    return execFileSync('git', words, { cwd: PROJECT, encoding: 'utf8', stdio }).trim()
  } catch {
    return null
  }
}
