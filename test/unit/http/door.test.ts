import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { textAnswer } from '../../../src/http/answer.ts'
import type { Responder } from '../../../src/http/answer.ts'
import { SideDoor } from '../../../src/http/door.ts'
import { ManualClock } from '../../../src/observe/clock.ts'
import { createLoggerTo } from '../../../src/observe/log.ts'

const RESPONDERS: ReadonlyMap<string, Responder> = new Map([
  ['/', () => textAnswer(200, 'front')],
  ['/healthz', () => textAnswer(200, 'ok')],
  [
    '/broken',
    () => {
      throw new Error('on purpose')
    },
  ],
])

async function withDoor(
  use: (
    get: (path: string) => Promise<number>,
    clock: ManualClock,
    lines: string[],
  ) => Promise<void>,
): Promise<void> {
  const clock = new ManualClock()
  const lines: string[] = []
  const log = createLoggerTo({ write: (line) => lines.push(line) }, 'info', false)
  const door = new SideDoor({ host: '127.0.0.1', port: 0, token: '' }, RESPONDERS, clock, log)
  const address = await door.open()
  try {
    await use(async (path) => (await fetch(`http://${address}${path}`)).status, clock, lines)
  } finally {
    await door.close()
  }
}

describe('the door', () => {
  it('answers a hundred requests a second and no more, but for probes', () =>
    withDoor(async (get, clock) => {
      for (let i = 0; i < 100; i++) assert.equal(await get('/'), 200)
      assert.equal(await get('/'), 429)
      assert.equal(await get('/healthz'), 200)
      clock.advance(1)
      assert.equal(await get('/'), 200)
    }))

  it('survives what fails behind it, and logs it', () =>
    withDoor(async (get, _clock, lines) => {
      assert.equal(await get('/broken'), 500)
      assert.match(lines.join(''), /on purpose/)
      assert.equal(await get('/'), 200)
    }))
})
