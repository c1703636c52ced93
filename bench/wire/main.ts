// `npm run bench`: rat-memcached and memcached side by side, in turn (A B, then B A), on the same core. What to trust
// is the ratio, with its spread; bench/README.md says how to read it.

import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type LoadResult, type LoadSpec } from './load-spec.ts'
import { parseOptions, type BenchOptions, USAGE } from './options.ts'
import { residentBytes } from './procfs.ts'
import { insertReport, renderReport } from './report.ts'
import { type BenchResult, describeEnvironment, type Measurement } from './results.ts'
import {
  BASELINE,
  canPin,
  findServers,
  killAllAtEnd,
  OURS,
  pinned,
  PROJECT,
  type RunningServer,
  type ServerDefinition,
  startServer,
  track,
} from './servers.ts'
import { FILL_MEMORY_MB, type Workload, WORKLOADS } from './workloads.ts'

const SEED = 11_211
const LOAD_PROGRAM = 'bench/wire/load.ts'
/** A run that takes this much longer than its window hangs. */
const LOAD_OVERTIME_MS = 120_000

killAllAtEnd()
try {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) console.log(USAGE)
  else if (options.list) listWorkloads()
  else process.exitCode = (await bench(options)) ? 0 : 1
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}

async function bench(options: BenchOptions): Promise<boolean> {
  const definitions = findServers(options.servers)
  if (definitions.length === 0)
    throw new Error('there is nothing to measure: npm run build, or --server')
  if (!definitions.some((one) => one.name === OURS))
    console.error('bench: rat-memcached is not built; going on without it')
  if (!definitions.some((one) => one.name === BASELINE))
    console.error('bench: there is no memcached on the PATH, so there will be no ratio')
  const pin = canPin()
  if (!pin) console.error('bench: no taskset, or one core: server and load are not pinned')
  const result = await runRounds(options, definitions, pin)
  console.log(`\n${renderReport(result)}`)
  writeResult(result, options)
  const failures = result.measurements.filter((one) => one.failure !== null)
  for (const one of failures)
    console.error(`bench: ${one.workload} of ${one.server} counts for nothing: ${one.failure}`)
  return failures.length === 0
}

async function runRounds(
  options: BenchOptions,
  definitions: readonly ServerDefinition[],
  pin: boolean,
): Promise<BenchResult> {
  const measurements: Measurement[] = []
  const versions = new Map<string, string>()
  for (let round = 1; round <= options.rounds; round++) {
    const order = round % 2 === 1 ? definitions : definitions.toReversed()
    const servers: RunningServer[] = []
    try {
      for (const definition of order)
        servers.push(await startServer(definition, options.memoryMb, pin))
      for (const server of servers) versions.set(server.name, server.version)
      const populated = new Set<string>()
      for (const workload of options.workloads) {
        for (const [i, server] of servers.entries()) {
          console.error(`round ${round}/${options.rounds}  ${workload.name}  ${server.name}`)
          measurements.push(
            workload.kind === 'fill'
              ? await runFill(order[i]!, workload, round, options, pin)
              : await run(server, workload, round, options, pin, populated),
          )
        }
      }
    } finally {
      await Promise.all(servers.map((server) => server.stop()))
    }
  }
  const { seconds, rounds, memoryMb, commandLine } = options
  return {
    environment: describeEnvironment(pin),
    options: { seconds, rounds, memoryMb, commandLine: withoutPaths(commandLine) },
    servers: definitions.map(({ name }) => ({ name, version: versions.get(name) ?? 'unknown' })),
    measurements,
  }
}

/** `fill` has a server of its own, with little memory. */
async function runFill(
  definition: ServerDefinition,
  workload: Workload,
  round: number,
  options: BenchOptions,
  pin: boolean,
): Promise<Measurement> {
  const server = await startServer(definition, FILL_MEMORY_MB, pin)
  try {
    return await run(server, workload, round, options, pin, new Set())
  } finally {
    await server.stop()
  }
}

async function run(
  server: RunningServer,
  workload: Workload,
  round: number,
  options: BenchOptions,
  pin: boolean,
  populated: Set<string>,
): Promise<Measurement> {
  const dataset = `${server.name} ${workload.data.prefix}`
  const spec: LoadSpec = {
    workload,
    port: server.port,
    pid: server.pid,
    seconds: options.seconds,
    mustPopulate: !populated.has(dataset),
    seed: SEED + round,
    polls: pin,
  }
  const result = await load(spec, pin)
  if (result.failure === null) populated.add(dataset)
  return {
    workload: workload.name,
    server: server.name,
    round,
    ...result,
    residentBytes: residentBytes(server.pid),
  }
}

/** Runs the load program in a process of its own. */
function load(spec: LoadSpec, pin: boolean): Promise<LoadResult> {
  const words = [process.execPath, '--import', 'tsx', LOAD_PROGRAM, JSON.stringify(spec)]
  const [program, ...options] = pinned(words, 'load', pin)
  const child = spawn(program!, options, { cwd: PROJECT, stdio: ['ignore', 'pipe', 'inherit'] })
  track(child)
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', reject)
    const timer = setTimeout(() => child.kill('SIGKILL'), spec.seconds * 1000 + LOAD_OVERTIME_MS)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      try {
        resolve(JSON.parse(output))
      } catch {
        reject(new Error(`the load program ended with ${signal ?? `status ${code}`}`))
      }
    })
  })
}

function writeResult(result: BenchResult, options: BenchOptions): void {
  const text = `${JSON.stringify(result, null, 2)}\n`
  const folder = join(PROJECT, 'bench/results')
  const { date, commit } = result.environment
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${date}-${commit}.json`), text)
  if (options.jsonFile !== null) writeFileSync(options.jsonFile, text)
  if (options.writeDocs) {
    const path = join(PROJECT, 'docs/BENCHMARKS.md')
    writeFileSync(path, insertReport(readFileSync(path, 'utf8'), renderReport(result)))
  }
}

/** Results are published: a folder of this machine is none of their business. */
function withoutPaths(commandLine: string): string {
  return commandLine.replaceAll(/(?<=^|[\s='"])\/\S*\/(?=[^\s/]+)/g, '')
}

function listWorkloads(): void {
  for (const { name, title, isQuick } of WORKLOADS)
    console.log(`${name.padEnd(10)} ${title}${isQuick ? '  (quick)' : ''}`)
}
