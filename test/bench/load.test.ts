import assert from 'node:assert/strict'
import { type Socket } from 'node:net'
import { test } from 'node:test'
import { type LoadResult } from '../../bench/wire/load-spec.ts'
import { runLoad } from '../../bench/wire/load.ts'
import { selectWorkloads, type Workload, WORKLOADS } from '../../bench/wire/workloads.ts'
import { answer, type Answer, isGet, listen } from './simple-server.ts'

const SECONDS = 0.1
const small: Partial<Workload> = { connections: 3 }

for (const { name, setShare } of WORKLOADS) {
  test(`${name} finds a server that is right to be right`, async () => {
    let gets = 0
    const result = await loadAgainst((request, items) => {
      if (isGet(request)) gets++
      return answer(request, items)
    }, name)
    assert.equal(result.failure, null)
    assert.ok(result.requests > 0)
    assert.equal(result.misses, 0)
    assert.ok(result.p50Us > 0 && result.p50Us <= result.p99Us && result.p99Us <= result.p999Us)
    if (setShare < 1 && !name.startsWith('incr')) assert.ok(gets > 0 && result.hits > 0)
  })
}

for (const name of ['get_p1', 'mget50', 'mg_p16', 'bget_p1', 'bget_p16', 'bgetq50']) {
  test(`${name}: a run against a server that once answers a wrong byte counts for nothing`, async () => {
    let replies = 0
    const result = await loadAgainst((request, items) => {
      const reply = answer(request, items)
      if (isGet(request) && ++replies === 5) reply[30] = reply[30]! ^ 1
      return reply
    }, name)
    assert.match(result.failure ?? '', /reply to (?:multi)?get of a:/)
  })

  test(`${name}: so does one against a server that answers more than it was asked`, async () => {
    let replies = 0
    const result = await loadAgainst((request, items) => {
      const reply = answer(request, items)
      return isGet(request) && ++replies === 5 ? Buffer.concat([reply, reply]) : reply
    }, name)
    assert.match(result.failure ?? '', /nobody asked for|reply to (?:multi)?[gs]et of a:/)
  })

  test(`${name}: so does one against a server that gives one key the value of another`, async () => {
    let replies = 0
    const result = await loadAgainst((request, items) => {
      if (isGet(request) && ++replies === 5) {
        const [first, second] = items.values()
        for (const [key, item] of items) items.set(key, item === first ? second! : first!)
      }
      return answer(request, items)
    }, name)
    assert.match(result.failure ?? '', /reply to (?:multi)?get of a:/)
  })

  test(`${name}: so does one against a server that forgets`, async () => {
    const result = await loadAgainst((request, items) => {
      if (items.size === 300) items.clear()
      return answer(request, items)
    }, name)
    assert.match(result.failure ?? '', /missing/)
  })
}

test('so does one against a server that hangs up', async () => {
  const result = await loadAgainst(
    () => Buffer.alloc(0),
    'get_p1',
    (socket) => socket.destroy(),
  )
  assert.notEqual(result.failure, null)
})

async function loadAgainst(
  answerTo: Answer,
  name: string,
  onConnect: (socket: Socket) => void = () => {},
): Promise<LoadResult> {
  const { server, port } = await listen(answerTo, onConnect)
  try {
    const [found] = selectWorkloads([name])
    const workload = { ...found!, ...small, data: { ...found!.data, keyCount: 300 } }
    const run = { seconds: SECONDS, mustPopulate: true, seed: 1, polls: false }
    return await runLoad({ workload, port, pid: process.pid, ...run })
  } finally {
    server.close()
  }
}
