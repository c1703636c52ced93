import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { bytesOf } from '../../../../src/bytes/ascii.ts'
import { InputWindow } from '../../../../src/bytes/input-window.ts'
import { OP, OUTCOME, PARSED } from '../../../../src/message/codes.ts'
import type { Parsed } from '../../../../src/message/codes.ts'
import { Request } from '../../../../src/message/request.ts'
import { ACCESS } from '../../../../src/protocol/binary/layout.ts'
import type { Access } from '../../../../src/protocol/binary/layout.ts'
import { BinaryParser } from '../../../../src/protocol/binary/parse.ts'
import { OPCODES, requestFrame } from '../../../helpers/frames.ts'

const OFFSET = 3
const BEHIND = 5

interface Result {
  readonly parsed: Parsed
  readonly request: Request
  readonly key: string
  /** Bytes of input that were consumed. */
  readonly consumed: number
}

function frameOf(...lines: string[]): Buffer {
  return Buffer.concat(
    lines.map((line) =>
      requestFrame(line, () => {
        throw new Error('no letters here')
      }),
    ),
  )
}

/** Parses what stands in the middle of a buffer of other bytes, of which none may matter. */
function parseBytes(
  bytes: Buffer,
  { access = ACCESS.OPEN, request }: { access?: Access; request?: Request } = {},
): Result {
  const buffer = Buffer.alloc(OFFSET + bytes.length + BEHIND, 0x80)
  bytes.copy(buffer, OFFSET)
  const input = new InputWindow(bytesOf(buffer))
  input.show(input.bytes, OFFSET, OFFSET + bytes.length)
  const into = request ?? new Request(input.bytes)
  const parsed = new BinaryParser(access).parse(input, into)
  assert.equal(input.end, OFFSET + bytes.length)
  return {
    parsed,
    request: into,
    key: buffer.toString('latin1', into.keyStart, into.keyStart + into.keyBytes),
    consumed: input.start - OFFSET,
  }
}

function parse(line: string): Result {
  return parseBytes(frameOf(line))
}

function refusal(line: string, access: Access = ACCESS.OPEN): number[] {
  const { parsed, request } = parseBytes(frameOf(line), { access })
  return [parsed, request.outcome]
}

