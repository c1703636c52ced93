import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildDataset, keyName, valueOf } from '../../bench/wire/dataset.ts'
import { writeGet, writeMultiget, writeSet } from '../../bench/wire/requests.ts'
import { Op, Pending, ReplyChecker, WrongReply } from '../../bench/wire/verify.ts'

const dataset = buildDataset({
  prefix: 't:',
  keyCount: 50,
  values: [
    { valueBytes: 5, share: 0.3 },
    { valueBytes: 100, share: 0.7 },
  ],
})
const keys = Uint32Array.from([3, 7, 7, 12])

test('every reply that is right is accepted, however it is split', () => {
  const { bytes, requests } = conversation()
  for (let split = 1; split < bytes.length; split++) {
    const { checker, pending } = checkerOf(requests)
    const answered = feed(checker, bytes.subarray(0, split)) + feed(checker, bytes.subarray(split))
    assert.equal(answered, requests.length)
    assert.equal(pending.count, 0)
    assert.equal(checker.hits, 2 + keys.length)
    assert.equal(checker.misses, 1)
  }
})

test('replies are accepted byte by byte', () => {
  const { bytes, requests } = conversation()
  const { checker } = checkerOf(requests)
  let answered = 0
  for (let i = 0; i < bytes.length; i++) answered += feed(checker, bytes.subarray(i, i + 1))
  assert.equal(answered, requests.length)
})

test('every single wrong byte is found', () => {
  const { bytes, requests } = conversation()
  for (let i = 0; i < bytes.length; i++) {
    const wrong = Buffer.from(bytes)
    wrong[i] = wrong[i]! ^ 1
    const { checker } = checkerOf(requests)
    assert.throws(() => feed(checker, wrong), WrongReply, `byte ${i}`)
  }
})

test('every single missing byte is found, at the latest as a request without its answer', () => {
  const { bytes, requests } = conversation()
  for (let i = 0; i < bytes.length; i++) {
    const short = Buffer.concat([bytes.subarray(0, i), bytes.subarray(i + 1)])
    const { checker, pending } = checkerOf(requests)
    let isWrong = false
    try {
      feed(checker, short)
    } catch {
      isWrong = true
    }
    assert.ok(isWrong || pending.count > 0, `byte ${i}`)
  }
})

test('a byte too many is found', () => {
  const { bytes, requests } = conversation()
  const { checker } = checkerOf(requests)
  assert.throws(() => feed(checker, Buffer.concat([bytes, Buffer.from('E')])), WrongReply)
})

test('the value of another key is wrong', () => {
  const { checker } = checkerOf([[Op.get, 3]])
  const reply = `VALUE ${keyName(dataset, 3)} 1003 ${valueOf(dataset, 3).length}\r\n`
  const other = Buffer.concat([Buffer.from(reply), valueOf(dataset, 4), Buffer.from('\r\nEND\r\n')])
  assert.throws(() => feed(checker, other), WrongReply)
})

test('a refusal is counted where it is allowed, in one piece or byte by byte, and wrong elsewhere', () => {
  const refusal = Buffer.from('SERVER_ERROR out of memory storing object\r\nSTORED\r\n')
  const sets: Request[] = [
    [Op.set, 1],
    [Op.set, 2],
  ]
  const whole = checkerOf(sets, true)
  assert.equal(feed(whole.checker, refusal), 2)
  const pieces = checkerOf(sets, true)
  for (let i = 0; i < refusal.length; i++) feed(pieces.checker, refusal.subarray(i, i + 1))
  assert.equal(pieces.pending.count, 0)
  assert.equal(pieces.checker.refusals, 1)
  assert.throws(() => feed(checkerOf(sets).checker, refusal), WrongReply)
  const other = Buffer.from('SERVER_ERROR something else\r\n')
  assert.throws(() => feed(checkerOf(sets, true).checker, other), WrongReply)
})

test('requests are what the protocol says', () => {
  const out = Buffer.alloc(1000)
  const key = keyName(dataset, 3)
  assert.equal(out.toString('latin1', 0, writeGet(out, 0, dataset, 3)), `get ${key}\r\n`)
  const value = valueOf(dataset, 3).toString('latin1')
  const set = `set ${key} 1003 0 ${value.length}`
  const loudBytes = writeSet(out, 0, dataset, 3, false)
  assert.equal(out.toString('latin1', 0, loudBytes), `${set}\r\n${value}\r\n`)
  const quietBytes = writeSet(out, 0, dataset, 3, true)
  assert.equal(out.toString('latin1', 0, quietBytes), `${set} noreply\r\n${value}\r\n`)
  const multiget = out.toString('latin1', 0, writeMultiget(out, 0, dataset, keys, 3, 2))
  assert.equal(multiget, `get ${keyName(dataset, 12)} ${key}\r\n`)
})

type Request = readonly [op: Op, key: number]

/** Requests of every kind, with the replies of a server that is right. */
function conversation(): { bytes: Buffer; requests: Request[] } {
  const end = Buffer.from('END\r\n')
  const stored = Buffer.from('STORED\r\n')
  return {
    requests: [
      [Op.get, 0],
      [Op.set, 1],
      [Op.get, 2],
      [Op.multiget, 0],
      [Op.incr, 9],
      [Op.get, 3],
      [Op.incr, 9],
    ],
    bytes: Buffer.concat([
      item(0),
      end,
      stored,
      end,
      ...[...keys].map(item),
      end,
      Buffer.from('1\r\n'),
      item(3),
      end,
      Buffer.from('2\r\n'),
    ]),
  }
}

function item(key: number): Buffer {
  const value = valueOf(dataset, key)
  const head = `VALUE ${keyName(dataset, key)} ${1000 + key} ${value.length}\r\n`
  return Buffer.concat([Buffer.from(head), value, Buffer.from('\r\n')])
}

function checkerOf(
  requests: readonly Request[],
  mayRefuse = false,
): { checker: ReplyChecker; pending: Pending } {
  const pending = new Pending(16)
  for (const [op, key] of requests) pending.push(op, key, 0)
  const counters = new Float64Array(dataset.keyCount)
  const multigetWidth = keys.length
  const options = { dataset, pending, keys, multigetWidth, counters, mayRefuse }
  return { checker: new ReplyChecker(options), pending }
}

function feed(checker: ReplyChecker, bytes: Buffer): number {
  return checker.feed(bytes, bytes.length)
}
