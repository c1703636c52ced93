// The parts of an item, as every dialect puts them into a request. Each function returns the new end.

import { type Dataset, KEY_AT } from './dataset.ts'

/** Below this a loop beats the call of a native copy. */
const LOOP_BYTES_MAX = 24

export function writeKey(out: Buffer, at: number, dataset: Dataset, key: number): number {
  const from = key * dataset.recordStride + KEY_AT
  return copy(dataset.records, from, from + dataset.keyBytes, out, at)
}

/** The beginning of the value, which only this key's has. */
export function writeMark(out: Buffer, at: number, dataset: Dataset, key: number): number {
  const record = key * dataset.recordStride
  const { records, markAt, recordBytes } = dataset
  return copy(records, record + markAt[key]!, record + recordBytes[key]!, out, at)
}

export function writeValue(out: Buffer, at: number, dataset: Dataset, key: number): number {
  at = writeMark(out, at, dataset, key)
  const body = dataset.bodyOffset[key]!
  return copy(dataset.block, body, body + dataset.bodyBytes[key]!, out, at)
}

export function copy(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  const bytes = to - from
  if (bytes >= LOOP_BYTES_MAX) return at + source.copy(target, at, from, to)
  for (let i = 0; i < bytes; i++) target[at + i] = source[from + i]!
  return at + bytes
}
