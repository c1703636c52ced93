// Keys and values of the benchmark. Everything about an item is a function of its key, so that every reply can be
// checked byte for byte without remembering what was stored: its size, its client flags and its content, which is a
// mark made from the key and then a slice of one random block at an offset made from the key. Two keys never have
// the same value (but for values shorter than the mark), and the block holds all byte values, line ends included.
//
// One record per key is built beforehand; requests and expected replies are slices of it:
//
//   VALUE a:000000042 1042 100\r\n0f1e2d3c4b5a6978        then block[bodyOffset, bodyOffset + bodyBytes)
//         |- key ---|- flags ------ head | mark
//         keyAt     flagsAt  bytesAt     markAt         ends

import { seededRandom } from './draws.ts'

export interface ValueShare {
  readonly valueBytes: number
  /** This size's share of the keys; the shares of a mix add up to 1. */
  readonly share: number
}

export interface DatasetSpec {
  readonly prefix: string
  readonly keyCount: number
  readonly values: readonly ValueShare[]
}

export interface Dataset {
  readonly keyCount: number
  readonly keyBytes: number
  readonly records: Buffer
  readonly recordStride: number
  readonly flagsAt: number
  readonly bytesAt: number
  /** Per key: where in its record the mark begins, and where the record ends. */
  readonly markAt: Uint8Array
  readonly recordBytes: Uint8Array
  readonly block: Buffer
  readonly bodyOffset: Uint32Array
  readonly bodyBytes: Uint32Array
  readonly valueBytesMax: number
}

export const KEY_AT = 6
const KEY_DIGITS = 9
const FLAGS_BYTES = 5
export const MARK_BYTES = 16
/** Within the second-level cache of the processor: what the load program compares with should not cost it misses. */
const BLOCK_BYTES = 1 << 18
const BLOCK_SEED = 20_010_522
/** Shares of a mix are resolved to a thousandth. */
const MIX_PERIOD = 1000

export function buildDataset(spec: DatasetSpec): Dataset {
  const keyBytes = spec.prefix.length + KEY_DIGITS
  const valueBytesMax = Math.max(...spec.values.map((value) => value.valueBytes))
  const flagsAt = KEY_AT + keyBytes
  const bytesAt = flagsAt + FLAGS_BYTES
  const recordStride = bytesAt + 1 + String(valueBytesMax).length + 2 + MARK_BYTES
  const records = Buffer.alloc(recordStride * spec.keyCount)
  const markAt = new Uint8Array(spec.keyCount)
  const recordBytes = new Uint8Array(spec.keyCount)
  const bodyOffset = new Uint32Array(spec.keyCount)
  const bodyBytes = new Uint32Array(spec.keyCount)
  const seed = hash32(spec.prefix.charCodeAt(0), spec.prefix.length)
  for (let key = 0; key < spec.keyCount; key++) {
    const first = hash32(key, seed)
    const second = hash32(first, key)
    const valueBytes = sizeOf(spec.values, second)
    const head = `VALUE ${spec.prefix}${pad(key)} ${clientFlagsOf(key)} ${valueBytes}\r\n`
    const mark = (hex(first) + hex(second)).slice(0, valueBytes)
    records.write(head + mark, key * recordStride, 'latin1')
    markAt[key] = head.length
    recordBytes[key] = head.length + mark.length
    bodyOffset[key] = (first ^ second) & (BLOCK_BYTES - 1)
    bodyBytes[key] = valueBytes - mark.length
  }
  const block = randomBlock(BLOCK_BYTES + valueBytesMax)
  return {
    keyCount: spec.keyCount,
    keyBytes,
    records,
    recordStride,
    flagsAt,
    bytesAt,
    markAt,
    recordBytes,
    block,
    bodyOffset,
    bodyBytes,
    valueBytesMax,
  }
}

export function keyName(dataset: Dataset, key: number): string {
  const at = key * dataset.recordStride + KEY_AT
  return dataset.records.toString('latin1', at, at + dataset.keyBytes)
}

/** The value as the server must give it back. Allocates: for tests and messages. */
export function valueOf(dataset: Dataset, key: number): Buffer {
  const at = key * dataset.recordStride
  const offset = dataset.bodyOffset[key]!
  return Buffer.concat([
    dataset.records.subarray(at + dataset.markAt[key]!, at + dataset.recordBytes[key]!),
    dataset.block.subarray(offset, offset + dataset.bodyBytes[key]!),
  ])
}

export function clientFlagsOf(key: number): number {
  return 1000 + (key % 9000)
}

function sizeOf(values: readonly ValueShare[], hash: number): number {
  const place = (hash % MIX_PERIOD) / MIX_PERIOD
  let sum = 0
  for (const value of values) {
    sum += value.share
    if (place < sum) return value.valueBytes
  }
  return values.at(-1)!.valueBytes
}

function pad(key: number): string {
  return String(key).padStart(KEY_DIGITS, '0')
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0')
}

/** The finalizer of MurmurHash3 over two words. */
function hash32(word: number, seed: number): number {
  let mixed = Math.imul(word ^ seed, 0x9e3779b1) ^ (seed >>> 3)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

function randomBlock(bytes: number): Buffer {
  const random = seededRandom(BLOCK_SEED)
  const block = Buffer.alloc(bytes)
  for (let i = 0; i < bytes; i++) block[i] = Math.floor(random() * 256)
  return block
}
