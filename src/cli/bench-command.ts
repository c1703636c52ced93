/** `rat-memcached bench`: how much of a simple load a server takes, and how long a reply takes then. */
import { SystemClock } from '../observe/clock.ts'
import { printBytes, printCount, printShare } from '../tools/amounts.ts'
import { fill, load } from '../tools/load.ts'
import type { LoadOptions, LoadResult } from '../tools/load.ts'
import { ServerClient } from '../tools/server-client.ts'
import type { AccessOptions } from '../tools/target.ts'
import {
  durationMs,
  readWords,
  sizeBytes,
  targetOf,
  toolCommand,
  whole,
  withAccess,
} from './tool-options.ts'

interface Options extends AccessOptions {
  readonly time: number
  readonly connections: number
  readonly pipeline: number
  readonly keys: number
  readonly valueSize: number
  readonly gets: number
  readonly ttl: number
  readonly fill: boolean
  readonly json?: boolean
}

/** From here on the tool itself may be what limits the result. */
const BUSY = 0.9
const US_PER_MS = 1000
const QUANTILES = [0.5, 0.9, 0.99, 0.999] as const

export async function benchCommand(args: readonly string[]): Promise<void> {
  const command = withAccess(
    toolCommand(
      'bench',
      'HOST:PORT [options]',
      'Puts a load of gets and sets on a server, memcached as well, and says how much it took and how long it was about it. The keys begin with rat-bench: and expire. One thread sends the load, and the result says whether that was the limit.',
    ),
  )
    .option('--time <duration>', 'for how long', durationMs(100, 3_600_000), 10_000)
    .option('--connections <count>', 'connections at a time', whole(1, 10_000), 16)
    .option('--pipeline <count>', 'commands in a packet', whole(1, 1000), 16)
    .option('--keys <count>', 'different keys', whole(1, 1_000_000_000), 100_000)
    .option('--value-size <size>', 'bytes of a value', sizeBytes(0, 2 ** 30), 100)
    .option(
      '--gets <percent>',
      'of 100 commands so many are gets, the rest sets',
      whole(0, 100),
      90,
    )
    .option(
      '--ttl <duration>',
      'how long the items live',
      durationMs(1000, 2_592_000_000),
      3_600_000,
    )
    .option('--no-fill', 'do not store every key once at first')
    .option('--json', 'print the result as one JSON object')
  const words = readWords(command, args, 1, 1)
  if (words === null) return
  const options = command.opts<Options>()
  const loadOptions: LoadOptions = {
    seconds: options.time / 1000,
    pipeline: options.pipeline,
    keys: options.keys,
    valueBytes: options.valueSize,
    getPercent: options.gets,
    ttlS: Math.ceil(options.ttl / 1000),
  }
  const target = targetOf(words[0]!, options)
  const clock = new SystemClock()
  const clients: ServerClient[] = []
  try {
    for (let i = 0; i < options.connections; i++)
      clients.push(await ServerClient.open(target, clock))
    const beganMs = clock.elapsedMs()
    const refused = options.fill ? await fill(clients[0]!, loadOptions) : 0
    const filledS = (clock.elapsedMs() - beganMs) / 1000
    const cpu = process.cpuUsage()
    const result = await load(clients, loadOptions, clock)
    const { user, system } = process.cpuUsage(cpu)
    const busy = (user + system) / 1_000_000 / result.seconds
    if (options.json === true) return print(`${JSON.stringify(asJson(result, busy))}\n`)
    const filled = options.fill ? filledText(options.keys, filledS, refused) : ''
    print(filled + resultText(result, options.pipeline, busy))
  } finally {
    for (const client of clients) client.close()
    clock.stop()
  }
}

function filledText(keys: number, seconds: number, refused: number): string {
  const note = refused === 0 ? '' : `; ${printCount(refused)} were refused`
  return `stored ${printCount(keys)} items in ${seconds.toFixed(1)} s${note}\n`
}

function resultText(result: LoadResult, pipeline: number, busy: number): string {
  const { seconds, gets, sets, hits, errors, latency } = result
  const requests = gets + sets
  const rows: readonly (readonly [name: string, text: string])[] = [
    ['requests', `${printCount(requests)} in ${seconds.toFixed(1)} s`],
    ['per second', printCount(requests / seconds)],
    ['gets', `${printCount(gets)}, ${printShare(gets === 0 ? null : hits / gets)} hits`],
    ['sets', printCount(sets)],
    ['errors', errors === 0 ? '0' : `${printCount(errors)}, the first: ${result.firstError}`],
    ['sent', `${printBytes(result.sentBytes / seconds)} /s`],
    ['received', `${printBytes(result.receivedBytes / seconds)} /s`],
    ...QUANTILES.map((share): readonly [string, string] => [
      `p${share * 100}`,
      milliseconds(latency.quantileUs(share)),
    ]),
    ['longest', milliseconds(latency.maxUs)],
    [
      'this tool',
      `${printShare(busy)} of a processor${busy > BUSY ? ': it may be the limit, not the server' : ''}`,
    ],
  ]
  const what = pipeline === 1 ? 'a reply' : `the replies to ${pipeline} commands`
  const text = rows.map(([name, value]) => `${name.padEnd(12)}${value}\n`).join('')
  return `${text}The times are from sending to having ${what}.\n`
}

function asJson(result: LoadResult, busy: number): Readonly<Record<string, unknown>> {
  const { latency, ...rest } = result
  return {
    ...rest,
    requestsPerS: (rest.gets + rest.sets) / rest.seconds,
    latencyUs: {
      ...Object.fromEntries(
        QUANTILES.map((share) => [`p${share * 100}`, latency.quantileUs(share)]),
      ),
      max: latency.maxUs,
    },
    toolCpu: busy,
  }
}

function milliseconds(us: number): string {
  return `${(us / US_PER_MS).toFixed(us < 10 * US_PER_MS ? 2 : 0)} ms`
}

function print(text: string): void {
  process.stdout.write(text)
}
