/**
 * Both tiers while the disk makes trouble: it refuses writes, hangs, cannot be read, refuses the
 * journal; generations go all the time because the cap is small; and at any instant, in the middle of
 * everything, the process may be killed or stopped.
 *
 * Items may be lost then. What must not be: an older value, a deleted item, a wrong byte, a client
 * that waits for ever.
 *
 * `TIERS_RUNS=20 TIERS_SEED=7` makes twenty long runs of each, from that seed on.
 */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { ManualClock } from '../../src/observe/clock.ts'
import { checkIntegrity } from '../../src/store/l1/integrity.ts'
import { MACHINE_FILES } from '../../src/store/l2/file-system.ts'
import { Generation } from '../../src/store/l2/generation.ts'
import { show, turns } from '../helpers/server.ts'
import { seededWords } from '../helpers/store.ts'
import { MISS, Tiers, bytesIn, quickFolder } from '../helpers/tiers.ts'
import { refusal, troubleWrites } from '../helpers/trouble.ts'

const RUNS = Number(process.env['TIERS_RUNS'] ?? 0)
const SEED = Number(process.env['TIERS_SEED'] ?? 1)
const EVENTS = RUNS === 0 ? 180 : 1500
const CLIENTS = 5
const KEYS = 12
/** Less than the configuration takes, so that generations come and go. */
const CAP_BYTES = 4 * 2 ** 20

interface Entry {
  readonly value: string
  readonly flags: number
  /** 0 for never. */
  readonly expiresAtS: number
}

/** What a command makes of an item, or of none, and what it answers. */
type Effect = (entry: Entry | undefined) => { reply: string; after: Entry | undefined }

interface InFlight {
  readonly key: string
  readonly before: Entry | undefined
  readonly after: Entry | undefined
}

/** One client with keys of its own. */
class Client {
  readonly known = new Map<string, Entry>()
  inFlight: InFlight | null = null
  lost = 0
  asked = 0
  readonly #name: string
  readonly #words: () => number
  readonly #clock: ManualClock

  constructor(name: string, words: () => number, clock: ManualClock) {
    this.#name = name
    this.#words = words
    this.#clock = clock
  }

  keyOf(number: number): string {
    return `${this.#name}-${number}`
  }