describe('the binary parser', () => {
  it('reads a storage command and leaves its value', () => {
    const { parsed, request, key, consumed } = parse(
      '#7 SET flags=0xdeadbeef exptime=4294967295 cas=18446744073709551614 key=foo value=bar',
    )
    assert.equal(parsed, PARSED.READY_WITH_VALUE)
    assert.deepEqual([key, consumed], ['foo', 24 + 8 + 3])
    const { op, clientFlags, exptime, valueBytes, trailerBytes, ifCas, casHi, casLo } = request
    assert.deepEqual(
      { op, clientFlags, exptime, valueBytes, trailerBytes, ifCas, casHi, casLo },
      {
        op: OP.SET,
        clientFlags: 0xdeadbeef,
        exptime: 4294967295,
        valueBytes: 3,
        trailerBytes: 0,
        ifCas: true,
        casHi: 0xffffffff,
        casLo: 0xfffffffe,
      },
    )
    assert.deepEqual([request.opcode, request.opaque, request.quiet], [1, 7, false])
  })

  it('makes a cas of an add or replace with a cas number, and of no other', () => {
    const ops = ['SET', 'ADD', 'REPLACE', 'APPEND', 'PREPEND'].map((name) => [
      parse(`#1 ${name} key=a`).request.op,
      parse(`#1 ${name} cas=1 key=a`).request.op,
      parse(`#1 ${name} cas=4294967296 key=a`).request.ifCas,
    ])
    assert.deepEqual(ops, [
      [OP.SET, OP.SET, true],
      [OP.ADD, OP.CAS, true],
      [OP.REPLACE, OP.CAS, true],
      [OP.APPEND, OP.APPEND, true],
      [OP.PREPEND, OP.PREPEND, true],
    ])
  })

  it('reads all numbers of a counter, and when it is not to be made', () => {
    const { request, parsed, key } = parse(
      '#1 DECR delta=18446744073709551614 initial=9223372036854775809 exptime=0xfffffffe cas=3 key=n',
    )
    assert.deepEqual([parsed, key, request.op], [PARSED.READY, 'n', OP.DECR])
    assert.deepEqual([request.deltaHi, request.deltaLo], [0xffffffff, 0xfffffffe])
    assert.deepEqual([request.initialHi, request.initialLo], [0x80000000, 1])
    assert.deepEqual([request.vivifies, request.vivifyS], [true, 0xfffffffe])
    assert.deepEqual([request.ifCas, request.casLo], [true, 3])
    assert.equal(parse('#1 INCR exptime=0xffffffff key=n').request.vivifies, false)
  })

  it('knows every get from the others', () => {
    const traits = ['GET', 'GETQ', 'GETK', 'GETKQ', 'GAT', 'GATQ', 'GATK', 'GATKQ'].map((name) => {
      const { parsed, request, key } = parse(`#1 ${name} exptime=9 key=foo`)
      assert.deepEqual([parsed, request.op, key], [PARSED.READY, OP.GET, 'foo'])
      return [request.quiet, request.wantsKey, request.touches]
    })
    const two = [false, true]
    assert.deepEqual(
      traits,
      two.flatMap((touches) =>
        two.flatMap((wantsKey) => two.map((quiet) => [quiet, wantsKey, touches])),
      ),
    )
  })

  it('knows which commands are quiet', () => {
    const quiet = Object.keys(OPCODES).filter((name) => parse(`#1 ${name} key=a`).request.quiet)
    const withKey = quiet.filter((name) => !['QUITQ', 'FLUSHQ'].includes(name))
    assert.deepEqual(
      withKey,
      Object.keys(OPCODES).filter(
        (name) => name.endsWith('Q') && !['QUITQ', 'FLUSHQ'].includes(name),
      ),
    )
    assert.equal(parse('#1 QUITQ').request.quiet, true)
    assert.equal(parse('#1 FLUSHQ').request.quiet, true)
    assert.equal(parse('#1 QUIT').request.quiet, false)
    assert.equal(parse('#1 FLUSH').request.quiet, false)
  })

  it('forgets what the command before was', () => {
    const request = new Request(bytesOf(Buffer.alloc(1)))
    const read = (line: string): Request => parseBytes(frameOf(line), { request }).request
    read('#1 GATKQ exptime=5 key=a')
    request.options = 5
    const get = read('#2 GET key=a')
    assert.deepEqual(
      [get.touches, get.wantsKey, get.quiet, get.options, get.wantsItem, get.opaque],
      [false, false, false, 0, false, 2],
    )
    read('#3 INCR cas=4 key=a')
    const appended = read('#4 APPEND key=a value=b')
    assert.deepEqual(
      [appended.ifCas, appended.vivifies, appended.clientFlags, appended.exptime],
      [false, false, 0, 0],
    )
    read('#5 SET cas=4 key=a flags=7 exptime=7')
    assert.equal(read('#6 DELETE key=a').ifCas, false)
    read('#7 FLUSH exptime=100')
    assert.equal(read('#8 FLUSH').exptime, 0)
  })

  it('asks for more as long as header, extras and key are not there, and then for no more', () => {
    const lines = [
      '#1 GETK key=foo',
      '#1 SET key=foo value=bar',
      '#1 INCR key=foo',
      '#1 GAT key=foo',
      '#1 FLUSH exptime=5',
      '#1 FLUSH',
      '#1 NOOP',
      '#1 STAT key=settings',
      '#1 PREPENDQ key="k"*250 value=x',
    ]
    for (const line of lines) {
      const bytes = frameOf(line)
      const whole = parseBytes(bytes)
      for (let length = 1; length < whole.consumed; length++) {
        const { parsed, consumed } = parseBytes(bytes.subarray(0, length))
        assert.deepEqual([parsed, consumed], [PARSED.NEED_MORE, 0], `${line}, ${length} bytes`)
      }
      const { parsed, key } = parseBytes(bytes.subarray(0, whole.consumed))
      assert.deepEqual([parsed, key], [whole.parsed, whole.key], line)
      assert.ok(parsed === PARSED.READY || parsed === PARSED.READY_WITH_VALUE)
    }
  })

  it('judges a header before what follows it has come', () => {
    const wrong = [
      '#1 GET',
      '#1 SET extras=00 key=a value=b',
      '#1 INCR key=a value=b',
      '#1 TOUCH key=a value=b',
      '#1 STAT key=a value=b',
      '#1 NOOP key=a',
      '#1 FLUSH key=a',
      '#1 GET key="k"*251',
      '#1 0x30 key="k"*251',
    ]
    for (const line of wrong) {
      const { parsed, request } = parseBytes(frameOf(line).subarray(0, 24))
      assert.deepEqual([parsed, request.outcome], [PARSED.MALFORMED, OUTCOME.BAD_FORMAT], line)
    }
    const lie = parseBytes(frameOf('#1 SET key=foo value=bar bodybytes=10').subarray(0, 24))
    assert.deepEqual([lie.parsed, lie.request.outcome], [PARSED.MALFORMED, OUTCOME.UNKNOWN_COMMAND])
  })

  it('takes no length near 2^32 for that of a value', () => {
    for (const name of ['SET', 'ADDQ', 'APPEND', 'PREPENDQ']) {
      for (const bodybytes of [0xffffffff, 0x80000100]) {
        assert.deepEqual(
          refusal(`#1 ${name} key=a bodybytes=${bodybytes}`),
          [PARSED.MALFORMED, OUTCOME.TOO_LARGE],
          `${name} ${bodybytes}`,
        )
      }
      const most = parse(`#1 ${name} key=a bodybytes=2147483647`)
      assert.equal(most.parsed, PARSED.READY_WITH_VALUE)
      assert.ok(most.request.valueBytes > 0x7fffff00)
    }
    for (const name of ['GET', 'DELETE', 'INCR', 'GAT', 'STAT', 'NOOP', 'FLUSH']) {
      assert.equal(refusal(`#1 ${name} bodybytes=4294967295`)[0], PARSED.MALFORMED, name)
    }
  })

  it('skips the body of a command that it does not know, whatever its length', () => {
    const { parsed, request, consumed } = parse(
      '#1 0x77 extras=00112233 key=abc value=defg bodybytes=4294967295',
    )
    assert.deepEqual([parsed, consumed], [PARSED.REFUSED, 24])
    assert.deepEqual([request.outcome, request.swallowBytes], [OUTCOME.UNKNOWN_COMMAND, 4294967295])
  })

  it('hangs up on what does not begin with its byte', () => {
    for (const text of ['g', 'get foo\r\n', '\x81\x0a', '\0']) {
      assert.equal(parseBytes(Buffer.from(text, 'latin1')).parsed, PARSED.HANG_UP)
    }
  })

  it('knows no login where nobody has to log in', () => {
    for (const line of ['#1 SASL_LIST', '#1 SASL_AUTH key=PLAIN value=x', '#1 SASL_STEP key=x']) {
      assert.deepEqual(refusal(line), [PARSED.REFUSED, OUTCOME.UNKNOWN_COMMAND], line)
    }
  })

  it('lets those who have not logged in do that, and ask for the version', () => {
    const allowed = Object.keys(OPCODES).filter((name) => {
      const key = name === 'SASL_AUTH' || name === 'SASL_STEP' ? ' key=PLAIN value=x' : ''
      const { parsed, request } = parseBytes(frameOf(`#1 ${name}${key}`), { access: ACCESS.LOCKED })
      if (parsed === PARSED.READY) return true
      assert.deepEqual([parsed, request.outcome], [PARSED.MALFORMED, OUTCOME.NOT_AUTHENTICATED])
      return false
    })
    assert.deepEqual(allowed, ['VERSION', 'SASL_LIST', 'SASL_AUTH', 'SASL_STEP'])
    assert.deepEqual(refusal('#1 0x99', ACCESS.LOCKED), [
      PARSED.MALFORMED,
      OUTCOME.NOT_AUTHENTICATED,
    ])
  })

  it('gathers a login whole, and not one that is too long', () => {
    const bytes = frameOf('#1 SASL_AUTH key=PLAIN value="\\u0000me\\u0000secret"')
    for (const access of [ACCESS.LOCKED, ACCESS.UNLOCKED]) {
      for (let length = 1; length < bytes.length; length++) {
        const { parsed } = parseBytes(bytes.subarray(0, length), { access })
        assert.equal(parsed, PARSED.NEED_MORE)
      }
      const { parsed, key, request, consumed } = parseBytes(bytes, { access })
      assert.deepEqual(
        [parsed, key, request.op, request.valueBytes, consumed],
        [PARSED.READY, 'PLAIN', OP.SASL_AUTH, 10, bytes.length],
      )
    }
    const long = frameOf('#1 SASL_AUTH key=PLAIN value="x"*1025')
    const name = frameOf('#1 SASL_STEP key="X"*33 value=abc')
    for (const [frame, swallowBytes] of [
      [long, 1025],
      [name, 3],
    ] as const) {
      const { parsed, request } = parseBytes(frame, { access: ACCESS.LOCKED })
      assert.deepEqual(
        [parsed, request.outcome, request.swallowBytes],
        [PARSED.REFUSED, OUTCOME.BAD_FORMAT, swallowBytes],
      )
    }
  })

  it('never consumes more than there is, nor gathers more than a header, extras and a key', () => {
    const header = fc.record({
      opcode: fc.integer({ min: 0, max: 255 }),
      keyBytes: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 0xffff })),
      extrasBytes: fc.oneof(fc.constantFrom(0, 4, 8, 20), fc.integer({ min: 0, max: 255 })),
      bodyBytes: fc.oneof(
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 0, max: 0xffff_ffff }),
      ),
    })
    fc.assert(
      fc.property(
        header,
        fc.integer({ min: 0, max: 400 }),
        fc.constantFrom(...Object.values(ACCESS)),
        ({ opcode, keyBytes, extrasBytes, bodyBytes }, there, access) => {
          const bytes = Buffer.alloc(24 + there, 0x80)
          bytes.writeUInt8(opcode, 1)
          bytes.writeUInt16BE(keyBytes, 2)
          bytes.writeUInt8(extrasBytes, 4)
          bytes.writeUInt32BE(bodyBytes, 8)
          const { parsed, consumed } = parseBytes(bytes, { access })
          assert.ok(consumed <= bytes.length || parsed === PARSED.MALFORMED)
          if (parsed === PARSED.NEED_MORE) {
            assert.equal(consumed, 0)
            // A login is gathered, too: a name and 1024 bytes at most.
            assert.ok(there < 20 + 250 || (there < 32 + 1024 && access !== ACCESS.OPEN))
          } else assert.ok(consumed > 0 || parsed === PARSED.MALFORMED)
        },
      ),
      { seed: 20260101, numRuns: 3000 },
    )
  })
})
