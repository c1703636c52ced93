/** A differential run: rounds on fresh servers, each with settings of its own, until the time is over. */
import { minimise } from './minimise.ts'
import { Pair } from './pair.ts'
import type { Difference } from './pair.ts'
import { printDifference } from './print.ts'
import { Sequence } from './sequence.ts'
import { startOurs, startReference } from './server-process.ts'
import type { ServerProcess } from './server-process.ts'
import { CONNECTIONS, commandCount } from './steps.ts'
import type { Step } from './steps.ts'
import type { Sizes } from './vocabulary.ts'
import { Client } from './client.ts'

export interface Mode {
  readonly name: string
  readonly args: readonly string[]
  readonly referenceArgs: readonly string[]
  readonly hasDisk: boolean
  readonly sizes: Sizes
}

const IN_MEMORY: Sizes = {
  coldKeys: 40,
  largeShare: 0.03,
  largeBytesMax: 100_000,
  limitShare: 0.003,
}
/** Items that are far more than memory holds, and far less than the disk does. */
const TRAVELLING: Sizes = { coldKeys: 100, largeShare: 0.3, largeBytesMax: 60_000, limitShare: 0 }
const SMALL_TRAVELLING: Sizes = {
  coldKeys: 4000,
  largeShare: 0.3,
  largeBytesMax: 4000,
  limitShare: 0,
}

const DISK = ['--max-disk-size', '4GB']

function onDisk(memory: number, policy: string, promotion: string, sizes: Sizes): Mode {
  const name = `${memory} MB ${policy} ${promotion}${sizes === SMALL_TRAVELLING ? ' small' : ''}`
  // An append needs room for what is there and for what comes of it, while other connections have values
  // under way and replies are sent from where they lie. No less: memcached would want smaller chunks.
  const itemMax = ['-I', '512k']
  const args = [
    ...itemMax,
    '-m',
    String(memory),
    '--write-policy',
    policy,
    '--promotion',
    promotion,
    ...DISK,
  ]
  return { name, args, referenceArgs: itemMax, hasDisk: true, sizes }
}

export const MODES: readonly Mode[] = [
  {
    name: 'memory',
    args: ['-m', '512', '--no-l2'],
    referenceArgs: [],
    hasDisk: false,
    sizes: IN_MEMORY,
  },
  onDisk(2, 'write-behind', 'always', TRAVELLING),
  onDisk(4, 'write-through', 'always', TRAVELLING),
  onDisk(2, 'on-evict', 'always', TRAVELLING),
  onDisk(4, 'write-behind', 'second-hit', TRAVELLING),
  onDisk(2, 'write-through', 'never', TRAVELLING),
  onDisk(4, 'on-evict', 'second-hit', TRAVELLING),
  onDisk(1, 'write-behind', 'always', SMALL_TRAVELLING),
  onDisk(1, 'on-evict', 'never', SMALL_TRAVELLING),
]

/** After so much a round ends: the disk tier must not come to the end of its space. */
const ROUND_VALUE_BYTES_MAX = 1_000_000_000
const MINIMISE_MS = 120_000
/** What may have to do with an item that is not where it should be. */
const TELLS = /l1_|l2_|evict|extstore|store_/
const TALE_STATS = ['evictions', 'get_extstore', 'l2_hits', 'get_hits', 'get_misses'] as const

export interface RunOptions {
  readonly reference: string
  readonly version: number
  readonly program: string
  readonly seconds: number
  readonly roundSeconds: number
  /** A round ends after so many steps; without it, with its time. */
  readonly roundSteps?: number
  readonly roundsMax?: number
  readonly seed: number
  readonly modes: readonly Mode[]
  /** After so many differences it ends. */
  readonly differencesMax: number
  readonly say: (text: string) => void
}

export interface RunResult {
  readonly rounds: number
  readonly commands: number
  readonly differences: number
}

export async function runDifferential(options: RunOptions): Promise<RunResult> {
  const endsMs = performance.now() + options.seconds * 1000
  const roundsMax = options.roundsMax ?? Infinity
  let rounds = 0
  let commands = 0
  let differences = 0
  while (performance.now() < endsMs && rounds < roundsMax && differences < options.differencesMax) {
    const mode = options.modes[rounds % options.modes.length]!
    const seed = options.seed + rounds
    const untilMs = Math.min(endsMs, performance.now() + options.roundSeconds * 1000)
    const round = await playRound(options, mode, seed, untilMs)
    commands += round.commands
    rounds++
    if (round.failed === undefined || round.difference === undefined) continue
    differences++
    options.say(`DIFFERENCE in mode ${mode.name}, seed ${seed}, step ${round.failed.length}`)
    options.say(await explain(options, mode, round.failed, round.difference))
  }
  return { rounds, commands, differences }
}

