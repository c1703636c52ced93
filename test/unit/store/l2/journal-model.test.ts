import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { replayJournal } from '../../../../src/store/l2/journal-replay.ts'
import { Journal } from '../../../../src/store/l2/journal.ts'
import { FaultyFiles, temporaryFolder } from '../../../helpers/faulty-files.ts'
import { seededWords } from '../../../helpers/store.ts'

const STEPS = 500
const KEYS = 50
const PENDING_MAX = 12
const SEEDS = [1, 2, 3, 4]

describe('the journal in random use on a disk that fails', () => {
  for (const seed of SEEDS) {
    it(`names whatever it acknowledged and was not told to forget (seed ${seed})`, async (t) => {
      const folder = temporaryFolder(t)
      const files = new FaultyFiles()
      const options = { segmentBytes: 200, pendingEntriesMax: PENDING_MAX, files }
      const random = seededWords(seed)
      const open = (): Journal => Journal.open(folder, options)
      let journal = open()
      let sequence = 0
      let forgotten = 0
      /** Hash -> sequence numbers, in order: all that were added, and those that must be found. */
      const added = new Map<number, number>()
      const acknowledged = new Map<number, number>()
      let uncommitted: [number, number][] = []
      let overflows = 0
      let failures = 0

      for (let step = 0; step < STEPS; step++) {
        const choice = random() % 100
        if (choice < 60) {
          const key = random() % KEYS
          sequence += 1 + (random() % 3)
          journal.add(key, ~key, sequence)
          added.set(key, sequence)
          uncommitted.push([key, sequence])
        } else if (choice < 85) {
          const isWritten = journal.commit()
          assert.equal(isWritten, !journal.pending)
          if (journal.overflowed) overflows++
          else if (isWritten) for (const [key, at] of uncommitted) acknowledged.set(key, at)
          if (isWritten) uncommitted = []
          else failures++
        } else if (choice < 90) {
          const behind = random() % 40
          forgotten = Math.max(forgotten, sequence - behind)
          journal.forgetUpTo(forgotten)
        } else if (choice < 93) {
          files.failing.clear()
          files.roomBytes = random() % 2 === 0 ? Infinity : random() % 150
        } else if (choice < 95) {
          files.failing.set((['writeSync', 'openSync', 'unlink'] as const)[random() % 3]!, 'EIO')
        } else if (choice < 97) {
          journal.restart()
        } else if (choice === 97) {
          await journal.sync()
        } else if (choice === 98) {
          // Another process: what the first did not acknowledge may be there or not.
          await journal.close()
          journal = open()
          uncommitted = []
        } else {
          journal.forgetReplayed()
          for (const [key, at] of acknowledged) if (at <= sequence) acknowledged.delete(key)
          // Everything of earlier processes is superseded, and this one's is kept by hand.
          forgotten = sequence
          journal.forgetUpTo(forgotten)
        }
        const { stale, damagedSegments } = replayJournal(folder)
        assert.equal(damagedSegments, 0, `step ${step}`)
        for (const [key, at] of acknowledged) {
          const found = stale.sequenceOf(key, ~key)
          if (at > forgotten) assert.ok(found >= at, `step ${step}: key ${key}, ${found} of ${at}`)
          assert.ok(found <= added.get(key)!, `step ${step}: key ${key} is named in advance`)
        }
      }
      assert.ok(overflows > 0 && failures > 0, 'the disk failed on the way')
      assert.ok(forgotten > 0)
      await journal.close()
    })
  }
})
