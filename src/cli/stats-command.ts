/** `rat-memcached stats`: the figures of a server once, or as a table that lives. */
import { SystemClock } from '../observe/clock.ts'
import { ServerClient } from '../tools/server-client.ts'
import { askStats, between, sinceStart } from '../tools/stats-figures.ts'
import type { Sample } from '../tools/stats-figures.ts'
import { plainHead, plainRow, screen } from '../tools/stats-view.ts'
import type { AccessOptions } from '../tools/target.ts'
import { durationMs, readWords, targetOf, toolCommand, whole, withAccess } from './tool-options.ts'

interface Options extends AccessOptions {
  readonly watch?: boolean
  readonly interval: number
  readonly count?: number
  readonly json?: boolean
}

/** Lines after which the names of the columns come again. */
const LINES_PER_HEAD = 20
/** To the upper left corner, and the screen empty from there on. */
const HOME = '\u001B[H\u001B[J'

export async function statsCommand(args: readonly string[]): Promise<void> {
  const command = withAccess(
    toolCommand(
      'stats',
      'HOST:PORT [ARGUMENT] [options]',
      'Shows the figures of a server, of memcached as well: rates, hit ratio, memory, disk, connections. With an argument of the command "stats" (settings, items, l2 …) it prints what the server answers to that.',
    ),
  )
    .option('--watch', 'again and again: a table in a terminal, a line each time elsewhere')
    .option('--interval <duration>', 'how often, with --watch', durationMs(100, 3_600_000), 1000)
    .option('--count <count>', 'end after so many times', whole(1, 1_000_000_000))
    .option('--json', 'print what the server answers as one JSON object')
  const words = readWords(command, args, 1, 2)
  if (words === null) return
  const options = command.opts<Options>()
  const clock = new SystemClock()
  const nowMs = (): number => clock.elapsedMs()
  const client = await ServerClient.open(targetOf(words[0]!, options), clock)
  try {
    const sample = await askStats(client, nowMs, words[1])
    if (options.json === true) return print(`${JSON.stringify(Object.fromEntries(sample.stats))}\n`)
    if (words[1] !== undefined) return print(rawLines(sample))
    if (options.watch === true) await watch(client, sample, options, clock)
    else print(screen(client.target.name, sample, sinceStart(sample), null))
  } finally {
    client.close()
    clock.stop()
  }
}

async function watch(
  client: ServerClient,
  first: Sample,
  { interval, count = Infinity }: Options,
  clock: SystemClock,
): Promise<void> {
  const isTerminal = process.stdout.isTTY
  if (isTerminal) print(HOME + screen(client.target.name, first, sinceStart(first), null))
  let before = first
  for (let shown = 0; shown < count; shown++) {
    await pause(clock, interval)
    const sample = await askStats(client, () => clock.elapsedMs())
    const now = between(before, sample)
    if (isTerminal) print(HOME + screen(client.target.name, sample, sinceStart(sample), now))
    else print((shown % LINES_PER_HEAD === 0 ? plainHead() : '') + plainRow(sample, now))
    before = sample
  }
}

/** The socket keeps the process alive meanwhile. */
function pause(clock: SystemClock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve)
  })
}

function rawLines({ stats }: Sample): string {
  return [...stats].map(([name, value]) => `${name} ${value}\n`).join('')
}

function print(text: string): void {
  process.stdout.write(text)
}
