import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { StateFile } from '../../../../src/store/l2/state-file.ts'
import type { Facts } from '../../../../src/store/l2/state-file.ts'
import { FaultyFiles, temporaryFolder } from '../../../helpers/faulty-files.ts'

const FILE_BYTES = 8192
/** Of each half of the file, so many bytes are used. */
const SLOT_BYTES = 72
const HALF = 4096
/** Of these, what `saveMade` changes ends here: the clock fits four bytes of its eight. */
const CHANGING_BYTES = 52
/** The last byte that is not zero in a new file. */
const FLAGS_AT = 56

function statePath(t: TestContext): string {
  return join(temporaryFolder(t), 'state')
}

/** What a process that starts now would know. */
function factsIn(path: string): Facts {
  const state = StateFile.open(path)
  state.close()
  assert.equal(state.isNew, false)
  return { ...state.facts }
}

/** Saves facts made of a number; returns them. */
function saveMade(state: StateFile, n: number): Facts {
  state.facts.sequenceReserved = 2 ** 52 + n
  state.facts.flushedUpTo = 2 ** 40 + n
  state.facts.flushPendingAtS = 3_000_000_000 + n
  state.facts.clockS = 1_700_000_000 + n
  state.facts.trusted = n % 2 === 0
  state.facts.cleanStop = n % 3 === 0
  assert.equal(state.save(), true)
  return { ...state.facts }
}

/** The file before and after a save, and what it says then. */
function twoSaves(t: TestContext): {
  path: string
  before: Buffer
  after: Buffer
  factsBefore: Facts
  factsAfter: Facts
  changedAt: number
} {
  const path = statePath(t)
  const state = StateFile.open(path)
  const factsBefore = saveMade(state, 1)
  const before = readFileSync(path)
  const factsAfter = saveMade(state, 2)
  const after = readFileSync(path)
  state.close()
  const changedAt = before.subarray(0, HALF).equals(after.subarray(0, HALF)) ? HALF : 0
  return { path, before, after, factsBefore, factsAfter, changedAt }
}

describe('the state file', () => {
  it('is made whole, with a seed of its own and nothing that happened', (t) => {
    const path = statePath(t)
    const state = StateFile.open(path)
    const other = StateFile.open(statePath(t))
    assert.equal(state.isNew, true)
    assert.equal(statSync(path).size, FILE_BYTES)
    const { seedK0, seedK1, ...rest } = state.facts
    assert.deepEqual(rest, {
      sequenceReserved: 0,
      flushedUpTo: 0,
      flushPendingAtS: 0,
      clockS: 0,
      trusted: true,
      cleanStop: false,
      indexStamp: 0,
      believedFrom: 0,
    })
    assert.notDeepEqual([seedK0, seedK1], [other.facts.seedK0, other.facts.seedK1])
    assert.deepEqual(factsIn(path), state.facts)
    assert.deepEqual(readdirSync(join(path, '..')), ['state'])
    state.close()
    other.close()
  })

  it('tells the next process what was saved last', (t) => {
    const path = statePath(t)
    for (let life = 0; life < 4; life++) {
      const state = StateFile.open(path)
      const { seedK0 } = state.facts
      for (let n = 0; n < 1 + life; n++) {
        const saved = saveMade(state, life * 10 + n)
        assert.deepEqual(factsIn(path), saved)
        assert.equal(saved.seedK0, seedK0)
      }
      state.close()
    }
    assert.equal(statSync(path).size, FILE_BYTES)
  })

  it('keeps the largest numbers there are', (t) => {
    const path = statePath(t)
    const state = StateFile.open(path)
    state.facts.sequenceReserved = Number.MAX_SAFE_INTEGER
    state.facts.flushedUpTo = 2 ** 32
    state.facts.flushPendingAtS = 2 ** 31
    state.facts.clockS = 2 ** 32 - 1
    state.facts.indexStamp = 2 ** 32 - 1
    state.facts.believedFrom = Number.MAX_SAFE_INTEGER
    state.save()
    state.close()
    assert.deepEqual(factsIn(path), state.facts)
  })

  it('is on the device when it was saved durably', async (t) => {
    const path = statePath(t)
    const files = new FaultyFiles()
    const state = StateFile.open(path, files)
    state.facts.clockS = 5
    files.calls.length = 0
    assert.equal(await state.saveDurably(), true)
    assert.deepEqual(files.calls, ['writeSync', 'syncFile state'])
    assert.equal(factsIn(path).clockS, 5)
    files.failing.set('syncFile', 'EIO')
    assert.equal(await state.saveDurably(), false)
    assert.equal(state.failedSaves, 1)
    state.close()
  })

  it('is there whole or not at all when a process is stopped while it makes one', (t) => {
    for (const call of ['writeSync', 'fsyncSync', 'renameSync'] as const) {
      const path = statePath(t)
      const files = new FaultyFiles()
      files.failing.set(call, 'EIO')
      assert.throws(() => StateFile.open(path, files), { code: 'DATA_DIR_UNUSABLE' })
      assert.equal(readdirSync(join(path, '..')).includes('state'), false)
      const state = StateFile.open(path)
      assert.equal(state.isNew, true)
      state.close()
    }
  })
})

