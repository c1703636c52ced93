/**
 * The store against a model: a Map from keys to values whose order is that of their last use.
 *
 * Stores are small, so that evictions, moves between pages, runs of pages, growth of the index and
 * the limits all happen many times in a run. After every step everything is compared: the store's
 * own invariants, each value byte by byte, and the whole order of eviction. An item may be missing
 * only if its eviction was announced while it was still whole.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { checkIntegrity } from '../../src/store/l1/integrity.ts'
import type { L1Options } from '../../src/store/l1/l1-store.ts'
import { itemBytes } from '../../src/store/l1/layout.ts'
import { LARGE } from '../../src/store/l1/size-classes.ts'
import { TestStore, valueOf } from '../helpers/store.ts'

interface Held {
  readonly item: number
  readonly key: string
  readonly value: Buffer
}

/** What the store should hold. */
interface Model {
  /** Least recently used first. */
  readonly values: Map<string, Buffer>
  readonly reservations: Held[]
  readonly pinned: Held[]
  version: number
  /** Items that were evicted although another one had not been used for longer. */
  outOfTurn: number
}

/** What happened in all runs together: a generator that misses a case is noticed. */
interface Coverage {
  evictions: number
  vacated: number
  moved: number
  outOfTurn: number
  large: number
  largeOverPins: number
  refused: number
  unlinkedPins: number
  indexGrowth: number
}

type Command = fc.Command<Model, TestStore>

function noCoverage(): Coverage {
  return {
    evictions: 0,
    vacated: 0,
    moved: 0,
    outOfTurn: 0,
    large: 0,
    largeOverPins: 0,
    refused: 0,
    unlinkedPins: 0,
    indexGrowth: 0,
  }
}

/** A store that reports its evictions to the model. */
function connect(options: Partial<L1Options>): { model: Model; real: TestStore } {
  const real = new TestStore(options)
  const model: Model = {
    values: new Map(),
    reservations: [],
    pinned: [],
    version: 0,
    outOfTurn: 0,
  }
  real.onEvicting = (key, item) => {
    assert.ok(real.store.options.evictions, 'nothing is evicted where that is forbidden')
    const value = model.values.get(key)
    assert.ok(value, `${key} is evicted but is not there`)
    assert.ok(real.valueOf(item).equals(value), `${key} is evicted but not whole`)
    if (model.values.keys().next().value !== key) model.outOfTurn++
    model.values.delete(key)
  }
  return { model, real }
}

function checkAll(model: Model, real: TestStore): void {
  const { store } = real
  const { linked, unlinked } = checkIntegrity(store)
  assert.equal(linked, model.values.size)
  const unlinkedPins = new Set(
    model.pinned.map(({ item }) => item).filter((item) => !store.isLinked(item)),
  )
  assert.equal(unlinked, model.reservations.length + unlinkedPins.size)
  assert.ok(store.memoryBytes <= store.options.memoryBytesMax, `${store.memoryBytes} bytes`)
  assert.deepEqual(real.order(), [...model.values.keys()], 'the order is that of the last use')
  let usedBytes = 0
  for (const [key, value] of model.values) {
    const found = real.get(key)
    assert.ok(found, `${key} is lost`)
    assert.ok(found.equals(value), `${key} has changed`)
    usedBytes += itemBytes(key.length, value.length)
  }
  assert.equal(store.usedBytes, usedBytes)
  for (const { item, key, value } of [...model.reservations, ...model.pinned]) {
    assert.equal(real.keyOf(item), key)
    assert.ok(real.valueOf(item).equals(value), `the held ${key} has changed`)
  }
  const { slabs } = store
  for (let id = 1; id <= slabs.classes.count; id++) {
    assert.equal(slabs.hasChunk(id), slabs.freeChunks(id) > 0, `free chunks of class ${id}`)
  }
}

