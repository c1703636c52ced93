import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Connection } from '../../../src/net/connection.ts'
import { ConnectionTable } from '../../../src/net/connection-table.ts'
import { ManualClock } from '../../../src/observe/clock.ts'
import { createLoggerTo } from '../../../src/observe/log.ts'
import { METRIC, Metrics } from '../../../src/observe/metrics.ts'

/** What the table uses of a connection. */
interface FakeConnection {
  activeAtS: number
  busy: boolean
  ended: 'no' | 'closed' | 'destroyed'
  socket: object
  close(): void
  destroy(): void
}

function fixture(connectionsMax: number, idleTimeoutMs: number) {
  const clock = new ManualClock()
  const metrics = new Metrics()
  const lines: string[] = []
  const log = createLoggerTo({ write: (line) => void lines.push(line) }, 'warn', false)
  const table = new ConnectionTable({ connectionsMax, idleTimeoutMs }, clock, metrics, log)
  const add = (): FakeConnection => {
    const fake: FakeConnection = {
      activeAtS: clock.nowS,
      busy: false,
      ended: 'no',
      socket: {},
      close() {
        this.ended = 'closed'
        setImmediate(() => table.remove(asConnection(this), null))
      },
      destroy() {
        this.ended = 'destroyed'
        setImmediate(() => table.remove(asConnection(this), null))
      },
    }
    table.add(asConnection(fake))
    return fake
  }
  return { clock, metrics, table, lines, add }
}

function asConnection(fake: FakeConnection): Connection {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table uses no more of it
  return fake as unknown as Connection
}

/** Lets what was started run as far as it comes by itself; a connection ends a turn later. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
}

describe('the table of connections', () => {
  it('is full at its limit, and no longer when one has gone', async () => {
    const { table, add } = fixture(2, 0)
    add()
    assert.equal(table.full, false)
    const second = add()
    assert.equal(table.full, true)
    second.destroy()
    await settle()
    assert.deepEqual([table.full, table.count], [false, 1])
  })

  it('forgets a connection once', () => {
    const { table, metrics, add } = fixture(2, 0)
    const one = add()
    add()
    table.remove(asConnection(one), new Error('reset'))
    table.remove(asConnection(one), new Error('reset'))
    assert.equal(table.count, 1)
    assert.equal(metrics.value(METRIC.CONN_ERRORS), 1)
  })

  it('closes who has sent nothing for longer than the limit, and is not being answered', () => {
    const { table, clock, metrics, add } = fixture(10, 60_000)
    const idle = add()
    const speaking = add()
    const waiting = add()
    waiting.busy = true
    clock.advance(60)
    table.closeIdle()
    assert.equal(idle.ended, 'no', 'the limit itself is not too long')
    speaking.activeAtS = clock.nowS
    clock.advance(1)
    table.closeIdle()
    assert.deepEqual([idle.ended, speaking.ended, waiting.ended], ['destroyed', 'no', 'no'])
    assert.equal(metrics.value(METRIC.IDLE_KICKS), 1)
  })

  it('closes nobody without a limit', () => {
    const { table, clock, add } = fixture(10, 0)
    const idle = add()
    clock.advance(1_000_000)
    table.closeIdle()
    assert.equal(idle.ended, 'no')
  })

  it('logs refusals once in a while, with how many were not logged', () => {
    const { table, clock, lines } = fixture(1, 0)
    for (let i = 0; i < 5; i++) table.noteRefusal()
    clock.advance(11)
    table.noteRefusal()
    assert.equal(lines.length, 2)
    assert.match(lines[1] ?? '', /"not_logged":4/)
  })

  it('closes all who are answered, waits for the others, and cuts them when time is over', async () => {
    const { table, clock, add } = fixture(10, 0)
    const answered = add()
    const slow = add()
    const stuck = add()
    slow.busy = true
    stuck.busy = true
    const closing = table.closeAll(10_000)
    await settle()
    assert.deepEqual([answered.ended, slow.ended, stuck.ended], ['closed', 'no', 'no'])
    slow.busy = false
    clock.advance(1)
    await settle()
    assert.deepEqual([slow.ended, stuck.ended, table.count], ['closed', 'no', 1])
    clock.advance(10)
    await closing
    assert.equal(stuck.ended, 'destroyed')
    assert.equal(table.count, 0)
  })
})