describe('a state file that was lost', () => {
  it('is made again with the facts as they stand, in the folder that is there then', (t) => {
    const path = statePath(t)
    const folder = join(path, '..')
    const files = new FaultyFiles()
    const state = StateFile.open(path, files)
    saveMade(state, 1)
    rmSync(folder, { recursive: true })
    saveMade(state, 2)
    assert.equal(state.recreate(), false)
    mkdirSync(folder)
    assert.equal(state.recreate(), true)
    assert.deepEqual(factsIn(path), state.facts)
    assert.equal(statSync(path).size, FILE_BYTES)
    // Saves go on in it, and a torn one leaves the facts of the save before.
    const saved = saveMade(state, 3)
    assert.deepEqual(factsIn(path), saved)
    files.roomBytes = CHANGING_BYTES - 1
    state.facts.clockS = 7
    assert.equal(state.save(), false)
    assert.deepEqual(factsIn(path), saved)
    state.close()
    const opened = files.calls.filter((name) => name.startsWith('openSync'))
    const closed = files.calls.filter((name) => name === 'closeSync')
    assert.equal(closed.length, opened.length - 1, 'one try to open found no folder')
  })

  it('stays as it was when it cannot be made again', (t) => {
    const path = statePath(t)
    const files = new FaultyFiles()
    const state = StateFile.open(path, files)
    const saved = saveMade(state, 1)
    files.roomBytes = 100
    state.facts.clockS = 7
    assert.equal(state.recreate(), false)
    assert.deepEqual(factsIn(path), saved)
    files.roomBytes = Infinity
    assert.equal(state.save(), true)
    assert.equal(factsIn(path).clockS, 7)
    state.close()
  })
})

