import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { IndexReader, writeIndex } from '../../../../src/store/l2/index-file.ts'
import type { IndexHead } from '../../../../src/store/l2/index-file.ts'
import { KeyMap, OFFSET_BYTES_MAX } from '../../../../src/store/l2/key-map.ts'
import { FaultyFiles, temporaryFolder } from '../../../helpers/faulty-files.ts'
import { seededWords } from '../../../helpers/store.ts'

const HEAD: IndexHead = {
  stamp: 0xfedc_ba98,
  sequence: 2 ** 40 + 3,
  generations: [
    { number: 2 ** 33 + 1, directories: 17, id: 1 },
    { number: 2 ** 33 + 2, directories: 0xffff_ffff, id: 254 },
  ],
}
/** New ids by old ones. */
const SWAPPED: number[] = []
SWAPPED[1] = 254
SWAPPED[254] = 1
/** More than two chunks of the file. */
const MANY = 150_000

interface Entry {
  readonly hashHi: number
  readonly hashLo: number
  readonly generation: number
  readonly pack: number
  readonly offset: number
  readonly expiresAtS: number
  readonly isReferenced: boolean
}

function entries(count: number, seed: number): Entry[] {
  const next = seededWords(seed)
  return Array.from({ length: count }, (_, n) => ({
    hashHi: next() | 0,
    hashLo: next() | 0,
    generation: n % 3 === 0 ? 1 : 254,
    pack: n === 0 ? 0xffff_ffff : next(),
    offset: n === 1 ? OFFSET_BYTES_MAX : (next() % 1000) * 8,
    expiresAtS: n % 4 === 0 ? 0xffff_fff0 + (n % 16) : 0,
    isReferenced: n % 5 === 0,
  }))
}

function mapOf(all: readonly Entry[]): KeyMap {
  const keys = new KeyMap()
  for (const one of all) {
    const entry = keys.insert(one.hashHi, one.hashLo)
    keys.setPlace(entry, one.generation, one.pack, one.offset)
    keys.setExpiresAtS(entry, one.expiresAtS)
    if (one.isReferenced) keys.setReferenced(entry)
  }
  return keys
}

function assertHolds(keys: KeyMap, all: readonly Entry[], idOf: readonly number[]): void {
  assert.equal(keys.count, all.length)
  for (const one of all) {
    const entry = keys.find(one.hashHi, one.hashLo)
    assert.notEqual(entry, 0)
    assert.equal(keys.generation(entry), idOf[one.generation])
    assert.equal(keys.pack(entry), one.pack)
    assert.equal(keys.offset(entry), one.offset)
    assert.equal(keys.expiresAtS(entry), one.expiresAtS)
    assert.equal(keys.isReferenced(entry), one.isReferenced)
  }
}

async function written(t: TestContext, keys: KeyMap): Promise<string> {
  const path = join(temporaryFolder(t), 'index')
  await writeIndex(path, HEAD, keys)
  return path
}

/** What is loaded of a file, or undefined if it is not good. */
async function loaded(
  path: string,
  idOf: readonly (number | undefined)[] = SWAPPED,
  nowS = 0,
): Promise<KeyMap | undefined> {
  const reader = IndexReader.open(path)
  if (reader === undefined) return undefined
  const keys = new KeyMap()
  const isLoaded = await reader.load(keys, idOf, nowS)
  reader.close()
  if (!isLoaded) assert.equal(keys.count, 0, 'a file that is not good leaves nothing')
  return isLoaded ? keys : undefined
}

