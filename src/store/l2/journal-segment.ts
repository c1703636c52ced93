/**
 * The journal's files: what they are called, and how an entry lies in one.
 *
 * A segment `journal-<number>.log` is a row of entries of 24 bytes and nothing else, little endian:
 *
 * ```
 *  0           4           8             12            16       20
 *  | hash lo   | hash hi   | sequence lo | sequence hi | kind   | check  |
 * ```
 * The check word is a mix of the five others in which each step is a bijection: a change in any one
 * word is noticed always, zeros and other garbage with 1 - 2^-32. Entries stand at multiples of 24
 * only, so that one that is damaged hides none of those behind it.
 */
import { join } from 'node:path'
import type { FileSystem } from './file-system.ts'

export const ENTRY_BYTES = 24
/** The copy on disk of the keys with this hash is stale if it is older than the sequence number. */
const KIND_STALE = 1

const AT_HASH_LO = 0
const AT_HASH_HI = 4
const AT_SEQUENCE_LO = 8
const AT_SEQUENCE_HI = 12
const AT_KIND = 16
const AT_CHECK = 20

const WORD = 4_294_967_296
/** "RATJ": keeps an entry of zeros from having a check word of zero. */
const CHECK_START = 0x4a54_4152
/** The multipliers of MurmurHash3's finalizer (A. Appleby), odd and so invertible. */
const CHECK_FACTOR = 0x85eb_ca6b
const CHECK_FACTOR_LAST = 0xc2b2_ae35 | 0

const SEGMENT_NAME = /^journal-(\d{1,15})\.log$/

export interface SegmentFile {
  readonly number: number
  readonly path: string
}

export function segmentPath(folder: string, number: number): string {
  return join(folder, `journal-${number}.log`)
}

/** The segments in a folder, oldest first. */
export function listSegments(folder: string, files: FileSystem): SegmentFile[] {
  return files
    .readdirSync(folder)
    .flatMap((name) => {
      const digits = SEGMENT_NAME.exec(name)?.[1]
      return digits === undefined ? [] : [{ number: Number(digits), path: join(folder, name) }]
    })
    .sort((a, b) => a.number - b.number)
}

export function writeStale(
  view: DataView,
  at: number,
  hashHi: number,
  hashLo: number,
  sequence: number,
): void {
  const sequenceHi = Math.floor(sequence / WORD)
  const sequenceLo = sequence | 0
  view.setInt32(at + AT_HASH_LO, hashLo, true)
  view.setInt32(at + AT_HASH_HI, hashHi, true)
  view.setInt32(at + AT_SEQUENCE_LO, sequenceLo, true)
  view.setInt32(at + AT_SEQUENCE_HI, sequenceHi, true)
  view.setInt32(at + AT_KIND, KIND_STALE, true)
  view.setInt32(at + AT_CHECK, checkOf(hashLo, hashHi, sequenceLo, sequenceHi, KIND_STALE), true)
}

/** Whether an entry that says "stale" stands there, undamaged. */
export function isStaleEntry(view: DataView, at: number): boolean {
  const check = checkOf(
    view.getInt32(at + AT_HASH_LO, true),
    view.getInt32(at + AT_HASH_HI, true),
    view.getInt32(at + AT_SEQUENCE_LO, true),
    view.getInt32(at + AT_SEQUENCE_HI, true),
    KIND_STALE,
  )
  return (
    view.getInt32(at + AT_KIND, true) === KIND_STALE && view.getInt32(at + AT_CHECK, true) === check
  )
}

export function hashHiAt(view: DataView, at: number): number {
  return view.getInt32(at + AT_HASH_HI, true)
}
export function hashLoAt(view: DataView, at: number): number {
  return view.getInt32(at + AT_HASH_LO, true)
}
export function sequenceAt(view: DataView, at: number): number {
  return (
    view.getUint32(at + AT_SEQUENCE_HI, true) * WORD + view.getUint32(at + AT_SEQUENCE_LO, true)
  )
}

function checkOf(
  hashLo: number,
  hashHi: number,
  sequenceLo: number,
  sequenceHi: number,
  kind: number,
): number {
  let check = Math.imul(CHECK_START ^ hashLo, CHECK_FACTOR)
  check = Math.imul(check ^ (check >>> 15) ^ hashHi, CHECK_FACTOR)
  check = Math.imul(check ^ (check >>> 13) ^ sequenceLo, CHECK_FACTOR)
  check = Math.imul(check ^ (check >>> 15) ^ sequenceHi, CHECK_FACTOR)
  check = Math.imul(check ^ (check >>> 13) ^ kind, CHECK_FACTOR_LAST)
  return check ^ (check >>> 16)
}
