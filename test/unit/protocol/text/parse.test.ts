import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf } from '../../../../src/bytes/ascii.ts'
import { InputWindow } from '../../../../src/bytes/input-window.ts'
import { OP, OUTCOME, PARSED } from '../../../../src/message/codes.ts'
import type { Parsed } from '../../../../src/message/codes.ts'
import { Request } from '../../../../src/message/request.ts'
import { TextParser } from '../../../../src/protocol/text/parse.ts'

const GET_LINE_BYTES_MAX = 8192

interface Result {
  readonly parsed: Parsed
  readonly request: Request
  readonly key: string
  readonly rest: string
}

function windowOf(text: string): InputWindow {
  const buffer = Buffer.alloc(text.length + 8)
  buffer.write(text, 'latin1')
  const input = new InputWindow(bytesOf(buffer))
  input.show(input.bytes, 0, text.length)
  return input
}

function parse(text: string): Result {
  const input = windowOf(text)
  const { buffer } = input.bytes
  const request = new Request(input.bytes)
  const parsed = new TextParser(GET_LINE_BYTES_MAX).parse(input, request)
  const { keyStart, keyBytes } = request
  return {
    parsed,
    request,
    key: buffer.toString('latin1', keyStart, keyStart + keyBytes),
    rest: buffer.toString('latin1', input.start, input.end),
  }
}

function isQuiet(text: string): boolean {
  return parse(`${text}\r\n`).request.quiet
}

