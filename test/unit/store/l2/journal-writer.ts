/**
 * Writes to a journal until it is killed, and says after each commit how far it has come: a line of
 * the last number that is committed and the last one that is forgotten. Number n names a hash made
 * of n, under the sequence number n.
 */
import { writeSync } from 'node:fs'
import { errorCode } from '../../../../src/store/l2/file-system.ts'
import { Journal } from '../../../../src/store/l2/journal.ts'
import { hashHiOf, hashLoOf } from './journal-numbers.ts'

const COMMIT_ENTRIES = [1, 16, 3, 200]
const FORGET_EVERY = 10_000
const FORGET_BEHIND = 3000

const journal = Journal.open(process.argv[2]!, { segmentBytes: 16_384 })
const from = Number(process.argv[3])
let forgotten = from - 1
for (let n = from, turn = 0; ; turn++) {
  const end = n + COMMIT_ENTRIES[turn % COMMIT_ENTRIES.length]!
  for (; n < end; n++) journal.add(hashHiOf(n), hashLoOf(n), n)
  if (!journal.commit()) throw journal.lastError
  if (n - forgotten > FORGET_EVERY) {
    forgotten = n - FORGET_BEHIND
    // Said before: from here on it may be gone.
    say(`${n - 1} ${forgotten}\n`)
    journal.forgetUpTo(forgotten)
    // Lets the removals begin.
    await new Promise(setImmediate)
  } else {
    say(`${n - 1} ${forgotten}\n`)
  }
}

/** The pipe is full now and then; who reads it is also who kills. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, line)
      return
    } catch (error) {
      if (errorCode(error) !== 'EAGAIN') throw error
    }
  }
}