/** Whether a refusal is right: nothing of the size is free, and nothing may or can be evicted. */
function checkRefusal(model: Model, real: TestStore, bytes: number): void {
  const { slabs, options } = real.store
  const classId = slabs.classes.classFor(bytes)
  const pages = classId === LARGE ? slabs.pagesFor(bytes) : 1
  if (options.evictions) {
    const pins = model.reservations.length + model.pinned.length
    assert.ok(pins > 0 || pages > slabs.pageLimit, `${bytes} bytes are refused without a reason`)
    return
  }
  let run = 0
  for (let page = 0; page < slabs.pageCount && run < pages; page++) {
    run = slabs.isFree(page) ? run + 1 : 0
  }
  const isFull = run < pages || slabs.pagesInUse + pages > slabs.pageLimit
  assert.ok(isFull, `${bytes} bytes are refused although pages are free`)
  if (classId !== LARGE) assert.equal(slabs.freeChunks(classId), 0)
}

function command(name: string, run: (model: Model, real: TestStore) => void): Command {
  return {
    check: () => true,
    run(model, real) {
      run(model, real)
      checkAll(model, real)
    },
    toString: () => name,
  }
}

/** Takes one of what is held, if any. */
function take(held: Held[], place: number): Held | undefined {
  return held.length === 0 ? undefined : held.splice(place % held.length, 1)[0]
}

interface Workload {
  readonly keys: number
  readonly sizes: fc.Arbitrary<number>
  /** Most keys that one command sets; large, the store fills soon. */
  readonly burst?: number
  readonly numRuns: number
  readonly commandsMax?: number
}

function commands(coverage: Coverage, workload: Workload): fc.Arbitrary<Command>[] {
  const { keys, sizes, burst = 40 } = workload
  const anyKey = fc.nat(keys - 1).map((i) => `k${i}`)
  const anyPlace = fc.nat(999)

  function reserve(model: Model, real: TestStore, key: string, size: number): Held | undefined {
    const value = valueOf(key, model.version++, size)
    const bytes = itemBytes(key.length, size)
    const item = real.reserve(key, value)
    if (item === 0) {
      coverage.refused++
      checkRefusal(model, real, bytes)
      return undefined
    }
    assert.ok(!real.store.isLinked(item))
    if (real.store.slabs.classes.classFor(bytes) === LARGE) {
      coverage.large++
      if (model.pinned.length > 0) coverage.largeOverPins++
    }
    return { item, key, value }
  }

  function link(model: Model, real: TestStore, { item, key, value }: Held): void {
    const { store } = real
    const old = store.findSameKey(item)
    assert.equal(old !== 0, model.values.has(key))
    const bucketsBefore = store.index.bucketCount
    // Before the call: growth of the index may evict, even what has just been linked.
    model.values.delete(key)
    model.values.set(key, value)
    if (store.link(item, old)) {
      if (store.index.bucketCount > bucketsBefore) coverage.indexGrowth++
      return
    }
    assert.equal(old, 0)
    assert.ok(!store.options.evictions && store.count === store.options.entriesMax)
    coverage.refused++
    model.values.delete(key)
    store.abandon(item)
  }

  function set(model: Model, real: TestStore, key: string, size: number): void {
    const held = reserve(model, real, key, size)
    if (held !== undefined) link(model, real, held)
  }

  return [
    fc
      .tuple(anyKey, sizes)
      .map(([key, size]) =>
        command(`set ${key} ${size}`, (model, real) => set(model, real, key, size)),
      ),
    fc
      .tuple(fc.nat(keys - 1), fc.integer({ min: 2, max: burst }), sizes)
      .map(([first, count, size]) =>
        command(`set ${count} from k${first} ${size}`, (model, real) => {
          const { store } = real
          for (let i = first; i < first + count; i++) {
            set(model, real, `k${i % keys}`, size)
            assert.ok(store.memoryBytes <= store.options.memoryBytesMax, `${store.memoryBytes}`)
            if (count <= 40 || i % 64 === 0) checkIntegrity(store)
          }
        }),
      ),
    anyKey.map((key) =>
      command(`touch ${key}`, (model, real) => {
        const value = model.values.get(key)
        assert.equal(real.touch(key), value !== undefined)
        if (value === undefined) return
        model.values.delete(key)
        model.values.set(key, value)
      }),
    ),
    anyKey.map((key) =>
      command(`delete ${key}`, (model, real) => {
        assert.equal(real.delete(key), model.values.delete(key))
      }),
    ),
    fc.tuple(anyKey, sizes).map(([key, size]) =>
      command(`reserve ${key} ${size}`, (model, real) => {
        if (model.reservations.length >= 6) return
        const held = reserve(model, real, key, size)
        if (held !== undefined) model.reservations.push(held)
      }),
    ),
    anyPlace.map((place) =>
      command(`link reservation ${place}`, (model, real) => {
        const held = take(model.reservations, place)
        if (held !== undefined) link(model, real, held)
      }),
    ),
    anyPlace.map((place) =>
      command(`abandon reservation ${place}`, (model, real) => {
        const held = take(model.reservations, place)
        if (held !== undefined) real.store.abandon(held.item)
      }),
    ),
    anyKey.map((key) =>
      command(`pin ${key}`, (model, real) => {
        const value = model.values.get(key)
        if (value === undefined || model.pinned.length >= 6) return
        const item = real.find(key)
        assert.ok(real.store.pin(item))
        model.pinned.push({ item, key, value })
      }),
    ),
    anyPlace.map((place) =>
      command(`unpin ${place}`, (model, real) => {
        const held = take(model.pinned, place)
        if (held === undefined) return
        if (!real.store.isLinked(held.item)) coverage.unlinkedPins++
        real.store.unpin(held.item)
      }),
    ),
    fc.tuple(anyKey, fc.nat(600)).map(([key, more]) =>
      command(`append ${more} to ${key}`, (model, real) => {
        const { store } = real
        const item = real.find(key)
        if (item === 0) return
        assert.ok(store.pin(item))
        const before = model.values.get(key)!
        const after = Buffer.concat([before, valueOf(key, model.version++, more)])
        const self = { item, key, value: before }
        model.pinned.push(self)
        const grown = store.reserveSameKey(item, after.length)
        if (grown === 0) {
          checkRefusal(model, real, itemBytes(key.length, after.length))
        } else {
          assert.ok(real.valueOf(item).equals(before), 'the pinned item is whole')
          real.fill(grown, after)
          link(model, real, { item: grown, key, value: after })
        }
        model.pinned.splice(model.pinned.indexOf(self), 1)
        store.unpin(item)
      }),
    ),
  ]
}

