import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf } from '../../../../src/bytes/ascii.ts'
import type { Bytes } from '../../../../src/bytes/ascii.ts'
import { OutputBuffer, PINNED_VALUE_FROM } from '../../../../src/bytes/output-buffer.ts'
import { OP, OPTION, OUTCOME } from '../../../../src/message/codes.ts'
import { Counter } from '../../../../src/message/counter.ts'
import { ItemView } from '../../../../src/message/item-view.ts'
import { Request } from '../../../../src/message/request.ts'
import { MetaReply } from '../../../../src/protocol/meta/reply.ts'
import { TextReply } from '../../../../src/protocol/text/reply.ts'

const CAPACITY = 1024
const ITEM = 7

interface Collected {
  readonly out: OutputBuffer
  readonly all: () => string
  readonly pinned: number[]
}

/** An output that is sent as often as it is full, in pieces that are put together again. */
function collector(): Collected {
  const bytes = bytesOf(Buffer.alloc(CAPACITY + 64))
  let sent = ''
  const pinned: number[] = []
  const take = (): void => {
    sent += bytes.buffer.toString('latin1', out.base, out.position)
    out.reset(bytes, 0, CAPACITY)
  }
  const out: OutputBuffer = new OutputBuffer(bytes, 0, CAPACITY, {
    flush: take,
    sendPinned(source: Bytes, start: number, length: number, item: number) {
      take()
      pinned.push(item)
      sent += source.buffer.toString('latin1', start, start + length)
    },
  })
  return {
    out,
    pinned,
    all: () => {
      take()
      return sent
    },
  }
}

function viewOf(key: string, value: string, fields: Partial<ItemView> = {}): ItemView {
  const bytes = bytesOf(Buffer.from(key + value, 'latin1'))
  const view = new ItemView(bytes)
  view.item = ITEM
  view.keyBytes = key.length
  view.valueStart = key.length
  view.valueBytes = value.length
  return Object.assign(view, fields)
}

function requestOf(shown: string, fields: Partial<Request> = {}): Request {
  const request = new Request(bytesOf(Buffer.from('foo')))
  request.op = OP.META_GET
  request.options = OPTION.META_FORM
  request.keyBytes = 3
  request.shown.set(Buffer.from(shown))
  request.shownCount = shown.length
  return Object.assign(request, fields)
}

const reply = new MetaReply(new TextReply())
const WITH_VALUE = OPTION.META_FORM | OPTION.VALUE

describe('meta replies', () => {
  it('show the largest there is of everything in one line', () => {
    const { out, all } = collector()
    const key = 'k'.repeat(250)
    const request = requestOf('kOstcflh', { options: WITH_VALUE })
    request.tokenBytes = 32
    request.token.buffer.fill('O')
    const view = viewOf(key, 'v', {
      hasBinaryKey: true,
      ttlS: 0xffff_ffff,
      casHi: 0xffff_ffff,
      casLo: 0xffff_ffff,
      clientFlags: 0xffff_ffff,
      idleS: 0xffff_ffff,
      isFetched: true,
      isStale: true,
      isWon: true,
      wins: true,
    })
    out.position += CAPACITY - 40
    const before = '\0'.repeat(CAPACITY - 40)
    reply.hit(out, request, view)
    const encoded = Buffer.from(key).toString('base64')
    const numbers = 's1 t4294967295 c18446744073709551615 f4294967295 l4294967295 h1'
    assert.equal(all(), `${before}VA 1 k${encoded} b ${'O'.repeat(32)} ${numbers} Z X W\r\nv\r\n`)
  })

  it('send values of every size whole, large ones from where they lie', () => {
    const sizes = [0, 1, CAPACITY - 9, CAPACITY - 8, CAPACITY, 5000, PINNED_VALUE_FROM - 1]
    for (const size of [...sizes, PINNED_VALUE_FROM, PINNED_VALUE_FROM + 1]) {
      const { out, all, pinned } = collector()
      const value = 'x'.repeat(size)
      reply.hit(out, requestOf('', { options: WITH_VALUE }), viewOf('foo', value))
      assert.ok(all() === `VA ${size} \r\n`.replace(' \r', '\r') + `${value}\r\n`, String(size))
      assert.deepEqual(pinned, size < PINNED_VALUE_FROM ? [] : [ITEM])
    }
  })

  it('leave out the value that the client says it has', () => {
    const had = { ifCas: true, casHi: 1, casLo: 2, options: WITH_VALUE }
    for (const [view, word] of [
      [viewOf('foo', 'v', { casHi: 1, casLo: 2 }), 'HD\r\n'],
      [viewOf('foo', 'v', { casHi: 1, casLo: 3 }), 'VA 1\r\nv\r\n'],
      [viewOf('foo', 'v', { casHi: 2, casLo: 2 }), 'VA 1\r\nv\r\n'],
    ] as const) {
      const { out, all } = collector()
      reply.hit(out, requestOf('', had), view)
      assert.equal(all(), word)
    }
  })

  it('say nothing of a success, or of a miss, that is quiet, and all the rest', () => {
    const { out, all } = collector()
    const quiet = requestOf('k', { quiet: true })
    reply.miss(out, quiet)
    const changed = requestOf('k', { quiet: true, op: OP.SET })
    for (const outcome of [OUTCOME.STORED, OUTCOME.DELETED]) reply.outcome(out, changed, outcome)
    reply.changed(out, changed, OUTCOME.STORED, viewOf('foo', 'v'))
    reply.counter(out, changed, new Counter(), viewOf('foo', 'v'))
    assert.equal(all(), '')
    for (const outcome of [
      OUTCOME.NOT_STORED,
      OUTCOME.EXISTS,
      OUTCOME.NOT_FOUND,
      OUTCOME.TOO_LARGE,
    ]) {
      reply.outcome(out, changed, outcome)
    }
    assert.equal(
      all(),
      'NS kfoo\r\nEX kfoo\r\nNF kfoo\r\nSERVER_ERROR object too large for cache\r\n',
    )
  })

  it('show of what was not stored its size, and no cas number; of what is not there nothing', () => {
    const { out, all } = collector()
    reply.outcome(out, requestOf('csk', { op: OP.CAS, valueBytes: 12 }), OUTCOME.EXISTS)
    reply.outcome(out, requestOf('ctk', { op: OP.INCR }), OUTCOME.NOT_FOUND)
    reply.miss(out, requestOf('cstfhlk'))
    assert.equal(all(), 'EX c0 s12 kfoo\r\nNF kfoo\r\nEN kfoo\r\n')
  })
})
