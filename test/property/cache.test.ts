/**
 * The cache against a model that knows of time: expiry, flushes now and later, cas values, and the
 * counts of what lives and of what left.
 *
 * Where memory is short items go missing; the model takes note, and each of them has to be in the
 * counters, under the name that its state at that moment demands.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { METRIC } from '../../src/observe/metrics.ts'
import type { MetricSlot } from '../../src/observe/metrics.ts'
import { checkIntegrity } from '../../src/store/l1/integrity.ts'
import type { L1Options } from '../../src/store/l1/l1-store.ts'
import { itemBytes } from '../../src/store/l1/layout.ts'
import { TestCache } from '../helpers/cache.ts'
import { valueOf } from '../helpers/store.ts'

interface Entry {
  value: Buffer
  flags: number
  /** 0 for never. */
  expiresAtS: number
  cas: bigint
  usedAtS: number
  fetched: boolean
  flushed: boolean
}

interface Model {
  nowS: number
  /** Least recently used first; dead entries stay until they are asked for or evicted. */
  readonly entries: Map<string, Entry>
  /** 0 for none. */
  flushAtS: number
  lastCas: bigint
  version: number
  /** What the counters should say. */
  readonly counted: Map<MetricSlot, number>
}

type Command = fc.Command<Model, TestCache>

const COUNTED: readonly MetricSlot[] = [
  METRIC.EVICTIONS,
  METRIC.EVICTED_UNFETCHED,
  METRIC.RECLAIMED,
  METRIC.EXPIRED_UNFETCHED,
  METRIC.GET_EXPIRED,
  METRIC.GET_FLUSHED,
  METRIC.TOTAL_ITEMS,
]

function count(model: Model, slot: MetricSlot): void {
  model.counted.set(slot, (model.counted.get(slot) ?? 0) + 1)
}

function hasExpired(model: Model, { expiresAtS }: Entry): boolean {
  return expiresAtS !== 0 && expiresAtS <= model.nowS
}

/** What protocol.txt says of an expiry. */
function instantOf(exptimeS: number, nowS: number): number {
  if (exptimeS === 0) return 0
  if (exptimeS < 0) return nowS
  return exptimeS > 30 * 86_400 ? exptimeS : nowS + exptimeS
}

/** Takes out of the model what has left the store since the last time. */
function noteEvictions(model: Model, real: TestCache): void {
  for (const [key, entry] of model.entries) {
    if (real.peek(key) !== 0) continue
    model.entries.delete(key)
    const isDead = entry.flushed || hasExpired(model, entry)
    count(model, isDead ? METRIC.RECLAIMED : METRIC.EVICTIONS)
    if (!entry.fetched) count(model, isDead ? METRIC.EXPIRED_UNFETCHED : METRIC.EVICTED_UNFETCHED)
  }
}

/** The live entry that a lookup finds; one that is dead is removed by it. */
function lookUp(model: Model, key: string): Entry | undefined {
  const entry = model.entries.get(key)
  if (entry === undefined) return undefined
  if (!entry.flushed && !hasExpired(model, entry)) return entry
  count(model, entry.flushed ? METRIC.GET_FLUSHED : METRIC.GET_EXPIRED)
  model.entries.delete(key)
  return undefined
}

function use(model: Model, key: string, entry: Entry): void {
  model.entries.delete(key)
  model.entries.set(key, entry)
  entry.usedAtS = model.nowS
}

function flushAll(model: Model): void {
  model.flushAtS = 0
  for (const entry of model.entries.values()) entry.flushed = true
}

/** Links a reservation in both worlds. */
function link(model: Model, real: TestCache, item: number, key: string, entry: Entry): void {
  noteEvictions(model, real)
  const old = real.cache.findSameKey(item)
  const before = lookUp(model, key)
  assert.equal(old !== 0, before !== undefined)
  const { options, count: storeCount } = real.cache.store
  const isFull = options.entriesMax !== 0 && old === 0 && storeCount >= options.entriesMax
  const linked = real.cache.link(item, old)
  assert.equal(linked, options.evictions || !isFull)
  if (!linked) {
    // A reservation that was refused had its cas value nevertheless.
    model.lastCas++
    return
  }
  count(model, METRIC.TOTAL_ITEMS)
  model.entries.delete(key)
  // What was evicted for it has gone before it came.
  noteEvictions(model, real)
  entry.cas = nextCas(model, real, real.peek(key))
  model.entries.set(key, entry)
}

