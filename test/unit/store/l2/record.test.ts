import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { crc32 } from 'node:zlib'
import { bytesOf } from '../../../../src/bytes/ascii.ts'
import type { Bytes } from '../../../../src/bytes/ascii.ts'
import {
  Compression,
  emptyRecordView,
  isIntact,
  READ,
  readRecord,
  RECORD_HEADER_BYTES,
  RECORD_UNIT_BYTES,
  recordBytes,
  recordCasHi,
  recordCasLo,
  recordExpiresAtS,
  recordKeyBytes,
  recordKeyStart,
  recordLengthAt,
  writeRecord,
} from '../../../../src/store/l2/record.ts'
import type { Read, RecordFields, RecordView } from '../../../../src/store/l2/record.ts'
import { seededWords } from '../../../helpers/store.ts'

const KEY = 'user:4711'
/** Where records are put: not at the start, so that an offset that is left out is noticed. */
const AT = 16
const FIELDS = {
  clientFlags: 0xfedc_ba98,
  expiresAtS: 0x9abc_def0,
  casHi: 0x001f_ffff,
  casLo: 0x8765_4321,
  state: 0b1010_0101,
} as const
const EVERY_SIZE = { enabled: true, minBytes: 1, maxBytes: 2 ** 30 }

function fieldsOf(key: string, value: Buffer): RecordFields {
  return { ...FIELDS, keyBytes: key.length, valueBytes: value.length }
}

/** Writes a record at AT of a buffer full of other bytes. */
function written(key: string, value: Buffer): { pack: Bytes; length: number } {
  const pack = bytesOf(Buffer.alloc(AT + recordBytes(key.length, value.length) + 8, 0xee))
  const keyFrom = bytesOf(Buffer.from(`?${key}`))
  const valueFrom = bytesOf(Buffer.concat([Buffer.from('??'), value]))
  const length = writeRecord(pack, AT, fieldsOf(key, value), keyFrom, 1, valueFrom, 2)
  return { pack, length }
}

function compressed(key: string, value: Buffer): { pack: Bytes; length: number } {
  const { pack } = written(key, value)
  const compression = new Compression(EVERY_SIZE)
  const length = compression.compress(pack, AT)
  assert.equal(compression.compressedCount, 1, 'the value of this test can be compressed')
  return { pack, length }
}

function read(
  pack: Bytes,
  end: number,
  key: string = KEY,
  out: RecordView = emptyRecordView(),
): { result: Read; out: RecordView } {
  const keyFrom = bytesOf(Buffer.from(`!!!${key}`))
  return { result: readRecord(pack, AT, end, keyFrom, 3, key.length, out), out }
}

function valueOf(out: RecordView): Buffer {
  return out.value.buffer.subarray(out.valueStart, out.valueStart + out.valueBytes)
}

function assertSame(out: RecordView, value: Buffer): void {
  const { value: _bytes, valueStart: _start, ...fields } = out
  assert.deepEqual(fields, fieldsOf(KEY, value))
  assert.ok(valueOf(out).equals(value), 'the value is the one that was written')
}

function randomBytes(length: number, seed: number): Buffer {
  const random = seededWords(seed)
  return Buffer.from(Array.from({ length }, () => random() & 0xff))
}

function compressible(length: number): Buffer {
  return Buffer.alloc(length, 'some words that come again, ')
}

/** Makes the checksum right again, as one who forges a record would. */
function forge(pack: Bytes): void {
  const { buffer } = pack
  const end = AT + RECORD_HEADER_BYTES + buffer[AT + 28]! + buffer.readUInt32LE(AT + 4)
  buffer.writeUInt32LE(crc32(buffer.subarray(AT + 4, end)), AT)
}

/** The most address space that this process ever had, where the system tells it. */
function peakBytes(): number {
  if (!existsSync('/proc/self/status')) return 0
  return Number(/^VmPeak:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'latin1'))![1]) * 1024
}

