/** A noise run: clients that send rubbish, one that does not and is timed, and a look at the memory. */
import { fork, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Client } from '../differential/client.ts'
import { startOurs } from '../differential/server-process.ts'
import type { NoiseCounts } from './noise.ts'

export interface NoiseOptions {
  readonly program: string
  readonly args: readonly string[]
  readonly seed: number
  readonly clients: number
  /** How long the timed client is alone, and how long it is not. */
  readonly quietMs: number
  readonly noiseMs: number
  readonly say: (text: string) => void
}

export interface NoiseResult extends NoiseCounts {
  /** What the server said, at level `error` and above, and on its way out. */
  readonly complaints: string
  /** Replies of the timed client that were not what they had to be. */
  readonly wrongReplies: number
  readonly quietP99Ms: number
  readonly noisyP99Ms: number
  /** Memory of the process, in MB: the most of the third quarter of the noise, and of the last. */
  readonly laterMb: number
  readonly lastMb: number
}

const CROWD = fileURLToPath(new URL('crowd.ts', import.meta.url))
/** The timed client asks so often. */
const ASK_EVERY_MS = 4
const LOOK_EVERY_MS = 500
/** Of so many looks one is said: twenty seconds. */
const LOOKS_SAID_EVERY = 40
const PATIENCE_MS = 5000

export async function runNoise(options: NoiseOptions): Promise<NoiseResult> {
  const { program, args, seed, clients, quietMs, noiseMs, say } = options
  const server = await startOurs(program, args)
  let crowd: ChildProcess | undefined
  try {
    const timed = await TimedClient.open(server.port)
    await timed.ask(quietMs)
    const quietP99Ms = timed.p99Ms()
    say(`alone: p99 ${quietP99Ms.toFixed(2)} ms`)
    crowd = fork(CROWD, [seed, clients, server.port].map(String))
    const memory = watchMemory(server.pid, say)
    await timed.ask(noiseMs)
    const megabytes = memory()
    const counted = once(crowd, 'message')
    crowd.send('stop')
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- crowd.ts sends nothing else
    const [counts] = (await counted) as [NoiseCounts]
    timed.close()
    const half = Math.floor(megabytes.length / 2)
    const threeQuarters = Math.floor(megabytes.length * 0.75)
    return {
      ...counts,
      complaints: server.complaints,
      wrongReplies: timed.wrongReplies,
      quietP99Ms,
      noisyP99Ms: timed.p99Ms(),
      laterMb: Math.max(...megabytes.slice(half, threeQuarters)),
      lastMb: Math.max(...megabytes.slice(threeQuarters)),
    }
  } finally {
    crowd?.kill()
    await server.stop()
  }
}

/** Sets and gets values of its own, one after the other, and times each. */
class TimedClient {
  wrongReplies = 0
  readonly #client: Client
  #takenMs: number[] = []
  #round = 0

  static async open(port: number): Promise<TimedClient> {
    return new TimedClient(await Client.open(port))
  }

  private constructor(client: Client) {
    this.#client = client
  }

  async ask(ms: number): Promise<void> {
    this.#takenMs = []
    const untilMs = performance.now() + ms
    while (performance.now() < untilMs) {
      const round = ++this.#round
      const value = `value ${round} `.repeat(20)
      const key = `timed:${round % 100}`
      await this.#time(`set ${key} 0 0 ${value.length}\r\n${value}\r\n`, 'STORED\r\n')
      // The others may flush everything at any time.
      await this.#time(
        `get ${key}\r\n`,
        `VALUE ${key} 0 ${value.length}\r\n${value}\r\nEND\r\n`,
        'END\r\n',
      )
      await new Promise((resolve) => {
        setTimeout(resolve, ASK_EVERY_MS)
      })
    }
  }

  async #time(request: string, ...replies: readonly string[]): Promise<void> {
    const endings = replies.map((reply) => Buffer.from(reply))
    const startedMs = performance.now()
    this.#client.send(Buffer.from(request))
    await this.#client.until(
      () => this.#client.ended || endings.some((ending) => this.#client.endsWith(ending)),
      PATIENCE_MS,
    )
    this.#takenMs.push(performance.now() - startedMs)
    const got = this.#client.take()
    if (!endings.some((ending) => ending.equals(got))) this.wrongReplies++
  }

  p99Ms(): number {
    const sorted = this.#takenMs.toSorted((a, b) => a - b)
    return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
  }

  close(): void {
    this.#client.close()
  }
}

/** Looks at the memory of a process again and again; returns what ends that, and gives what was seen. */
function watchMemory(pid: number, say: (text: string) => void): () => readonly number[] {
  const megabytes: number[] = []
  const startedMs = performance.now()
  const timer = setInterval(() => {
    const kilobytes = Number(
      spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).stdout,
    )
    megabytes.push(kilobytes / 1024)
    if (megabytes.length % LOOKS_SAID_EVERY === 0) {
      const minutes = ((performance.now() - startedMs) / 60_000).toFixed(1)
      say(`after ${minutes} minutes: ${(kilobytes / 1024).toFixed(0)} MB`)
    }
  }, LOOK_EVERY_MS)
  return () => {
    clearInterval(timer)
    return megabytes
  }
}
