import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { replayJournal } from '../../../../src/store/l2/journal-replay.ts'
import { Journal } from '../../../../src/store/l2/journal.ts'
import { temporaryFolder } from '../../../helpers/faulty-files.ts'
import { seededWords } from '../../../helpers/store.ts'

const ENTRY = 24
const ENTRIES = 5

/** A segment with entries for the hashes (-i, i), and where it is. */
function segment(t: TestContext): { folder: string; path: string; bytes: Buffer } {
  const folder = temporaryFolder(t)
  const journal = Journal.open(folder)
  for (let i = 0; i < ENTRIES; i++) journal.add(-i, i, 2 ** 40 + i)
  journal.commit()
  void journal.close()
  const path = join(folder, 'journal-1.log')
  return { folder, path, bytes: readFileSync(path) }
}

/** Which of the entries are found, and what is said of the segment. */
function read(folder: string): { found: number[]; torn: number; damaged: number } {
  const { stale, entries, tornSegments, damagedSegments } = replayJournal(folder)
  const found = Array.from({ length: ENTRIES }, (_, i) => i).filter(
    (i) => stale.sequenceOf(-i, i) === 2 ** 40 + i,
  )
  assert.equal(entries, found.length, 'nothing is found that was not written')
  return { found, torn: tornSegments, damaged: damagedSegments }
}

function numbersBelow(end: number): number[] {
  return Array.from({ length: end }, (_, i) => i)
}

describe('a damaged segment of the journal', () => {
  it('cut off after any byte still tells every whole entry', (t) => {
    const { folder, path, bytes } = segment(t)
    for (let length = 0; length <= bytes.length; length++) {
      writeFileSync(path, bytes.subarray(0, length))
      const whole = Math.floor(length / ENTRY)
      assert.deepEqual(
        read(folder),
        { found: numbersBelow(whole), torn: length % ENTRY === 0 ? 0 : 1, damaged: 0 },
        `${length} bytes`,
      )
    }
  })

  it('with any bit flipped tells every other entry, and that one is missing', (t) => {
    const { folder, path, bytes } = segment(t)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      writeFileSync(path, flipped)
      const lost = Math.floor(bit / 8 / ENTRY)
      const isLast = lost === ENTRIES - 1
      assert.deepEqual(
        read(folder),
        {
          found: numbersBelow(ENTRIES).filter((i) => i !== lost),
          torn: isLast ? 1 : 0,
          damaged: isLast ? 0 : 1,
        },
        `bit ${bit}`,
      )
    }
  })

  it('that ends in zeros, ones or noise has a torn end and nothing more', (t) => {
    const { folder, path, bytes } = segment(t)
    const random = seededWords(11)
    const noise = Buffer.alloc(1000 * ENTRY)
    for (let at = 0; at < noise.length; at += 4) noise.writeInt32LE(random() | 0, at)
    for (const end of [Buffer.alloc(4096), Buffer.alloc(4096, 0xff), noise, Buffer.from([0])]) {
      writeFileSync(path, Buffer.concat([bytes, end]))
      assert.deepEqual(read(folder), { found: numbersBelow(ENTRIES), torn: 1, damaged: 0 })
    }
  })

  it('of which a block became zeros is told from one that ends early', (t) => {
    const { folder, path, bytes } = segment(t)
    bytes.fill(0, ENTRY, 3 * ENTRY)
    writeFileSync(path, bytes)
    assert.deepEqual(read(folder), { found: [0, 3, 4], torn: 0, damaged: 1 })
  })

  it('does not keep the others from being read', (t) => {
    const { folder, path, bytes } = segment(t)
    writeFileSync(join(folder, 'journal-2.log'), bytes)
    bytes[0]! ^= 1
    writeFileSync(path, bytes)
    const { stale, damagedSegments } = replayJournal(folder)
    assert.equal(stale.size, ENTRIES)
    assert.equal(damagedSegments, 1)
  })
})
