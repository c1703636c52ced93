/**
 * Rounds on one data directory: load, kill, restart, check; the model lives through all of them.
 *
 * A round kills once, or several times in a row, so that recovery is interrupted, or stops the
 * server cleanly. Now and then the server stays down until items have expired, and now and then
 * nobody checks, so that the next load meets a server that is still recovering.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { seededRandom } from '../../bench/wire/draws.ts'
import type { Random } from '../../bench/wire/draws.ts'
import { Client } from './client.ts'
import { Model } from './model.ts'
import type { Policy } from './model.ts'
import { operation } from './operation.ts'
import type { Launcher, Life } from './server-process.ts'
import { ValueMaker } from './values.ts'
import { Workload } from './workload.ts'

export interface ChainOptions {
  readonly launcher: Launcher
  readonly policy: Policy
  /** The server has no disk tier: nothing has to survive. */
  readonly isMemoryOnly: boolean
  readonly dataDir: string
  readonly seed: number
  readonly rounds: number
  /** Age of a mutation that write-behind may lose. */
  readonly windowMs: number
  /** The longest load. */
  readonly loadMaxMs: number
}

export interface ChainResult {
  readonly model: Model
  readonly rounds: number
  readonly kills: number
  readonly stops: number
  readonly sentBytes: number
}

/** A round is over sooner than this on any machine, or it hangs. */
const PATIENCE_MS = 20_000
/** A timer that lost its race must not keep the process. */
const UNWATCHED = { ref: false }
const LOAD_MIN_MS = 10
/** What is sent stays far below the cap of a roomy disk, in which nothing has to be dropped. */
const ROOMY_DISK_MB = 1024
const ROOMY_BYTES_MAX = 200e6
const TIGHT_DISK_MB = 32
const TIGHT_PART = 0.15
const CHECK_KEYS = 40
/** Longer than the short expiries of the workload. */
const LINGER_MS = 2500
const MEMORY_MB = [4, 4, 4, 6, 32] as const

export function runChain(options: ChainOptions): Promise<ChainResult> {
  return new Chain(options).run()
}

class Chain {
  readonly #options: ChainOptions
  readonly #random: Random
  readonly #model: Model
  readonly #values: ValueMaker
  readonly #diskMb: number
  #life: Life | undefined
  #port = 0
  #kills = 0
  #stops = 0
  #sentBytes = 0

  constructor(options: ChainOptions) {
    this.#options = options
    this.#random = seededRandom(options.seed)
    this.#values = new ValueMaker(options.seed)
    const isRoomy = this.#random() >= TIGHT_PART
    this.#diskMb = isRoomy ? ROOMY_DISK_MB : TIGHT_DISK_MB
    const policy = options.isMemoryOnly ? 'memory' : options.policy
    this.#model = new Model({ policy, isRoomy, windowMs: options.windowMs })
  }

  async run(): Promise<ChainResult> {
    let rounds = 0
    try {
      let isUp = await this.#start()
      while (isUp && rounds < this.#options.rounds && !this.#isFaulty()) {
        const isLast = ++rounds === this.#options.rounds
        isUp = await this.#round(isLast)
      }
    } finally {
      this.#life?.kill('SIGKILL')
      await this.#life?.ended
    }
    return {
      model: this.#model,
      rounds,
      kills: this.#kills,
      stops: this.#stops,
      sentBytes: this.#sentBytes,
    }
  }

  async #round(isLast: boolean): Promise<boolean> {
    const isStop = this.#random() < 0.15
    await this.#load(isStop)
    if (this.#isFaulty()) return false
    const interruptions = this.#random() < 0.15 ? 1 + Math.floor(this.#random() * 2) : 0
    for (let i = 0; i < interruptions; i++) await this.#interruptStart()
    if (this.#random() < 0.1) await delay(LINGER_MS)
    if (!(await this.#start())) return false
    if (isLast || this.#random() < 0.8) await this.#check()
    return !this.#isFaulty()
  }

  #isFaulty(): boolean {
    return this.#model.findings.length > 0
  }

  /** Starts the server with some memory and waits until it serves. */
  async #start(): Promise<boolean> {
    const life = this.#launch()
    const port = await Promise.race([
      life.listening,
      delay(PATIENCE_MS, 'late' as const, UNWATCHED),
    ])
    if (typeof port === 'number') {
      this.#port = port
      return true
    }
    const how = port === 'late' ? 'does not listen' : `does not start: ${await life.ended}`
    this.#model.accuse(`the server ${how}\n${life.output()}`)
    return false
  }

  async #interruptStart(): Promise<void> {
    const life = this.#launch()
    await delay(this.#random() * 400)
    await this.#end(life, 'SIGKILL')
  }

  #launch(): Life {
    const { launcher, dataDir, policy, isMemoryOnly } = this.#options
    const memoryMb = MEMORY_MB[Math.floor(this.#random() * MEMORY_MB.length)]!
    this.#life = launcher.start({
      dataDir,
      policy,
      memoryMb,
      diskMb: this.#diskMb,
      isMemoryOnly,
    })
    return this.#life
  }

  async #end(life: Life, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    life.kill(signal)
    const how = await Promise.race([life.ended, delay(PATIENCE_MS, 'no end', UNWATCHED)])
    if (signal === 'SIGKILL') this.#kills++
    else this.#stops++
    const isExpected = signal === 'SIGKILL' ? how === 'SIGKILL' : how === 'exit 0'
    if (!isExpected) this.#model.accuse(`${signal} gave ${how}\n${life.output()}`)
  }

