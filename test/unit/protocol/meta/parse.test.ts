import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf } from '../../../../src/bytes/ascii.ts'
import { InputWindow } from '../../../../src/bytes/input-window.ts'
import { OP, OPTION, OUTCOME, PARSED } from '../../../../src/message/codes.ts'
import type { Outcome, Parsed } from '../../../../src/message/codes.ts'
import { Request } from '../../../../src/message/request.ts'
import { TextParser } from '../../../../src/protocol/text/parse.ts'

const GET_LINE_BYTES_MAX = 8192
const CAPACITY = 4096

const parser = new TextParser(GET_LINE_BYTES_MAX)

/** A window over the bytes of a text, with what is behind it filled, so that reading on would show. */
function windowOver(text: string): InputWindow {
  const buffer = Buffer.alloc(CAPACITY, 'z')
  buffer.write(text, 'latin1')
  const input = new InputWindow(bytesOf(buffer))
  input.show(input.bytes, 0, text.length)
  return input
}

/** A request that still has everything of the last one, which asked for as much as can be. */
function usedRequest(input: InputWindow): Request {
  const request = new Request(input.bytes)
  request.op = OP.NOOP
  request.options = -1
  request.quiet = true
  request.wantsKey = true
  request.wantsItem = true
  request.ifCas = true
  request.vivifies = true
  request.clientFlags = 9
  request.exptime = 9
  request.deltaHi = 9
  request.deltaLo = 9
  request.initialHi = 9
  request.initialLo = 9
  request.shownCount = 9
  request.tokenBytes = 9
  request.swallowBytes = 9
  return request
}

/** What a reply and a handler can know of a request, as far as it counts for its command. */
function fieldsOf(parsed: Parsed, request: Request): Record<string, unknown> {
  const { bytes, keyStart, keyBytes, options, shown, shownCount, token, tokenBytes } = request
  const letters = String.fromCharCode(...shown.subarray(0, shownCount))
  const isRefused = parsed === PARSED.REFUSED
  return {
    parsed,
    op: request.op,
    quiet: request.quiet,
    ...(isRefused
      ? { outcome: request.outcome, swallowBytes: request.swallowBytes }
      : {
          key: bytes.buffer.toString('latin1', keyStart, keyStart + keyBytes),
          options: Object.entries(OPTION)
            .filter(([, bit]) => (options & bit) !== 0)
            .map(([name]) => name)
            .join(' '),
          shown: letters,
          token: letters.includes('O') ? token.buffer.toString('latin1', 0, tokenBytes) : '',
          ifCas: request.ifCas ? [request.casHi, request.casLo] : false,
          vivifyS: request.vivifies ? request.vivifyS : false,
        }),
  }
}

interface Read {
  readonly parsed: Parsed
  readonly request: Request
  readonly fields: Record<string, unknown>
  readonly rest: string
}

function read(text: string): Read {
  const input = windowOver(text)
  const request = usedRequest(input)
  const parsed = parser.parse(input, request)
  const rest = input.bytes.buffer.toString('latin1', input.start, input.end)
  return { parsed, request, fields: fieldsOf(parsed, request), rest }
}

function outcomeOf(line: string): Outcome | 'fine' {
  const { parsed, request } = read(`${line}\r\n`)
  if (parsed === PARSED.REFUSED) return request.outcome
  assert.ok(parsed === PARSED.READY || parsed === PARSED.READY_WITH_VALUE, line)
  return 'fine'
}

function swallowed(line: string): number {
  return read(`${line}\r\n`).request.swallowBytes
}

