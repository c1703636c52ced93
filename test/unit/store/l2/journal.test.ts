import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { replayJournal } from '../../../../src/store/l2/journal-replay.ts'
import { Journal } from '../../../../src/store/l2/journal.ts'
import { FaultyFiles, temporaryFolder } from '../../../helpers/faulty-files.ts'

const ENTRY = 24
/** An entry or more; a commit that fills it begins a new file. */
const SEGMENT_OF_ONE = 1

/** A journal in a folder of its own, on a disk that can fail. */
function opened(
  t: TestContext,
  options: { segmentBytes?: number; pendingEntriesMax?: number } = {},
): { folder: string; files: FaultyFiles; journal: Journal } {
  const folder = temporaryFolder(t)
  const files = new FaultyFiles()
  const journal = Journal.open(folder, { ...options, files })
  t.after(() => journal.close())
  return { folder, files, journal }
}

/** Adds keys with the hashes (-i, i) and the sequence numbers 100 + i. */
function addRange(journal: Journal, from: number, to: number): void {
  for (let i = from; i < to; i++) journal.add(-i, i, 100 + i)
}

/** The numbers i below `end` that a new process would find named as `addRange` names them. */
function named(folder: string, end: number): number[] {
  const { stale } = replayJournal(folder)
  return Array.from({ length: end }, (_, i) => i).filter((i) => stale.sequenceOf(-i, i) === 100 + i)
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

describe('the journal', () => {
  it('names what was committed to the process that comes next, under the greatest number', (t) => {
    const { folder, journal } = opened(t)
    journal.add(1, 2, 7)
    journal.add(-1, -2_147_483_648, Number.MAX_SAFE_INTEGER)
    journal.add(1, 2, 4_294_967_296)
    journal.add(1, 2, 4_294_967_295)
    journal.add(2, 1, 2_147_483_648)
    assert.equal(journal.commit(), true)
    const { stale, lastSequence, entries, tornSegments, damagedSegments } = replayJournal(folder)
    assert.equal(stale.sequenceOf(1, 2), 4_294_967_296)
    assert.equal(stale.sequenceOf(2, 1), 2_147_483_648)
    assert.equal(stale.sequenceOf(-1, -2_147_483_648), Number.MAX_SAFE_INTEGER)
    assert.equal(stale.sequenceOf(-2, 1), 0)
    assert.equal(stale.size, 3)
    assert.equal(entries, 5)
    assert.equal(lastSequence, Number.MAX_SAFE_INTEGER)
    assert.deepEqual([tornSegments, damagedSegments], [0, 0])
  })

  it('makes no file before there is something to write, and writes once a commit', (t) => {
    const { folder, files, journal } = opened(t)
    assert.equal(journal.pending, false)
    assert.equal(journal.commit(), true)
    addRange(journal, 0, 100)
    assert.equal(journal.pending, true)
    assert.deepEqual(readdirSync(folder), [])
    assert.equal(journal.commit(), true)
    assert.equal(journal.pending, false)
    assert.equal(journal.commit(), true)
    assert.deepEqual(files.calls, [
      'readdirSync ' + folder.split(/[/\\]/).at(-1),
      'openSync journal-1.log',
      'writeSync',
    ])
    assert.deepEqual([journal.entries, journal.bytes], [100, 100 * ENTRY])
    assert.deepEqual(named(folder, 100), range(0, 100))
  })

  it('begins a new file when one is full, and all of them are read', (t) => {
    const { folder, journal } = opened(t, { segmentBytes: 3 * ENTRY })
    for (let i = 0; i < 10; i++) {
      addRange(journal, i, i + 1)
      journal.commit()
    }
    assert.deepEqual(
      readdirSync(folder).sort(),
      range(1, 5).map((i) => `journal-${i}.log`),
    )
    assert.deepEqual(named(folder, 10), range(0, 10))
    assert.equal(journal.entries, 10)
  })

  it('grows its buffer without a write, until that is as large as it may be', (t) => {
    const { folder, files, journal } = opened(t, { pendingEntriesMax: 3000 })
    addRange(journal, 0, 3000)
    assert.equal(files.calls.includes('writeSync'), false)
    addRange(journal, 3000, 3001)
    assert.equal(files.calls.filter((call) => call === 'writeSync').length, 1)
    assert.equal(journal.overflowed, false)
    assert.deepEqual(named(folder, 3001), range(0, 3000))
    assert.equal(journal.commit(), true)
    assert.deepEqual(named(folder, 3001), range(0, 3001))
  })

  it('refuses a folder that it cannot list', (t) => {
    const folder = join(temporaryFolder(t), 'missing')
    assert.throws(() => Journal.open(folder), {
      code: 'DATA_DIR_UNUSABLE',
      message: /missing.*ENOENT/,
    })
  })
})

describe('the journal of an earlier process', () => {
  it('stays as it is until it is forgotten, whatever is superseded', async (t) => {
    const { folder, journal } = opened(t, { segmentBytes: SEGMENT_OF_ONE })
    for (const i of range(0, 12)) {
      addRange(journal, i, i + 1)
      journal.commit()
    }
    await journal.close()
    const next = Journal.open(folder)
    assert.deepEqual([next.entries, next.bytes], [12, 12 * ENTRY])
    addRange(next, 12, 13)
    next.commit()
    // Number 12 was the last, though a listing by name ends with 9.
    assert.equal(readdirSync(folder).includes('journal-13.log'), true)
    next.forgetUpTo(110)
    assert.deepEqual(named(folder, 13), range(0, 13))
    next.forgetReplayed()
    await next.close()
    assert.deepEqual(readdirSync(folder), ['journal-13.log'])
    assert.deepEqual(named(folder, 13), [12])
    assert.equal(next.entries, 1)
  })

  it('is read around files that only look like a part of it', (t) => {
    const { folder, journal } = opened(t)
    addRange(journal, 0, 2)
    journal.commit()
    for (const name of ['journal-2.log.old', 'journal-x.log', 'journal-.log', 'a-journal-3.log']) {
      writeFileSync(join(folder, name), 'not a journal')
    }
    const { entries, tornSegments, damagedSegments } = replayJournal(folder)
    assert.deepEqual([entries, tornSegments, damagedSegments], [2, 0, 0])
  })

  it('is empty where there is no folder', (t) => {
    const { entries, damagedSegments } = replayJournal(join(temporaryFolder(t), 'missing'))
    assert.deepEqual([entries, damagedSegments], [0, 0])
  })

  it('is damaged where a segment or the folder cannot be read', (t) => {
    const { folder, files, journal } = opened(t)
    addRange(journal, 0, 2)
    journal.commit()
    files.failing.set('readFileSync', 'EIO')
    assert.equal(replayJournal(folder, files).damagedSegments, 1)
    files.failing.set('readdirSync', 'EIO')
    assert.equal(replayJournal(folder, files).damagedSegments, 1)
  })

  it('is never written over: a number that is taken is passed by', (t) => {
    const { folder, journal } = opened(t)
    writeFileSync(join(folder, 'journal-1.log'), 'somebody was quicker')
    addRange(journal, 0, 1)
    assert.equal(journal.commit(), false)
    assert.equal(journal.commit(), true)
    assert.deepEqual(readdirSync(folder).sort(), ['journal-1.log', 'journal-2.log'])
    assert.deepEqual(named(folder, 1), [0])
  })
})

describe('what is superseded', () => {
  it('is removed with the segments that hold nothing else', async (t) => {
    const { folder, files, journal } = opened(t, { segmentBytes: 2 * ENTRY })
    const removed = (): number[] =>
      files.calls
        .filter((call) => call.startsWith('unlink '))
        .map((call) => Number(/\d+/.exec(call)?.[0]))
    for (const i of range(0, 7)) {
      addRange(journal, i, i + 1)
      journal.commit()
    }
    journal.forgetUpTo(102)
    assert.deepEqual(removed(), [1])
    assert.equal(journal.entries, 5)
    journal.forgetUpTo(104)
    assert.deepEqual(removed(), [1, 2])
    journal.forgetUpTo(105)
    assert.deepEqual(removed(), [1, 2, 3])
    assert.equal(journal.entries, 1)
    journal.forgetUpTo(106)
    await journal.close()
    assert.deepEqual(readdirSync(folder), [])
    assert.deepEqual([journal.entries, journal.bytes], [0, 0])
  })

  it('makes a long segment end, so that the rest of it can go with the next', async (t) => {
    const { folder, journal } = opened(t)
    addRange(journal, 0, 3000)
    journal.commit()
    journal.forgetUpTo(150)
    addRange(journal, 3000, 3001)
    journal.commit()
    assert.deepEqual(named(folder, 3001), range(0, 3001))
    journal.forgetUpTo(100 + 2999)
    await journal.close()
    assert.deepEqual(named(folder, 3001), [3000])
  })

  it('is not written any more', (t) => {
    const { folder, files, journal } = opened(t)
    files.roomBytes = 0
    addRange(journal, 0, 6)
    journal.commit()
    journal.forgetUpTo(103)
    files.roomBytes = Infinity
    assert.equal(journal.commit(), true)
    assert.deepEqual(named(folder, 6), [4, 5])
    assert.equal(journal.entries, 2)
    files.roomBytes = 0
    addRange(journal, 6, 7)
    journal.commit()
    journal.forgetUpTo(106)
    assert.equal(journal.pending, false)
  })

  it('is removed later where the system refuses at first', async (t) => {
    const { folder, files, journal } = opened(t, { segmentBytes: SEGMENT_OF_ONE })
    addRange(journal, 0, 1)
    journal.commit()
    files.failing.set('unlink', 'EBUSY')
    journal.forgetUpTo(100)
    await journal.close()
    assert.equal(journal.failedRemovals, 1)
    assert.equal(journal.entries, 1)
    files.failing.clear()
    journal.forgetUpTo(100)
    await journal.close()
    assert.deepEqual(readdirSync(folder), [])
    assert.deepEqual([journal.failedRemovals, journal.entries], [1, 0])
  })
})

describe('a disk that refuses the journal', () => {
  const ENTRIES = 4
  for (const roomBytes of range(0, ENTRIES * ENTRY)) {
    it(`keeps what it does not write, full after ${roomBytes} bytes`, (t) => {
      const { folder, files, journal } = opened(t)
      files.roomBytes = roomBytes
      addRange(journal, 0, ENTRIES)
      assert.equal(journal.commit(), false)
      assert.equal(journal.pending, true)
      const written = Math.floor(roomBytes / ENTRY)
      const { entries, tornSegments, damagedSegments } = replayJournal(folder)
      assert.equal(entries, written)
      assert.equal(tornSegments, roomBytes % ENTRY === 0 ? 0 : 1)
      assert.equal(damagedSegments, 0)
      assert.equal(journal.entries, written)
      assert.equal(journal.commit(), false)
      // One entry more, and then room again: everything is there, once and whole.
      addRange(journal, ENTRIES, ENTRIES + 1)
      files.roomBytes = Infinity
      assert.equal(journal.commit(), true)
      const after = replayJournal(folder)
      assert.deepEqual(
        [after.entries, after.tornSegments, after.damagedSegments],
        [ENTRIES + 1, 0, 0],
      )
      assert.deepEqual(named(folder, ENTRIES + 1), range(0, ENTRIES + 1))
      assert.equal(journal.failedWrites, 2)
    })
  }

  it('is told apart from one that has lost names', (t) => {
    const { folder, files, journal } = opened(t, { pendingEntriesMax: 3 })
    files.roomBytes = 0
    addRange(journal, 0, 3)
    assert.equal(journal.commit(), false)
    assert.equal(journal.overflowed, false)
    addRange(journal, 3, 5)
    assert.equal(journal.overflowed, true)
    files.roomBytes = Infinity
    assert.equal(journal.commit(), true)
    assert.deepEqual(named(folder, 5), [0, 1, 2])
    assert.equal(journal.overflowed, true)
    journal.forgetUpTo(103)
    assert.equal(journal.overflowed, true)
    journal.forgetUpTo(104)
    assert.equal(journal.overflowed, false)
  })

  it('gets another file where the fault is not that it is full', (t) => {
    const { folder, files, journal } = opened(t)
    addRange(journal, 0, 2)
    journal.commit()
    files.failing.set('writeSync', 'EIO')
    addRange(journal, 2, 4)
    assert.equal(journal.commit(), false)
    for (let i = 0; i < 5; i++) assert.equal(journal.commit(), false)
    files.failing.clear()
    assert.equal(journal.commit(), true)
    assert.deepEqual(readdirSync(folder).sort(), ['journal-1.log', 'journal-2.log'])
    assert.deepEqual(named(folder, 4), range(0, 4))
  })

  it('cannot make a file, and then can', (t) => {
    const { folder, files, journal } = opened(t)
    files.failing.set('openSync', 'EMFILE')
    addRange(journal, 0, 2)
    assert.equal(journal.commit(), false)
    assert.match(String(journal.lastError), /EMFILE/)
    files.failing.clear()
    assert.equal(journal.commit(), true)
    assert.deepEqual(readdirSync(folder), ['journal-1.log'])
    assert.deepEqual(named(folder, 2), [0, 1])
  })

  it('has lost its folder: after a restart the journal is in the new one', (t) => {
    const { folder, journal } = opened(t)
    addRange(journal, 0, 2)
    journal.commit()
    rmSync(folder, { recursive: true })
    journal.restart()
    addRange(journal, 2, 4)
    assert.equal(journal.commit(), false)
    mkdirSync(folder)
    assert.equal(journal.commit(), true)
    assert.deepEqual(named(folder, 4), [2, 3])
  })
})

describe('a journal on the device', () => {
  it('is every segment that was written since, once, and the folder that names them', async (t) => {
    const { files, journal } = opened(t, { segmentBytes: 2 * ENTRY })
    const synced = async (): Promise<string[]> => {
      files.calls.length = 0
      assert.equal(await journal.sync(), true)
      return files.calls.map((call) => (call.startsWith('syncFolder') ? 'syncFolder' : call))
    }
    assert.deepEqual(await synced(), [])
    for (const i of range(0, 3)) {
      addRange(journal, i, i + 1)
      journal.commit()
    }
    assert.deepEqual(await synced(), [
      'syncFile journal-1.log',
      'syncFile journal-2.log',
      'syncFolder',
    ])
    assert.deepEqual(await synced(), [])
    addRange(journal, 3, 4)
    journal.commit()
    assert.deepEqual(await synced(), ['syncFile journal-2.log'])
  })

  it('is not there where the system fails, until it no longer does', async (t) => {
    const { files, journal } = opened(t)
    addRange(journal, 0, 1)
    journal.commit()
    for (const call of ['syncFile', 'syncFolder'] as const) {
      files.failing.clear()
      files.failing.set(call, 'EIO')
      assert.equal(await journal.sync(), false)
    }
    files.failing.clear()
    assert.equal(await journal.sync(), true)
  })

  it('does without a segment that was removed meanwhile', async (t) => {
    const { folder, files, journal } = opened(t, { segmentBytes: SEGMENT_OF_ONE })
    addRange(journal, 0, 1)
    journal.commit()
    files.failing.set('syncFile', 'ENOENT')
    const syncing = journal.sync()
    journal.forgetUpTo(100)
    assert.equal(await syncing, true)
    await journal.close()
    assert.deepEqual(readdirSync(folder), [])
    assert.equal(journal.failedWrites, 0)
  })
})
