import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { describe, it } from 'node:test'
import type { Connection } from '../../../src/net/connection.ts'
import { ConnectionTable } from '../../../src/net/connection-table.ts'
import type { ConnectionTableOptions } from '../../../src/net/connection-table.ts'
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

function fixture(
  connectionsMax: number,
  idleTimeoutMs: number,
  others: Partial<ConnectionTableOptions> = {},
) {
  const clock = new ManualClock()
  const metrics = new Metrics()
  const lines: string[] = []
  const log = createLoggerTo({ write: (line) => void lines.push(line) }, 'warn', false)
  const options: ConnectionTableOptions = {
    connectionsMax,
    idleTimeoutMs,
    connectionsPerAddressMax: 0,
    whenFull: 'refuse',
    backlog: 2,
    ...others,
  }
  const table = new ConnectionTable(options, clock, metrics, log)
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
    table.add(asConnection(fake), table.take(from('10.0.0.1')))
    return fake
  }
  return { clock, metrics, table, lines, add }
}

function asConnection(fake: FakeConnection): Connection {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table uses no more of it
  return fake as unknown as Connection
}

/** A socket of which nothing is known but where it comes from. */
function from(remoteAddress: string | undefined): Socket {
  return Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress })
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
    const second = add()
    assert.equal(table.take(from('10.0.0.2')), null)
    second.destroy()
    await settle()
    assert.equal(table.count, 1)
    assert.notEqual(table.take(from('10.0.0.2')), null)
    assert.equal(table.take(from('10.0.0.3')), null)
  })

  it('has a limit for each address, and gives its place back once', () => {
    const { table, metrics } = fixture(10, 0, { connectionsPerAddressMax: 2 })
    const one = table.take(from('10.0.0.1'))
    table.take(from('::ffff:10.0.0.1'))
    assert.equal(table.take(from('10.0.0.1')), null, 'the same address, seen from IPv6')
    assert.notEqual(table.take(from('10.0.0.2')), null)
    assert.notEqual(table.take(from(undefined)), null)
    assert.notEqual(table.take(from(undefined)), null)
    assert.notEqual(table.take(from(undefined)), null, 'a UNIX socket has no address')
    assert.equal(metrics.value(METRIC.REJECTED_BY_ADDRESS), 1)
    one?.free()
    one?.free()
    assert.notEqual(table.take(from('10.0.0.1')), null)
    assert.equal(table.take(from('10.0.0.1')), null)
  })

  it('lets as many wait as it may, and admits them in their order', () => {
    const { table, metrics } = fixture(1, 0, { whenFull: 'wait', backlog: 2 })
    const first = table.take(from('10.0.0.1'))
    const admitted: string[] = []
    const places: { free(): void }[] = []
    const wait = (name: string, socket = from('10.0.0.1')): boolean =>
      table.wait(socket, (place) => {
        admitted.push(name)
        places.push(place)
      })
    assert.equal(table.accepting, true)
    const gone = from('10.0.0.1')
    assert.deepEqual([wait('gone', gone), wait('b'), wait('c')], [true, true, false])
    assert.equal(table.accepting, false)
    assert.equal(metrics.value(METRIC.LISTEN_DISABLED_NUM), 1)
    gone.destroy()
    first?.free()
    assert.deepEqual(admitted, ['b'])
    assert.deepEqual([wait('d'), wait('e')], [true, true])
    assert.equal(metrics.value(METRIC.LISTEN_DISABLED_NUM), 2)
    places[0]?.free()
    assert.deepEqual(admitted, ['b', 'd'])
  })

  it('lets nobody wait unless it is asked to', () => {
    const { table } = fixture(1, 0)
    assert.equal(
      table.wait(from('10.0.0.1'), () => undefined),
      false,
    )
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
    table.take(from('10.0.0.1'))
    for (let i = 0; i < 5; i++) table.take(from('10.0.0.1'))
    clock.advance(11)
    table.take(from('10.0.0.1'))
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
