import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SlowLog } from '../../../src/observe/slow-log.ts'

const COMMAND = {
  timeMs: 0,
  command: 'get',
  client: '127.0.0.1:1',
  totalUs: 20_000,
  queueUs: 0,
  runUs: 20_000,
  diskUs: 0,
  commands: 1,
}

describe('the slow log', () => {
  it('keeps the latest, the latest first, and counts all', () => {
    const log = new SlowLog(10_000, 3)
    for (const key of ['a', 'b', 'c', 'd']) log.add({ ...COMMAND, key })
    assert.deepEqual(
      log.latest().map(({ number, key }) => [number, key]),
      [
        [4, 'd'],
        [3, 'c'],
        [2, 'b'],
      ],
    )
    assert.equal(log.count, 4)
    log.reset()
    assert.deepEqual(log.latest(), [])
    log.add({ ...COMMAND, key: 'e' })
    assert.equal(log.latest()[0]?.number, 1)
  })
})
