import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { ServerError } from '../../../../src/errors.ts'
import { DROPPED_SUFFIX, FAULT, Generation, faultOf } from '../../../../src/store/l2/generation.ts'
import type { Pack } from '../../../../src/store/l2/generation.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'generation-'))
after(() => rmSync(FOLDER, { recursive: true, force: true }))

const OPTIONS = {
  writeBufferBytes: 64 * 1024,
  cacheBytes: 1024,
  maxFileBytes: 2 ** 20,
  maxOpenFiles: 74,
}
const PACK_BYTES = 8192
let paths = 0

function freshPath(): string {
  return join(FOLDER, `gen-${++paths}`)
}

function packOf(number: number): Pack {
  return { number, bytes: Buffer.alloc(PACK_BYTES, (number % 255) + 1) }
}

function directoryOf(number: number): Buffer {
  return Buffer.from(`directory ${number}`)
}

/** Writes batches of so many packs each; batch n has the directory n. */
async function writeBatches(generation: Generation, counts: readonly number[]): Promise<void> {
  let next = (await generation.lastPackNumber()) + 1
  for (const count of counts) {
    const packs = Array.from({ length: count }, (_, i) => packOf(next + i))
    next += count
    await generation.write(packs, directoryOf(generation.lastDirectoryNumber + 1), false)
  }
}

async function told(generation: Generation): Promise<(string | undefined)[]> {
  const directories: (string | undefined)[] = []
  for await (const bytes of generation.directoriesBackwards()) directories.push(bytes?.toString())
  return directories
}

/** "directory 5", "directory 4", ... */
function expected(newest: number, oldest: number): string[] {
  return Array.from({ length: newest - oldest + 1 }, (_, i) => `directory ${newest - i}`)
}

function isFault(fault: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ServerError, String(error))
    assert.equal(faultOf(error), fault, String(error.cause))
    return true
  }
}

/**
 * Removes a directory behind the back of a closed generation that has one pack in each batch, or
 * leaves too little of it.
 */
async function loseDirectory(path: string, number: number, isCut: boolean): Promise<void> {
  const database = new ClassicLevel<Buffer, Buffer>(path, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
  })
  const key = Buffer.alloc(8)
  key.writeUInt32BE(number - 1, 0)
  key.writeUInt32BE(number, 4)
  assert.notEqual(await database.get(key), undefined)
  await (isCut ? database.put(key, Buffer.alloc(9)) : database.del(key))
  await database.close()
}

function filesOf(path: string, ending: string): string[] {
  return readdirSync(path)
    .filter((name) => name.endsWith(ending))
    .map((name) => join(path, name))
}

