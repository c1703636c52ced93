import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crc32 } from 'node:zlib'
import {
  DIRECTORY_ENTRY_BYTES,
  DIRECTORY_HEADER_BYTES,
  DirectoryWriter,
  TOMBSTONE_OFFSET,
  readDirectory,
} from '../../../../src/store/l2/directory.ts'

type Entry = readonly [
  hashHi: number,
  hashLo: number,
  expiresAtS: number,
  pack: number,
  offsetBytes: number,
]

/** A copy of a directory that holds the given entries. */
function directoryOf(entries: readonly Entry[], sequence: number): Buffer {
  const writer = new DirectoryWriter()
  writer.begin()
  for (const entry of entries) {
    if (entry[4] === TOMBSTONE_OFFSET) writer.addTombstone(entry[0], entry[1])
    else writer.add(...entry)
  }
  return Buffer.from(writer.finish(sequence))
}

/** What a directory tells, in the order in which it is visited; undefined when it is damaged. */
function told(directory: Buffer): { sequence: number; entries: Entry[] } | undefined {
  const entries: Entry[] = []
  const sequences = new Set<number>()
  const read = readDirectory(directory, (hashHi, hashLo, expiresAtS, pack, offset, sequence) => {
    entries.push([hashHi, hashLo, expiresAtS, pack, offset])
    sequences.add(sequence)
  })
  if (read !== undefined && entries.length > 0) assert.deepEqual([...sequences], [read.sequence])
  if (read !== undefined) return { sequence: read.sequence, entries }
  assert.deepEqual(entries, [], 'nothing of a damaged directory is visited')
  return undefined
}

const ENTRIES: readonly Entry[] = [
  [1, 2, 0, 0, 0],
  [-1, -2, 4_000_000_000, 7, 8],
  [0x7fff_ffff, -0x8000_0000, 1, 0xffff_ffff, 0xffff_fffe * 8],
  [5, 6, 0, 0, TOMBSTONE_OFFSET],
]

describe('a directory', () => {
  it('tells its entries last first, so that the first of a hash is the valid one', () => {
    assert.deepEqual(told(directoryOf(ENTRIES, 42)), {
      sequence: 42,
      entries: ENTRIES.toReversed(),
    })
  })

  it('can be empty', () => {
    assert.deepEqual(told(directoryOf([], 7)), { sequence: 7, entries: [] })
  })

  it('keeps every sequence number up to 2^53', () => {
    for (const sequence of [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      assert.equal(told(directoryOf([], sequence))?.sequence, sequence)
    }
  })

  it('takes 20 bytes for an entry, and grows to any number of them', () => {
    const entries = Array.from({ length: 10_000 }, (_, i): Entry => [i, ~i, i, i, i * 8])
    const directory = directoryOf(entries, 1)
    assert.equal(DIRECTORY_ENTRY_BYTES, 20)
    assert.equal(directory.length, DIRECTORY_HEADER_BYTES + 10_000 * 20)
    assert.deepEqual(told(directory)?.entries, entries.toReversed())
  })

  it('is built anew in the same writer, with nothing left of the one before', () => {
    const writer = new DirectoryWriter()
    writer.begin()
    for (let i = 0; i < 500; i++) writer.add(i, i, i, i, 8)
    writer.finish(1)
    writer.begin()
    assert.equal(writer.count, 0)
    writer.addTombstone(3, 4)
    assert.equal(writer.count, 1)
    const read = told(writer.finish(2))
    assert.deepEqual(read, { sequence: 2, entries: [[3, 4, 0, 0, TOMBSTONE_OFFSET]] })
  })

  it('is read from the middle of another buffer, at any alignment', () => {
    const directory = directoryOf(ENTRIES, 42)
    for (let shift = 0; shift < 8; shift++) {
      const larger = Buffer.alloc(directory.length + 16, 0xee)
      directory.copy(larger, shift)
      assert.deepEqual(told(larger.subarray(shift, shift + directory.length)), told(directory))
    }
  })

  it('is refused with any one bit of it changed', () => {
    const directory = directoryOf(ENTRIES, 42)
    for (let bit = 0; bit < directory.length * 8; bit++) {
      const at = bit >> 3
      directory[at]! ^= 1 << (bit & 7)
      assert.equal(told(directory), undefined, `bit ${bit}`)
      directory[at]! ^= 1 << (bit & 7)
    }
    assert.notEqual(told(directory), undefined)
  })

  it('is refused at any other length than its own', () => {
    const directory = directoryOf(ENTRIES, 42)
    for (let length = 0; length < directory.length; length++) {
      assert.equal(told(directory.subarray(0, length)), undefined, `${length} bytes`)
    }
    assert.equal(told(Buffer.concat([directory, Buffer.alloc(20)])), undefined)
  })

  it('is refused when it is whole but counts other entries than it has', () => {
    for (const extraBytes of [4, 20, 40]) {
      const directory = Buffer.concat([directoryOf(ENTRIES, 42), Buffer.alloc(extraBytes)])
      directory.writeUInt32LE(crc32(directory.subarray(8)), 4)
      assert.equal(told(directory), undefined, `${extraBytes} bytes more`)
    }
  })

  it('takes no offset that is no multiple of eight, and no sequence number that is not whole', () => {
    const writer = new DirectoryWriter()
    writer.begin()
    for (const offset of [4, -8, 0xffff_ffff * 8]) {
      assert.throws(() => writer.add(1, 2, 3, 4, offset), /multiple of 8/)
    }
    assert.throws(() => writer.finish(2 ** 53), /whole number/)
    assert.throws(() => writer.finish(-1), /whole number/)
  })
})