const LINES = [
  'mn',
  'mg foo',
  'mg foo v',
  'mg foo k q v',
  'mg foo s v t c f k O1 h l u',
  'mg foo T30 t N60 R-1 C18446744073709551615 E4294967296',
  'mg foo N60 t T30 R5',
  'mg Zm9v b k v',
  'mg foo v v',
  'mg foo T',
  'mg foo !',
  'ms foo 10',
  'ms foo 10 T100 F7 c k O99 s q',
  'ms Zm9v 10 b k MA N30',
  'ms foo 10 MR C5 I',
  'ms foo 10 z',
  'ms foo x T5',
  'md foo q I T30 x E5 C0',
  'ma foo N60 J13 D5 MD v t c',
  'ma foo C0 q',
  'me foo',
  'me Zm9v b',
  `mg ${'k'.repeat(250)} k`,
  `mg ${'k'.repeat(251)}`,
] as const

describe('the meta parser', () => {
  it('reads a get with all that it can show, in the order asked for', () => {
    assert.deepEqual(read('mg foo s v t c f k O1 h l u\r\n').fields, {
      parsed: PARSED.READY,
      op: OP.META_GET,
      quiet: false,
      key: 'foo',
      options: 'META_FORM PEEK VALUE DETAILS',
      shown: 'stcfkOhl',
      token: 'O1',
      ifCas: false,
      vivifyS: false,
    })
  })

  it('reads flags with numbers, and in which order those of expiry came', () => {
    const { request, fields } = read('mg foo T30 t N60 R-1 C18446744073709551615 E4294967296\r\n')
    assert.equal(
      fields['options'],
      'META_FORM TOUCH RECACHE TOUCH_BEFORE_RECACHE TOUCH_BEFORE_VIVIFY NEW_CAS DETAILS',
    )
    assert.equal(fields['shown'], 'TtN')
    assert.deepEqual(fields['ifCas'], [0xffff_ffff, 0xffff_ffff])
    assert.equal(fields['vivifyS'], 60)
    const { exptime, recacheS, newCasHi, newCasLo } = request
    assert.deepEqual([exptime, recacheS, newCasHi, newCasLo], [30, -1, 1, 0])
    assert.equal(read('mg foo N60 t T30\r\n').fields['options'], 'META_FORM TOUCH DETAILS')
    assert.equal(read('mg foo R60 T30\r\n').fields['options'], 'META_FORM TOUCH RECACHE')
  })

  it('reads a storage command and leaves its value', () => {
    const { request, fields, rest } = read('ms foo 3 F7 T100 q c\r\nbar\r\n')
    assert.deepEqual(fields, {
      parsed: PARSED.READY_WITH_VALUE,
      op: OP.SET,
      quiet: true,
      key: 'foo',
      options: 'META_FORM TOUCH DISCARD',
      shown: 'c',
      token: '',
      ifCas: false,
      vivifyS: false,
    })
    const { clientFlags, exptime, valueBytes, trailerBytes, wantsItem } = request
    assert.deepEqual(
      { clientFlags, exptime, valueBytes, trailerBytes, wantsItem },
      { clientFlags: 7, exptime: 100, valueBytes: 3, trailerBytes: 2, wantsItem: true },
    )
    assert.equal(rest, 'bar\r\n')
  })

  it('knows the mode of a storage command, and what C and N make of it', () => {
    const ops = ['', 'MS', 'ME', 'MA', 'MP', 'MR', 'C5', 'MR C5', 'ME C5', 'MA C5', 'MA N9'].map(
      (flags) => read(`ms foo 1 ${flags}\r\n`).fields['op'],
    )
    assert.deepEqual(ops, [
      OP.SET,
      OP.SET,
      OP.ADD,
      OP.APPEND,
      OP.PREPEND,
      OP.REPLACE,
      OP.CAS,
      OP.CAS,
      OP.ADD,
      OP.APPEND,
      OP.APPEND,
    ])
    const made = read('ms foo 1 T9 MA N30\r\n')
    assert.deepEqual([made.fields['vivifyS'], made.request.exptime], [30, 30])
    assert.equal(read('ms foo 1 MP C0\r\n').request.ifCas, false, 'no condition for an extension')
    assert.equal(read('ms foo 1 C0\r\n').request.ifCas, true, 'no item has it: a condition')
  })

  it('takes 0 and nothing for what a command does not say', () => {
    const set = read('ms foo 1\r\n').request
    assert.deepEqual([set.clientFlags, set.exptime, set.wantsItem], [0, 0, false])
    const counter = read('ma foo\r\n').request
    const { op, deltaHi, deltaLo, initialHi, initialLo, wantsItem } = counter
    assert.deepEqual(
      [op, deltaHi, deltaLo, initialHi, initialLo, wantsItem],
      [OP.INCR, 0, 1, 0, 0, false],
    )
    const removed = read('md foo x\r\n').request
    assert.deepEqual([removed.op, removed.clientFlags, removed.exptime], [OP.DELETE, 0, 0])
  })

  it('reads a counter', () => {
    const { request, fields } = read('ma foo N60 J13 D4294967296 M- v t c\r\n')
    assert.equal(fields['op'], OP.DECR)
    assert.equal(fields['shown'], 'Ntc')
    assert.equal(fields['vivifyS'], 60)
    const { deltaHi, deltaLo, initialHi, initialLo, wantsItem } = request
    assert.deepEqual([deltaHi, deltaLo, initialHi, initialLo, wantsItem], [1, 0, 0, 13, true])
    assert.equal(read('ma foo C0\r\n').request.ifCas, false)
    assert.equal(read('ma foo C1\r\n').request.ifCas, true)
  })

  it('keeps a key that the reply shows after the input is gone', () => {
    for (const line of ['ms foo 3 k\r\n', 'ms Zm9v 3 b k\r\n']) {
      const input = windowOver(line)
      const request = usedRequest(input)
      parser.parse(input, request)
      input.bytes.buffer.fill(0)
      const { bytes, keyStart, keyBytes } = request
      assert.equal(bytes.buffer.toString('latin1', keyStart, keyStart + keyBytes), 'foo')
    }
  })

  it('asks for more until a line is whole, consumes nothing before, and then reads the same', () => {
    for (const text of LINES.flatMap((line) => [`${line}\r\n`, `${line} \r\n`, `${line}\n`])) {
      const whole = read(text)
      assert.equal(whole.rest, '', text)
      for (let cut = 0; cut < text.length; cut++) {
        const input = windowOver(text)
        const request = usedRequest(input)
        input.end = cut
        const last = input.bytes.buffer[cut]!
        if (cut > 0) {
          assert.equal(parser.parse(input, request), PARSED.NEED_MORE, `${text} cut at ${cut}`)
          assert.equal(input.start, 0, `${text} cut at ${cut}`)
        }
        input.bytes.buffer[cut] = last
        input.end = text.length
        const parsed = parser.parse(input, request)
        assert.deepEqual(fieldsOf(parsed, request), whole.fields, `${text} cut at ${cut}`)
        assert.equal(input.start, text.length)
      }
    }
  })

  it('reads plain flags in one pass as it reads them in two', () => {
    for (const flags of ['', 'v', 'k q v', 'v q k', 's t c f h l', 'v k s t c f h l q', 'q']) {
      const plain = read(`mg foo${flags === '' ? '' : ` ${flags}`}\r\n`)
      const careful = read(`mg  foo ${flags}\r\n`)
      assert.deepEqual(plain.fields, careful.fields, flags)
    }
  })

  it('takes any bytes for a key, and bytes behind a letter', () => {
    assert.equal(read('mg \x01\t\xff\r v\r\n').fields['key'], '\x01\t\xff\r')
    assert.equal(read('mg foo vxyz k\tz q\r\n').fields['shown'], 'k')
    assert.equal(read('mg foo v\r\r\n').fields['options'], 'META_FORM VALUE')
  })

  it('says what is wrong with a flag', () => {
    const wrong: Readonly<Record<string, Outcome>> = {
      'mg foo v v': OUTCOME.DUPLICATE_FLAG,
      'mg foo T1 T2': OUTCOME.DUPLICATE_FLAG,
      'mg foo z': OUTCOME.BAD_FLAG,
      'mg foo Y': OUTCOME.BAD_FLAG,
      'mg foo z !': OUTCOME.BAD_FORMAT,
      'mg foo \x7f': OUTCOME.BAD_FORMAT,
      'mg foo Tx': OUTCOME.BAD_TOKEN,
      'mg foo Tx z': OUTCOME.BAD_FLAG,
      'mg foo Tx Jx': OUTCOME.BAD_INITIAL_VALUE,
      'mg foo Jx Dx': OUTCOME.BAD_DELTA_VALUE,
      'mg foo Fx': OUTCOME.BAD_FORMAT,
      'mg foo Tx Fx': OUTCOME.BAD_TOKEN,
      'mg foo b': OUTCOME.BAD_KEY_ENCODING,
      [`mg foo O${'1'.repeat(32)}`]: OUTCOME.OPAQUE_TOO_LONG,
      [`mg foo O${'1'.repeat(32)} b`]: OUTCOME.BAD_KEY_ENCODING,
      [`mg ${'k'.repeat(251)}`]: OUTCOME.BAD_FORMAT,
      'ms foo 1 MX': OUTCOME.BAD_SET_MODE,
      'ms foo 1 M': OUTCOME.BAD_SET_MODE,
      'ms foo 1 MX Tx': OUTCOME.BAD_TOKEN,
      'ms foo 2147483646': OUTCOME.BAD_FORMAT,
      'ma foo MX': OUTCOME.BAD_ARITHMETIC_MODE,
      'ma foo MX Tx': OUTCOME.BAD_OR_DUPLICATE_FLAG,
      'ma foo z': OUTCOME.BAD_OR_DUPLICATE_FLAG,
      'ma foo !': OUTCOME.BAD_FORMAT,
      'md foo q q': OUTCOME.DUPLICATE_FLAG,
      'me foo !': OUTCOME.BAD_FORMAT,
    }
    for (const [line, outcome] of Object.entries(wrong))
      assert.equal(outcomeOf(line), outcome, line)
  })

  it('takes what is at the limits', () => {
    for (const line of [
      `mg foo O${'1'.repeat(31)}`,
      `mg ${'k'.repeat(250)}`,
      'ms foo 2147483645 F4294967295',
      'mg foo C18446744073709551615',
      'mg foo v k t f c s h l q N5 T5 R5 u C1 I MS E1 x',
      'me foo z z',
    ]) {
      assert.equal(outcomeOf(line), 'fine', line)
    }
    assert.equal(
      outcomeOf('mg foo v k t f c s h l q N5 T5 R5 u C1 I MS E1 x L'),
      OUTCOME.TOO_MANY_FLAGS,
    )
    assert.equal(
      outcomeOf('ms foo 1 v k t f c s h l q N5 T5 R5 u C1 I MS E1 x'),
      OUTCOME.TOO_MANY_FLAGS,
    )
  })

  it('has the value of a refused command swallowed if its length could be read', () => {
    assert.equal(swallowed('ms foo 10 z'), 12)
    assert.equal(swallowed('ms foo 0 T'), 2)
    assert.equal(swallowed(`ms ${'k'.repeat(251)} 10`), 12)
    assert.equal(swallowed('ms foo x z'), 0)
    assert.equal(swallowed('ms foo'), 0)
    assert.equal(swallowed('mg foo z'), 0)
    assert.equal(swallowed('md foo z'), 0)
    assert.equal(swallowed('ma foo z'), 0)
  })

  it('hangs up on a line that is too long without an end', () => {
    const input = windowOver(`mg foo O${'1'.repeat(2041)}`)
    assert.equal(parser.parse(input, usedRequest(input)), PARSED.LINE_TOO_LONG)
    const shorter = windowOver(`mg foo O${'1'.repeat(2040)}`)
    assert.equal(parser.parse(shorter, usedRequest(shorter)), PARSED.NEED_MORE)
  })
})