describe('a generation', () => {
  it('gives back the packs that were written, in the order asked for', async () => {
    const generation = await Generation.open(freshPath(), 3, OPTIONS, true)
    assert.equal(generation.id, 3)
    assert.deepEqual([await generation.lastPackNumber(), generation.lastDirectoryNumber], [-1, 0])
    await writeBatches(generation, [2, 3])
    const read = await generation.read([4, 99, 0, 2])
    assert.deepEqual(read, [packOf(4).bytes, undefined, packOf(0).bytes, packOf(2).bytes])
    assert.deepEqual(await generation.read([]), [])
    assert.equal(generation.unreadableCount, 0)
    await generation.close()
  })

  it('copies bytes before write returns its promise', async () => {
    const generation = await Generation.open(freshPath(), 1, OPTIONS, true)
    const pack = packOf(0)
    const directory = directoryOf(1)
    const written = generation.write([pack], directory, true)
    pack.bytes.fill(0)
    directory.fill(0)
    await written
    assert.deepEqual(await generation.read([0]), [packOf(0).bytes])
    assert.deepEqual(await told(generation), ['directory 1'])
    await generation.close()
  })

  for (const counts of [[], [0], [1], [0, 0, 2], Array.from({ length: 50 }, (_, i) => i % 3)]) {
    it(`tells ${counts.length} directories newest first, also after it was opened again`, async () => {
      const path = freshPath()
      const generation = await Generation.open(path, 1, OPTIONS, true)
      await writeBatches(generation, counts)
      assert.deepEqual(await told(generation), expected(counts.length, 1))
      await generation.close()
      const again = await Generation.open(path, 1, OPTIONS, false)
      assert.deepEqual(await told(again), expected(counts.length, 1))
      assert.equal(again.lastDirectoryNumber, counts.length)
      await writeBatches(again, [1, 0, 1])
      assert.deepEqual(await told(again), expected(counts.length + 3, 1))
      await again.close()
    })
  }

  it('goes on counting packs where it was closed', async () => {
    const path = freshPath()
    const generation = await Generation.open(path, 1, OPTIONS, true)
    await writeBatches(generation, [5, 2, 0])
    await generation.close()
    const again = await Generation.open(path, 1, OPTIONS, false)
    assert.equal(await again.lastPackNumber(), 6)
    await assert.rejects(again.write([packOf(6)], directoryOf(4), false), /ascending/)
    await again.close()
  })

  it('tells only what was there when it began to tell', async () => {
    const generation = await Generation.open(freshPath(), 1, OPTIONS, true)
    await writeBatches(
      generation,
      Array.from({ length: 40 }, () => 1),
    )
    const directories: string[] = []
    for await (const bytes of generation.directoriesBackwards()) {
      directories.push(bytes!.toString())
      if (directories.length % 10 === 0) await writeBatches(generation, [2])
    }
    assert.deepEqual(directories, expected(40, 1))
    await generation.close()
  })

  it('never merges tables: all that is written stands once on disk', async () => {
    const path = freshPath()
    const generation = await Generation.open(path, 1, OPTIONS, true)
    await writeBatches(
      generation,
      Array.from({ length: 200 }, () => 4),
    )
    await generation.flushToTable()
    assert.deepEqual(
      filesOf(path, '.log').map((file) => statSync(file).size),
      [0],
    )
    const dataBytes = 800 * PACK_BYTES
    const bytes = await generation.diskBytes()
    assert.ok(bytes > dataBytes && bytes < dataBytes * 1.05, `${bytes / dataBytes}`)
    // Merged tables would have been written anew under higher numbers.
    const numbers = filesOf(path, '.ldb').map((file) => Number(/(\d+)\.ldb$/.exec(file)![1]))
    assert.ok(numbers.length > 50)
    assert.ok(Math.max(...numbers) < numbers.length * 2 + 10, `${Math.max(...numbers)}`)
    await generation.close()
  })

  it('is not opened where none is, and not made where one is', async () => {
    const path = freshPath()
    await assert.rejects(Generation.open(path, 1, OPTIONS, false), isFault(FAULT.CORRUPT))
    rmSync(path, { recursive: true, force: true })
    const generation = await Generation.open(path, 1, OPTIONS, true)
    await assert.rejects(Generation.open(path, 1, OPTIONS, false), isFault(FAULT.LOCKED))
    await generation.close()
    await assert.rejects(Generation.open(path, 1, OPTIONS, true), isFault(FAULT.IO))
  })

  it('leaves nothing where it could not be made or opened', async () => {
    // Just so long that a folder can be made, and no file in it.
    const deep = join(FOLDER, ...Array.from({ length: 18 }, () => 'x'.repeat(200)))
    mkdirSync(deep, { recursive: true })
    const path = join(deep, 'x'.repeat(200), 'x'.repeat(4090 - deep.length - 202))
    await assert.rejects(Generation.open(path, 1, OPTIONS, true), isFault(FAULT.IO))
    assert.ok(!existsSync(path))
    const nowhere = freshPath()
    await assert.rejects(Generation.open(nowhere, 1, OPTIONS, false), isFault(FAULT.CORRUPT))
    assert.ok(!existsSync(nowhere))
  })

  it('rejects everything but another close once it is closed, and waits for reads before', async () => {
    const generation = await Generation.open(freshPath(), 1, OPTIONS, true)
    await writeBatches(generation, [3])
    const reads = [generation.read([0]), generation.read([1, 2])]
    const closed = [generation.close(), generation.close()]
    assert.deepEqual(await Promise.all(reads), [
      [packOf(0).bytes],
      [packOf(1).bytes, packOf(2).bytes],
    ])
    await Promise.all(closed)
    await generation.close()
    await assert.rejects(generation.read([0]), isFault(FAULT.CLOSED))
    await assert.rejects(told(generation), isFault(FAULT.CLOSED))
    await assert.rejects(generation.flushToTable(), isFault(FAULT.CLOSED))
    await assert.rejects(generation.write([], directoryOf(2), false), isFault(FAULT.CLOSED))
  })
})

