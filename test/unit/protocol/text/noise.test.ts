/**
 * Noise: whatever bytes come, the parser behaves. Commands are made of the pieces that real ones
 * have, put together at random, mutated, and mixed with plain random bytes.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { bytesOf } from '../../../../src/bytes/ascii.ts'
import { InputWindow } from '../../../../src/bytes/input-window.ts'
import { OP, PARSED } from '../../../../src/message/codes.ts'
import type { Parsed } from '../../../../src/message/codes.ts'
import { Request } from '../../../../src/message/request.ts'
import { lookAhead, lookAlongLine } from '../../../../src/protocol/text/look-ahead.ts'
import { TextParser } from '../../../../src/protocol/text/parse.ts'

const GET_LINE_BYTES_MAX = 4096
const RUNS = 3000
/** Room before and behind the window. */
const MARGIN = 600

const WORDS = [
  'get gets gat gats set add replace append prepend cas incr decr touch delete flush_all stats',
  'version verbosity quit GET foo ge noreply 0 1 -1 4294967296 18446744073709551615',
  '18446744073709551616 2147483645 2147483646 k key HTTP/1.1 reset settings - +1 1x テ \0 \t \r',
  '99999999999999999999999',
  `${'k'.repeat(250)} ${'k'.repeat(251)}`,
]
const word = fc.constantFrom(...WORDS.join(' ').split(' '))
const gap = fc.constantFrom(' ', ' ', ' ', ' ', '  ', '\r', '\t', '')
const lineEnd = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r\r\n', '', ' \r\n')
const line = fc
  .tuple(fc.array(fc.tuple(word, gap), { maxLength: 8 }), lineEnd)
  .map(([words, end]) => Buffer.from(words.flat().join('') + end))
const mutated = fc
  .tuple(line, fc.nat(), fc.nat({ max: 255 }))
  .map(([bytes, at, byte]) => (bytes.length === 0 ? bytes : overwrite(bytes, at, byte)))
const noise = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes))
const stream = fc
  .array(fc.oneof({ weight: 6, arbitrary: line }, { weight: 2, arbitrary: mutated }, noise), {
    maxLength: 6,
  })
  .map((parts) => Buffer.concat(parts))

function overwrite(bytes: Buffer, at: number, byte: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at % copy.length] = byte
  return copy
}

/** A window over a copy of `bytes`, between two margins that are filled with `poison`. */
function windowOver(bytes: Buffer, poison: number): InputWindow {
  const buffer = Buffer.alloc(MARGIN + bytes.length + MARGIN, poison)
  bytes.copy(buffer, MARGIN)
  const input = new InputWindow(bytesOf(buffer))
  input.show(input.bytes, MARGIN, MARGIN + bytes.length)
  return input
}

/** What came of one call, in words that do not depend on where the bytes lay. */
function describeResult(parsed: Parsed, request: Request): string {
  if (parsed === PARSED.REFUSED) {
    return `refused ${request.outcome} ${request.swallowBytes} ${request.quiet}`
  }
  if (parsed !== PARSED.READY && parsed !== PARSED.READY_WITH_VALUE) return `parsed ${parsed}`
  const { op, quiet, last, keyStart, keyBytes } = request
  const words: unknown[] = [`op ${op}`, quiet, last]
  const isKeyed = op !== OP.VERSION && op !== OP.QUIT && op !== OP.VERBOSITY && op !== OP.FLUSH_ALL
  if (isKeyed) words.push(request.bytes.buffer.toString('hex', keyStart, keyStart + keyBytes))
  if (op === OP.GET) words.push(request.wantsCas, request.touches)
  if (op === OP.TOUCH || op === OP.FLUSH_ALL || request.touches) words.push(request.exptime)
  if (op === OP.INCR || op === OP.DECR) words.push(request.deltaHi, request.deltaLo)
  if (op === OP.VERBOSITY) words.push(request.deltaLo)
  if (op === OP.CAS) words.push(request.casHi, request.casLo)
  if (parsed === PARSED.READY_WITH_VALUE) {
    words.push(request.clientFlags, request.exptime, request.valueBytes, request.trailerBytes)
  }
  return words.join(' ')
}

/** Looks for the keys of the next commands; what it finds are ranges of the window, one behind the other. */
function look(input: InputWindow, { continues }: Request): void {
  if (continues) lookAlongLine(input)
  else lookAhead(input)
  const { count, ends, starts } = input.ahead
  for (let i = 0; i < count; i++) {
    assert.ok(starts[i]! >= (i === 0 ? input.start : ends[i - 1]!))
    assert.ok(ends[i]! >= starts[i]! && ends[i]! < input.end)
  }
}

/**
 * Parses everything there is, as a connection does it; values and what is to be swallowed are
 * skipped. Checks what holds for every single call. `looksAhead` before each.
 */