describe('the text parser', () => {
  it('reads a storage command and leaves its value', () => {
    const { parsed, request, key, rest } = parse('set foo 7 100 3 noreply\r\nbar\r\n')
    assert.equal(parsed, PARSED.READY_WITH_VALUE)
    assert.equal(key, 'foo')
    assert.equal(rest, 'bar\r\n')
    const { op, clientFlags, exptime, valueBytes, trailerBytes, quiet } = request
    assert.deepEqual(
      { op, clientFlags, exptime, valueBytes, trailerBytes, quiet },
      { op: OP.SET, clientFlags: 7, exptime: 100, valueBytes: 3, trailerBytes: 2, quiet: true },
    )
  })

  it('reads all 64 bits of a cas number and of a difference', () => {
    const cas = parse('cas k 0 0 1 18446744073709551614\r\n').request
    assert.deepEqual([cas.op, cas.casHi, cas.casLo], [OP.CAS, 0xffffffff, 0xfffffffe])
    const decr = parse('decr k 9223372036854775809\r\n').request
    assert.deepEqual([decr.op, decr.deltaHi, decr.deltaLo], [OP.DECR, 0x80000000, 1])
  })

  it('takes an expiry of 32 bits with sign, and no other', () => {
    const exptimes = ['0', '-1', '2592000', '2147483647', '-2147483648', '007', '-', '00000000009']
    assert.deepEqual(
      exptimes.map((text) => parse(`touch k ${text}\r\n`).request.exptime),
      [0, -1, 2592000, 2147483647, -2147483648, 7, 0, 9],
    )
    for (const text of [
      '2147483648',
      '-2147483649',
      '4294967296',
      '9223372036854775808',
      '000000000009',
      '--',
    ]) {
      for (const line of [`touch k ${text}\r\n`, `gat ${text} k\r\n`]) {
        assert.equal(parse(line).parsed, PARSED.REFUSED, line)
      }
      assert.equal(parse(`flush_all ${text}\r\n`).request.outcome, OUTCOME.BAD_EXPTIME, text)
    }
  })

  it('leaves it to the command what is wrong with the time of a flush, and forgets it by the next', () => {
    const parser = new TextParser(GET_LINE_BYTES_MAX)
    const window = windowOf('flush_all x\r\nflush_all 5\r\n')
    const request = new Request(window.bytes)
    for (const [outcome, exptime] of [
      [OUTCOME.BAD_EXPTIME, 0],
      [OUTCOME.NONE, 5],
    ]) {
      assert.equal(parser.parse(window, request), PARSED.READY)
      assert.deepEqual([request.outcome, request.exptime], [outcome, exptime])
    }
  })

  it('takes the low 32 bits of the expiry of a storage command, which may have 64', () => {
    const exptimes = ['-1', '2147483647', '2147483648', '4294967296', '-4294967295']
    exptimes.push('9223372036854775807', '-9223372036854775808')
    assert.deepEqual(
      exptimes.map((text) => parse(`set k 0 ${text} 1\r\n`).request.exptime),
      [-1, 2147483647, -2147483648, 0, 1, -1, 0],
    )
    for (const text of ['9223372036854775808', '-9223372036854775809', '-']) {
      assert.equal(parse(`set k 0 ${text} 1\r\n`).parsed, PARSED.REFUSED, text)
    }
  })

  it('takes noreply for the last word only', () => {
    assert.equal(isQuiet('set k 0 0 1 x y noreply'), true)
    assert.equal(isQuiet('set k 0 0 1 noreply x'), false)
    assert.equal(isQuiet('set k 0 0 1 noreplyx'), false)
    assert.equal(isQuiet('set k 0 0 1 Noreply'), false)
    assert.equal(isQuiet('flush_all noreply'), true)
    assert.equal(isQuiet('delete noreply'), true)
    assert.equal(isQuiet('get noreply'), false)
  })

  it('stays quiet about what is wrong in a noreply command whose length is good', () => {
    for (const text of ['set k abc 0 3 noreply', 'cas k 0 0 3 noreply', 'add k 0 1x 3 noreply']) {
      const { parsed, request } = parse(`${text}\r\n`)
      assert.equal(parsed, PARSED.REFUSED)
      assert.equal(request.quiet, true, text)
      assert.equal(request.swallowBytes, 5, text)
    }
    const { request } = parse('set k 0 0 x noreply\r\n')
    assert.deepEqual([request.quiet, request.swallowBytes], [false, 0])
  })

  it('forgets what the command before was', () => {
    const text = 'gats 100 k\r\nset k 1 2 0 noreply\r\nget k\r\nfoo\r\ncas k 0 0 3 x\r\nincr k\r\n'
    const buffer = Buffer.alloc(text.length + 8)
    buffer.write(text)
    const input = new InputWindow(bytesOf(buffer))
    input.show(input.bytes, 0, text.length)
    const request = new Request(input.bytes)
    const parser = new TextParser(GET_LINE_BYTES_MAX)
    assert.equal(parser.parse(input, request), PARSED.READY)
    assert.deepEqual([request.wantsCas, request.touches, request.last], [true, true, true])
    assert.equal(parser.parse(input, request), PARSED.READY_WITH_VALUE)
    assert.deepEqual([request.wantsCas, request.touches, request.quiet], [false, false, true])
    assert.equal(parser.parse(input, request), PARSED.READY)
    assert.deepEqual([request.wantsCas, request.touches, request.quiet], [false, false, false])
    assert.equal(parser.parse(input, request), PARSED.REFUSED)
    assert.deepEqual([request.outcome, request.swallowBytes], [OUTCOME.UNKNOWN_COMMAND, 0])
    assert.equal(parser.parse(input, request), PARSED.REFUSED)
    assert.deepEqual([request.outcome, request.swallowBytes], [OUTCOME.BAD_FORMAT, 5])
    assert.equal(parser.parse(input, request), PARSED.REFUSED)
    assert.deepEqual([request.outcome, request.swallowBytes], [OUTCOME.BAD_FORMAT, 0])
  })

  it('hands out a multiget key by key and knows the last', () => {
    const text = 'gets a bb  ccc \r\nversion\r\n'
    const buffer = Buffer.alloc(text.length + 8)
    buffer.write(text)
    const input = new InputWindow(bytesOf(buffer))
    input.show(input.bytes, 0, text.length)
    const request = new Request(input.bytes)
    const parser = new TextParser(GET_LINE_BYTES_MAX)
    const seen: [string, boolean][] = []
    do {
      assert.equal(parser.parse(input, request), PARSED.READY)
      const { keyStart, keyBytes, last } = request
      seen.push([buffer.toString('latin1', keyStart, keyStart + keyBytes), last])
    } while (request.continues)
    assert.deepEqual(seen, [
      ['a', false],
      ['bb', false],
      ['ccc', true],
    ])
    parser.parse(input, request)
    assert.equal(request.op, OP.VERSION)
  })

  it('takes keys of 250 bytes and refuses 251, with LF and with CR LF, first and last', () => {
    const key = 'k'.repeat(250)
    const texts = [
      'get %',
      'gets %',
      'get a %',
      'get % a',
      'gat 0 %',
      'gats 0 a %',
      'get  %',
      'get % ',
    ]
    for (const end of ['\n', '\r\n']) {
      for (const text of texts) {
        assert.equal(parse(text.replace('%', key) + end).parsed, PARSED.READY, text)
        assert.equal(parse(text.replace('%', `${key}k`) + end).parsed, PARSED.REFUSED, text)
      }
      for (const text of ['delete %', 'incr % 1', 'touch % 0']) {
        assert.equal(parse(text.replace('%', key) + end).parsed, PARSED.READY, text)
        assert.equal(parse(text.replace('%', `${key}k`) + end).parsed, PARSED.REFUSED, text)
      }
      const { parsed, request } = parse(`set ${key} 0 0 1${end}`)
      assert.equal(parsed, PARSED.READY_WITH_VALUE)
      assert.equal(request.keyBytes, 250)
    }
  })

  it('waits for the end of a line of 2048 bytes, and gives up one byte later', () => {
    assert.equal(parse('x'.repeat(2048)).parsed, PARSED.NEED_MORE)
    assert.equal(parse('x'.repeat(2049)).parsed, PARSED.LINE_TOO_LONG)
    assert.equal(parse(`gat 0 ${'k '.repeat(1500)}`).parsed, PARSED.LINE_TOO_LONG)
    assert.equal(parse(`getx ${'k '.repeat(1500)}`).parsed, PARSED.LINE_TOO_LONG)
  })

  it('waits longer for a get, up to its own limit', () => {
    for (const verb of ['get ', 'gets ', '  get ']) {
      assert.equal(parse(verb.padEnd(GET_LINE_BYTES_MAX, 'k ')).parsed, PARSED.NEED_MORE, verb)
      assert.equal(
        parse(verb.padEnd(GET_LINE_BYTES_MAX + 1, 'k ')).parsed,
        PARSED.LINE_TOO_LONG,
        verb,
      )
    }
    assert.equal(parse(`${' '.repeat(101)}get `.padEnd(3000, 'k ')).parsed, PARSED.LINE_TOO_LONG)
  })

  it('takes a length up to INT_MAX - 2', () => {
    assert.equal(parse('set k 0 0 2147483645\r\n').parsed, PARSED.READY_WITH_VALUE)
    assert.equal(parse('set k 0 0 2147483645\r\n').request.valueBytes, 2147483645)
    assert.equal(parse('set k 0 0 2147483646\r\n').parsed, PARSED.REFUSED)
  })

  it('hangs up on a browser, not on a command of ours', () => {
    assert.equal(parse('GET / HTTP/1.1\r\n').parsed, PARSED.HANG_UP)
    assert.equal(parse('GET / HTTP/1.1 \r\n').parsed, PARSED.HANG_UP)
    assert.equal(parse('GET / http/1.1\r\n').parsed, PARSED.REFUSED)
    assert.equal(parse('delete HTTP/1.1\r\n').parsed, PARSED.READY)
  })
})
