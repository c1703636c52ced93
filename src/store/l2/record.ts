/**
 * An item as it lies on disk: the only place that knows the layout of a record, and the only door of
 * `lz4-napi`.
 *
 * ```
 * byte  0  check           CRC32 of all that follows, without the padding
 *       4  stored bytes    of the value as it stands here
 *       8  value bytes     of the value as the client gave it
 *      12  client flags
 *      16  expires at      wall time in seconds, 0 = never
 *      20  cas low
 *      24  cas high
 *      28  | key bytes 8 | encoding 8 | state 8 | format version 8 |
 *      32  key, then stored value, then zeros up to a multiple of 8
 * ```
 * Little endian. A value in LZ4 is what `compressSync` gives: its length in four bytes, then a block.
 *
 * Nothing that comes from disk is believed before the check is right, and no length even then: a
 * damaged record is a miss. State bits are the engine's; they return as they came. Whether a record is
 * expired, or the newest of its key, is not known here.
 */
import { crc32 } from 'node:zlib'
import { compressSync, uncompressSync } from 'lz4-napi'
import { bytesOf, copyBytes, equalBytes } from '../../bytes/ascii.ts'
import type { Bytes } from '../../bytes/ascii.ts'
import { assert } from '../../errors.ts'

/** Records begin and end at multiples of this, so that an offset can be counted in it. */
export const RECORD_UNIT_BYTES = 8
export const RECORD_HEADER_BYTES = 32
/** The largest value, as for items in memory. */
export const RECORD_VALUE_BYTES_MAX: number = 2 ** 30

const CHECK = 0
const STORED_BYTES = 4
const VALUE_BYTES = 8
const CLIENT_FLAGS = 12
const EXPIRES_AT = 16
const CAS_LO = 20
const CAS_HI = 24
const KEY_BYTES = 28
const ENCODING = 29
const STATE = 30
const VERSION = 31

const FORMAT_VERSION = 1
const RAW = 0
const LZ4 = 1

/** Bytes of the length that `compressSync` writes before the block. */
const LZ4_PREFIX_BYTES = 4
/** A block of LZ4 never becomes more than this many times as long: a byte adds at most 255 to a match. */
const LZ4_RATIO_MAX = 255
/** LZ4 is kept if it leaves at most these parts of a value: it has to save a fifth. */
const WORTH_NUMERATOR = 4
const WORTH_DENOMINATOR = 5

/**
 * Below this many bytes the tables below beat the call of the native checksum and the view that it
 * needs. Measured on Node 20: 100 bytes take 100 and 260 ns, 256 take 240 and 280, 1 KiB 770 and 460.
 */
const NATIVE_CHECK_FROM = 300
const CRC32_POLYNOMIAL = 0xedb8_8320
/** Eight tables of 256: "slicing by 8" (M. Kounavis, F. Berry, 2005), eight bytes a step. */
const CRC32_TABLES: Int32Array = crc32Tables()

/** What a record says beside key and value. One object is meant to be refilled. */
export interface RecordFields {
  clientFlags: number
  expiresAtS: number
  casHi: number
  casLo: number
  /** State bits of the item, 8 of them. */
  state: number
  keyBytes: number
  /** Of the value as the client gave it. */
  valueBytes: number
}

/** A record that was read. The value lies in the buffer that was read from, or in one of its own. */
export interface RecordView extends RecordFields {
  value: Bytes
  valueStart: number
}

/** How a reading went. */
export const READ = {
  OK: 0,
  /** A good record of another key with the same hash. */
  OTHER_KEY: 1,
  /** No record, or one that has changed since it was written. */
  DAMAGED: 2,
} as const
export type Read = (typeof READ)[keyof typeof READ]

/** A view to be filled by `readRecord`. */
export function emptyRecordView(): RecordView {
  return {
    clientFlags: 0,
    expiresAtS: 0,
    casHi: 0,
    casLo: 0,
    state: 0,
    keyBytes: 0,
    valueBytes: 0,
    value: bytesOf(Buffer.alloc(0)),
    valueStart: 0,
  }
}

/** Bytes that a record takes, header and padding included. */
export function recordBytes(keyBytes: number, storedBytes: number): number {
  const bytes = RECORD_HEADER_BYTES + keyBytes + storedBytes
  return (bytes + RECORD_UNIT_BYTES - 1) & -RECORD_UNIT_BYTES
}

