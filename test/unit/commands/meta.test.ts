/** What meta commands do beside what they answer; the transcripts hold what they answer. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf } from '../../../src/bytes/ascii.ts'
import { OutputBuffer } from '../../../src/bytes/output-buffer.ts'
import { arithmetic } from '../../../src/commands/arithmetic.ts'
import type { CommandContext } from '../../../src/commands/context.ts'
import { OP } from '../../../src/message/codes.ts'
import { Counter } from '../../../src/message/counter.ts'
import { Request } from '../../../src/message/request.ts'
import { Watchers } from '../../../src/observe/watchers.ts'
import { TextProtocol } from '../../../src/protocol/text/protocol.ts'
import { TestCache } from '../../helpers/cache.ts'
import { startServer } from '../../helpers/server.ts'

function marksOf({ cache }: TestCache, item: number): boolean[] {
  return [
    cache.marks.isStale(item),
    cache.marks.isWon(item),
    cache.marks.hasBinaryKey(item),
    cache.isFetched(item),
  ]
}

/** Adds one to the counter `n` of a cache. */
function increment(test: TestCache): void {
  const { cache, metrics, clock, view } = test
  const heap = cache.store.heap.bytes
  const used: Partial<CommandContext> = {
    cache,
    metrics,
    clock,
    view,
    heap,
    counter: new Counter(),
    watchers: new Watchers(clock, metrics),
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a counter needs no more of it
  const context = used as CommandContext
  const request = new Request(heap)
  request.op = OP.INCR
  request.deltaLo = 1
  request.ownKey.buffer.write('n')
  request.bytes = request.ownKey
  request.keyBytes = 1
  const sink = { flush: () => assert.fail(), sendPinned: () => assert.fail() }
  const out = new OutputBuffer(bytesOf(Buffer.alloc(100)), 0, 100, sink)
  arithmetic(context, request, new TextProtocol(8192).reply, out)
}

describe('meta commands', () => {
  it('count as memcached 1.6.18 counts them', async () => {
    const server = await startServer()
    const client = await server.connect()
    const session = [
      ['ms foo 1 T10\r\n1', 'HD'],
      ['mg foo', 'HD'],
      ['mg nope', 'EN'],
      ['mg foo T10', 'HD'],
      ['mg nope T10', 'EN'],
      ['mg foo u k', 'HD kfoo'],
      ['ma foo', 'HD'],
      ['ma foo MD', 'HD'],
      ['ma nope', 'NF'],
      ['ma nope MD', 'NF'],
      ['ma foo C1000000', 'EX'],
      ['md nope', 'NF'],
      ['md foo C1000000', 'EX'],
      ['md foo I', 'HD'],
      ['md foo', 'HD'],
      ['mn', 'MN'],
      ['me foo', 'EN'],
      ['mg viv N10', 'HD W'],
      ['ms foo 1 C1\r\n1', 'NF'],
      ['ms foo 1\r\n1', 'HD'],
      ['ms foo 1 C1000000\r\n1', 'EX'],
      ['ma x N0', 'HD'],
      ['ms nope 1 MR\r\n1', 'NS'],
      ['ms foo 1 ME\r\n1', 'NS'],
      ['ms foo 1 z\r\n1', 'CLIENT_ERROR invalid flag'],
      ['mg foo T5 q', 'HD'],
    ] as const
    for (const [line, word] of session) await client.ask(`${line}\r\n`, `${word}\r\n`)
    const stats = await server.stats()
    const counted = {
      cmd_get: 5,
      cmd_set: 6,
      cmd_touch: 2,
      get_hits: 3,
      get_misses: 2,
      touch_hits: 2,
      touch_misses: 0,
      delete_hits: 1,
      delete_misses: 2,
      incr_hits: 1,
      incr_misses: 1,
      decr_hits: 1,
      decr_misses: 1,
      cas_hits: 0,
      cas_misses: 1,
      cas_badval: 1,
      curr_items: 3,
    }
    const got = Object.fromEntries(Object.keys(counted).map((name) => [name, stats.get(name)]))
    assert.deepEqual(got, counted)
    client.destroy()
    await server.stop()
  })

  it('leave nothing behind for the text commands that follow in the same packet', async () => {
    const server = await startServer()
    const client = await server.connect()
    client.send(
      [
        'mg Zm9v b k N30 t E7 q\r\nget foo\r\n',
        'ms foo 1 k c s MA N9 C7 E9 b\r\n1\r\nset foo 5 0 2\r\n42\r\n',
        'ma foo N1 T1 C5 E5 v q\r\nincr foo 1\r\nma foo T0 E11 q\r\ndelete nope\r\n',
        'md nope I x T5 C0 q\r\nset bar 0 0 1\r\n1\r\ndelete bar\r\n',
        'mg foo k O1\r\ngets foo\r\nmg foo z\r\nbad\r\nmn\r\nversion x\r\n',
      ].join(''),
    )
    const replies = [
      'HD kfoo t30 W\r\nVALUE foo 0 0\r\n\r\nEND\r\n',
      'CLIENT_ERROR error decoding key\r\nSTORED\r\n',
      'EX\r\n43\r\nNOT_FOUND\r\n',
      'NF\r\nSTORED\r\nDELETED\r\n',
      'HD kfoo O1\r\nVALUE foo 5 2 11\r\n44\r\nEND\r\nCLIENT_ERROR invalid flag\r\nERROR\r\n',
      'MN\r\nVERSION 1.6.45\r\n',
    ]
    await client.expect(replies.join(''))
    client.destroy()
    await server.stop()
  })

  it('answer values of every size whole, cut anywhere, in the middle of others', async () => {
    const server = await startServer()
    const client = await server.connect()
    for (const size of [0, 1, 32_767, 32_768, 70_000, 500_000]) {
      const value = 'v'.repeat(size)
      client.send(`ms big ${size} k q\r\n`)
      client.send(value.slice(0, size >> 1))
      client.send(
        `${value.slice(size >> 1)}\r\nmg big v k\r\nmg none q\r\nmg big s v O1 q\r\nmn\r\n`,
      )
      await client.expect(
        `VA ${size} kbig\r\n${value}\r\nVA ${size} s${size} O1\r\n${value}\r\nMN\r\n`,
      )
    }
    client.destroy()
    await server.stop()
  })

  it('leave a counter as it is marked, also where somebody reads it and it is replaced', () => {
    for (const isPinned of [false, true]) {
      for (const [value, isLonger] of [
        ['8', false],
        ['9', true],
      ] as const) {
        const test = new TestCache()
        const { cache } = test
        test.set('n', Buffer.from(value))
        const item = test.find('n')
        cache.marks.invalidate(item)
        cache.marks.setWon(item)
        cache.marks.setBinaryKey(item)
        cache.touch(item)
        if (isPinned) cache.pin(item)
        increment(test)
        const after = test.find('n')
        assert.equal(test.valueOf(after).toString(), String(Number(value) + 1))
        assert.equal(after === item, !isPinned && !isLonger)
        assert.deepEqual(
          marksOf(test, after),
          Array.from({ length: 4 }, () => !isLonger),
        )
      }
    }
  })
})