describe('a record', () => {
  it('has this layout, byte by byte', () => {
    const { pack, length } = written('key', Buffer.from('value!'))
    const expected = Buffer.from(
      '06000000 06000000 98badcfe f0debc9a 21436587 ffff1f00 0300a501 6b6579 76616c756521'.replaceAll(
        ' ',
        '',
      ),
      'hex',
    )
    const check = Buffer.alloc(4)
    check.writeUInt32LE(crc32(expected))
    assert.equal(length, 48)
    assert.deepEqual(
      pack.buffer.subarray(AT, AT + length),
      Buffer.concat([check, expected, Buffer.alloc(48 - 4 - expected.length)]),
    )
    assert.equal(pack.buffer[AT - 1], 0xee)
    assert.equal(pack.buffer[AT + length], 0xee)
  })

  it('returns everything that was written, at every length around those where the code differs', () => {
    const out = emptyRecordView()
    for (const length of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 47, 48, 49, 255, 256, 1024, 70_000]) {
      const value = randomBytes(length, length)
      const { pack, length: whole } = written(KEY, value)
      assert.equal(whole % RECORD_UNIT_BYTES, 0)
      assert.equal(whole, recordBytes(KEY.length, length))
      assert.equal(read(pack, AT + whole, KEY, out).result, READ.OK)
      assertSame(out, value)
      assert.equal(out.value, pack, 'a raw value is not copied')
    }
  })

  it('has the CRC32 of zlib, at every length up to where the native one is used', () => {
    for (let length = 0; length < 400; length++) {
      const { pack, length: whole } = written(KEY, randomBytes(length, 3))
      const stored = pack.buffer.readUInt32LE(AT)
      forge(pack)
      assert.equal(pack.buffer.readUInt32LE(AT), stored, `${length} bytes`)
      assert.ok(isIntact(pack, AT))
      assert.equal(recordLengthAt(pack, AT, AT + whole), whole)
    }
  })

  it('returns extreme fields and the longest key', () => {
    const key = 'k'.repeat(255)
    const value = Buffer.from('v')
    for (const word of [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
      const pack = bytesOf(Buffer.alloc(AT + recordBytes(255, 1)))
      const fields: RecordFields = {
        clientFlags: word,
        expiresAtS: word,
        casHi: word,
        casLo: word,
        state: word & 0xff,
        keyBytes: 255,
        valueBytes: 1,
      }
      const length = writeRecord(pack, AT, fields, bytesOf(Buffer.from(key)), 0, bytesOf(value), 0)
      const { result, out } = read(pack, AT + length, key)
      assert.equal(result, READ.OK)
      const { value: _bytes, valueStart: _start, ...found } = out
      assert.deepEqual(found, fields)
      assert.equal(recordExpiresAtS(pack, AT), word)
      assert.equal(recordCasHi(pack, AT), word)
      assert.equal(recordCasLo(pack, AT), word)
    }
  })

  it('tells its length and its key to a scan that walks a pack', () => {
    const keys = ['a', 'bb', 'ccc', 'dddddddddd']
    const pack = bytesOf(Buffer.alloc(1024))
    let end = 0
    for (const key of keys) {
      const value = compressible(key.length * 10)
      const bytes = bytesOf(Buffer.from(key))
      end += writeRecord(pack, end, fieldsOf(key, value), bytes, 0, bytesOf(value), 0)
    }
    const found: string[] = []
    let at = 0
    for (let length; (length = recordLengthAt(pack, at, end)) !== 0; at += length) {
      assert.ok(isIntact(pack, at))
      found.push(
        pack.buffer.toString(
          'latin1',
          recordKeyStart(at),
          recordKeyStart(at) + recordKeyBytes(pack, at),
        ),
      )
    }
    assert.equal(at, end)
    assert.deepEqual(found, keys)
    assert.equal(recordLengthAt(pack, at, pack.buffer.length), 0, 'zeros are no record')
  })

  it('can be copied whole elsewhere without being decoded', () => {
    const value = compressible(500)
    const { pack, length } = compressed(KEY, value)
    const other = bytesOf(Buffer.alloc(AT + length))
    pack.buffer.copy(other.buffer, AT, AT, AT + length)
    const { result, out } = read(other, AT + length)
    assert.equal(result, READ.OK)
    assertSame(out, value)
  })

  it('is not written where there is no room for it', () => {
    const pack = bytesOf(Buffer.alloc(47))
    const bytes = bytesOf(Buffer.from('keyvalue!'))
    const fields = { ...FIELDS, keyBytes: 3, valueBytes: 6 }
    assert.throws(() => writeRecord(pack, 0, fields, bytes, 0, bytes, 3), /room/)
    assert.ok(pack.buffer.every((byte) => byte === 0))
  })
})

