import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyName, valueOf } from '../../bench/wire/dataset.ts'
import { binary } from '../../bench/wire/dialect/binary.ts'
import { type Dialect } from '../../bench/wire/dialect/dialect.ts'
import { meta } from '../../bench/wire/dialect/meta.ts'
import { text } from '../../bench/wire/dialect/text.ts'
import { dataset, keys } from './conversations.ts'

const KEY = keyName(dataset, 3)
const VALUE = valueOf(dataset, 3).toString('latin1')

test('text requests are what the protocol says', () => {
  assert.equal(got(text), `get ${KEY}\r\n`)
  const set = `set ${KEY} 1003 0 ${VALUE.length}`
  assert.equal(setBy(text, false), `${set}\r\n${VALUE}\r\n`)
  assert.equal(setBy(text, true), `${set} noreply\r\n${VALUE}\r\n`)
  assert.equal(gotAll(text), `get ${keyName(dataset, 12)} ${KEY}\r\n`)
  const { writeIncr, writeCounter } = text.counters!
  const incr = written((out) => writeIncr(out, 0, dataset, 3))
  assert.equal(incr, `incr ${KEY} 1\r\n`)
  const counter = written((out) => writeCounter(out, 0, dataset, 3, 1234))
  assert.equal(counter, `set ${KEY} 0 0 4\r\n1234\r\n`)
})

test('meta requests are what the protocol says', () => {
  assert.equal(got(meta), `mg ${KEY} v\r\n`)
  const set = `ms ${KEY} ${VALUE.length} F1003`
  assert.equal(setBy(meta, false), `${set}\r\n${VALUE}\r\n`)
  assert.equal(setBy(meta, true), `${set} q\r\n${VALUE}\r\n`)
})

test('binary requests are what the protocol says', () => {
  const key = hex(KEY)
  assert.equal(hex(got(binary)), header('00', 11, 0, 11, 3) + key)
  const bodyBytes = 8 + 11 + VALUE.length
  const body = `000003eb00000000${key}${hex(VALUE)}`
  assert.equal(hex(setBy(binary, false)), header('01', 11, 8, bodyBytes, 3) + body)
  assert.equal(hex(setBy(binary, true)), header('11', 11, 8, bodyBytes, 3) + body)
  const other = header('0d', 11, 0, 11, 12) + hex(keyName(dataset, 12))
  const last = header('0d', 11, 0, 11, 3) + key
  assert.equal(hex(gotAll(binary)), other + last + header('0a', 0, 0, 0, 3))
})

test('an opaque has all its four bytes', () => {
  const from = 0x0102_0304
  const noop = written((out) => binary.writeMultiget!(out, 0, dataset, keys, from, 0))
  assert.equal(hex(noop), header('0a', 0, 0, 0, from))
})

for (const [name, dialect] of Object.entries({ text, meta, binary })) {
  test(`${name}: no request takes more room than the dialect says`, () => {
    const width = 200
    const most = dialect.requestBytesMax(dataset, dialect.writeMultiget === null ? 1 : width)
    const out = Buffer.alloc(100_000)
    for (let key = 0; key < dataset.keyCount; key++)
      assert.ok(dialect.writeSet(out, 0, dataset, key, true) <= most)
    const all = dialect.writeMultiget?.(out, 0, dataset, keys, 0, width) ?? 0
    assert.ok(all <= most)
  })
}

function got(dialect: Dialect): string {
  return written((out) => dialect.writeGet(out, 0, dataset, 3))
}

function setBy(dialect: Dialect, quiet: boolean): string {
  return written((out) => dialect.writeSet(out, 0, dataset, 3, quiet))
}

/** Of the last key and, as the list begins anew, the first. */
function gotAll(dialect: Dialect): string {
  return written((out) => dialect.writeMultiget!(out, 0, dataset, keys, 3, 2))
}

function written(write: (out: Buffer) => number): string {
  const out = Buffer.alloc(1000, 0xee)
  return out.toString('latin1', 0, write(out))
}

function header(
  opcode: string,
  keyBytes: number,
  extrasBytes: number,
  bodyBytes: number,
  opaque: number,
): string {
  const sizes = `${digits(keyBytes, 4)}${digits(extrasBytes, 2)}000000${digits(bodyBytes, 8)}`
  return `80${opcode}${sizes}${digits(opaque, 8)}${'00'.repeat(8)}`
}

function digits(value: number, count: number): string {
  return value.toString(16).padStart(count, '0')
}

function hex(words: string): string {
  return Buffer.from(words, 'latin1').toString('hex')
}