  /** Sends commands until it is told to end. */
  async run(tiers: Tiers, isEnough: () => boolean): Promise<void> {
    const session = tiers.session()
    while (!isEnough()) {
      await this.#step(tiers, (text) => session.ask(text))
      if (this.#words() % 3 === 0) await turns(1)
    }
  }

  async #step(tiers: Tiers, ask: (text: string) => Promise<string>): Promise<void> {
    const key = this.keyOf(this.#words() % KEYS)
    const { text, effect } = this.#command(key)
    const before = this.live(key)
    const expected = effect(before)
    this.inFlight = { key, before, after: expected.after }
    this.asked++
    const reply = await ask(text)
    this.inFlight = null
    if (reply === expected.reply) {
      this.#keep(key, expected.after)
      return
    }
    const asLost = effect(undefined)
    const isExpired = before !== undefined && isOver(before, this.#clock)
    assert.ok(
      before !== undefined && reply === asLost.reply,
      `${show(text)} on ${show(before?.value ?? 'nothing')} is answered ${show(reply)}`,
    )
    if (!isExpired) this.lost++
    // What cannot be had now may be had again later, unless it was deleted.
    if (text.startsWith('delete')) this.known.delete(key)
    assert.ok(tiers.cache.sequence > 0)
  }

  live(key: string): Entry | undefined {
    const entry = this.known.get(key)
    return entry === undefined || isOver(entry, this.#clock) ? undefined : entry
  }

  #keep(key: string, entry: Entry | undefined): void {
    if (entry === undefined) this.known.delete(key)
    else this.known.set(key, entry)
  }

  /** After a stop or a crash: every key is one of what it may be. */
  async check(tiers: Tiers, inFlight: InFlight | null): Promise<void> {
    for (let n = 0; n < KEYS; n++) {
      const key = this.keyOf(n)
      const reply = await tiers.ask(`get ${key}\r\n`)
      const allowed = [this.live(key)]
      if (inFlight?.key === key) allowed.push(inFlight.before, inFlight.after)
      const entry = allowed.find((each) => each !== undefined && reply === hitOf(key, each))
      if (entry === undefined) {
        const texts = allowed.map((each) => show(each?.value ?? 'nothing'))
        assert.equal(show(reply), show(MISS), `${key} may be ${texts.join(' or ')}`)
        if (this.live(key) !== undefined) this.lost++
      } else {
        this.known.set(key, entry)
      }
    }
  }

  #value(): string {
    const word = this.#words().toString(36)
    const kind = this.#words() % 20
    const length =
      kind < 10 ? this.#words() % 300 : kind < 18 ? this.#words() % 20_000 : this.#words() % 150_000
    return (word + word[0]!.repeat(length)).slice(0, Math.max(1, length))
  }

  #command(key: string): { text: string; effect: Effect } {
    const kind = this.#words() % 20
    if (kind < 8) {
      const value = this.#value()
      const flags = this.#words() % 1000
      const seconds = this.#words() % 8 === 0 ? 1 + (this.#words() % 10) : 0
      const expiresAtS = seconds === 0 ? 0 : this.#clock.nowS + seconds
      return {
        text: `set ${key} ${flags} ${expiresAtS} ${value.length}\r\n${value}\r\n`,
        effect: () => ({ reply: 'STORED\r\n', after: { value, flags, expiresAtS } }),
      }
    }
    if (kind < 11) {
      return {
        text: `delete ${key}\r\n`,
        effect: (entry) => ({
          reply: entry === undefined ? 'NOT_FOUND\r\n' : 'DELETED\r\n',
          after: undefined,
        }),
      }
    }
    if (kind < 13) {
      const more = `${this.#words() % 10}`
      return {
        text: `append ${key} 0 0 1\r\n${more}\r\n`,
        effect: (entry) => ({
          reply: entry === undefined ? 'NOT_STORED\r\n' : 'STORED\r\n',
          after: entry === undefined ? undefined : { ...entry, value: entry.value + more },
        }),
      }
    }
    if (kind < 14) {
      const expiresAtS = this.#clock.nowS + 5
      return {
        text: `touch ${key} ${expiresAtS}\r\n`,
        effect: (entry) => ({
          reply: entry === undefined ? 'NOT_FOUND\r\n' : 'TOUCHED\r\n',
          after: entry === undefined ? undefined : { ...entry, expiresAtS },
        }),
      }
    }
    return {
      text: `get ${key}\r\n`,
      effect: (entry) => ({ reply: entry === undefined ? MISS : hitOf(key, entry), after: entry }),
    }
  }
}

function isOver({ expiresAtS }: Entry, clock: ManualClock): boolean {
  return expiresAtS !== 0 && expiresAtS <= clock.nowS
}

function hitOf(key: string, { value, flags }: Entry): string {
  return `VALUE ${key} ${flags} ${value.length}\r\n${value}\r\n${MISS}`
}

/** What else can go wrong than that batches are refused or held. */
interface MoreTrouble {
  isUnreadable: boolean
  isJournalRefused: boolean
}

function moreTrouble(t: TestContext): MoreTrouble {
  const trouble: MoreTrouble = { isUnreadable: false, isJournalRefused: false }
  const read: Generation['read'] = Reflect.get(Generation.prototype, 'read')
  t.mock.method(Generation.prototype, 'read', function (this: Generation, numbers: number[]) {
    if (trouble.isUnreadable) return Promise.resolve(numbers.map(() => undefined))
    return read.call(this, numbers)
  })
  const readNow: Generation['readNow'] = Reflect.get(Generation.prototype, 'readNow')
  t.mock.method(Generation.prototype, 'readNow', function (this: Generation, pack: number) {
    if (trouble.isUnreadable) throw refusal()
    return readNow.call(this, pack)
  })
  type Open = (typeof MACHINE_FILES)['openSync']
  const open: Open = Reflect.get(MACHINE_FILES, 'openSync')
  t.mock.method(MACHINE_FILES, 'openSync', (...args: Parameters<Open>) => {
    // Segments of the journal are the only files that are made while the server runs.
    if (trouble.isJournalRefused && args[1] === 'wx') throw refusal()
    return open(...args)
  })
  return trouble
}

