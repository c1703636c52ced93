/**
 * Both tiers against a plain map: random text commands of several clients at a time, with clean stops
 * and crashes in between, for each write policy and each promotion.
 *
 * Nothing may be lost where the disk has room: every reply is known beforehand, to the byte, whatever
 * leaves memory and comes back. After a crash an item is as it was acknowledged last, or gone; with
 * write-through it is never gone.
 *
 * `TIERS_RUNS=20 TIERS_SEED=7` makes twenty long runs of each, from that seed on.
 */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { ManualClock } from '../../src/observe/clock.ts'
import { METRIC } from '../../src/observe/metrics.ts'
import { checkIntegrity } from '../../src/store/l1/integrity.ts'
import { show } from '../helpers/server.ts'
import { seededWords } from '../helpers/store.ts'
import { MISS, Tiers, quickFolder } from '../helpers/tiers.ts'
import type { Session } from '../helpers/tiers.ts'

const RUNS = Number(process.env['TIERS_RUNS'] ?? 0)
/** Commands of each client in a run. */
const ROUNDS = RUNS === 0 ? 80 : 400
const SEED = Number(process.env['TIERS_SEED'] ?? 1)
const DAY_S = 86_400
const SESSIONS = 6
const KEYS = 60

interface Entry {
  value: string
  flags: number
  /** 0 for never. */
  expiresAtS: number
  cas: number
}

/** What the clients have been told. */
class Model {
  readonly entries = new Map<string, Entry>()
  readonly clock: ManualClock
  /** 0 for none. */
  flushAtS = 0
  lastCas = 0

  constructor(clock: ManualClock) {
    this.clock = clock
  }

  find(key: string): Entry | undefined {
    const entry = this.entries.get(key)
    if (entry === undefined) return undefined
    if (entry.expiresAtS !== 0 && entry.expiresAtS <= this.clock.nowS) {
      this.entries.delete(key)
      return undefined
    }
    return entry
  }

  tick(): void {
    if (this.flushAtS === 0 || this.flushAtS > this.clock.nowS) return
    this.flushAtS = 0
    this.entries.clear()
  }
}

/** A command, and what it does to the model at the instant of its effect: returns its reply. */
interface Command {
  readonly text: string
  readonly apply: (model: Model, sequence: number, step: number) => string
}

class Generator {
  readonly #words: () => number
  readonly #model: Model

  constructor(seed: number, model: Model) {
    this.#words = seededWords(seed)
    this.#model = model
    for (let i = 0; i < 8; i++) this.#words()
  }

  below(limit: number): number {
    return this.#words() % limit
  }