describe('a save of the state file that does not end', () => {
  it('leaves the facts of the save before, whatever part of it was written', (t) => {
    const { path, before, after, factsBefore, factsAfter, changedAt } = twoSaves(t)
    let older = 0
    for (let cut = 0; cut <= SLOT_BYTES; cut++) {
      const end = changedAt + cut
      writeFileSync(path, Buffer.concat([after.subarray(0, end), before.subarray(end)]))
      const isWhole = after.subarray(0, end).equals(after.subarray(0, changedAt + SLOT_BYTES))
      const facts = factsIn(path)
      if (cut === SLOT_BYTES || isWhole) assert.deepEqual(facts, factsAfter, `${cut} bytes`)
      else if (facts.clockS === factsBefore.clockS) assert.deepEqual(facts, factsBefore)
      else assert.deepEqual(facts, factsAfter, `a mixture, of ${cut} bytes`)
      if (facts.clockS === factsBefore.clockS) older++
    }
    // The bytes from the middle of the clock on are the same in both.
    assert.equal(older, CHANGING_BYTES)
  })

  it('leaves them for either half, whichever way the bytes are torn', (t) => {
    const { path, after, factsBefore, factsAfter, changedAt } = twoSaves(t)
    for (let at = 0; at < FILE_BYTES; at++) {
      if (at % HALF >= SLOT_BYTES) continue
      for (const bit of [1, 128]) {
        const flipped = Buffer.from(after)
        flipped[at]! ^= bit
        writeFileSync(path, flipped)
        const isNewer = at >= changedAt && at < changedAt + SLOT_BYTES
        assert.deepEqual(factsIn(path), isNewer ? factsBefore : factsAfter, `byte ${at}`)
      }
    }
  })

  it('leaves them to the process that comes next, too, when its first save tears', (t) => {
    const path = statePath(t)
    let saved: Facts | undefined
    for (let life = 0; life < 3; life++) {
      const files = new FaultyFiles()
      const state = StateFile.open(path, files)
      files.roomBytes = CHANGING_BYTES - 1
      state.facts.clockS = 7
      assert.equal(state.save(), false)
      if (saved !== undefined) assert.deepEqual(factsIn(path), saved)
      files.roomBytes = Infinity
      for (let n = 0; n <= life; n++) saved = saveMade(state, life * 10 + n)
      state.close()
    }
  })

  it('is made good by the next one, in the same half', (t) => {
    for (const roomBytes of [0, 1, 40, CHANGING_BYTES - 1]) {
      const path = statePath(t)
      const files = new FaultyFiles()
      const state = StateFile.open(path, files)
      const saved = saveMade(state, 1)
      files.roomBytes = roomBytes
      state.facts.clockS = 7
      assert.equal(state.save(), false)
      assert.equal(state.save(), false)
      assert.deepEqual(factsIn(path), saved)
      assert.equal(state.failedSaves, 2)
      files.roomBytes = Infinity
      assert.equal(state.save(), true)
      assert.equal(factsIn(path).clockS, 7)
      saveMade(state, 3)
      state.close()
      assert.equal(factsIn(path).clockS, 1_700_000_003)
    }
  })
})

describe('a state file that cannot be used', () => {
  const damages: [string, (bytes: Buffer) => Buffer][] = [
    [
      'both halves damaged',
      (bytes) => (bytes.fill(1, 20, 21), bytes.fill(1, HALF + 20, HALF + 21)),
    ],
    ['nothing in it', () => Buffer.alloc(0)],
    ['zeros in it', () => Buffer.alloc(FILE_BYTES)],
    ['the beginning of a half', (bytes) => bytes.subarray(0, FLAGS_AT)],
  ]
  for (const [name, damage] of damages) {
    it(`is refused and left as it is: ${name}`, (t) => {
      const path = statePath(t)
      StateFile.open(path).close()
      const bytes = damage(readFileSync(path))
      writeFileSync(path, bytes)
      assert.throws(() => StateFile.open(path), {
        code: 'DATA_DIR_UNUSABLE',
        message: /state.*is damaged, in both of its copies/,
      })
      assert.deepEqual(readFileSync(path), Buffer.from(bytes))
    })
  }

  it('counts as far as it goes where it was cut off behind the first half', (t) => {
    const path = statePath(t)
    StateFile.open(path).close()
    writeFileSync(path, readFileSync(path).subarray(0, SLOT_BYTES))
    const state = StateFile.open(path)
    saveMade(state, 1)
    const saved = saveMade(state, 2)
    state.close()
    assert.deepEqual(factsIn(path), saved)
  })

  it('is refused with the reason of the system', (t) => {
    const path = statePath(t)
    StateFile.open(path).close()
    for (const call of ['sizeSync', 'openSync', 'readSync'] as const) {
      const files = new FaultyFiles()
      files.failing.set(call, 'EACCES')
      assert.throws(() => StateFile.open(path, files), {
        code: 'DATA_DIR_UNUSABLE',
        message: /state.*EACCES/,
      })
      const opened = files.calls.filter((name) => name.startsWith('openSync')).length
      const closed = files.calls.filter((name) => name === 'closeSync').length
      assert.equal(closed, call === 'readSync' ? opened : 0, 'no file stays open')
    }
    const folder = join(path, '..', 'folder')
    mkdirSync(folder)
    assert.throws(() => StateFile.open(folder), { code: 'DATA_DIR_UNUSABLE' })
  })
})
