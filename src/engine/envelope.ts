/**
 * The layout of the header that the library puts in front of a value which needs more than an expiry in
 * seconds: an end to the millisecond, a time of grace, tags.
 *
 * ```
 * byte  0  0xE7
 *       1  bits: 1 = the item outlives `freshUntil` (grace), 2 = there is no value, and that is known
 *       2  how many tags, 16 bits
 *       4  stamp, low word       number of the last change before the value was made:
 *       8  stamp, high word      what makes a tag void later makes it void
 *      12  a mark
 *      16  fresh until, milliseconds since 1970 as a double, Infinity = for ever
 *      24  the hash of each tag, as doubles
 * then     the value
 * ```
 * All numbers are little-endian. The upper half of the client flags says that there is such a header.
 */
import { copyBytes } from '../bytes/ascii.ts'
import type { Bytes } from '../bytes/ascii.ts'

/** Upper half of the client flags of a value with a header: "RA". */
const FLAGS_MARK = 0x5241
const FLAGS_MARK_SHIFT = 16
const TYPE_MASK = 0xffff

const AT_MAGIC = 0
const AT_BITS = 1
const AT_TAG_COUNT = 2
const AT_STAMP_LO = 4
const AT_STAMP_HI = 8
const AT_MARK = 12
const AT_FRESH_UNTIL = 16
const HEAD_BYTES = 24
const TAG_BYTES = 8
const MAGIC = 0xe7
/** "RatE", read as a little-endian word. */
const MARK = 0x45746152
const BIT_GRACE = 1
const BIT_NEGATIVE = 2
const WORD = 2 ** 32

/** Tags that one value can have; each is looked up with every get. */
export const TAGS_MAX = 64

/** What a header says. */
export interface Envelope {
  /** Number of the last change before the value was made. */
  stamp: number
  freshUntilMs: number
  hasGrace: boolean
  isNegative: boolean
  tags: readonly number[]
}

/** Whether client flags say that a header stands in front of the value. */
export function isEnveloped(clientFlags: number): boolean {
  return clientFlags >>> FLAGS_MARK_SHIFT === FLAGS_MARK
}

/** Client flags of a value with a header, by those of the value. */
export function envelopedFlags(type: number): number {
  return ((FLAGS_MARK << FLAGS_MARK_SHIFT) | type) >>> 0
}

/** What client flags say of the value behind the header. */
export function typeOfEnveloped(clientFlags: number): number {
  return clientFlags & TYPE_MASK
}

export function envelopeBytes(tagCount: number): number {
  return HEAD_BYTES + tagCount * TAG_BYTES
}

export function writeEnvelope(bytes: Bytes, at: number, envelope: Envelope): void {
  const { view } = bytes
  const { stamp, tags } = envelope
  view.setUint8(at + AT_MAGIC, MAGIC)
  const negative = envelope.isNegative ? BIT_NEGATIVE : 0
  view.setUint8(at + AT_BITS, (envelope.hasGrace ? BIT_GRACE : 0) | negative)
  view.setUint16(at + AT_TAG_COUNT, tags.length, true)
  view.setUint32(at + AT_STAMP_LO, stamp % WORD, true)
  view.setUint32(at + AT_STAMP_HI, Math.floor(stamp / WORD), true)
  view.setUint32(at + AT_MARK, MARK, true)
  view.setFloat64(at + AT_FRESH_UNTIL, envelope.freshUntilMs, true)
  for (let i = 0; i < tags.length; i++) {
    view.setFloat64(at + HEAD_BYTES + i * TAG_BYTES, tags[i]!, true)
  }
}

/** Bytes of the header that stands at a place, 0 if what stands there is none. */
export function envelopeBytesAt({ view }: Bytes, at: number, length: number): number {
  if (length < HEAD_BYTES || view.getUint8(at + AT_MAGIC) !== MAGIC) return 0
  if (view.getUint32(at + AT_MARK, true) !== MARK) return 0
  const bytes = envelopeBytes(view.getUint16(at + AT_TAG_COUNT, true))
  return bytes <= length ? bytes : 0
}

/** The following are of a header that is there. */
export function freshUntilMs({ view }: Bytes, at: number): number {
  return view.getFloat64(at + AT_FRESH_UNTIL, true)
}
export function hasGrace({ view }: Bytes, at: number): boolean {
  return (view.getUint8(at + AT_BITS) & BIT_GRACE) !== 0
}
export function isNegative({ view }: Bytes, at: number): boolean {
  return (view.getUint8(at + AT_BITS) & BIT_NEGATIVE) !== 0
}
export function stampOf({ view }: Bytes, at: number): number {
  return view.getUint32(at + AT_STAMP_HI, true) * WORD + view.getUint32(at + AT_STAMP_LO, true)
}
export function tagCountAt({ view }: Bytes, at: number): number {
  return view.getUint16(at + AT_TAG_COUNT, true)
}
export function tagAt({ view }: Bytes, at: number, index: number): number {
  return view.getFloat64(at + HEAD_BYTES + index * TAG_BYTES, true)
}

/** Copies a header in front of another value. */
export function copyEnvelope(target: Bytes, to: number, source: Bytes, from: number): void {
  copyBytes(target, to, source, from, envelopeBytes(tagCountAt(source, from)))
}

/** All tags of a header. */
export function tagsOf(bytes: Bytes, at: number): readonly number[] {
  return Array.from({ length: tagCountAt(bytes, at) }, (_, index) => tagAt(bytes, at, index))
}
