/**
 * The layout of an item: the only place that knows offsets, masks and shifts of its header.
 *
 * ```
 * word  0  hash next     handle of the next item in the bucket (of the next free chunk, when free)
 *       1  hash          32 bits of the key's hash
 *       2  queue prev    neighbours in the order of eviction
 *       3  queue next
 *       4  expires at    wall time in seconds, 0 = never
 *       5  accessed at   wall time in seconds of the last use
 *       6  cas low       unique per mutation
 *       7  cas high
 *       8  client flags  returned as they came
 *       9  value bytes
 *      10  | pins 16 | size class 8 | key bytes 8 |
 *      11  | flush epoch 16 | policy 8 | state 8 |
 * then     key, then value, without padding between them
 * ```
 * A free chunk has state 0; that is how a walk over a page tells chunks from items.
 */
import { UNIT_BYTES } from './heap.ts'

export const HEADER_BYTES = 48
const WORDS_PER_UNIT = UNIT_BYTES / 4

const HASH_NEXT = 0
const HASH = 1
const QUEUE_PREV = 2
const QUEUE_NEXT = 3
const EXPIRES_AT = 4
const ACCESSED_AT = 5
const CAS_LO = 6
const CAS_HI = 7
const CLIENT_FLAGS = 8
const VALUE_BYTES = 9
const KEY_CLASS_PINS = 10
const STATE_POLICY_EPOCH = 11

const KEY_BYTES_MASK = 0xff
const SIZE_CLASS_SHIFT = 8
const SIZE_CLASS_MASK = 0xff
const PINS_SHIFT = 16
const PINS_ONE = 1 << PINS_SHIFT
/** A cache line, and as many words as are worth reading ahead: behind them the processor does so by itself. */
const LINE_WORDS = 16
const READ_THROUGH_WORDS = 4 * LINE_WORDS
/** Most pins an item can have. */
export const PINS_MAX = 0xffff

const STATE_MASK = 0xff
const POLICY_SHIFT = 8
const POLICY_MASK = 0xff
const EPOCH_SHIFT = 16
/** Flush epochs count modulo this. */
export const EPOCHS = 0x10000

/** Bits of the state byte. */
export const STATE = {
  /** The chunk is in use, by an item or by a reservation. */
  ALLOCATED: 1,
  /** The item is in the index and in the order of eviction. */
  LINKED: 2,
  /** The item was read since it was stored. */
  FETCHED: 4,
  /** The item was invalidated, but may still be served to those who ask for stale ones. */
  STALE: 8,
  /** One client was told that it is to make the item anew; no other is told that. */
  WON: 16,
  /** The disk does not have the item as it is now. */
  CHANGED: 64,
  /** The key was written in base64 when the item was stored, and is shown so. */
  BINARY_KEY: 32,
} as const

/** Bytes that an item takes, header included. */
export function itemBytes(keyLength: number, valueLength: number): number {
  return HEADER_BYTES + keyLength + valueLength
}

/** Offset of the key in the heap. */
export function keyStart(item: number): number {
  return item * UNIT_BYTES + HEADER_BYTES
}

/** Offset of the value in the heap. */
export function valueStart(words: Int32Array, item: number): number {
  return keyStart(item) + keyBytes(words, item)
}

/** Reads a word of each cache line of an item, or of its first ones. Returns nothing of use. */
export function readThrough(words: Int32Array, item: number): number {
  const at = item * WORDS_PER_UNIT
  const bytes = itemBytes(keyBytes(words, item), valueBytes(words, item))
  const last = at + Math.min(READ_THROUGH_WORDS, (bytes - 1) >>> 2)
  let seen = words[last]!
  for (let word = at + LINE_WORDS; word < last; word += LINE_WORDS) seen ^= words[word]!
  return seen
}

/** Writes the header of a reservation: one pin, not linked, all else zero. */
export function initialize(
  words: Int32Array,
  item: number,
  hash: number,
  keyLength: number,
  valueLength: number,
  sizeClassId: number,
): void {
  const at = item * WORDS_PER_UNIT
  words[at + HASH_NEXT] = 0
  words[at + HASH] = hash
  words[at + QUEUE_PREV] = 0
  words[at + QUEUE_NEXT] = 0
  words[at + EXPIRES_AT] = 0
  words[at + ACCESSED_AT] = 0
  words[at + CAS_LO] = 0
  words[at + CAS_HI] = 0
  words[at + CLIENT_FLAGS] = 0
  words[at + VALUE_BYTES] = valueLength
  words[at + KEY_CLASS_PINS] = keyLength | (sizeClassId << SIZE_CLASS_SHIFT) | PINS_ONE
  words[at + STATE_POLICY_EPOCH] = STATE.ALLOCATED
}

/** Marks a chunk as free and chains it to the next free one of its page. */
export function initializeFree(words: Int32Array, chunk: number, next: number): void {
  words[chunk * WORDS_PER_UNIT + HASH_NEXT] = next
  words[chunk * WORDS_PER_UNIT + STATE_POLICY_EPOCH] = 0
}

export function hashNext(words: Int32Array, item: number): number {
  return words[item * WORDS_PER_UNIT + HASH_NEXT]!
}
export function setHashNext(words: Int32Array, item: number, next: number): void {
  words[item * WORDS_PER_UNIT + HASH_NEXT] = next
}
export function hashOf(words: Int32Array, item: number): number {
  return words[item * WORDS_PER_UNIT + HASH]!
}