  /** Many connections at work until the server ends. */
  async #load(isStop: boolean): Promise<void> {
    const connections = 2 + Math.floor(this.#random() * 7)
    const lengthMs = LOAD_MIN_MS + this.#random() ** 2 * (this.#options.loadMaxMs - LOAD_MIN_MS)
    const workload = new Workload(this.#random() * 2 ** 32, this.#model, this.#values, {
      connections,
      turn: Math.floor(this.#random() * 100),
      flushPart: this.#random() < 0.3 ? 0.01 : 0,
    })
    const clients = await this.#open(connections)
    const isOver = { value: false }
    clients[0]?.send(workload.prepare())
    await clients[0]?.settled(PATIENCE_MS)
    const working = clients.map((client, index) => this.#work(client, index, workload, isOver))
    await Promise.race([delay(lengthMs, undefined, UNWATCHED), this.#life!.ended])
    this.#reportComplaints(clients, true)
    isOver.value = true
    await this.#end(this.#life!, isStop ? 'SIGTERM' : 'SIGKILL')
    await Promise.all(clients.map((client) => closed(client)))
    await Promise.all(working)
    this.#reportComplaints(clients, false)
    const diedMs = Date.now()
    for (const client of clients) {
      client.destroy()
      this.#model.unanswered(client.unanswered, diedMs)
    }
    this.#model.died(diedMs, isStop)
    this.#sentBytes += workload.sentBytes
  }

  /** One connection: a batch, its replies, perhaps a pause, until the end. */
  async #work(
    client: Client,
    index: number,
    workload: Workload,
    isOver: { readonly value: boolean },
  ): Promise<void> {
    while (!isOver.value && !client.isOver) {
      if (this.#sentBytes + workload.sentBytes > ROOMY_BYTES_MAX) return
      client.send(workload.batch(index))
      if (!(await client.settled(PATIENCE_MS)) && !client.isOver) {
        const waiting = client.unanswered[0]
        this.#model.accuse(`no reply to ${waiting?.op.verb} ${waiting?.op.key} for 20 s`)
        return
      }
      const pauseMs = workload.pauseMs()
      if (pauseMs > 0) await delay(pauseMs)
    }
  }

  /** Reads every key that was ever used. */
  async #check(): Promise<void> {
    const { keys } = this.#model
    const clients = await this.#open(2)
    const client = clients[0]
    if (client === undefined) return
    for (let i = 0; i < keys.length && !client.isOver; i += CHECK_KEYS * 2) {
      const some = keys.slice(i, i + CHECK_KEYS * 2)
      for (const [half, one] of clients.entries()) {
        const own = some.slice(half * CHECK_KEYS, (half + 1) * CHECK_KEYS)
        if (own.length > 0) one.send([own.map((key) => operation('get', key))])
      }
      for (const one of clients) {
        if (!(await one.settled(PATIENCE_MS)) && !one.isOver) {
          this.#model.accuse('no reply to a get of the check for 20 s')
          return
        }
      }
      this.#model.tally.checked += some.length
    }
    this.#reportComplaints(clients, true)
    for (const one of clients) one.destroy()
  }

  async #open(count: number): Promise<Client[]> {
    const clients: Client[] = []
    for (let i = 0; i < count; i++) {
      const client = await Client.open(this.#port, this.#model)
      if (client === undefined) this.#model.accuse('the server does not accept')
      else clients.push(client)
    }
    return clients
  }

  /** A connection that ends while the server should be serving is a fault. */
  #reportComplaints(clients: readonly Client[], isServing: boolean): void {
    for (const client of clients) {
      if (client.complaint !== undefined) this.#model.accuse(client.complaint)
      else if (isServing && client.isOver) {
        this.#model.accuse(`the server hung up\n${this.#life!.output()}`)
      }
    }
  }
}

/** Waits until a connection has read all that the server has sent. */
async function closed(client: Client): Promise<void> {
  const deadlineMs = performance.now() + 2000
  while (!client.isOver && performance.now() < deadlineMs) await delay(1)
}
