import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf } from '../../../../src/bytes/ascii.ts'
import type { Bytes } from '../../../../src/bytes/ascii.ts'
import { OutputBuffer, PINNED_VALUE_FROM } from '../../../../src/bytes/output-buffer.ts'
import { OUTCOME } from '../../../../src/message/codes.ts'
import type { Outcome } from '../../../../src/message/codes.ts'
import { ItemView } from '../../../../src/message/item-view.ts'
import { Request } from '../../../../src/message/request.ts'
import { TextReply } from '../../../../src/protocol/text/reply.ts'

const GUARD = 0xee
const CAPACITY = 1024

/** An output whose bytes are gathered as they leave, with a guard behind its end. */
function collector(capacity: number = CAPACITY) {
  const bytes = bytesOf(Buffer.alloc(capacity + 64, GUARD))
  const sent: Buffer[] = []
  const pinned: number[] = []
  const handOver = (): void => {
    sent.push(Buffer.from(bytes.buffer.subarray(out.base, out.position)))
    out.reset(bytes, 0, capacity)
  }
  const sink = {
    flush: handOver,
    sendPinned(source: Bytes, start: number, length: number, item: number): void {
      handOver()
      sent.push(Buffer.from(source.buffer.subarray(start, start + length)))
      pinned.push(item)
    },
  }
  const out = new OutputBuffer(bytes, 0, capacity, sink)
  const all = (): string => {
    handOver()
    for (const byte of bytes.buffer.subarray(capacity)) assert.equal(byte, GUARD, 'written too far')
    return Buffer.concat(sent).toString('latin1')
  }
  return { out, all, pinned }
}

function itemOf(key: string, value: string, clientFlags = 0, casHi = 0, casLo = 0): ItemView {
  const view = new ItemView(bytesOf(Buffer.from(`--${key}${value}`, 'latin1')))
  view.item = 77
  view.keyStart = 2
  view.keyBytes = key.length
  view.valueStart = 2 + key.length
  view.valueBytes = value.length
  Object.assign(view, { clientFlags, casHi, casLo })
  return view
}

function request(fields: Partial<Request> = {}): Request {
  return Object.assign(new Request(bytesOf(Buffer.alloc(8))), { last: true }, fields)
}

const reply = new TextReply()

/** Where the text protocol has no word. */
const UNSAID: readonly Outcome[] = [OUTCOME.NONE, OUTCOME.BYE]

describe('text replies', () => {
  it('show an item with its flags, its length and, if asked for, its cas number', () => {
    const { out, all } = collector()
    const item = itemOf('key', 'value', 4_294_967_295, 0xffff_ffff, 0xffff_fffe)
    reply.hit(out, request({ wantsCas: true }), item)
    reply.hit(out, request({ last: false }), item)
    reply.miss(out, request({ last: false }))
    reply.miss(out, request())
    assert.equal(
      all(),
      'VALUE key 4294967295 5 18446744073709551614\r\nvalue\r\nEND\r\n' +
        'VALUE key 4294967295 5\r\nvalue\r\nEND\r\n',
    )
  })

  it('come whole, wherever the output buffer ends', () => {
    const key = 'k'.repeat(250)
    for (let length = 0; length < 900; length += 7) {
      const { out, all } = collector()
      let expected = ''
      for (let i = 0; i < 8; i++) {
        const value = String.fromCharCode(97 + i).repeat(length + i)
        reply.hit(out, request({ wantsCas: true }), itemOf(key, value, 0xffff_ffff, 0xffff_ffff, i))
        const cas = (0xffff_ffffn << 32n) + BigInt(i)
        expected += `VALUE ${key} 4294967295 ${length + i} ${cas}\r\n${value}\r\nEND\r\n`
      }
      assert.equal(all(), expected)
    }
  })

  it('send a large value from where it lies, between the bytes around it', () => {
    for (const length of [PINNED_VALUE_FROM - 1, PINNED_VALUE_FROM]) {
      const { out, all, pinned } = collector()
      const value = 'v'.repeat(length)
      reply.hit(out, request(), itemOf('k', value))
      assert.ok(all() === `VALUE k 0 ${length}\r\n${value}\r\nEND\r\n`)
      assert.deepEqual(pinned, length < PINNED_VALUE_FROM ? [] : [77])
    }
  })

  it('have one line for each outcome, and none where none is wanted', () => {
    for (const outcome of Object.values(OUTCOME)) {
      const { out, all } = collector(200)
      reply.outcome(out, request(), outcome)
      const text = all()
      if (UNSAID.includes(outcome)) assert.equal(text, '')
      else assert.match(text, /^(?:[A-Z_]+:?|Error)(?: [A-Za-z0-9_: -]+)?\r\n$/)
      const { out: quiet, all: nothing } = collector(200)
      reply.outcome(quiet, request({ quiet: true }), outcome)
      reply.version(quiet, request({ quiet: true }), '1.2.3')
      assert.equal(nothing(), '')
    }
  })
})