function parseAll(bytes: Buffer, poison: number, looksAhead = false): string[] {
  const parser = new TextParser(GET_LINE_BYTES_MAX)
  const input = windowOver(bytes, poison)
  const { buffer } = input.bytes
  const request = new Request(input.bytes)
  const results: string[] = []
  while (input.start < input.end) {
    const { start, end } = input
    if (looksAhead) look(input, request)
    const parsed = parser.parse(input, request)
    assert.equal(input.end, end, 'the end of the window is not the business of a parser')
    assert.ok(input.start <= end, 'nothing is consumed that is not there')
    results.push(describeResult(parsed, request))
    if (parsed === PARSED.NEED_MORE) {
      assert.equal(input.start, start, 'NEED_MORE consumes nothing')
      assert.equal(request.continues, false, 'a line that is not whole is not begun')
      break
    }
    if (parsed === PARSED.HANG_UP || parsed === PARSED.LINE_TOO_LONG) break
    assert.ok(input.start > start, 'a result is a step forward')
    if (parsed === PARSED.READY && request.keyBytes > 0) {
      assert.ok(request.keyStart >= start && request.keyStart + request.keyBytes <= end)
    }
    const skipped =
      parsed === PARSED.READY_WITH_VALUE
        ? request.valueBytes + request.trailerBytes
        : parsed === PARSED.REFUSED
          ? request.swallowBytes
          : 0
    input.start = Math.min(end, input.start + skipped)
  }
  const margin = Buffer.alloc(MARGIN, poison)
  assert.ok(buffer.subarray(0, MARGIN).equals(margin), 'nothing is written before the window')
  assert.ok(
    buffer.subarray(MARGIN + bytes.length + 1).equals(margin.subarray(1)),
    'nothing is written behind the byte for the sentinel',
  )
  return results
}

describe('the text parser and noise', () => {
  it('never throws, always goes on or asks for more, and consumes nothing when it asks', () => {
    fc.assert(
      fc.property(stream, (bytes) => {
        parseAll(bytes, 0)
      }),
      { numRuns: RUNS },
    )
  })

  it('does not look behind the end of what there is', () => {
    fc.assert(
      fc.property(stream, (bytes) => {
        const clean = parseAll(bytes, 0)
        // Line ends, digits, spaces and letters behind the window would each change some result.
        for (const poison of '\n\r 7kH') {
          assert.deepEqual(parseAll(bytes, poison.charCodeAt(0)), clean)
        }
      }),
      { numRuns: RUNS },
    )
  })

  it('reads the same where keys were looked for ahead', () => {
    fc.assert(
      fc.property(stream, (bytes) => {
        const plain = parseAll(bytes, 0)
        for (const poison of '\n 7k') {
          assert.deepEqual(parseAll(bytes, poison.charCodeAt(0), true), plain)
        }
      }),
      { numRuns: RUNS },
    )
  })

  it('reads a plain line as it reads the same words with more space between them', () => {
    const number = fc.oneof(
      fc.constantFrom('0', '00', '-1', '', '1x', '4294967296'),
      fc.nat().map(String),
    )
    const digits = fc.stringMatching(/^\d{8,11}$/)
    const words = fc.tuple(
      fc.constantFrom('set', 'incr', 'decr', 'sett', 'inc', 'cas'),
      fc.constantFrom('k', 'key', 'k'.repeat(250), 'k'.repeat(251), 'k\tk', 'k\r'),
      fc.array(fc.oneof(number, digits), { maxLength: 5 }),
    )
    fc.assert(
      fc.property(words, lineEnd, ([verb, key, numbers], end) => {
        const tight = [verb, key, ...numbers]
        const bytes = Buffer.from(tight.join(' ') + end, 'latin1')
        const wide = Buffer.from(tight.join('  ') + end, 'latin1')
        assert.deepEqual(parseAll(bytes, 0)[0], parseAll(wide, 0)[0])
      }),
      { numRuns: RUNS },
    )
  })

  it('says the same of a command wherever it is cut', () => {
    const parser = new TextParser(GET_LINE_BYTES_MAX)
    fc.assert(
      fc.property(fc.oneof(line, mutated), (bytes) => {
        const whole = parseAll(bytes, 0)
        for (let cut = 1; cut < bytes.length; cut++) {
          const input = windowOver(bytes, 0)
          const { end } = input
          const request = new Request(input.bytes)
          const overwritten = input.bytes.buffer[MARGIN + cut]!
          input.end = MARGIN + cut
          const first = parser.parse(input, request)
          if (first !== PARSED.NEED_MORE) {
            assert.equal(describeResult(first, request), whole[0])
            continue
          }
          assert.equal(input.start, MARGIN)
          input.bytes.buffer[MARGIN + cut] = overwritten
          input.end = end
          assert.equal(describeResult(parser.parse(input, request), request), whole[0])
        }
      }),
      { numRuns: 600 },
    )
  })

  it('says the same of a command that comes byte by byte', () => {
    const parser = new TextParser(GET_LINE_BYTES_MAX)
    fc.assert(
      fc.property(line, (bytes) => {
        const whole = parseAll(bytes, 0)
        const input = windowOver(Buffer.alloc(0), 0)
        const request = new Request(input.bytes)
        let result = ''
        for (const byte of bytes) {
          if (input.end === input.bytes.buffer.length - 1) return
          input.bytes.buffer[input.end] = byte
          input.end++
          result = describeResult(parser.parse(input, request), request)
          if (result !== `parsed ${PARSED.NEED_MORE}`) break
        }
        if (bytes.length > 0) assert.equal(result, whole[0])
      }),
      { numRuns: RUNS },
    )
  })
})
