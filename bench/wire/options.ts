// The command line of `npm run bench`.

import { parseArgs } from 'node:util'
import { WORKLOADS, selectWorkloads, type Workload } from './workloads.ts'

export interface BenchOptions {
  readonly workloads: readonly Workload[]
  readonly seconds: number
  readonly rounds: number
  readonly memoryMb: number
  readonly servers: readonly string[]
  readonly jsonFile: string | null
  readonly writeDocs: boolean
  readonly list: boolean
  readonly help: boolean
  /** The options as they were given, for the report. */
  readonly commandLine: string
}

export const USAGE = `npm run bench -- [options]

  --workloads a,b     only these; * stands for any letters
  --seconds N         measured seconds of a run (default 3; --quick 1)
  --rounds N          rounds, each with fresh servers in the other order (default 3; --quick 2)
  --connections N     instead of what the workloads say
  --memory MB         memory of each server (default 512); fill has its own
  --server CMD        another server to compare, 'name=command' or a command, with {port} and {mem}
  --quick             few workloads, short
  --json FILE         write the result there too
  --write-docs        write the result into docs/BENCHMARKS.md
  --list              show the workloads`

export function parseOptions(words: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...words],
    options: {
      workloads: { type: 'string' },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      connections: { type: 'string' },
      memory: { type: 'string' },
      server: { type: 'string', multiple: true, default: [] },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      'write-docs': { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const named =
    values.workloads === undefined
      ? WORKLOADS.filter((workload) => workload.isQuick || !values.quick)
      : selectWorkloads(values.workloads.split(','))
  const connections = values.connections && number('connections', values.connections, 1)
  return {
    workloads: connections ? named.map((workload) => ({ ...workload, connections })) : named,
    seconds: number('seconds', values.seconds ?? (values.quick ? '1' : '3'), 0.1),
    rounds: Math.round(number('rounds', values.rounds ?? (values.quick ? '2' : '3'), 1)),
    memoryMb: Math.round(number('memory', values.memory ?? '512', 1)),
    servers: values.server,
    jsonFile: values.json ?? null,
    writeDocs: values['write-docs'],
    list: values.list,
    help: values.help,
    commandLine: words.map(quoted).join(' '),
  }
}

function number(name: string, text: string, least: number): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value < least)
    throw new Error(`--${name} must be a number from ${least} on, not ${text}`)
  return value
}

function quoted(word: string): string {
  return /^[\w.,=*-]+$/.test(word) ? word : `'${word}'`
}