function nextCas(model: Model, real: TestCache, item: number): bigint {
  assert.notEqual(item, 0)
  const cas = real.casOf(item)
  assert.ok(cas > model.lastCas, `cas value ${cas} after ${model.lastCas}`)
  model.lastCas = cas
  return cas
}

function checkAll(model: Model, real: TestCache): void {
  const { cache, metrics } = real
  noteEvictions(model, real)
  checkIntegrity(cache.store)
  for (const [key, entry] of model.entries) {
    const item = real.peek(key)
    assert.ok(real.valueOf(item).equals(entry.value), `the value of ${key}`)
    assert.equal(cache.clientFlags(item), entry.flags)
    assert.equal(real.casOf(item), entry.cas)
  }
  for (const slot of COUNTED) {
    assert.equal(metrics.value(slot), model.counted.get(slot) ?? 0, `counter ${slot}`)
  }
  const unflushed = [...model.entries].filter(([, entry]) => !entry.flushed)
  assert.equal(cache.count, unflushed.length)
  let usedBytes = 0
  for (const [key, { value }] of unflushed) usedBytes += itemBytes(key.length, value.length)
  assert.equal(cache.usedBytes, usedBytes)
  assert.equal(cache.store.count, model.entries.size)
  const oldest = model.entries.values().next().value
  assert.equal(cache.oldestAgeS, oldest === undefined ? 0 : model.nowS - oldest.usedAtS)
}

function command(name: string, run: (model: Model, real: TestCache) => void): Command {
  return {
    check: () => true,
    run(model, real) {
      run(model, real)
      checkAll(model, real)
    },
    toString: () => name,
  }
}

function commands(keys: number, sizeMax: number): fc.Arbitrary<Command>[] {
  const anyKey = fc.nat(keys - 1).map((i) => `k${i}`)
  const anySize = fc.nat(sizeMax)
  const anyFlags = fc.constantFrom(0, 1, 0xffff_ffff)
  /** As a client writes it, by the time at which it does. */
  const anyExptime: fc.Arbitrary<(nowS: number) => number> = fc.oneof(
    { weight: 3, arbitrary: fc.constant(() => 0) },
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 8 }).map((s) => () => s) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(-1, -100_000, 2_592_000, 2_592_001).map((s) => () => s),
    },
    {
      weight: 1,
      arbitrary: fc.integer({ min: -3, max: 8 }).map((s) => (nowS: number) => nowS + s),
    },
  )
  const anySet = fc
    .tuple(anyKey, anySize, anyExptime, anyFlags)
    .map(([key, size, exptime, flags]) =>
      command(`set ${key} ${size} ${exptime(0)}`, (model, real) => {
        const value = valueOf(key, model.version++, size)
        const exptimeS = exptime(model.nowS)
        const item = real.reserve(key, value, exptimeS, flags)
        if (item === 0) return
        link(model, real, item, key, {
          value,
          flags,
          expiresAtS: instantOf(exptimeS, model.nowS),
          cas: 0n,
          usedAtS: model.nowS,
          fetched: false,
          flushed: false,
        })
      }),
    )
  return [
    anySet,
    anySet,
    anySet,
    anySet,
    anyKey.map((key) =>
      command(`get ${key}`, (model, real) => {
        const entry = lookUp(model, key)
        const value = real.get(key)
        assert.equal(value !== undefined, entry !== undefined)
        if (entry === undefined) return
        assert.ok(value!.equals(entry.value))
        entry.fetched = true
        use(model, key, entry)
      }),
    ),
    fc.tuple(anyKey, anyExptime).map(([key, exptime]) =>
      command(`touch ${key} ${exptime(0)}`, (model, real) => {
        const entry = lookUp(model, key)
        const item = real.find(key)
        assert.equal(item !== 0, entry !== undefined)
        if (entry === undefined) return
        const exptimeS = exptime(model.nowS)
        real.cache.setExpiry(item, exptimeS)
        entry.expiresAtS = instantOf(exptimeS, model.nowS)
      }),
    ),
    anyKey.map((key) =>
      command(`delete ${key}`, (model, real) => {
        const entry = lookUp(model, key)
        const item = real.find(key)
        assert.equal(item !== 0, entry !== undefined)
        if (entry === undefined) return
        real.cache.remove(item)
        model.entries.delete(key)
      }),
    ),
    anyKey.map((key) =>
      command(`stamp ${key}`, (model, real) => {
        const entry = lookUp(model, key)
        const item = real.find(key)
        assert.equal(item !== 0, entry !== undefined)
        if (entry === undefined) return
        real.cache.stamp(item)
        entry.cas = nextCas(model, real, item)
      }),
    ),
    fc.tuple(anyKey, anySize).map(([key, more]) =>
      command(`append ${more} to ${key}`, (model, real) => {
        const { cache } = real
        const entry = lookUp(model, key)
        const item = real.find(key)
        assert.equal(item !== 0, entry !== undefined)
        if (entry === undefined) return
        const value = Buffer.concat([entry.value, valueOf(key, model.version++, more)])
        assert.ok(cache.pin(item))
        const grown = cache.reserveLike(item, value.length)
        if (grown !== 0) {
          real.fill(grown, value)
          const usedAtS = model.nowS
          link(model, real, grown, key, { ...entry, value, usedAtS, fetched: false })
        }
        cache.unpin(item)
      }),
    ),
    fc.tuple(anyKey, anySize).map(([key, size]) =>
      command(`abandon ${key} ${size}`, (_, real) => {
        const item = real.reserve(key, valueOf(key, 0, size))
        if (item !== 0) real.cache.abandon(item)
      }),
    ),
    fc.integer({ min: 1, max: 4 }).map((seconds) =>
      command(`wait ${seconds}`, (model, real) => {
        for (let i = 0; i < seconds; i++) {
          real.clock.advance(1)
          real.cache.tick()
          model.nowS++
          if (model.flushAtS !== 0 && model.flushAtS <= model.nowS) flushAll(model)
        }
      }),
    ),
    anyExptime.map((exptime) =>
      command(`flush ${exptime(0)}`, (model, real) => {
        const exptimeS = exptime(model.nowS)
        real.cache.flush(exptimeS)
        if (exptimeS <= 0 || instantOf(exptimeS, model.nowS) <= model.nowS) flushAll(model)
        else model.flushAtS = instantOf(exptimeS, model.nowS)
      }),
    ),
  ]
}

