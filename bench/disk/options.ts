// The command line that the disk benchmarks share, and how they begin and end.

import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { canPin, killAllAtEnd } from '../wire/servers.ts'

export interface DiskBenchOptions {
  /** Longer, with larger sets: for figures to be published. */
  readonly full: boolean
  /** Another build to measure: the path of its rat-memcached.js. */
  readonly program: string | undefined
  /** Server and load have a core each. */
  readonly pin: boolean
  /** Rounds that were asked for; null: as many as the benchmark thinks right. */
  readonly rounds: number | null
  /** Words behind the options. */
  readonly words: readonly string[]
}

const LOAD_CORE = '1'

/** Runs a benchmark, and ends with status 1 if it fails. */
export async function runBench(
  name: string,
  bench: (options: DiskBenchOptions) => Promise<void>,
): Promise<void> {
  killAllAtEnd()
  try {
    await bench(parseOptions())
  } catch (error) {
    console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
  // Connections of a run that failed may still be open.
  process.exit()
}

function parseOptions(): DiskBenchOptions {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      full: { type: 'boolean', default: false },
      program: { type: 'string' },
      rounds: { type: 'string' },
    },
  })
  const pin = canPin()
  if (pin) execFileSync('taskset', ['-acp', LOAD_CORE, String(process.pid)], { stdio: 'ignore' })
  else console.error('no taskset, or one core: server and load are not pinned')
  const rounds = values.rounds === undefined ? null : Number(values.rounds)
  if (rounds !== null && !(rounds >= 1)) throw new Error('--rounds takes a number from 1 on')
  return { full: values.full, program: values.program, pin, rounds, words: positionals }
}