  #key(): string {
    // Some keys are asked for more often than others.
    return `key-${Math.min(this.below(KEYS), this.below(KEYS))}`
  }

  #value(): string {
    const kind = this.below(100)
    if (kind < 20) return String(this.below(1000))
    const length =
      kind < 70 ? 1 + this.below(500) : kind < 95 ? 1 + this.below(20_000) : this.below(700_000)
    const word = this.#words().toString(36)
    const fill = word[0]!
    return (word + fill.repeat(length)).slice(0, length)
  }

  #exptimeS(): number {
    const kind = this.below(20)
    if (kind < 14) return 0
    if (kind === 14) return -1
    if (kind < 18) return 1 + this.below(20)
    return this.#model.clock.nowS + DAY_S * 40 + this.below(1000)
  }

  next(): Command {
    const key = this.#key()
    const kind = this.below(200)
    if (kind < 55) return this.#store('set', key)
    if (kind < 62) return this.#store('add', key)
    if (kind < 69) return this.#store('replace', key)
    if (kind < 75) return this.#store('append', key)
    if (kind < 80) return this.#store('prepend', key)
    if (kind < 90) return this.#cas(key)
    if (kind < 100) return this.#arithmetic(key)
    if (kind < 108) return this.#touch(key)
    if (kind < 116) return this.#getAndTouch(key)
    if (kind < 126) return this.#delete(key)
    if (kind < 127) return this.#flush()
    return this.#get()
  }

  #store(verb: string, key: string): Command {
    const value = this.#value()
    const flags = this.below(3) === 0 ? this.#words() : 0
    const exptimeS = this.#exptimeS()
    return {
      text: `${verb} ${key} ${flags} ${exptimeS} ${value.length}\r\n${value}\r\n`,
      apply: (model, sequence) => {
        const old = model.find(key)
        if (verb === 'add' && old !== undefined) return 'NOT_STORED\r\n'
        if (verb !== 'add' && verb !== 'set' && old === undefined) return 'NOT_STORED\r\n'
        const isExtended = verb === 'append' || verb === 'prepend'
        if (isExtended && old!.value.length + value.length > 1_000_000) return 'NOT_STORED\r\n'
        const entry = isExtended
          ? { ...old!, value: verb === 'append' ? old!.value + value : value + old!.value }
          : { value, flags, expiresAtS: instantOf(exptimeS, model.clock.nowS), cas: 0 }
        model.entries.set(key, { ...entry, cas: sequence })
        return 'STORED\r\n'
      },
    }
  }

  #cas(key: string): Command {
    const value = this.#value()
    const isRight = this.below(4) > 0
    const token = isRight ? (this.#model.find(key)?.cas ?? 1) : this.below(1000)
    return {
      text: `cas ${key} 7 0 ${value.length} ${token}\r\n${value}\r\n`,
      apply: (model, sequence) => {
        const old = model.find(key)
        if (old === undefined) return 'NOT_FOUND\r\n'
        if (old.cas !== token) return 'EXISTS\r\n'
        model.entries.set(key, { value, flags: 7, expiresAtS: 0, cas: sequence })
        return 'STORED\r\n'
      },
    }
  }

  #arithmetic(key: string): Command {
    const delta = this.below(500)
    const isUp = this.below(2) === 0
    return {
      text: `${isUp ? 'incr' : 'decr'} ${key} ${delta}\r\n`,
      apply: (model, sequence) => {
        const old = model.find(key)
        if (old === undefined) return 'NOT_FOUND\r\n'
        const digits = /^\d{1,20} *$/.test(old.value) ? old.value : undefined
        if (digits === undefined) {
          return 'CLIENT_ERROR cannot increment or decrement non-numeric value\r\n'
        }
        const before = BigInt(digits)
        const after = isUp
          ? (before + BigInt(delta)) % 2n ** 64n
          : before < BigInt(delta)
            ? 0n
            : before - BigInt(delta)
        old.value = String(after).padEnd(old.value.length, ' ')
        old.cas = sequence
        return `${after}\r\n`
      },
    }
  }

  #touch(key: string): Command {
    const exptimeS = this.#exptimeS()
    return {
      text: `touch ${key} ${exptimeS}\r\n`,
      apply: (model) => {
        const old = model.find(key)
        if (old === undefined) return 'NOT_FOUND\r\n'
        old.expiresAtS = instantOf(exptimeS, model.clock.nowS)
        return 'TOUCHED\r\n'
      },
    }
  }

  #getAndTouch(key: string): Command {
    const exptimeS = this.#exptimeS()
    return {
      text: `gats ${exptimeS} ${key}\r\n`,
      apply: (model) => {
        const old = model.find(key)
        if (old === undefined) return MISS
        old.expiresAtS = instantOf(exptimeS, model.clock.nowS)
        return `${hitOf(key, old, true)}${MISS}`
      },
    }
  }

  #delete(key: string): Command {
    return {
      text: `delete ${key}\r\n`,
      apply: (model) => {
        if (model.find(key) === undefined) return 'NOT_FOUND\r\n'
        model.entries.delete(key)
        return 'DELETED\r\n'
      },
    }
  }

  #flush(): Command {
    const delayS = this.below(2) * (1 + this.below(5))
    return {
      text: delayS === 0 ? 'flush_all\r\n' : `flush_all ${delayS}\r\n`,
      apply: (model) => {
        model.flushAtS = delayS === 0 ? 0 : model.clock.nowS + delayS
        if (delayS === 0) model.entries.clear()
        return 'OK\r\n'
      },
    }
  }

  #get(): Command {
    const keys = Array.from({ length: this.below(4) === 0 ? 2 + this.below(8) : 1 }, () =>
      this.#key(),
    )
    return getOf(keys)
  }
}

function getOf(keys: readonly string[]): Command {
  return {
    text: `gets ${keys.join(' ')}\r\n`,
    apply: (model, _sequence, step) => {
      const key = keys[step]!
      const entry = model.find(key)
      const end = step === keys.length - 1 ? MISS : ''
      return entry === undefined ? end : hitOf(key, entry, true) + end
    },
  }
}