async function check(
  t: TestContext,
  settings: Record<string, string>,
  seed: number,
): Promise<void> {
  const root = quickFolder(t)
  const words = seededWords(seed * 7919)
  for (let i = 0; i < 8; i++) words()
  const clock = new ManualClock()
  const writes = troubleWrites(t)
  const more = moreTrouble(t)
  const clients = Array.from({ length: CLIENTS }, (_, n) => new Client(`c${n}`, words, clock))
  let life = 0
  let isOverNow = false
  let running: Promise<unknown> = Promise.resolve()
  const open = async (): Promise<Tiers> => {
    const opened = await Tiers.open(`${root}/${life}`, {
      clock,
      settings: {
        'l2.max_staged': '2MB',
        'performance.large_value_threshold': '50KB',
        ...settings,
      },
      tier: { diskBytesMax: CAP_BYTES },
    })
    return opened
  }
  const begin = (): void => {
    isOverNow = false
    running = Promise.all(clients.map((client) => client.run(tiers, () => isOverNow)))
    // It is awaited at the end of this life.
    running.catch(() => undefined)
  }
  const heal = (): void => {
    more.isUnreadable = false
    more.isJournalRefused = false
    writes.release()
  }
  let tiers = await open()
  begin()
  const counts = { crashes: 0, stops: 0, refusals: 0 }
  let dropped = 0
  for (let event = 0; event < EVENTS; event++) {
    await turns(1 + (words() % 8))
    const kind = words() % 100
    if (kind < 12) {
      clock.advance(1 + (words() % 6))
      tiers.cache.tick()
    } else if (kind < 18) {
      tiers.evictAll()
    } else if (kind < 22) {
      writes.release()
      writes.mode = 'refuse'
      counts.refusals++
    } else if (kind < 26) {
      writes.mode = 'hold'
    } else if (kind < 28) {
      more.isUnreadable = true
    } else if (kind < 29) {
      // After a crash the tier is empty then, which would make everything else easy.
      more.isJournalRefused = words() % 8 === 0
    } else if (kind < 44) {
      heal()
    } else if (kind < 54) {
      const isCrash = words() % 3 > 0
      const inFlight = clients.map((client) => client.inFlight)
      const known = clients.map((client) => new Map(client.known))
      const gone = tiers
      if (isCrash) {
        counts.crashes++
        life++
        tiers.crashTo(`${root}/${life}`)
      } else {
        counts.stops++
      }
      isOverNow = true
      if (isCrash || writes.mode === 'hold' || writes.held > 0) heal()
      clock.advance(6)
      await running
      dropped += gone.tier.l2.list.droppedCount
      await gone.close()
      heal()
      assert.ok(bytesIn(gone.folder) <= CAP_BYTES * 1.1)
      if (isCrash) rmSync(gone.folder, { recursive: true })
      tiers = await open()
      for (const [n, client] of clients.entries()) {
        if (isCrash) {
          client.known.clear()
          for (const [key, entry] of known[n]!) client.known.set(key, entry)
        }
        await client.check(tiers, isCrash ? inFlight[n]! : null)
      }
      checkIntegrity(tiers.cache.store)
      begin()
    } else if (kind < 80) {
      tiers.tier.l2.writer.writeSoon()
    }
  }
  isOverNow = true
  heal()
  clock.advance(6)
  await running
  await tiers.close()
  const asked = clients.reduce((sum, client) => sum + client.asked, 0)
  const lost = clients.reduce((sum, client) => sum + client.lost, 0)
  t.diagnostic(
    `${asked} commands, ${lost} items lost, ${dropped} generations dropped, ${JSON.stringify(counts)}`,
  )
  assert.ok(asked > EVENTS && lost < asked / 2)
}

describe('both tiers in trouble', () => {
  for (const policy of ['write-behind', 'write-through', 'on-evict']) {
    for (let n = 0; n < Math.max(1, RUNS); n++) {
      const seed = SEED + n
      it(`never answer with what is not so, ${policy}, seed ${seed}`, (t) =>
        check(t, { 'l2.write_policy': policy }, seed))
    }
  }
})