describe('reading a record', () => {
  it('notices another key, of the same length, of another, and one that is the start of the other', () => {
    const { pack, length } = written(KEY, Buffer.from('value'))
    const out = emptyRecordView()
    for (const other of ['user:4712', 'User:4711', 'user:471', 'user:47110', '']) {
      assert.equal(read(pack, AT + length, other, out).result, READ.OTHER_KEY)
    }
    assert.deepEqual({ ...out, value: null }, { ...emptyRecordView(), value: null })
  })

  for (const [name, make] of [
    ['raw, short', () => ({ value: randomBytes(60, 1), ...written(KEY, randomBytes(60, 1)) })],
    ['raw, long', () => ({ value: randomBytes(600, 2), ...written(KEY, randomBytes(600, 2)) })],
    ['LZ4', () => ({ value: compressible(500), ...compressed(KEY, compressible(500)) })],
  ] as const) {
    it(`notices each byte that has changed, and each cut (${name})`, () => {
      const { pack, length, value } = make()
      const contentEnd = AT + RECORD_HEADER_BYTES + KEY.length + pack.buffer.readUInt32LE(AT + 4)
      assert.ok(contentEnd < AT + length, 'the record of this test has padding')
      for (let at = AT; at < AT + length; at++) {
        for (const change of [0x01, 0x80, 0xff]) {
          pack.buffer[at]! ^= change
          const { result, out } = read(pack, AT + length)
          if (at < contentEnd) assert.equal(result, READ.DAMAGED, `byte ${at} changed`)
          else assertSame(out, value)
          pack.buffer[at]! ^= change
        }
      }
      for (let end = 0; end < AT + length; end++) {
        assert.equal(read(pack, end).result, READ.DAMAGED, `cut at ${end}`)
        const cut = bytesOf(Buffer.from(pack.buffer.subarray(0, end)))
        assert.equal(read(cut, end).result, READ.DAMAGED, `cut off at ${end}`)
      }
      const { result, out } = read(pack, AT + length)
      assert.equal(result, READ.OK)
      assertSame(out, value)
    })
  }

  it('refuses a record of another format version, and an encoding that it does not know', () => {
    for (const [offset, value] of [
      [31, 2],
      [31, 0],
      [29, 2],
      [29, 255],
    ] as const) {
      const { pack, length } = written(KEY, Buffer.from('value'))
      pack.buffer[AT + offset] = value
      forge(pack)
      assert.ok(isIntact(pack, AT))
      assert.equal(read(pack, AT + length).result, READ.DAMAGED)
    }
  })

  it('believes no length of a value in LZ4, even where the checksum is right', () => {
    const value = compressible(500)
    const lies = [0, 1, 499, 501, 5000, 2 ** 20, 2 ** 30, 2 ** 30 + 1, 2 ** 31, 2 ** 32 - 1]
    const peakBefore = peakBytes()
    for (const lie of lies) {
      const both = compressed(KEY, value)
      both.pack.buffer.writeUInt32LE(lie, AT + 8)
      both.pack.buffer.writeUInt32LE(lie, AT + RECORD_HEADER_BYTES + KEY.length)
      forge(both.pack)
      assert.equal(read(both.pack, AT + both.length).result, READ.DAMAGED, `${lie} in both`)
      const inBlock = compressed(KEY, value)
      inBlock.pack.buffer.writeUInt32LE(lie, AT + RECORD_HEADER_BYTES + KEY.length)
      forge(inBlock.pack)
      assert.equal(read(inBlock.pack, AT + inBlock.length).result, READ.DAMAGED, `${lie} in block`)
    }
    assert.ok(peakBytes() - peakBefore < 2 ** 28, 'nothing large is allocated')
  })

  it('believes no length of a raw value that is not that of what is stored, or beyond all values', () => {
    const { pack, length } = written(KEY, Buffer.from('value'))
    pack.buffer.writeUInt32LE(4, AT + 8)
    forge(pack)
    assert.equal(read(pack, AT + length).result, READ.DAMAGED)
    for (const lie of [2 ** 30 + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 16, 2 ** 32 - 1]) {
      pack.buffer.writeUInt32LE(lie, AT + 4)
      pack.buffer.writeUInt32LE(lie, AT + 8)
      assert.equal(recordLengthAt(pack, AT, AT + length), 0, `${lie} bytes`)
      assert.equal(read(pack, AT + length).result, READ.DAMAGED)
    }
  })

  it('survives any bytes in place of an LZ4 block', () => {
    const value = compressible(500)
    const { pack, length } = compressed(KEY, value)
    const pristine = Buffer.from(pack.buffer)
    const random = seededWords(11)
    const blockStart = AT + RECORD_HEADER_BYTES + KEY.length
    const storedBytes = pristine.readUInt32LE(AT + 4)
    let damaged = 0
    for (let round = 0; round < 5000; round++) {
      pristine.copy(pack.buffer)
      const changes = 1 + (random() & 3)
      for (let i = 0; i < changes; i++) {
        pack.buffer[blockStart + 4 + ((random() >>> 1) % (storedBytes - 4))] = random() & 0xff
      }
      forge(pack)
      const { result, out } = read(pack, AT + length)
      if (result === READ.OK) assert.equal(valueOf(out).length, 500)
      else damaged++
    }
    assert.ok(damaged > 500, `${damaged} were noticed`)
  })

  it('refuses a block that is too short to say its length', () => {
    for (const storedBytes of [0, 1, 2, 3, 4]) {
      const { pack, length } = written(KEY, Buffer.alloc(storedBytes))
      pack.buffer[AT + 29] = 1
      forge(pack)
      assert.equal(read(pack, AT + length).result, READ.DAMAGED, `${storedBytes} bytes`)
    }
    // With this key the record has no padding, and nothing lies behind it.
    const { pack, length } = written('8 bytes!', Buffer.alloc(0))
    pack.buffer[AT + 29] = 1
    forge(pack)
    const cut = bytesOf(Buffer.from(pack.buffer.subarray(0, AT + length)))
    assert.equal(read(cut, AT + length, '8 bytes!').result, READ.DAMAGED)
  })
})

