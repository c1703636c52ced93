/**
 * Both tiers in one process, without a network: a cache over a data directory, a clock in the test's
 * hands, and sessions that speak the text protocol, wait for the disk where a connection would, and run
 * the same handlers. What a crash would leave is a copy of the data directory.
 */
import assert from 'node:assert/strict'
import { accessSync, constants, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { bytesOf, copyBytes } from '../../src/bytes/ascii.ts'
import type { Bytes } from '../../src/bytes/ascii.ts'
import { InputWindow } from '../../src/bytes/input-window.ts'
import { OutputBuffer } from '../../src/bytes/output-buffer.ts'
import type { OutputSink } from '../../src/bytes/output-buffer.ts'
import { Audit } from '../../src/commands/audit.ts'
import type { CommandContext } from '../../src/commands/context.ts'
import { run } from '../../src/commands/dispatch.ts'
import { BEGUN, begin, finish } from '../../src/commands/storage.ts'
import { loadConfig } from '../../src/config/load.ts'
import { Cache } from '../../src/engine/cache.ts'
import { DiskGate } from '../../src/engine/disk-gate.ts'
import { DiskTier } from '../../src/engine/disk-tier.ts'
import { tierOptions } from '../../src/engine/tier-options.ts'
import type { TierOptions } from '../../src/engine/disk-tier.ts'
import { PARSED, RAN } from '../../src/message/codes.ts'
import type { Ran } from '../../src/message/codes.ts'
import { Counter } from '../../src/message/counter.ts'
import type { DiskWaiter } from '../../src/message/disk-waiter.ts'
import { ItemView } from '../../src/message/item-view.ts'
import { Request } from '../../src/message/request.ts'
import { ManualClock } from '../../src/observe/clock.ts'
import { createLoggerTo } from '../../src/observe/log.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import { Watchers } from '../../src/observe/watchers.ts'
import type { MetricSlot } from '../../src/observe/metrics.ts'
import { TextProtocol } from '../../src/protocol/text/protocol.ts'
import { copyFolder } from './copy-folder.ts'

const LINE_BYTES_MAX = 65_536
const OUTPUT_BYTES = 16_384
/** More turns of the event loop than anything here takes, but for a disk that does not answer. */
const PATIENCE_MS = 20_000

export interface TiersOptions {
  /** Settings by the path of their key, as text; those of the tiers only. */
  readonly settings?: Readonly<Record<string, string>>
  readonly clock?: ManualClock
  /** Where the settings do not reach far enough down. */
  readonly tier?: Partial<TierOptions>
}

export class Tiers {
  readonly folder: string
  readonly clock: ManualClock
  readonly metrics: Metrics
  readonly cache: Cache
  readonly disk: DiskGate
  readonly tier: DiskTier
  readonly context: CommandContext
  /** Lines of the log from `warn` on. */
  readonly logged: string[]
  readonly protocol: TextProtocol = new TextProtocol(LINE_BYTES_MAX)
  /** Commands that needed an item on disk. Every other one has it loaded at once, as far as that goes. */
  faults = 0

  /** Opens a data directory with the settings of a small server, as a server does. */
  static async open(folder: string, options: TiersOptions = {}): Promise<Tiers> {
    const clock = options.clock ?? new ManualClock()
    const overrides = Object.entries({
      'l1.max_memory': '4MB',
      // What leaves memory is to be known beforehand.
      'l1.eviction': 'lru',
      'l2.data_dir': folder,
      ...options.settings,
    }).map(([key, value]) => ({ key, value, option: 'of the test' }))
    const config = loadConfig({ env: {}, overrides })
    const metrics = new Metrics()
    const logged: string[] = []
    const log = createLoggerTo({ write: (line) => logged.push(line) }, 'warn', false)
    const cache = new Cache(
      {
        memoryBytesMax: config.l1.memoryBytesMax,
        entriesMax: config.l1.entriesMax,
        evictions: config.l1.evictions,
        policy: config.l1.eviction,
        ioBytes: 8,
      },
      clock,
      metrics,
    )
    const wanted: TierOptions = { ...tierOptions(config), ...options.tier }
    const tier = await DiskTier.open(wanted, cache.store, cache, clock, metrics, log)
    cache.attach(tier)
    const heap = cache.store.heap.bytes
    // What a session is for asks for no more than this of what a server gives to commands.
    const context: CommandContext = Object.assign(Object.create(null), {
      cache,
      metrics,
      clock,
      settings: { itemBytesMax: config.server.itemBytesMax, flushEnabled: true },
      facts: { startedAtS: clock.nowS, audit: new Audit(clock, log) },
      view: new ItemView(heap),
      heap,
      client: null,
      authenticator: null,
      watchers: new Watchers(clock, metrics),
      counter: new Counter(),
    })
    return new Tiers(folder, clock, metrics, cache, tier, context, logged)
  }

  private constructor(
    folder: string,
    clock: ManualClock,
    metrics: Metrics,
    cache: Cache,
    tier: DiskTier,
    context: CommandContext,
    logged: string[],
  ) {
    this.folder = folder
    this.clock = clock
    this.metrics = metrics
    this.cache = cache
    this.disk = new DiskGate(cache)
    this.tier = tier
    this.context = context
    this.logged = logged
  }

  session(): Session {
    return new Session(this)
  }

  /** One command on a session of its own; resolves to the reply. */
  ask(command: string): Promise<string> {
    return this.session().ask(command)
  }

  /** Resolves when everything that has changed up to now is on disk, or is known not to be. */
  written(): Promise<void> {
    return withPatience('writing', (proceed) => this.disk.whenWritten({ proceed }))
  }

  /** Resolves when the index is whole. */
  recovered(): Promise<void> {
    return this.tier.l2.recovered
  }

  /** Makes every item leave memory, those that were not written by way of the open batch. */
  evictAll(): void {
    while (this.cache.store.evictOne());
    assert.equal(this.cache.store.count, 0)
  }

  count(slot: MetricSlot): number {
    return this.metrics.value(slot)
  }

  /** Copies the data directory as it is now: what SIGKILL would leave at this instant. */
  crashTo(folder: string): void {
    copyInstant(this.folder, folder)
  }

  close(): Promise<void> {
    return this.tier.close()
  }
}

/** One client: sends commands one after the other and gets their replies. */
export class Session implements DiskWaiter, OutputSink {
  readonly #tiers: Tiers
  readonly #request: Request
  readonly #out: OutputBuffer
  #reply: Buffer[] = []
  #proceed: (() => void) | null = null

  constructor(tiers: Tiers) {
    this.#tiers = tiers
    const output = bytesOf(Buffer.alloc(OUTPUT_BYTES))
    this.#out = new OutputBuffer(output, 0, OUTPUT_BYTES, this)
    this.#request = new Request(output)
  }

  /**
   * Carries out the commands of a text; resolves to their replies when they may be acknowledged.
   * `done` is called at the instant at which a command has had its effect: once for each key of a
   * multiget, with its number.
   */
  async ask(text: string, done: (step: number) => void = () => undefined): Promise<string> {
    const { disk } = this.#tiers
    const changesBefore = disk.changes
    // One byte more than the input: a sentinel is put behind it.
    const bytes = bytesOf(Buffer.from(`${text}\0`, 'latin1'))
    const input = new InputWindow(bytes)
    input.show(bytes, 0, bytes.buffer.length - 1)
    for (let step = 0; input.start < input.end; step++) {
      const carriedOut = this.#carryOut(input, () => {
        done(step)
        if (disk.uncommitted) disk.commit()
      })
      if (carriedOut !== null) await carriedOut
      if (disk.congested && disk.changes !== changesBefore) {
        await withPatience('room', (proceed) => disk.whenUncongested({ proceed }))
      }
    }
    this.flush()
    const reply = Buffer.concat(this.#reply).toString('latin1')
    this.#reply = []
    if (disk.writesThrough && disk.changes !== changesBefore) await this.#tiers.written()
    return reply
  }

  /** Calls `done` within the turn in which the command has its effect. Null: it has had it already. */
  #carryOut(input: InputWindow, done: () => void): Promise<void> | null {
    const { context, protocol } = this.#tiers
    const request = this.#request
    const parsed = protocol.parse(input, request)
    let step = (): Ran => run(context, request, protocol.reply, this.#out)
    if (parsed !== PARSED.READY) {
      assert.equal(parsed, PARSED.READY_WITH_VALUE, 'the text is one of whole commands')
      const valueAt = input.start
      const begun = begin(context, request, valueAt, protocol.reply, this.#out)
      input.start += request.valueBytes + request.trailerBytes
      if (begun === BEGUN.REFUSED) {
        protocol.reply.outcome(this.#out, request, request.outcome)
      }
      if (begun !== BEGUN.RESERVED) {
        done()
        return null
      }
      copyBytes(context.heap, request.valueStart, input.bytes, valueAt, request.valueBytes)
      step = () => finish(context, request, protocol.reply, this.#out)
    }
    if (step() !== RAN.FAULT || this.#carriedOutAtOnce(step)) {
      done()
      return null
    }
    return this.#carryOutLater(step, done)
  }

  #carriedOutAtOnce(step: () => Ran): boolean {
    const { disk } = this.#tiers
    if (this.#tiers.faults++ % 2 === 0 || !disk.loadNow()) return false
    const ran = step()
    disk.release()
    return ran !== RAN.FAULT
  }

  /** As a connection does, it runs again within the call that lets it proceed. */
  #carryOutLater(step: () => Ran, done: () => void): Promise<void> {
    return withPatience('loading', (proceed) => {
      this.#proceed = () => {
        if (step() === RAN.FAULT) {
          this.#tiers.disk.load(this)
          return
        }
        this.#proceed = null
        done()
        proceed()
      }
      this.#tiers.disk.load(this)
    })
  }

  proceed(): void {
    assert.notEqual(this.#proceed, null, 'somebody proceeds who does not wait')
    this.#proceed!()
  }

  flush(): void {
    const { bytes, base, position } = this.#out
    this.#reply.push(Buffer.from(bytes.buffer.subarray(base, position)))
    this.#out.reset(bytes, 0, OUTPUT_BYTES)
  }

  sendPinned(source: Bytes, start: number, length: number): void {
    this.flush()
    this.#reply.push(Buffer.from(source.buffer.subarray(start, start + length)))
  }
}

/**
 * An empty folder for one test, in memory where the system has such a place: a killed process leaves there
 * what it leaves on a disk, and nobody waits for a device.
 */
export function quickFolder(t: TestContext): string {
  const folder = mkdtempSync(join(quickPlace(), 'rat-memcached-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function quickPlace(): string {
  try {
    accessSync('/dev/shm', constants.W_OK)
    return '/dev/shm'
  } catch {
    return tmpdir()
  }
}

/** A set command. */
export function setText(key: string, value: string, exptimeS = 0, flags = 0): string {
  return `set ${key} ${flags} ${exptimeS} ${value.length}\r\n${value}\r\n`
}

/** The reply to a get of one key that is there. */
export function hitText(key: string, value: string, flags = 0): string {
  return `VALUE ${key} ${flags} ${value.length}\r\n${value}\r\nEND\r\n`
}

export const MISS = 'END\r\n'

/**
 * Copies a folder that others write to, as it is at one instant: again and again until nothing has
 * changed meanwhile. This thread stands still; only LevelDB's own may write.
 */
export function copyInstant(from: string, to: string): void {
  for (let attempt = 0; attempt < 50; attempt++) {
    rmSync(to, { recursive: true, force: true })
    try {
      const before = listing(from)
      copyFolder(from, to)
      if (listing(from) === before && before === listing(from)) return
    } catch (error) {
      // What is being removed may go while it is looked at, or copied.
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
  }
  assert.fail(`${from} changes all the time`)
}

/** Everything below a folder with sizes and times. */
function listing(folder: string): string {
  const lines: string[] = []
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const stats = lstatSync(join(folder, name), { bigint: true, throwIfNoEntry: false })
    lines.push(`${name} ${stats?.ino} ${stats?.size} ${stats?.mtimeNs}`)
  }
  return lines.join('\n')
}

/** Sum of the sizes of all files below a folder. */
export function bytesIn(folder: string): number {
  let bytes = 0
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const stats = lstatSync(join(folder, name), { throwIfNoEntry: false })
    if (stats?.isFile() === true) bytes += stats.size
  }
  return bytes
}

/** Waits for a call; fails where it does not come. */
export function withPatience(what: string, wait: (proceed: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} takes for ever`)), PATIENCE_MS)
    wait(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
