import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { replayJournal } from '../../../../src/store/l2/journal-replay.ts'
import { temporaryFolder } from '../../../helpers/faulty-files.ts'
import { seededWords } from '../../../helpers/store.ts'
import { hashHiOf, hashLoOf } from './journal-numbers.ts'

const WRITER = fileURLToPath(new URL('journal-writer.ts', import.meta.url))
const LIVES = 3

/** What a writer said before it was killed, after `outputBytesMin` bytes of it. */
async function killedWriter(folder: string, from: number, outputBytesMin: number): Promise<string> {
  const child = spawn(process.execPath, ['--import', 'tsx', WRITER, folder, String(from)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('latin1')
  child.stdout.on('data', (text: string) => {
    said += text
    if (said.length > outputBytesMin) child.kill('SIGKILL')
  })
  const signal = await new Promise((resolve) => {
    child.on('close', (_, by) => resolve(by))
  })
  assert.equal(signal, 'SIGKILL', 'the writer ended by itself')
  return said
}

describe('a process that is killed while it writes the journal', () => {
  it('has named everything that it had committed, life after life', async (t) => {
    const folder = temporaryFolder(t)
    const random = seededWords(3)
    let from = 1
    for (let life = 0; life < LIVES; life++) {
      const said = await killedWriter(folder, from, 20_000 + (random() % 40_000))
      const lines = said.slice(0, said.lastIndexOf('\n')).split('\n')
      const [committed = 0, forgotten = 0] = lines.at(-1)!.split(' ').map(Number)
      const { stale, lastSequence, damagedSegments } = replayJournal(folder)
      assert.ok(committed > from + 1000)
      for (let n = Math.max(from, forgotten + 1); n <= committed; n++) {
        if (stale.sequenceOf(hashHiOf(n), hashLoOf(n)) !== n) assert.fail(`${n} of ${committed}`)
      }
      assert.equal(damagedSegments, 0)
      assert.ok(lastSequence >= committed)
      assert.ok(lastSequence <= committed + 220, 'no more than one commit was not told of')
      from = lastSequence + 1
    }
  })
})