describe('compression', () => {
  it('makes a record shorter, and reading gives the value back in a buffer of its own', () => {
    const out = emptyRecordView()
    for (const length of [64, 100, 1000, 65_536]) {
      const value = compressible(length)
      const before = written(KEY, value)
      assert.equal(read(before.pack, AT + before.length, KEY, out).result, READ.OK)
      const raw = recordBytes(KEY.length, length)
      const { pack, length: whole } = compressed(KEY, value)
      assert.ok(whole < raw && whole % RECORD_UNIT_BYTES === 0)
      assert.equal(recordLengthAt(pack, AT, AT + whole), whole)
      assert.equal(read(pack, AT + whole, KEY, out).result, READ.OK)
      assertSame(out, value)
      assert.notEqual(out.value.buffer, pack.buffer)
    }
  })

  it('leaves a value that saves less than a fifth as it is, byte by byte', () => {
    // Random bytes, then zeros that LZ4 takes away: what it saves grows with them.
    let kept = 0
    let taken = 0
    for (let zeros = 0; zeros <= 400; zeros += 4) {
      const value = Buffer.concat([randomBytes(1000, 5), Buffer.alloc(zeros)])
      const { pack, length } = written(KEY, value)
      const before = Buffer.from(pack.buffer)
      const compression = new Compression(EVERY_SIZE)
      const now = compression.compress(pack, AT)
      const storedBytes = pack.buffer.readUInt32LE(AT + 4)
      if (compression.notWorthItCount === 1) {
        kept++
        assert.equal(now, length)
        assert.ok(pack.buffer.equals(before))
        assert.equal(compression.storedBytes, value.length)
        assert.ok(zeros < 300)
      } else {
        taken++
        assert.equal(compression.compressedCount, 1)
        assert.equal(compression.storedBytes, storedBytes)
        assert.ok(storedBytes <= value.length * 0.8, `${storedBytes} of ${value.length}`)
        assert.ok(zeros > 240)
      }
    }
    assert.ok(kept > 50 && taken > 20)
  })

  it('keeps to its sizes, both included, and to being off', () => {
    const options = { enabled: true, minBytes: 200, maxBytes: 300 }
    for (const [bytes, isCompressed] of [
      [199, false],
      [200, true],
      [300, true],
      [301, false],
    ] as const) {
      for (const enabled of [true, false]) {
        const { pack, length } = written(KEY, compressible(bytes))
        const compression = new Compression({ ...options, enabled })
        const now = compression.compress(pack, AT)
        assert.equal(now < length, isCompressed && enabled, `${bytes} bytes`)
        assert.equal(compression.compressedCount, isCompressed && enabled ? 1 : 0)
        assert.equal(compression.notWorthItCount, 0)
        assert.equal(compression.valueBytes, bytes)
      }
    }
  })

  it('leaves a record alone that it has compressed already, and counts it once', () => {
    const { pack } = written(KEY, compressible(1000))
    const compression = new Compression(EVERY_SIZE)
    const first = compression.compress(pack, AT)
    const bytes = Buffer.from(pack.buffer)
    assert.equal(compression.compress(pack, AT), first)
    assert.ok(pack.buffer.equals(bytes))
    assert.equal(compression.valueBytes, 1000)
    assert.equal(compression.compressedCount, 1)
  })
})
