/** The two servers side by side, fresh and empty, and a way to play steps to both. */
import { CONNECTIONS, commandText } from './steps.ts'
import type { Burst, Protocol, Step } from './steps.ts'
import { Client } from './client.ts'
import { Comparison } from './compare.ts'
import type { Reply } from './compare.ts'
import type { Setting } from './known-differences.ts'
import type { ServerProcess } from './server-process.ts'

/** How long the end of a burst is waited for before it is asked for again. */
const FIRST_WAIT_MS = 100
const WAIT_MS = 40
/** Broken lengths make a server swallow what follows: it is fed so much before it counts as stuck. */
const FEED_BYTES_MAX = 4_000_000
/** What a server that is slow, but not stuck, is given. */
const LAST_WAIT_MS = 10_000
const NOOP_BYTES = 24

export interface Difference {
  readonly what: string
  readonly burst: Burst
  /** What was sent to this server. */
  readonly sent: string
  readonly theirs: Reply
  readonly ours: Reply
}

export class Pair {
  readonly comparison: Comparison
  readonly #theirs: Side
  readonly #ours: Side
  #fences = 0

  constructor(theirs: ServerProcess, ours: ServerProcess, setting: Setting) {
    this.comparison = new Comparison(setting)
    this.#theirs = new Side(theirs.port)
    this.#ours = new Side(ours.port)
  }

  /** Plays a step; resolves to the first difference. */
  async play(step: Step): Promise<Difference | undefined> {
    const found = await Promise.all(step.bursts.map((burst) => this.#burst(burst)))
    if (step.pauseMs > 0) await pause(step.pauseMs)
    return found.find((difference) => difference !== undefined)
  }

  close(): void {
    this.#theirs.close()
    this.#ours.close()
  }

  async #burst(burst: Burst): Promise<Difference | undefined> {
    const protocol = CONNECTIONS[burst.connection] ?? 'text'
    const texts = (['theirs', 'ours'] as const).map((whose) =>
      burst.commands
        .map((one) => commandText(one, (key, age) => this.comparison.casOf(whose, key, age)))
        .join(''),
    )
    const fence = new Fence(protocol, (this.#fences += 1))
    const [theirs, ours] = await ask(
      [await this.#theirs.client(burst.connection), texts[0] ?? ''],
      [await this.#ours.client(burst.connection), texts[1] ?? ''],
      burst.cuts,
      fence,
    )
    if (theirs.closed || theirs.stuck) this.#theirs.drop(burst.connection)
    if (ours.closed || ours.stuck) this.#ours.drop(burst.connection)
    const what = this.comparison.difference(theirs, ours, protocol)
    return what === undefined ? undefined : { what, burst, sent: texts[1] ?? '', theirs, ours }
  }
}

/** The connections to one server. */
class Side {
  readonly #port: number
  readonly #clients = new Map<number, Client>()

  constructor(port: number) {
    this.#port = port
  }

  async client(connection: number): Promise<Client> {
    const known = this.#clients.get(connection)
    if (known !== undefined) return known
    const made = await Client.open(this.#port)
    this.#clients.set(connection, made)
    return made
  }

  drop(connection: number): void {
    this.#clients.get(connection)?.close()
    this.#clients.delete(connection)
  }

  close(): void {
    for (const client of this.#clients.values()) client.close()
  }
}

/**
 * A request whose reply is unmistakable: when it has come, everything before it has been answered.
 * What a broken command swallows may be the fence, so there may be more of them, and longer ones.
 */
class Fence {
  readonly #protocol: Protocol
  readonly #number: number
  #attempt = 0

  constructor(protocol: Protocol, number: number) {
    this.#protocol = protocol
    this.#number = number
  }

  get #mark(): string {
    return `${this.#number}.${this.#attempt}`
  }

  /** The next attempt; `bytes` more than it needs. */
  next(bytes: number): Buffer {
    this.#attempt++
    if (this.#protocol === 'binary') {
      const count = 1 + Math.ceil(bytes / NOOP_BYTES)
      return Buffer.concat(Array.from({ length: count }, () => this.#noop(0x80)))
    }
    const padding = 'mn\r\n'.repeat(Math.ceil(bytes / 4))
    return Buffer.from(`${padding}\r\nset FENCE 0 0 0 noreply\r\n\r\nmg FENCE k O${this.#mark}\r\n`)
  }

  isAnswered(client: Client): boolean {
    if (this.#protocol === 'binary') return client.endsWith(this.#noop(0x81))
    return client.endsWith(Buffer.from(`HD kFENCE O${this.#mark}\r\n`))
  }

  #noop(magic: number): Buffer {
    const bytes = Buffer.alloc(NOOP_BYTES)
    bytes.writeUInt8(magic, 0)
    bytes.writeUInt8(0x0a, 1)
    bytes.writeUInt32BE(0xfe_00_00_00 + (this.#number % 0xffff) * 256 + this.#attempt, 12)
    return bytes
  }
}

type Asked = readonly [client: Client, text: string]

/** Sends both their text, cut at the same places, and waits until both have answered it. */
async function ask(
  theirs: Asked,
  ours: Asked,
  cuts: readonly number[],
  fence: Fence,
): Promise<[Reply, Reply]> {
  const clients = [theirs[0], ours[0]]
  const first = fence.next(0)
  await Promise.all([theirs, ours].map((asked) => sendCut(asked, cuts, first)))
  const isDone = (client: Client): boolean => client.ended || fence.isAnswered(client)
  /** Until it is done, or nothing has come for so long. */
  const wait = async (ms: number): Promise<void> => {
    for (let before = -1; before !== received(clients);) {
      before = received(clients)
      await Promise.all(clients.map((client) => client.until(() => isDone(client), ms)))
    }
  }
  await wait(FIRST_WAIT_MS)
  let fed = 0
  for (let bytes = 64; fed < FEED_BYTES_MAX && !clients.every(isDone); bytes *= 2) {
    const more = fence.next(bytes)
    fed += more.length
    for (const client of clients) if (!client.ended) client.send(more)
    await wait(WAIT_MS)
  }
  // Where one has answered and the other has not, that one may be slow.
  if (clients.some(isDone)) await wait(LAST_WAIT_MS)
  return [reply(theirs[0], isDone), reply(ours[0], isDone)]
}

function received(clients: readonly Client[]): number {
  return clients.reduce((sum, { length }) => sum + length, 0)
}

function reply(client: Client, isDone: (client: Client) => boolean): Reply {
  const stuck = !isDone(client)
  const closed = client.ended
  return { bytes: client.take(), closed, stuck }
}

async function sendCut(
  [client, text]: Asked,
  cuts: readonly number[],
  last: Buffer,
): Promise<void> {
  const bytes = Buffer.from(text, 'latin1')
  let from = 0
  for (const cut of cuts) {
    const to = Math.floor(cut * bytes.length)
    if (to > from) client.send(bytes.subarray(from, to))
    from = to
    // A turn of the loop: the pieces are packets of their own, as far as the system lets them.
    await new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
  }
  client.send(Buffer.concat([bytes.subarray(from), last]))
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