/** Writes a record with the value as it is. Returns the bytes that it takes. */
export function writeRecord(
  to: Bytes,
  at: number,
  fields: RecordFields,
  key: Bytes,
  keyStart: number,
  value: Bytes,
  valueStart: number,
): number {
  const { keyBytes, valueBytes } = fields
  assert(valueBytes <= RECORD_VALUE_BYTES_MAX, 'a value is at most 1 GiB long')
  const length = recordBytes(keyBytes, valueBytes)
  assert(at + length <= to.buffer.length, 'there is room for the record')
  const view = to.view
  view.setUint32(at + VALUE_BYTES, valueBytes, true)
  view.setUint32(at + CLIENT_FLAGS, fields.clientFlags, true)
  view.setUint32(at + EXPIRES_AT, fields.expiresAtS, true)
  view.setUint32(at + CAS_LO, fields.casLo, true)
  view.setUint32(at + CAS_HI, fields.casHi, true)
  view.setUint8(at + KEY_BYTES, keyBytes)
  view.setUint8(at + STATE, fields.state)
  view.setUint8(at + VERSION, FORMAT_VERSION)
  const bodyStart = at + RECORD_HEADER_BYTES
  copyBytes(to, bodyStart, key, keyStart, keyBytes)
  copyBytes(to, bodyStart + keyBytes, value, valueStart, valueBytes)
  return seal(to, at, RAW, valueBytes)
}

/**
 * Reads the record at `at` of bytes that end at `end`, which must be that of the key. Fills `out` only
 * if it is; its value is then valid as long as the buffer it lies in.
 */
export function readRecord(
  from: Bytes,
  at: number,
  end: number,
  key: Bytes,
  keyStart: number,
  keyBytes: number,
  out: RecordView,
): Read {
  const length = recordLengthAt(from, at, end)
  if (length === 0 || !isIntact(from, at)) return READ.DAMAGED
  if (
    recordKeyBytes(from, at) !== keyBytes ||
    !equalBytes(from, recordKeyStart(at), key, keyStart, keyBytes)
  ) {
    return READ.OTHER_KEY
  }
  const view = from.view
  const valueStart = recordKeyStart(at) + keyBytes
  if (view.getUint8(at + ENCODING) === LZ4) {
    const value = decompressed(from, at, valueStart)
    if (value === undefined) return READ.DAMAGED
    out.value = bytesOf(value)
    out.valueStart = 0
  } else {
    out.value = from
    out.valueStart = valueStart
  }
  fillFields(from, at, out)
  return READ.OK
}

/** Reads all but the value of the record at `at` of bytes that end at `end`. Returns whether it is good. */
export function readFields(from: Bytes, at: number, end: number, out: RecordFields): boolean {
  if (recordLengthAt(from, at, end) === 0 || !isIntact(from, at)) return false
  fillFields(from, at, out)
  return true
}

function fillFields(from: Bytes, at: number, out: RecordFields): void {
  const view = from.view
  out.clientFlags = view.getUint32(at + CLIENT_FLAGS, true)
  out.expiresAtS = recordExpiresAtS(from, at)
  out.casHi = recordCasHi(from, at)
  out.casLo = recordCasLo(from, at)
  out.state = view.getUint8(at + STATE)
  out.keyBytes = recordKeyBytes(from, at)
  out.valueBytes = view.getUint32(at + VALUE_BYTES, true)
}

/**
 * Bytes that the record at `at` takes, or 0 if none that this version knows can stand there. Looks at
 * the header only. A whole record may be copied elsewhere, byte by byte, without being decoded.
 */
export function recordLengthAt(from: Bytes, at: number, end: number): number {
  if (at + RECORD_HEADER_BYTES > end) return 0
  const view = from.view
  if (view.getUint8(at + VERSION) !== FORMAT_VERSION) return 0
  const encoding = view.getUint8(at + ENCODING)
  const storedBytes = view.getUint32(at + STORED_BYTES, true)
  const valueBytes = view.getUint32(at + VALUE_BYTES, true)
  if (storedBytes > RECORD_VALUE_BYTES_MAX || valueBytes > RECORD_VALUE_BYTES_MAX) return 0
  if (encoding === RAW ? storedBytes !== valueBytes : encoding !== LZ4) return 0
  const length = recordBytes(view.getUint8(at + KEY_BYTES), storedBytes)
  return at + length > end ? 0 : length
}

/** Whether a record is as it was written. Ask only where `recordLengthAt` found one. */
export function isIntact(from: Bytes, at: number): boolean {
  return from.view.getInt32(at + CHECK, true) === checkOf(from, at)
}

/** Where the key of a record begins. */
export function recordKeyStart(at: number): number {
  return at + RECORD_HEADER_BYTES
}
export function recordKeyBytes(from: Bytes, at: number): number {
  return from.view.getUint8(at + KEY_BYTES)
}
export function recordExpiresAtS(from: Bytes, at: number): number {
  return from.view.getUint32(at + EXPIRES_AT, true)
}
export function recordCasHi(from: Bytes, at: number): number {
  return from.view.getUint32(at + CAS_HI, true)
}
export function recordCasLo(from: Bytes, at: number): number {
  return from.view.getUint32(at + CAS_LO, true)
}

export interface CompressionOptions {
  readonly enabled: boolean
  /** Values below this many bytes stay as they are. */
  readonly minBytes: number
  /** So do those above this many. */
  readonly maxBytes: number
}

