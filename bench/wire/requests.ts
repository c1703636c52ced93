// Requests, written into the output of a client from the records of a dataset. Each function returns the new end.

import { type Dataset, KEY_AT } from './dataset.ts'

const GET = Buffer.from('get ')
const SET = Buffer.from('set ')
const INCR = Buffer.from('incr ')
const BY_ONE = Buffer.from(' 1\r\n')
const NO_EXPTIME = Buffer.from(' 0')
const NOREPLY = Buffer.from(' noreply\r\n')
const LINE_END = Buffer.from('\r\n')
const SPACE = 0x20
/** Below this a loop beats the call of a native copy. */
const LOOP_BYTES_MAX = 24

/** What a set adds to the value at most: command, key, flags, exptime, size, noreply, line ends. */
export function setBytesMax(dataset: Dataset): number {
  return dataset.recordStride + dataset.valueBytesMax + 32
}

export function multigetBytesMax(dataset: Dataset, width: number): number {
  return GET.length + width * (dataset.keyBytes + 1) + LINE_END.length
}

export function writeGet(out: Buffer, at: number, dataset: Dataset, key: number): number {
  at = copy(GET, 0, GET.length, out, at)
  at = writeKey(out, at, dataset, key)
  return copy(LINE_END, 0, LINE_END.length, out, at)
}

/** A get of the `width` keys that stand in `keys` from `from` on, cyclically; the length of `keys` is a power of two. */
export function writeMultiget(
  out: Buffer,
  at: number,
  dataset: Dataset,
  keys: Uint32Array,
  from: number,
  width: number,
): number {
  at = copy(GET, 0, GET.length - 1, out, at)
  for (let i = 0; i < width; i++) {
    out[at++] = SPACE
    at = writeKey(out, at, dataset, keys[(from + i) & (keys.length - 1)]!)
  }
  return copy(LINE_END, 0, LINE_END.length, out, at)
}

export function writeSet(
  out: Buffer,
  at: number,
  dataset: Dataset,
  key: number,
  quiet: boolean,
): number {
  const { records, block } = dataset
  const record = key * dataset.recordStride
  const mark = record + dataset.markAt[key]!
  at = copy(SET, 0, SET.length, out, at)
  at = copy(records, record + KEY_AT, record + dataset.bytesAt, out, at)
  at = copy(NO_EXPTIME, 0, NO_EXPTIME.length, out, at)
  if (quiet) {
    at = copy(records, record + dataset.bytesAt, mark - LINE_END.length, out, at)
    at = copy(NOREPLY, 0, NOREPLY.length, out, at)
  } else {
    at = copy(records, record + dataset.bytesAt, mark, out, at)
  }
  at = copy(records, mark, record + dataset.recordBytes[key]!, out, at)
  const body = dataset.bodyOffset[key]!
  at = copy(block, body, body + dataset.bodyBytes[key]!, out, at)
  return copy(LINE_END, 0, LINE_END.length, out, at)
}

export function writeIncr(out: Buffer, at: number, dataset: Dataset, key: number): number {
  at = copy(INCR, 0, INCR.length, out, at)
  at = writeKey(out, at, dataset, key)
  return copy(BY_ONE, 0, BY_ONE.length, out, at)
}

/** Sets a counter; flags and exptime are 0. */
export function writeCounter(
  out: Buffer,
  at: number,
  dataset: Dataset,
  key: number,
  value: number,
): number {
  at = copy(SET, 0, SET.length, out, at)
  at = writeKey(out, at, dataset, key)
  const digits = String(value)
  return at + out.write(` 0 0 ${digits.length}\r\n${digits}\r\n`, at, 'latin1')
}

function writeKey(out: Buffer, at: number, dataset: Dataset, key: number): number {
  const from = key * dataset.recordStride + KEY_AT
  return copy(dataset.records, from, from + dataset.keyBytes, out, at)
}

function copy(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  const bytes = to - from
  if (bytes >= LOOP_BYTES_MAX) return at + source.copy(target, at, from, to)
  for (let i = 0; i < bytes; i++) target[at + i] = source[from + i]!
  return at + bytes
}