describe('an index file', () => {
  it('gives back every entry with all its fields, in the generations that it has now', async (t) => {
    for (const count of [0, 1, 2, 300, MANY]) {
      const all = entries(count, count + 1)
      const path = await written(t, mapOf(all))
      const keys = await loaded(path)
      assert.ok(keys !== undefined, `${count} entries`)
      assertHolds(keys, all, SWAPPED)
    }
  })

  it('says what it belongs to', async (t) => {
    const path = await written(t, mapOf(entries(7, 1)))
    const reader = IndexReader.open(path)
    assert.deepEqual(reader?.head, HEAD)
    assert.equal(reader?.keyCount, 7)
    reader?.close()
  })

  it('leaves out what has expired and what is in no generation that is there', async (t) => {
    const all = entries(1000, 2)
    const path = await written(t, mapOf(all))
    const nowS = 0xffff_fff8
    const alive = all.filter(({ expiresAtS }) => expiresAtS === 0 || expiresAtS > nowS)
    assert.notEqual(alive.length, all.length)
    const keys = await loaded(path, SWAPPED, nowS)
    assertHolds(keys!, alive, SWAPPED)

    const only: number[] = []
    only[254] = 3
    const some = all.filter(({ generation }) => generation === 254)
    assertHolds((await loaded(path, only))!, some, only)
  })

  it('does not hold what points into no generation that is written down', async (t) => {
    const all = entries(1000, 3)
    const keys = mapOf(all)
    const absent = keys.find(all[0]!.hashHi, all[0]!.hashLo)
    keys.setPlace(absent, 0, 0, 0)
    const path = await written(t, keys)
    assertHolds((await loaded(path))!, all.slice(1), SWAPPED)
  })

  it('takes 20 bytes a key and little beside', async (t) => {
    const path = await written(t, mapOf(entries(MANY, 4)))
    assert.ok(statSync(path).size < 20 * MANY + 200)
  })

  it('is not good with any byte changed, missing or added', async (t) => {
    const path = await written(t, mapOf(entries(40, 5)))
    const whole = readFileSync(path)
    assert.ok((await loaded(path)) !== undefined)
    for (let at = 0; at < whole.length; at++) {
      for (const bit of [1, 0x80]) {
        const changed = Buffer.from(whole)
        changed[at]! ^= bit
        writeFileSync(path, changed)
        assert.equal(await loaded(path), undefined, `byte ${at}`)
      }
      writeFileSync(path, whole.subarray(0, at))
      assert.equal(await loaded(path), undefined, `${at} bytes`)
    }
    writeFileSync(path, Buffer.concat([whole, Buffer.alloc(1)]))
    assert.equal(await loaded(path), undefined, 'a byte too many')
  })

  it('is not good with a chunk of another one', async (t) => {
    const all = entries(40, 6)
    const path = await written(t, mapOf(all))
    const ours = readFileSync(path)
    await writeIndex(path, { ...HEAD, stamp: 5 }, mapOf(all))
    const theirs = readFileSync(path)
    const headBytes = 32 + 16 * HEAD.generations.length
    writeFileSync(path, Buffer.concat([ours.subarray(0, headBytes), theirs.subarray(headBytes)]))
    assert.equal(await loaded(path), undefined)
  })

  it('is not good as long as it is being written', async (t) => {
    const all = entries(MANY, 7)
    const path = join(temporaryFolder(t), 'index')
    const files = new FaultyFiles()
    const write = files.writeSync.bind(files)
    let looks = 0
    files.writeSync = (...words) => {
      assert.equal(IndexReader.open(path), undefined)
      looks++
      return write(...words)
    }
    await writeIndex(path, HEAD, mapOf(all), files)
    assert.equal(looks, 4, 'three chunks and a head')
    assert.ok((await loaded(path)) !== undefined)
  })

  it('is written whole by a system that takes it in pieces', async (t) => {
    const path = join(temporaryFolder(t), 'index')
    const all = entries(1000, 8)
    const files = new FaultyFiles()
    const write = files.writeSync.bind(files)
    files.writeSync = (file, buffer, start, length, position) =>
      write(file, buffer, start, Math.min(length, 777), position)
    await writeIndex(path, HEAD, mapOf(all), files)
    assertHolds((await loaded(path))!, all, SWAPPED)
  })

  it('tells what the system says, and keeps no file open', async (t) => {
    const path = await written(t, mapOf(entries(10, 9)))
    for (const call of ['sizeSync', 'openSync', 'readSync'] as const) {
      const files = new FaultyFiles()
      files.failing.set(call, 'EIO')
      assert.throws(() => IndexReader.open(path, files), { code: 'EIO' })
      assert.equal(files.calls.includes('closeSync'), call === 'readSync')
    }
    const files = new FaultyFiles()
    files.failing.set('writeSync', 'ENOSPC')
    await assert.rejects(writeIndex(path, HEAD, new KeyMap(), files), { code: 'ENOSPC' })
    assert.ok(files.calls.includes('closeSync'))
  })

  it('is given up as a whole where a chunk cannot be read, or there is no memory', async (t) => {
    const path = await written(t, mapOf(entries(MANY, 10)))
    const files = new FaultyFiles()
    const keys = new KeyMap()
    const read = files.readSync.bind(files)
    let reads = 0
    files.readSync = (...words) => {
      if (++reads === 4) files.failing.set('readSync', 'EIO')
      return read(...words)
    }
    const reader = IndexReader.open(path, files)
    await assert.rejects(reader!.load(keys, SWAPPED, 0), { code: 'EIO' })
    assert.equal(keys.count, 0)
    reader!.close()

    const small = new KeyMap(MANY - 1)
    const again = IndexReader.open(path)
    assert.equal(await again!.load(small, SWAPPED, 0), false)
    assert.equal(small.count, 0)
    again!.close()
  })
})
