import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf } from '../../../../src/bytes/ascii.ts'
import { OutputBuffer, PINNED_VALUE_FROM } from '../../../../src/bytes/output-buffer.ts'
import { OP, OUTCOME } from '../../../../src/message/codes.ts'
import type { Outcome } from '../../../../src/message/codes.ts'
import { Counter } from '../../../../src/message/counter.ts'
import { ItemView } from '../../../../src/message/item-view.ts'
import { Request } from '../../../../src/message/request.ts'
import { BinaryReply } from '../../../../src/protocol/binary/reply.ts'
import { CasLetters, readFrames, replyLine } from '../../../helpers/frames.ts'

const CAPACITY = 4096

/** Gathers all that is written; the buffer is emptied whenever it is full. */
function collector(): { out: OutputBuffer; lines: () => string[]; pinned: number[] } {
  const parts: Buffer[] = []
  const pinned: number[] = []
  const take = (): void => {
    parts.push(Buffer.from(out.bytes.buffer.subarray(out.base, out.position)))
    out.reset(out.bytes, out.base, CAPACITY)
  }
  const out: OutputBuffer = new OutputBuffer(bytesOf(Buffer.alloc(CAPACITY)), 0, CAPACITY, {
    flush: take,
    sendPinned: (source, start, length, item) => {
      take()
      parts.push(Buffer.from(source.buffer.subarray(start, start + length)))
      pinned.push(item)
    },
  })
  const lines = (): string[] => {
    take()
    const { frames, rest } = readFrames(Buffer.concat(parts))
    assert.equal(rest.length, 0)
    const letters = new CasLetters()
    return frames.map((frame) => replyLine(frame, letters))
  }
  return { out, lines, pinned }
}

function request(fields: Partial<Request> = {}): Request {
  const bytes = bytesOf(Buffer.from('..key'))
  return Object.assign(new Request(bytes), { keyStart: 2, keyBytes: 3, opaque: 9, ...fields })
}

function itemOf(key: string, value: string): ItemView {
  const view = new ItemView(bytesOf(Buffer.from(`heap${key}${value}`, 'latin1')))
  return Object.assign(view, {
    item: 77,
    keyStart: 4,
    keyBytes: key.length,
    valueStart: 4 + key.length,
    valueBytes: value.length,
    clientFlags: 0xfedcba98,
    casHi: 0xffffffff,
    casLo: 0xfffffffe,
  })
}

const reply = new BinaryReply()

function said(fields: Partial<Request>, outcome: Outcome): string[] {
  const { out, lines } = collector()
  reply.outcome(out, request(fields), outcome)
  return lines()
}

