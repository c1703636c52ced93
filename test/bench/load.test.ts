import assert from 'node:assert/strict'
import { createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { type LoadResult } from '../../bench/wire/load-spec.ts'
import { runLoad } from '../../bench/wire/load.ts'
import { selectWorkloads, type Workload } from '../../bench/wire/workloads.ts'

const SECONDS = 0.1
const small: Partial<Workload> = { connections: 3 }

for (const name of ['get_p1', 'get_p16', 'mget50', 'set_p16', 'incr_p16', 'open20k', 'fill']) {
  test(`${name} finds a server that is right to be right`, async () => {
    const result = await loadAgainst(answer, name)
    assert.equal(result.failure, null)
    assert.ok(result.requests > 0)
    assert.equal(result.misses, 0)
    assert.ok(result.p50Us > 0 && result.p50Us <= result.p99Us && result.p99Us <= result.p999Us)
  })
}

test('a run against a server that once answers a wrong byte counts for nothing', async () => {
  const replies = { count: 0 }
  const result = await loadAgainst((line, value, items) => {
    const reply = answer(line, value, items)
    if (line.startsWith('get') && ++replies.count === 20) reply[30] = reply[30]! ^ 1
    return reply
  }, 'get_p1')
  assert.match(result.failure ?? '', /reply to get of a:/)
})

test('so does one against a server that answers more than it was asked', async () => {
  const replies = { count: 0 }
  const result = await loadAgainst((line, value, items) => {
    const reply = answer(line, value, items)
    return line.startsWith('get') && ++replies.count === 20 ? Buffer.concat([reply, reply]) : reply
  }, 'get_p1')
  assert.notEqual(result.failure, null)
})

test('so does one against a server that forgets', async () => {
  const result = await loadAgainst((line, value, items) => {
    if (items.size > 50) items.clear()
    return answer(line, value, items)
  }, 'get_p1')
  assert.match(result.failure ?? '', /missing/)
})

test('so does one against a server that hangs up', async () => {
  const result = await loadAgainst(
    () => Buffer.alloc(0),
    'get_p1',
    (socket) => socket.destroy(),
  )
  assert.notEqual(result.failure, null)
})

type Items = Map<string, { flags: string; value: Buffer }>
type Answer = (line: string, value: Buffer, items: Items) => Buffer

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

/** A memcached of the simplest kind, over a Map. */
function answer(line: string, value: Buffer, items: Items): Buffer {
  const words = line.split(' ')
  const key = words[1]!
  switch (words[0]) {
    case 'get':
      return Buffer.concat([...words.slice(1).map((one) => itemOf(one, items)), text('END\r\n')])
    case 'set':
      items.set(key, { flags: words[2]!, value })
      return words.at(-1) === 'noreply' ? Buffer.alloc(0) : text('STORED\r\n')
    default: {
      const counter = items.get(key)!
      counter.value = text(String(Number(counter.value) + Number(words[2])))
      return text(`${counter.value.toString()}\r\n`)
    }
  }
}

function itemOf(key: string, items: Items): Buffer {
  const item = items.get(key)
  if (item === undefined) return Buffer.alloc(0)
  const head = text(`VALUE ${key} ${item.flags} ${item.value.length}\r\n`)
  return Buffer.concat([head, item.value, text('\r\n')])
}

function listen(
  answerTo: Answer,
  onConnect: (socket: Socket) => void,
): Promise<{ server: Server; port: number }> {
  const items: Items = new Map()
  const server = createServer((socket) => {
    let input = Buffer.alloc(0)
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      input = Buffer.concat([input, chunk])
      for (;;) {
        const lineEnd = input.indexOf('\r\n')
        if (lineEnd < 0) return
        const line = input.toString('latin1', 0, lineEnd)
        const valueBytes = line.startsWith('set') ? Number(line.split(' ')[4]) : -2
        const end = lineEnd + 2 + valueBytes + 2
        if (input.length < end) return
        const value = Buffer.from(input.subarray(lineEnd + 2, Math.max(lineEnd + 2, end - 2)))
        socket.write(answerTo(line, value, items))
        input = input.subarray(end)
      }
    })
    onConnect(socket)
  })
  return new Promise((resolve, reject) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('no port'))
      else resolve({ server, port: address.port })
    })
  })
}

function text(words: string): Buffer {
  return Buffer.from(words, 'latin1')
}