export function queuePrev(words: Int32Array, item: number): number {
  return words[item * WORDS_PER_UNIT + QUEUE_PREV]!
}
export function setQueuePrev(words: Int32Array, item: number, prev: number): void {
  words[item * WORDS_PER_UNIT + QUEUE_PREV] = prev
}
export function queueNext(words: Int32Array, item: number): number {
  return words[item * WORDS_PER_UNIT + QUEUE_NEXT]!
}
export function setQueueNext(words: Int32Array, item: number, next: number): void {
  words[item * WORDS_PER_UNIT + QUEUE_NEXT] = next
}

export function expiresAt(words: Int32Array, item: number): number {
  return words[item * WORDS_PER_UNIT + EXPIRES_AT]! >>> 0
}
export function setExpiresAt(words: Int32Array, item: number, expiresAtS: number): void {
  words[item * WORDS_PER_UNIT + EXPIRES_AT] = expiresAtS
}
export function accessedAt(words: Int32Array, item: number): number {
  return words[item * WORDS_PER_UNIT + ACCESSED_AT]! >>> 0
}
export function setAccessedAt(words: Int32Array, item: number, accessedAtS: number): void {
  words[item * WORDS_PER_UNIT + ACCESSED_AT] = accessedAtS
}

export function casLo(words: Int32Array, item: number): number {
  return words[item * WORDS_PER_UNIT + CAS_LO]! >>> 0
}
export function casHi(words: Int32Array, item: number): number {
  return words[item * WORDS_PER_UNIT + CAS_HI]! >>> 0
}
/** Whether an item has a cas value. */
export function isCas(words: Int32Array, item: number, hi: number, lo: number): boolean {
  return casLo(words, item) === lo && casHi(words, item) === hi
}
/** Whether the cas value of an item is above another. */
export function isCasAbove(words: Int32Array, item: number, hi: number, lo: number): boolean {
  const itemHi = casHi(words, item)
  return itemHi > hi || (itemHi === hi && casLo(words, item) > lo)
}
export function setCas(words: Int32Array, item: number, hi: number, lo: number): void {
  words[item * WORDS_PER_UNIT + CAS_LO] = lo
  words[item * WORDS_PER_UNIT + CAS_HI] = hi
}

export function clientFlags(words: Int32Array, item: number): number {
  return words[item * WORDS_PER_UNIT + CLIENT_FLAGS]! >>> 0
}
export function setClientFlags(words: Int32Array, item: number, flags: number): void {
  words[item * WORDS_PER_UNIT + CLIENT_FLAGS] = flags
}

export function valueBytes(words: Int32Array, item: number): number {
  return words[item * WORDS_PER_UNIT + VALUE_BYTES]!
}
export function setValueBytes(words: Int32Array, item: number, length: number): void {
  words[item * WORDS_PER_UNIT + VALUE_BYTES] = length
}
export function keyBytes(words: Int32Array, item: number): number {
  return words[item * WORDS_PER_UNIT + KEY_CLASS_PINS]! & KEY_BYTES_MASK
}
export function sizeClass(words: Int32Array, item: number): number {
  return (words[item * WORDS_PER_UNIT + KEY_CLASS_PINS]! >>> SIZE_CLASS_SHIFT) & SIZE_CLASS_MASK
}

export function pins(words: Int32Array, item: number): number {
  return words[item * WORDS_PER_UNIT + KEY_CLASS_PINS]! >>> PINS_SHIFT
}
/** Adds one pin; the caller has checked that there are fewer than `PINS_MAX`. */
export function addPin(words: Int32Array, item: number): void {
  words[item * WORDS_PER_UNIT + KEY_CLASS_PINS]! += PINS_ONE
}
/** Takes one pin away; the caller owns one. */
export function removePin(words: Int32Array, item: number): void {
  words[item * WORDS_PER_UNIT + KEY_CLASS_PINS]! -= PINS_ONE
}

export function hasState(words: Int32Array, item: number, bit: number): boolean {
  return (words[item * WORDS_PER_UNIT + STATE_POLICY_EPOCH]! & bit) !== 0
}
/** All of them. */
export function stateBits(words: Int32Array, item: number): number {
  return words[item * WORDS_PER_UNIT + STATE_POLICY_EPOCH]! & STATE_MASK
}
export function addState(words: Int32Array, item: number, bit: number): void {
  words[item * WORDS_PER_UNIT + STATE_POLICY_EPOCH]! |= bit
}
export function removeState(words: Int32Array, item: number, bit: number): void {
  words[item * WORDS_PER_UNIT + STATE_POLICY_EPOCH]! &= ~bit
}

/** The byte that belongs to the eviction policy. */
export function policyByte(words: Int32Array, item: number): number {
  return (words[item * WORDS_PER_UNIT + STATE_POLICY_EPOCH]! >>> POLICY_SHIFT) & POLICY_MASK
}
export function setPolicyByte(words: Int32Array, item: number, byte: number): void {
  const at = item * WORDS_PER_UNIT + STATE_POLICY_EPOCH
  words[at] = (words[at]! & ~(POLICY_MASK << POLICY_SHIFT)) | (byte << POLICY_SHIFT)
}

export function flushEpoch(words: Int32Array, item: number): number {
  return words[item * WORDS_PER_UNIT + STATE_POLICY_EPOCH]! >>> EPOCH_SHIFT
}
export function setFlushEpoch(words: Int32Array, item: number, epoch: number): void {
  const at = item * WORDS_PER_UNIT + STATE_POLICY_EPOCH
  words[at] = (words[at]! & (EPOCHS - 1)) | (epoch << EPOCH_SHIFT)
}