describe('the replies of the binary protocol', () => {
  it('say each outcome with its status and its text', () => {
    const all = Object.values(OUTCOME).map((outcome) => said({ op: OP.SET }, outcome).join())
    const failures = all.filter((line) => line !== '#9 GET ok')
    assert.deepEqual(failures.slice(0, 6), [
      '#9 GET 0x05 value="Not stored."',
      '#9 GET 0x02 value="Data exists for key."',
      '#9 GET 0x01 value="Not found"',
      '#9 GET 0x03 value="Too large."',
      '#9 GET 0x82 value="Out of memory allocating item"',
      '#9 GET 0x06 value="Non-numeric server-side value for incr or decr"',
    ])
    assert.deepEqual(said({}, OUTCOME.BAD_FORMAT), ['#9 GET 0x04 value="Invalid arguments"'])
    assert.deepEqual(said({}, OUTCOME.UNKNOWN_COMMAND), ['#9 GET 0x81 value="Unknown command"'])
    assert.deepEqual(said({}, OUTCOME.NOT_AUTHENTICATED), ['#9 GET 0x20 value="Auth failure."'])
    assert.deepEqual(said({}, OUTCOME.AUTHENTICATED), ['#9 GET ok value=Authenticated'])
  })

  it('call some outcomes by what was asked for', () => {
    const status = (op: Request['op'], outcome: Outcome): string =>
      said({ op }, outcome)[0]!.split(' ')[2]!
    assert.equal(status(OP.ADD, OUTCOME.NOT_STORED), '0x02')
    assert.equal(status(OP.REPLACE, OUTCOME.NOT_STORED), '0x01')
    assert.equal(status(OP.APPEND, OUTCOME.NOT_STORED), '0x05')
    assert.equal(status(OP.PREPEND, OUTCOME.NOT_STORED), '0x05')
    assert.equal(status(OP.STATS, OUTCOME.UNKNOWN_COMMAND), '0x01')
    assert.deepEqual(said({ op: OP.DECR }, OUTCOME.NO_MEMORY), [
      '#9 GET 0x82 value="Out of memory incrementing value"',
    ])
  })

  it('keep quiet about success and misses, and about no failure', () => {
    const quiet = { quiet: true, wantsKey: true }
    for (const outcome of [OUTCOME.STORED, OUTCOME.DELETED, OUTCOME.OK, OUTCOME.BYE]) {
      assert.deepEqual(said(quiet, outcome), [])
    }
    for (const outcome of [OUTCOME.NOT_FOUND, OUTCOME.EXISTS, OUTCOME.NOT_STORED]) {
      assert.equal(said(quiet, outcome).length, 1)
    }
    const { out, lines } = collector()
    reply.miss(out, request(quiet))
    reply.changed(out, request(quiet), OUTCOME.STORED, itemOf('k', ''))
    reply.counter(out, request(quiet), new Counter(), itemOf('k', ''))
    reply.hit(out, request(quiet), itemOf('k', 'v'))
    assert.deepEqual(lines(), ['#9 GET ok flags=0xfedcba98 key=k value=v cas=A'])
  })

  it('show the key of a miss that it was asked for', () => {
    const { out, lines } = collector()
    reply.miss(out, request({ opcode: 0x0c, wantsKey: true }))
    reply.miss(out, request({ opcode: 0x00 }))
    assert.deepEqual(lines(), ['#9 GETK 0x01 key=key', '#9 GET 0x01 value="Not found"'])
  })

  it('show all 64 bits of a cas number and of a counter, and the flags of a touch', () => {
    const { out } = collector()
    const counter = Object.assign(new Counter(), { hi: 0x80000000, lo: 5 })
    reply.counter(out, request({ opcode: 5, op: OP.INCR }), counter, itemOf('k', ''))
    reply.changed(out, request({ opcode: 0x1c, op: OP.TOUCH }), OUTCOME.TOUCHED, itemOf('k', ''))
    reply.changed(out, request({ opcode: 1, op: OP.SET }), OUTCOME.STORED, itemOf('k', ''))
    const { frames } = readFrames(out.bytes.buffer.subarray(0, out.position))
    assert.deepEqual(
      frames.map(({ cas }) => cas),
      [0xfffffffffffffffen, 0xfffffffffffffffen, 0xfffffffffffffffen],
    )
    assert.equal(frames[0]!.value, '\x80\0\0\0\0\0\0\x05')
    assert.equal(frames[1]!.extras.toString('hex'), 'fedcba98')
    assert.equal(frames[2]!.extras.length, 0)
  })

  it('send a value whole where it does not fit the buffer, and from where it lies if it is large', () => {
    for (const length of [
      CAPACITY - 33,
      CAPACITY - 32,
      CAPACITY,
      PINNED_VALUE_FROM - 1,
      PINNED_VALUE_FROM,
    ]) {
      const { out, lines, pinned } = collector()
      reply.outcome(out, request(), OUTCOME.OK)
      reply.hit(out, request({ opaque: 10 }), itemOf('k', 'v'.repeat(length)))
      reply.outcome(out, request({ opaque: 11 }), OUTCOME.OK)
      assert.deepEqual(lines(), [
        '#9 GET ok',
        `#10 GET ok flags=0xfedcba98 value="v"*${length} cas=A`,
        '#11 GET ok',
      ])
      assert.deepEqual(pinned, length < PINNED_VALUE_FROM ? [] : [77])
    }
  })

  it('have one frame for each statistic, and an empty one behind the last', () => {
    const { out, lines } = collector()
    const asked = request({ opcode: 0x10, op: OP.STATS })
    for (let i = 0; i < 200; i++) reply.stat(out, asked, `name${i}`, `value${i}`)
    reply.endOfStats(out, asked)
    const expected = Array.from(
      { length: 200 },
      (_, i) => `#9 STAT ok key=name${i} value=value${i}`,
    )
    assert.deepEqual(lines(), [...expected, '#9 STAT ok'])
  })
})