/** Runs random commands and returns what the model counted in all of them. */
function check(
  options: Partial<L1Options>,
  keys: number,
  sizeMax: number,
  numRuns: number,
): (slot: MetricSlot) => number {
  const totals = new Map<MetricSlot, number>()
  fc.assert(
    fc.property(
      fc.commands(commands(keys, sizeMax), { maxCommands: 200, size: 'max' }),
      (sequence) => {
        const real = new TestCache(options)
        const model: Model = {
          nowS: real.clock.nowS,
          entries: new Map(),
          flushAtS: 0,
          lastCas: 0n,
          version: 0,
          counted: new Map(),
        }
        fc.modelRun(() => ({ model, real }), sequence)
        for (const [slot, n] of model.counted) totals.set(slot, (totals.get(slot) ?? 0) + n)
      },
    ),
    { numRuns },
  )
  return (slot) => totals.get(slot) ?? 0
}

describe('a cache under random commands', () => {
  it('answers with what lives, where there is memory for everything', () => {
    const counted = check({ memoryBytesMax: 524_288 }, 15, 300, 150)
    assert.equal(counted(METRIC.EVICTIONS) + counted(METRIC.RECLAIMED), 0)
    assert.ok(counted(METRIC.GET_EXPIRED) > 50 && counted(METRIC.GET_FLUSHED) > 50)
  })

  it('counts what had to leave, the dead apart from the living, where memory is short', () => {
    const counted = check({ memoryBytesMax: 20_480 }, 40, 1500, 80)
    for (const slot of COUNTED) assert.ok(counted(slot) > 20, `counter ${slot}: ${counted(slot)}`)
  })

  it('counts what had to leave where entries are few', () => {
    const counted = check({ entriesMax: 8 }, 30, 100, 80)
    for (const slot of COUNTED) assert.ok(counted(slot) > 20, `counter ${slot}: ${counted(slot)}`)
  })

  it('stays as full as it is where nothing may be evicted', () => {
    const counted = check({ entriesMax: 8, evictions: false }, 30, 100, 60)
    assert.equal(counted(METRIC.EVICTIONS) + counted(METRIC.RECLAIMED), 0)
  })
})