/** Compresses values where that is worth it, and counts what it brought. */
export class Compression {
  readonly options: CompressionOptions
  /** Bytes of all values that came, and of what became of them. */
  valueBytes = 0
  storedBytes = 0
  compressedCount = 0
  /** Values that were compressed and then kept as they were. */
  notWorthItCount = 0

  constructor(options: CompressionOptions) {
    this.options = options
  }

  /**
   * Encodes the value of a raw record in place, if that makes it shorter by a fifth. Returns the bytes
   * that the record takes now; what stood behind its new end is left as it is.
   */
  compress(record: Bytes, at: number): number {
    const keyBytes = recordKeyBytes(record, at)
    const storedBytes = record.view.getUint32(at + STORED_BYTES, true)
    if (record.view.getUint8(at + ENCODING) !== RAW) return recordBytes(keyBytes, storedBytes)
    this.valueBytes += storedBytes
    const { enabled, minBytes, maxBytes } = this.options
    if (enabled && storedBytes >= minBytes && storedBytes <= maxBytes) {
      const start = recordKeyStart(at) + keyBytes
      // allocates: the package takes a buffer and gives a new one.
      const block = compressSync(record.buffer.subarray(start, start + storedBytes))
      if (block.length * WORTH_DENOMINATOR <= storedBytes * WORTH_NUMERATOR) {
        block.copy(record.buffer, start)
        this.compressedCount++
        this.storedBytes += block.length
        return seal(record, at, LZ4, block.length)
      }
      this.notWorthItCount++
    }
    this.storedBytes += storedBytes
    return recordBytes(keyBytes, storedBytes)
  }
}

/** Writes what depends on the encoding: its name, the stored length, the padding, the check. */
function seal(to: Bytes, at: number, encoding: number, storedBytes: number): number {
  const view = to.view
  view.setUint8(at + ENCODING, encoding)
  view.setUint32(at + STORED_BYTES, storedBytes, true)
  const keyBytes = recordKeyBytes(to, at)
  const length = recordBytes(keyBytes, storedBytes)
  for (let i = RECORD_HEADER_BYTES + keyBytes + storedBytes; i < length; i++) {
    view.setUint8(at + i, 0)
  }
  view.setInt32(at + CHECK, checkOf(to, at), true)
  return length
}

/**
 * The value of a record in LZ4, or nothing if it cannot be right. The package allocates what the first
 * four bytes of the block say, before it looks at the rest; a wrong number there could end the process.
 */
function decompressed(from: Bytes, at: number, start: number): Buffer | undefined {
  const storedBytes = from.view.getUint32(at + STORED_BYTES, true)
  const valueBytes = from.view.getUint32(at + VALUE_BYTES, true)
  if (storedBytes < LZ4_PREFIX_BYTES) return undefined
  if (from.view.getUint32(start, true) !== valueBytes) return undefined
  if (valueBytes > (storedBytes - LZ4_PREFIX_BYTES) * LZ4_RATIO_MAX) return undefined
  try {
    // allocates: the package takes a buffer and gives a new one.
    const value = uncompressSync(from.buffer.subarray(start, start + storedBytes))
    return value.length === valueBytes ? value : undefined
  } catch {
    return undefined
  }
}

/** The checksum of a record, as a signed integer. */
function checkOf(bytes: Bytes, at: number): number {
  const start = at + STORED_BYTES
  const storedBytes = bytes.view.getUint32(at + STORED_BYTES, true)
  const end = at + RECORD_HEADER_BYTES + recordKeyBytes(bytes, at) + storedBytes
  if (end - start < NATIVE_CHECK_FROM) return crc32Of(bytes.view, start, end)
  // allocates: the native checksum takes a buffer.
  return crc32(bytes.buffer.subarray(start, end)) | 0
}

function crc32Of(view: DataView, start: number, end: number): number {
  const tables = CRC32_TABLES
  let crc = -1
  let i = start
  for (; i + 8 <= end; i += 8) {
    const low = crc ^ view.getInt32(i, true)
    const high = view.getInt32(i + 4, true)
    crc =
      tables[0x700 + (low & 0xff)]! ^
      tables[0x600 + ((low >>> 8) & 0xff)]! ^
      tables[0x500 + ((low >>> 16) & 0xff)]! ^
      tables[0x400 + (low >>> 24)]! ^
      tables[0x300 + (high & 0xff)]! ^
      tables[0x200 + ((high >>> 8) & 0xff)]! ^
      tables[0x100 + ((high >>> 16) & 0xff)]! ^
      tables[high >>> 24]!
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ tables[(crc ^ view.getUint8(i)) & 0xff]!
  return ~crc
}

function crc32Tables(): Int32Array {
  const tables = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ CRC32_POLYNOMIAL
    }
    tables[byte] = crc
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256]!
    tables[at] = (before >>> 8) ^ tables[before & 0xff]!
  }
  return tables
}
