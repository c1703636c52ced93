import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyName, valueOf } from '../../bench/wire/dataset.ts'
import { text } from '../../bench/wire/dialect/text.ts'
import { Op } from '../../bench/wire/pending.ts'
import { WrongReply } from '../../bench/wire/verify.ts'
import { checkerOf, CONVERSATIONS, dataset, feed, type Request } from './conversations.ts'

for (const { name, dialect, requests, replies, isFree, hits, misses } of CONVERSATIONS) {
  const bytes = Buffer.concat(replies)

  test(`${name}: every reply that is right is accepted, however it is split`, () => {
    for (let split = 1; split < bytes.length; split++) {
      const { checker, pending } = checkerOf(dialect, requests)
      const answered =
        feed(checker, bytes.subarray(0, split)) + feed(checker, bytes.subarray(split))
      assert.equal(answered, requests.length)
      assert.equal(pending.count, 0)
      assert.deepEqual(checker.tally, { hits, misses, refusals: 0 })
    }
  })

  test(`${name}: replies are accepted byte by byte, and all at once`, () => {
    const { checker } = checkerOf(dialect, requests)
    let answered = 0
    for (let i = 0; i < bytes.length; i++) answered += feed(checker, bytes.subarray(i, i + 1))
    assert.equal(answered, requests.length)
    assert.equal(feed(checkerOf(dialect, requests).checker, bytes), requests.length)
  })

  test(`${name}: every single wrong bit is found, but where nobody can know it`, () => {
    let free = 0
    for (let i = 0; i < bytes.length; i++) {
      if (isFree(i)) free++
      for (let bit = 0; bit < 8; bit++) {
        const wrong = Buffer.from(bytes)
        wrong[i] = wrong[i]! ^ (1 << bit)
        const { checker } = checkerOf(dialect, requests)
        if (isFree(i)) assert.equal(feed(checker, wrong), requests.length, `byte ${i}, bit ${bit}`)
        else assert.throws(() => feed(checker, wrong), WrongReply, `byte ${i}, bit ${bit}`)
      }
    }
    assert.ok(free < bytes.length / 2)
  })

  test(`${name}: every single missing byte is found, at the latest as a request without its answer`, () => {
    for (let i = 0; i < bytes.length; i++) {
      const short = Buffer.concat([bytes.subarray(0, i), bytes.subarray(i + 1)])
      assert.ok(isFound(dialect, requests, short, misses), `byte ${i}`)
    }
  })

  test(`${name}: a reply that is missing, comes twice, or comes too early is found`, () => {
    for (let i = 0; i < replies.length; i++) {
      const [before, reply, after] = [replies.slice(0, i), replies[i]!, replies.slice(i + 1)]
      const missing = Buffer.concat([...before, ...after])
      assert.ok(isFound(dialect, requests, missing, misses), `reply ${i} is missing`)
      const twice = Buffer.concat([...before, reply, reply, ...after])
      assert.ok(isFound(dialect, requests, twice, misses), `reply ${i} comes twice`)
      const next = after[0]
      if (next === undefined || next.equals(reply)) continue
      const early = Buffer.concat([...before, next, reply, ...after.slice(1)])
      assert.ok(isFound(dialect, requests, early, misses), `reply ${i + 1} comes too early`)
    }
  })

  test(`${name}: a byte too many is found`, () => {
    for (const surplus of ['E', '\x81', '\r']) {
      const { checker } = checkerOf(dialect, requests)
      const more = Buffer.concat([bytes, Buffer.from(surplus, 'latin1')])
      assert.throws(() => feed(checker, more), WrongReply)
    }
  })
}

test('the value of another key is wrong', () => {
  const { checker } = checkerOf(text, [[Op.get, 3]])
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
  const whole = checkerOf(text, sets, true)
  assert.equal(feed(whole.checker, refusal), 2)
  const pieces = checkerOf(text, sets, true)
  for (let i = 0; i < refusal.length; i++) feed(pieces.checker, refusal.subarray(i, i + 1))
  assert.equal(pieces.pending.count, 0)
  assert.equal(pieces.checker.tally.refusals, 1)
  assert.throws(() => feed(checkerOf(text, sets).checker, refusal), WrongReply)
  const other = Buffer.from('SERVER_ERROR something else\r\n')
  assert.throws(() => feed(checkerOf(text, sets, true).checker, other), WrongReply)
})

/** Whether the checker threw, or still waits for an answer, or counts more misses than there are. */
function isFound(
  dialect: Parameters<typeof checkerOf>[0],
  requests: readonly Request[],
  bytes: Buffer,
  misses: number,
): boolean {
  const { checker, pending } = checkerOf(dialect, requests)
  try {
    feed(checker, bytes)
  } catch (error) {
    assert.ok(error instanceof WrongReply)
    return true
  }
  return pending.count > 0 || checker.tally.misses > misses
}