function hitOf(key: string, { value, flags, cas }: Entry, withCas: boolean): string {
  return `VALUE ${key} ${flags} ${value.length}${withCas ? ` ${cas}` : ''}\r\n${value}\r\n`
}

function instantOf(exptimeS: number, nowS: number): number {
  if (exptimeS === 0) return 0
  if (exptimeS < 0) return 1
  return exptimeS > 30 * DAY_S ? exptimeS : nowS + exptimeS
}

interface World {
  readonly clock: ManualClock
  readonly model: Model
  readonly generator: Generator
  tiers: Tiers
  sessions: Session[]
}

/** Lets all clients send a command each, at the same time. */
async function round(world: World): Promise<void> {
  const { tiers, model, generator } = world
  await Promise.all(
    world.sessions.map(async (session) => {
      const { text, apply } = generator.next()
      let expected = ''
      const reply = await session.ask(text, (step) => {
        expected += apply(model, tiers.cache.sequence, step)
      })
      assert.equal(show(reply), show(expected), show(text))
    }),
  )
}

/** Compares every key, and forgets what `mayMiss` allows to be gone. */
async function checkAll(world: World, mayMiss: boolean): Promise<number> {
  const { tiers, model } = world
  let lost = 0
  for (let i = 0; i < KEYS; i++) {
    const key = `key-${i}`
    const { text, apply } = getOf([key])
    const expected = apply(model, 0, 0)
    const reply = await tiers.ask(text)
    if (mayMiss && reply === MISS && expected !== MISS) {
      lost++
      model.entries.delete(key)
      continue
    }
    assert.equal(show(reply), show(expected), `${key} after a stop`)
  }
  return lost
}

async function check(
  t: TestContext,
  settings: Record<string, string>,
  seed: number,
): Promise<void> {
  const root = quickFolder(t)
  const clock = new ManualClock()
  const model = new Model(clock)
  const generator = new Generator(seed, model)
  let lives = 0
  const folderOf = (life: number): string => `${root}/${life}`
  const writesThrough = settings['l2.write_policy'] === 'write-through'
  const open = async (): Promise<World> => {
    const tiers = await Tiers.open(folderOf(lives), { settings, clock })
    return {
      clock,
      model,
      generator,
      tiers,
      sessions: Array.from({ length: SESSIONS }, () => tiers.session()),
    }
  }
  let world = await open()
  let crashes = 0
  let stops = 0
  let lost = 0
  for (let i = 0; i < ROUNDS; i++) {
    await round(world)
    const { tiers } = world
    const chance = generator.below(100)
    if (chance < 8) {
      clock.advance(1 + generator.below(4))
      tiers.cache.tick()
      model.tick()
    } else if (chance < 12) {
      tiers.evictAll()
    } else if (chance < 15) {
      await tiers.written()
    } else if (chance < 16) {
      stops++
      const { sequence } = tiers.cache
      await tiers.close()
      clock.advance(generator.below(4))
      world = await open()
      model.tick()
      assert.ok(world.tiers.cache.sequence >= sequence, 'cas values do not repeat')
      await checkAll(world, false)
    } else if (chance < 23) {
      crashes++
      const { sequence } = tiers.cache
      const gone = folderOf(lives)
      lives++
      tiers.crashTo(folderOf(lives))
      await tiers.close()
      rmSync(gone, { recursive: true })
      clock.advance(generator.below(3))
      world = await open()
      model.tick()
      assert.ok(world.tiers.cache.sequence >= sequence, 'cas values do not repeat')
      lost += await checkAll(world, !writesThrough)
    }
    if (i % 20 === 0) checkIntegrity(world.tiers.cache.store)
  }
  const { metrics } = world.tiers
  assert.equal(metrics.value(METRIC.L2_LOST), 0)
  assert.equal(metrics.value(METRIC.L2_BAD_RECORDS), 0)
  await checkAll(world, false)
  await world.tiers.close()
  t.diagnostic(`${crashes} crashes lost ${lost} items, ${stops} stops`)
}

describe('both tiers, as one cache', () => {
  for (const policy of ['write-behind', 'write-through', 'on-evict']) {
    for (const promotion of ['always', 'second-hit', 'never']) {
      for (let n = 0; n < Math.max(1, RUNS); n++) {
        const seed = SEED + n
        it(`answers like a map, ${policy}, promotion ${promotion}, seed ${seed}`, (t) =>
          check(t, { 'l2.write_policy': policy, 'l2.promotion': promotion }, seed))
      }
    }
  }
})
