import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  ENTRIES_MAX,
  KEY_MAP_GENERATIONS,
  KeyMap,
  OFFSET_BYTES_MAX,
} from '../../../../src/store/l2/key-map.ts'
import { seededWords } from '../../../helpers/store.ts'

/** Slots in a chunk; some tests cross its border. */
const CHUNK = 65_536
const BYTES_PER_KEY_MAX = 32

interface Place {
  readonly hashHi: number
  readonly hashLo: number
  entry: number
  generation: number
  pack: number
  offsetBytes: number
  expiresAtS: number
  isReferenced: boolean
}

/** Seeded words as a hash has them: signed. */
function seededHashes(seed: number): () => number {
  const random = seededWords(seed)
  return () => random() | 0
}

function allEntries(map: KeyMap): number[] {
  const entries: number[] = []
  let cursor = 0
  do cursor = map.walk(cursor, 1000, (entry) => entries.push(entry))
  while (cursor !== 0)
  return entries
}

function placeOf(map: KeyMap, entry: number): Place {
  return {
    hashHi: map.hashHi(entry),
    hashLo: map.hashLo(entry),
    entry,
    generation: map.generation(entry),
    pack: map.pack(entry),
    offsetBytes: map.offset(entry),
    expiresAtS: map.expiresAtS(entry),
    isReferenced: map.isReferenced(entry),
  }
}

/** Everything that the map says, against itself and against the model. */
function checkAll(map: KeyMap, model: ReadonlyMap<string, Place>): void {
  assert.equal(map.count, model.size)
  const counts = new Int32Array(KEY_MAP_GENERATIONS)
  const referenced = new Int32Array(KEY_MAP_GENERATIONS)
  const seen = new Set<string>()
  for (const entry of allEntries(map)) {
    const found = placeOf(map, entry)
    const name = nameOf(found.hashHi, found.hashLo)
    assert.ok(!seen.has(name), `${name} is there twice`)
    seen.add(name)
    assert.ok(isSame(found, model.get(name)), `${name} is where the model has it`)
    assert.equal(map.find(found.hashHi, found.hashLo), entry, `${name} is in its bucket`)
    counts[found.generation]!++
    if (found.isReferenced) referenced[found.generation]!++
  }
  assert.equal(seen.size, model.size)
  for (let generation = 0; generation < KEY_MAP_GENERATIONS; generation++) {
    if (map.countOf(generation) === counts[generation]) continue
    assert.fail(`${map.countOf(generation)} in ${generation}, not ${counts[generation]}`)
  }
  for (let generation = 0; generation < KEY_MAP_GENERATIONS; generation++) {
    if (map.referencedOf(generation) === referenced[generation]) continue
    assert.fail(`${map.referencedOf(generation)} referenced, not ${referenced[generation]}`)
  }
}

function isSame(found: Place, expected: Place | undefined): boolean {
  return (
    expected !== undefined &&
    found.hashHi === expected.hashHi &&
    found.hashLo === expected.hashLo &&
    found.entry === expected.entry &&
    found.generation === expected.generation &&
    found.pack === expected.pack &&
    found.offsetBytes === expected.offsetBytes &&
    found.expiresAtS === expected.expiresAtS &&
    found.isReferenced === expected.isReferenced
  )
}

function nameOf(hashHi: number, hashLo: number): string {
  return `${hashHi}:${hashLo}`
}