describe('a generation in trouble', () => {
  it('takes no write after one that failed, though LevelDB would, and loses nothing', async () => {
    const path = freshPath()
    const generation = await Generation.open(path, 1, OPTIONS, true)
    await writeBatches(generation, [2, 2])
    renameSync(path, `${path}-away`)
    // The log is full within a few packs, and another cannot be made.
    const batch = Array.from({ length: 20 }, () => 2)
    await assert.rejects(writeBatches(generation, batch), isFault(FAULT.IO))
    const { lastDirectoryNumber } = generation
    renameSync(`${path}-away`, path)
    assert.equal(generation.isWritable, false)
    await assert.rejects(writeBatches(generation, [1]), isFault(FAULT.IO))
    assert.deepEqual(await told(generation), expected(lastDirectoryNumber, 1))
    assert.deepEqual(await generation.read([1]), [packOf(1).bytes])
    await generation.close()
    const again = await Generation.open(path, 1, OPTIONS, false)
    assert.deepEqual(await told(again), expected(lastDirectoryNumber, 1))
    await writeBatches(again, [1])
    assert.equal(again.isWritable, true)
    await again.close()
  })

  it('says so when its table cannot be written', async () => {
    const path = freshPath()
    const generation = await Generation.open(path, 1, OPTIONS, true)
    await writeBatches(generation, [2])
    // Where LevelDB would write a table is a folder.
    for (let i = 1; i < 20; i++) mkdirSync(join(path, `${String(i).padStart(6, '0')}.ldb`))
    await assert.rejects(generation.flushToTable(), isFault(FAULT.IO))
    assert.equal(generation.isWritable, false)
    assert.deepEqual(await generation.read([1]), [packOf(1).bytes])
    await generation.close()
  })

  it('reads what lies in undamaged tables, and counts what does not', async () => {
    const path = freshPath()
    const generation = await Generation.open(path, 1, OPTIONS, true)
    await writeBatches(
      generation,
      Array.from({ length: 60 }, () => 2),
    )
    await generation.flushToTable()
    await generation.close()
    const [table] = filesOf(path, '.ldb').sort()
    truncateSync(table!, statSync(table!).size - 10)
    const again = await Generation.open(path, 1, OPTIONS, false)
    assert.deepEqual(await again.read([119, 0, 118]), [
      packOf(119).bytes,
      undefined,
      packOf(118).bytes,
    ])
    assert.equal(again.unreadableCount, 1)
    const directories = await told(again)
    assert.equal(directories.at(-1), undefined)
    const known = directories.slice(0, -1)
    assert.ok(known.length > 40 && known.length < 60)
    assert.deepEqual(known, expected(60, 61 - known.length))
    await again.close()
  })

  for (const isCut of [false, true]) {
    it(`tells directories around one that is ${isCut ? 'cut' : 'gone'}, and that it is lost`, async () => {
      for (const lost of [40, 39, 24, 23, 2, 1]) {
        const path = freshPath()
        const options = { ...OPTIONS, writeBufferBytes: 2 ** 20 }
        const generation = await Generation.open(path, 1, options, true)
        await writeBatches(
          generation,
          Array.from({ length: 40 }, () => 1),
        )
        await generation.close()
        await loseDirectory(path, lost, isCut)
        const again = await Generation.open(path, 1, options, false)
        // Nothing tells of the newest one when its key is gone.
        const newest = lost === 40 && !isCut ? 39 : 40
        const around = expected(newest, 1).map((name) =>
          name === `directory ${lost}` ? undefined : name,
        )
        assert.deepEqual(await told(again), around, `without directory ${lost}`)
        await again.close()
      }
    })
  }

  it('is removed whole, also when a crash left half of it', async () => {
    const path = freshPath()
    const generation = await Generation.open(path, 1, OPTIONS, true)
    await writeBatches(generation, [2])
    await generation.close()
    mkdirSync(path + DROPPED_SUFFIX)
    writeFileSync(join(path + DROPPED_SUFFIX, 'left'), 'x')
    await Generation.destroy(path)
    await Generation.destroy(path)
    const name = path.slice(FOLDER.length + 1)
    assert.deepEqual(
      readdirSync(FOLDER).filter((entry) => entry.startsWith(name)),
      [],
    )
    mkdirSync(path + DROPPED_SUFFIX)
    await Generation.destroy(path + DROPPED_SUFFIX)
    assert.deepEqual(
      readdirSync(FOLDER).filter((entry) => entry.startsWith(name)),
      [],
    )
  })

  it('is set aside under a name that nothing has', async () => {
    const path = freshPath()
    for (const n of [1, 2, 3]) {
      mkdirSync(path)
      writeFileSync(join(path, 'file'), `${n}`)
      assert.equal(await Generation.setAside(path), `${path}.damaged-${n}`)
    }
    for (const n of [1, 2, 3]) assert.deepEqual(readdirSync(`${path}.damaged-${n}`), ['file'])
    await assert.rejects(Generation.setAside(path), isFault(FAULT.IO))
  })
})