/** Runs random commands and returns what they brought about. */
function check(options: Partial<L1Options>, workload: Workload): Coverage {
  const coverage = noCoverage()
  fc.assert(
    fc.property(
      fc.commands(commands(coverage, workload), {
        maxCommands: workload.commandsMax ?? 150,
        size: 'max',
      }),
      (sequence) => {
        const state = connect(options)
        fc.modelRun(() => state, sequence)
        const { model, real } = state
        coverage.evictions += real.evicted.length
        coverage.vacated += real.pagesVacated
        coverage.moved += real.itemsMoved
        coverage.outOfTurn += model.outOfTurn
        // Whoever holds something gives it back, and then nothing is left of it.
        for (const { item } of model.reservations.splice(0)) real.store.abandon(item)
        for (const { item } of model.pinned.splice(0)) real.store.unpin(item)
        checkAll(model, real)
        for (const key of model.values.keys()) real.delete(key)
        assert.equal(real.store.slabs.pagesInUse, 0)
        assert.equal(real.store.usedBytes, 0)
      },
    ),
    { numRuns: workload.numRuns },
  )
  return coverage
}

/** Small and large, of every class and of whole pages. */
const mixedSizes = fc.oneof(
  { weight: 4, arbitrary: fc.nat(200) },
  { weight: 3, arbitrary: fc.integer({ min: 200, max: 2000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 2000, max: 4100 }) },
  { weight: 1, arbitrary: fc.integer({ min: 4100, max: 20_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1996, 2000, 4040, 4046, 8140, 65_536) },
)

describe('a store under random commands', () => {
  it('holds what was put in last, in the order of use, while sizes of all kinds compete', () => {
    const seen = check({}, { keys: 120, sizes: mixedSizes, numRuns: 100 })
    for (const kind of ['evictions', 'large'] as const) {
      assert.ok(seen[kind] > 300, `${kind}: ${seen[kind]}`)
    }
    for (const kind of [
      'vacated',
      'moved',
      'outOfTurn',
      'largeOverPins',
      'refused',
      'unlinkedPins',
    ] as const) {
      assert.ok(seen[kind] > 10, `${kind}: ${seen[kind]}`)
    }
  })

  it('holds many small items beside a few large ones, and gives pages to its index', () => {
    const sizes = fc.oneof(
      { weight: 2, arbitrary: fc.nat(8) },
      { weight: 1, arbitrary: fc.integer({ min: 100, max: 9000 }) },
    )
    const seen = check(
      { memoryBytesMax: 131_072 },
      { keys: 3000, sizes, burst: 2000, numRuns: 15, commandsMax: 60 },
    )
    assert.ok(seen.indexGrowth > 2000, `${seen.indexGrowth}`)
    assert.ok(seen.evictions > 1000, `${seen.evictions}`)
  })

  it('keeps the limit of entries exactly', () => {
    const sizes = fc.nat(300)
    const seen = check({ entriesMax: 30 }, { keys: 60, sizes, numRuns: 40 })
    assert.ok(seen.evictions > 100)
  })

  it('refuses rather than evicts where evictions are off', () => {
    const seen = check({ evictions: false }, { keys: 150, sizes: mixedSizes, numRuns: 40 })
    assert.equal(seen.evictions, 0)
    assert.ok(seen.refused > 50)
  })

  it('refuses beyond the limit of entries where evictions are off', () => {
    const sizes = fc.nat(300)
    const seen = check({ evictions: false, entriesMax: 20 }, { keys: 60, sizes, numRuns: 30 })
    assert.equal(seen.evictions, 0)
    assert.ok(seen.refused > 50)
  })

  it('grows its index without evictions only as far as memory is left', () => {
    const seen = check(
      { memoryBytesMax: 131_072, evictions: false },
      { keys: 2000, sizes: fc.nat(8), burst: 1000, numRuns: 10, commandsMax: 40 },
    )
    assert.ok(seen.indexGrowth > 200, `${seen.indexGrowth}`)
    assert.equal(seen.evictions, 0)
  })

  it('works with pages of which there are only two', () => {
    const seen = check({ memoryBytesMax: 12_288 }, { keys: 60, sizes: mixedSizes, numRuns: 60 })
    assert.ok(seen.evictions > 300)
  })
})

describe('a store of items of one size', () => {
  it('is an LRU list of fixed capacity: it evicts one item for each that is too many, the oldest', () => {
    const anyStep = fc.tuple(
      fc.constantFrom('set', 'set', 'set', 'touch', 'delete'),
      fc.nat(199).map((i) => `key-${String(i).padStart(3, '0')}`),
    )
    let evictions = 0
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 400, size: 'max' }), (anySteps) => {
        const real = new TestStore()
        const { slabs } = real.store
        const size = 450
        const classId = slabs.classes.classFor(itemBytes(7, size))
        const capacity = slabs.pageLimit * slabs.classes.chunksPerPage[classId]!
        let list: string[] = []
        const evicted: string[] = []
        const filling = Array.from({ length: 110 }, (_, i) => ['set', `full-${i}`] as const)
        const steps = [...filling, ...anySteps]
        for (const [call, key] of steps) {
          const isThere = list.includes(key)
          if (call === 'set') {
            // A new value of the same size takes the place of the old one, and no other.
            if (!isThere && list.length === capacity) evicted.push(list.shift()!)
            list = list.filter((other) => other !== key)
            list.push(key)
            assert.ok(real.set(key, valueOf(key, 0, size)))
          } else if (call === 'touch') {
            assert.equal(real.touch(key), isThere)
            if (isThere) list = [...list.filter((other) => other !== key), key]
          } else {
            assert.equal(real.delete(key), isThere)
            list = list.filter((other) => other !== key)
          }
          assert.deepEqual(real.order(), list)
          assert.deepEqual(real.evicted, evicted)
        }
        checkIntegrity(real.store)
        assert.equal(real.itemsMoved, 0)
        evictions += evicted.length
      }),
      { numRuns: 40 },
    )
    assert.ok(evictions > 200, `${evictions}`)
  })
})