describe('the key map', () => {
  for (const seed of [1, 2, 3]) {
    it(`does what a Map does, step by step (seed ${seed})`, () => {
      const random = seededWords(seed)
      const below = (limit: number): number => (random() >>> 0) % limit
      const map = new KeyMap()
      const model = new Map<string, Place>()
      const generations = [0, 1, 7, 254, 255]
      // Two phases that grow and one that shrinks between them: free slots are used again.
      for (let step = 0; step < 2400; step++) {
        const removalShare = step >= 900 && step < 1500 ? 60 : 8
        // Few low words: long chains. Few high words: hashes that are there already.
        const hashLo = (below(1 << 10) * 0x0123_4567) | 0
        const hashHi = below(4) - 2
        const name = nameOf(hashHi, hashLo)
        const held = model.get(name)
        const entry = map.find(hashHi, hashLo)
        assert.equal(entry, held?.entry ?? 0)
        const draw = below(100)
        if (held === undefined) {
          const inserted = map.insert(hashHi, hashLo)
          assert.notEqual(inserted, 0)
          model.set(name, {
            hashHi,
            hashLo,
            entry: inserted,
            generation: 0,
            pack: 0,
            offsetBytes: 0,
            expiresAtS: 0,
            isReferenced: false,
          })
        } else if (draw < removalShare) {
          map.remove(entry)
          model.delete(name)
        } else if (draw < 70) {
          held.generation = generations[below(generations.length)]!
          held.pack = random() >>> 0
          held.offsetBytes = below(OFFSET_BYTES_MAX / 8 + 1) * 8
          held.isReferenced = false
          map.setPlace(entry, held.generation, held.pack, held.offsetBytes)
        } else if (draw < 85) {
          held.isReferenced = true
          map.setReferenced(entry)
        } else {
          held.expiresAtS = random() >>> 0
          map.setExpiresAtS(entry, held.expiresAtS)
        }
        checkAll(map, model)
      }
      assert.ok(map.bucketCount > 512, 'buckets were added')
      map.clear()
      model.clear()
      checkAll(map, model)
      assert.equal(map.memoryBytes, 0)
    })
  }

  it('finds every key while chunks of entries and of buckets are added', () => {
    const random = seededHashes(4)
    const map = new KeyMap()
    const words = Int32Array.from({ length: CHUNK * 5 }, random)
    const keys = words.length / 2
    for (let i = 0; i < keys; i++) {
      assert.equal(map.insert(words[i * 2]!, words[i * 2 + 1]!), i + 1)
      const before = (i * 7919) % (i + 1)
      assert.equal(map.find(words[before * 2]!, words[before * 2 + 1]!), before + 1)
    }
    for (let i = 0; i < keys; i++) {
      assert.equal(map.find(words[i * 2]!, words[i * 2 + 1]!), i + 1)
      assert.equal(map.find(words[i * 2]! ^ 1, words[i * 2 + 1]!), 0, 'the high word counts')
    }
    assert.equal(map.bucketCount, keys)
    assert.equal(allEntries(map).length, keys)
  })

  it('takes at most 32 bytes of memory a key', () => {
    const map = new KeyMap()
    const random = seededHashes(5)
    for (let i = 0; i < 600_000; i++) {
      map.insert(random(), random())
      if (i >= 500_000 && i % 1000 === 0) {
        const each = map.memoryBytes / map.count
        assert.ok(each <= BYTES_PER_KEY_MAX, `${each} bytes a key at ${map.count}`)
      }
    }
  })

  it('uses the slots of removed keys again, and takes no more memory', () => {
    const map = new KeyMap()
    const random = seededHashes(6)
    const keys = CHUNK - 1
    for (let i = 0; i < keys; i++) map.insert(i, random())
    const memoryBytes = map.memoryBytes
    for (let round = 0; round < 3; round++) {
      const removed = allEntries(map).filter((entry) => entry % 3 === round)
      for (const entry of removed) map.remove(entry)
      assert.equal(map.count, keys - removed.length)
      const again = removed.map((_, i) => map.insert(i | (round << 20), random()))
      assert.deepEqual(
        again.sort((a, b) => a - b),
        removed,
      )
    }
    assert.equal(map.count, keys)
    assert.equal(map.memoryBytes, memoryBytes)
  })

  it('begins afresh after it was cleared, with any keys and any free slots before', () => {
    const map = new KeyMap()
    const random = seededHashes(9)
    for (let i = 0; i < 1000; i++) map.insert(i, random())
    for (let entry = 10; entry < 20; entry++) map.remove(entry)
    map.clear()
    assert.equal(map.memoryBytes, 0)
    assert.equal(map.bucketCount, new KeyMap().bucketCount)
    assert.equal(map.find(1, 1), 0)
    const hashes = Array.from({ length: 1000 }, random)
    for (const [i, hash] of hashes.entries()) assert.equal(map.insert(7, hash), i + 1)
    for (const [i, hash] of hashes.entries()) assert.equal(map.find(7, hash), i + 1)
    assert.equal(map.countOf(0), 1000)
  })

  it('lets a walk remove what it visits, and visits each entry once', () => {
    const map = new KeyMap()
    const random = seededHashes(7)
    const keys = 1000
    for (let i = 0; i < keys; i++) map.setPlace(map.insert(i, random()), 1 + (i % 2), i, 0)
    const visited: number[] = []
    let cursor = 0
    let slices = 0
    do {
      let inSlice = 0
      cursor = map.walk(cursor, 64, (entry) => {
        inSlice++
        visited.push(entry)
        if (map.generation(entry) === 1) map.remove(entry)
      })
      assert.ok(inSlice <= 64)
      slices++
    } while (cursor !== 0)
    assert.equal(slices, Math.ceil(keys / 64))
    assert.deepEqual(
      visited,
      Array.from({ length: keys }, (_, i) => i + 1),
    )
    assert.equal(map.countOf(1), 0)
    assert.equal(map.countOf(2), keys / 2)
    assert.equal(map.count, keys / 2)
    assert.equal(allEntries(map).length, keys / 2)
  })

  it('walks over what is over, and over no chunk in which nothing is', () => {
    const map = new KeyMap()
    const random = seededHashes(11)
    const words = seededWords(12)
    const expected = new Set<number>()
    const expiries = new Map<number, number>()
    for (let i = 0; i < 2 * CHUNK; i++) {
      const entry = map.insert(random(), random())
      // Nothing of the first chunk is ever over.
      const expiresAtS = entry < CHUNK ? 0 : words() % 4 === 0 ? 0 : 1 + (words() % 100)
      map.setExpiresAtS(entry, expiresAtS)
      expiries.set(entry, expiresAtS)
    }
    const walk = (nowS: number, removes: boolean): { seen: Set<number>; slices: number } => {
      const seen = new Set<number>()
      let cursor = 0
      let slices = 0
      do {
        cursor = map.walkExpired(cursor, 4096, nowS, (entry) => {
          assert.ok(!seen.has(entry))
          seen.add(entry)
          if (removes) map.remove(entry)
        })
        slices++
      } while (cursor !== 0)
      return { seen, slices }
    }
    for (const nowS of [0, 10, 10, 60, 200]) {
      expected.clear()
      for (const [entry, at] of expiries) if (at !== 0 && at <= nowS) expected.add(entry)
      // What is visited and stays is visited again.
      assert.deepEqual(walk(nowS, false).seen, expected, `at ${nowS}`)
      assert.deepEqual(walk(nowS, true).seen, expected, `at ${nowS}`)
      for (const entry of expected) expiries.delete(entry)
      assert.equal(map.count, expiries.size)
    }
    assert.deepEqual(walk(1000, true), { seen: new Set(), slices: 1 })
    const entry = map.insert(1, 2)
    map.setExpiresAtS(entry, 999)
    assert.deepEqual(walk(1000, true).seen, new Set([entry]))
    map.clear()
    assert.equal(walk(1000, true).slices, 1)
  })

  it('walks bucket by bucket over each entry once', () => {
    for (const count of [0, 1, 300, CHUNK + 1000]) {
      const map = new KeyMap()
      const next = seededHashes(count + 1)
      for (let n = 0; n < count; n++) map.insert(next(), next())
      const seen = new Set<number>()
      let cursor = 0
      do {
        cursor = map.walkBuckets(cursor, 100, (entry) => {
          assert.equal(seen.has(entry), false)
          seen.add(entry)
        })
      } while (cursor !== 0)
      assert.equal(seen.size, count)
    }
  })

  it('has the buckets that were reserved, and splits none until there are more keys', () => {
    for (const count of [0, 256, 257, 5000, CHUNK, CHUNK + 1, 3 * CHUNK - 1]) {
      const map = new KeyMap()
      map.reserve(count)
      const buckets = map.bucketCount
      assert.equal(buckets, Math.max(256, count))
      const next = seededHashes(count + 1)
      for (let n = 0; n < buckets; n++) map.insert(next(), next())
      assert.equal(map.bucketCount, buckets)
      map.insert(next(), next())
      assert.equal(map.bucketCount, buckets + 1)
      const again = seededHashes(count + 1)
      for (let n = 0; n <= buckets; n++) assert.notEqual(map.find(again(), again()), 0)
    }
  })

  it('ends a walk that is cleared under way, and walks over nothing', () => {
    const map = new KeyMap()
    assert.equal(
      map.walk(0, 10, () => assert.fail('nothing is there')),
      0,
    )
    for (let i = 0; i < 100; i++) map.insert(i, i)
    let visits = 0
    assert.equal(
      map.walk(0, 50, () => {
        visits++
        map.clear()
      }),
      0,
    )
    assert.equal(visits, 1)
    assert.equal(
      map.walk(51, 50, () => assert.fail('nothing is there')),
      0,
    )
  })

  it('removes from the front, the middle and the end of a chain', () => {
    for (const removed of [0, 1, 2]) {
      const map = new KeyMap()
      const entries = [0, 1, 2].map((hashHi) => map.insert(hashHi, 42))
      map.remove(entries[removed]!)
      for (let hashHi = 0; hashHi < 3; hashHi++) {
        assert.equal(map.find(hashHi, 42), hashHi === removed ? 0 : entries[hashHi])
      }
    }
  })

  it('refuses to remove what is not there, and places that do not fit', () => {
    const map = new KeyMap()
    const entry = map.insert(1, 2)
    assert.throws(() => map.setPlace(entry, 256, 0, 0), /assertion failed/)
    assert.throws(() => map.setPlace(entry, -1, 0, 0), /assertion failed/)
    assert.throws(() => map.setPlace(entry, 1, 0, OFFSET_BYTES_MAX + 8), /assertion failed/)
    assert.throws(() => map.setPlace(entry, 1, 0, 4), /assertion failed/)
    assert.throws(() => map.setPlace(entry, 1, 0, -8), /assertion failed/)
    assert.equal(map.countOf(0), 1)
    map.remove(entry)
    assert.throws(() => map.remove(entry), /assertion failed/)
    assert.equal(map.count, 0)
  })

  it('takes no more keys than it is told to', () => {
    const map = new KeyMap(3)
    const entries = [1, 2, 3].map((hash) => map.insert(hash, hash))
    assert.ok(entries.every((entry) => entry !== 0))
    assert.equal(map.insert(4, 4), 0)
    assert.equal(map.count, 3)
    assert.equal(map.find(4, 4), 0)
    map.remove(entries[1]!)
    assert.equal(map.insert(4, 4), entries[1])
    assert.equal(new KeyMap(2 ** 40).entriesMax, ENTRIES_MAX)
  })

  it('says no where the system gives no memory, stays whole, and takes keys again later', () => {
    const RealArray = globalThis.Int32Array
    const map = new KeyMap()
    let refusedWords = 0
    const refuse = (words: number): void => {
      refusedWords = words
      globalThis.Int32Array = new Proxy(RealArray, {
        construct(target, [length]: [number]) {
          if (length === refusedWords) throw new RangeError('Array buffer allocation failed')
          return new target(length)
        },
      })
    }
    const random = seededHashes(8)
    const hashes: number[] = []
    const insertUntil = (count: number): void => {
      while (hashes.length < count) {
        const hash = random()
        assert.notEqual(map.insert(hash ^ 5, hash), 0)
        hashes.push(hash)
      }
    }
    try {
      refuse(CHUNK)
      assert.equal(map.insert(1, 1), 0, 'no buckets, no key')
      refuse(CHUNK * 6)
      assert.equal(map.insert(1, 1), 0, 'no slots, no key')
      assert.equal(map.count, 0)
      assert.equal(map.find(1, 1), 0)
      refuse(0)
      insertUntil(CHUNK - 1)
      refuse(CHUNK * 6)
      assert.equal(map.insert(1, 1), 0)
      refuse(CHUNK)
      insertUntil(CHUNK + 5000)
      assert.equal(map.bucketCount, CHUNK, 'chains get longer instead')
      refuse(0)
      insertUntil(CHUNK + 6000)
      assert.equal(map.bucketCount, CHUNK + 1000)
    } finally {
      globalThis.Int32Array = RealArray
    }
    assert.equal(map.count, hashes.length)
    for (const hash of hashes) assert.notEqual(map.find(hash ^ 5, hash), 0)
  })
})