interface Round {
  readonly commands: number
  readonly failed?: readonly Step[]
  readonly difference?: Difference
}

async function playRound(
  options: RunOptions,
  mode: Mode,
  seed: number,
  untilMs: number,
): Promise<Round> {
  const sequence = new Sequence(seed, mode.sizes, options.version)
  const played: Step[] = []
  const stepsMax = options.roundSteps ?? Infinity
  const mayGoOn = (): boolean =>
    performance.now() < untilMs &&
    played.length < stepsMax &&
    sequence.bytesMade < ROUND_VALUE_BYTES_MAX
  return withPair(options, mode, async (pair, ours) => {
    while (mayGoOn()) {
      const step = sequence.next()
      played.push(step)
      const difference = await pair.play(step)
      if (difference !== undefined) {
        const all = await stats(ours.port)
        const telling = [...all].filter(([name, value]) => TELLS.test(name) && value !== '0')
        options.say(telling.map((row) => row.join(' ')).join(', '))
        return { commands: commandCount(played), failed: played, difference }
      }
    }
    const tale = await stats(ours.port)
    const applied = [...pair.comparison.applied].map(([name, count]) => `${name} ${count}`)
    options.say(
      `${mode.name}, seed ${seed}: ${commandCount(played)} commands, ${Math.round(sequence.bytesMade / 1e6)} MB; ` +
        `${TALE_STATS.map((name) => `${name} ${tale.get(name) ?? '-'}`).join(', ')}; ` +
        `by rule: ${applied.join(', ') || 'none'}`,
    )
    if (ours.complaints !== '') options.say(`this server says: ${ours.complaints}`)
    return { commands: commandCount(played) }
  })
}

/** The shortest steps that are found to fail, as blocks. */
async function explain(
  options: RunOptions,
  mode: Mode,
  failed: readonly Step[],
  first: Difference,
): Promise<string> {
  const endsMs = performance.now() + MINIMISE_MS
  let difference = first
  let least = failed
  const fails = async (steps: readonly Step[]): Promise<number | undefined> => {
    const found = await replay(options, mode, steps)
    if (found === undefined) return undefined
    difference = found.difference
    least = steps.slice(0, found.at + 1)
    return found.at
  }
  if ((await fails(failed)) === undefined) {
    return `It did not come again.\n${printDifference(failed, first)}`
  }
  await minimise(least, fails, () => performance.now() < endsMs)
  return printDifference(least, difference)
}

async function replay(
  options: RunOptions,
  mode: Mode,
  steps: readonly Step[],
): Promise<{ readonly at: number; readonly difference: Difference } | undefined> {
  return withPair(options, mode, async (pair) => {
    for (const [at, step] of steps.entries()) {
      const difference = await pair.play(step)
      if (difference !== undefined) return { at, difference }
    }
    return undefined
  })
}

async function withPair<T>(
  { reference, version, program }: RunOptions,
  { args, referenceArgs, hasDisk }: Mode,
  use: (pair: Pair, ours: ServerProcess) => Promise<T>,
): Promise<T> {
  const [theirs, ours] = await Promise.all([
    startReference(reference, referenceArgs),
    startOurs(program, args),
  ])
  const pair = new Pair(theirs, ours, { version, hasDisk })
  try {
    return await use(pair, ours)
  } catch (error) {
    throw new Error(`this server says: ${ours.complaints || 'nothing'}`, { cause: error })
  } finally {
    pair.close()
    await Promise.all([theirs.stop(), ours.stop()])
  }
}

async function stats(port: number): Promise<Map<string, string>> {
  const client = await Client.open(port)
  client.send(Buffer.from('stats\r\nstats l2\r\nquit\r\n'))
  await client.until(() => client.ended, 2000)
  const rows = client
    .take()
    .toString('latin1')
    .matchAll(/^STAT (\S+) (\S+)\r$/gm)
  client.close()
  return new Map([...rows].map((row) => [row[1] ?? '', row[2] ?? '']))
}

/** For those who read the output. */
export function describeConnections(): string {
  return CONNECTIONS.map((protocol, index) => `${index} ${protocol}`).join(', ')
}
