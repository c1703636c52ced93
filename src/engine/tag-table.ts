/**
 * Tags: which values are void because something that they were made of has changed.
 *
 * A value carries the hashes of its tags and the number of the last change before it was made. Making a
 * tag void notes the number of that moment. So it costs the same whatever carries the tag, wherever it is,
 * and the values are found out one by one, when they are asked for (docs/decisions/0020).
 *
 * What is not known is not believed: a value with tags that is older than `floor` is void.
 */
import { bytesOf } from '../bytes/ascii.ts'
import type { Bytes } from '../bytes/ascii.ts'
import type { Clock } from '../observe/clock.ts'
import type { Heap } from '../store/l1/heap.ts'
import { clientFlags, valueBytes, valueStart } from '../store/l1/layout.ts'
import {
  envelopeBytesAt,
  freshUntilMs,
  hasGrace,
  isEnveloped,
  stampOf,
  tagAt,
  tagCountAt,
} from './envelope.ts'
import { hashKey } from './key-hash.ts'

/** Tags that are remembered as void; with more, the older half of them goes into the floor. */
const VOID_TAGS_MAX = 65_536
/** Public seeds: who makes two tags with one hash gets misses. Digits of pi, as everywhere. */
const SEED_LOW = { k0: 0x13198a2e, k1: 0x03707344 }
const SEED_HIGH = { k0: 0x299f31d0, k1: 0x082efa98 }
/** A double counts exactly up to 53 bits. */
const HIGH_MASK = 0x1f_ffff
const WORD = 2 ** 32
const MS_PER_S = 1000
const US_PER_MS = 1000

/** Where it is noted which tags are void, so that it is known after a restart. */
export interface TagJournal {
  /** What is noted is in the file, though not forced to the device. Returns false if it could not be. */
  append(tag: number, sequence: number): boolean
  /** Puts a new content in the place of the old. Returns false if it could not be. */
  rewrite(floor: number, voidedAt: ReadonlyMap<number, number>): boolean
}

/** Says which items are void though they have not expired. */
export interface ItemJudge {
  /** Asked for items with a header only; it stands in `bytes` from `at` on. */
  isVoid(bytes: Bytes, at: number, length: number): boolean
}

/** Whether an item has a header, and is void by what stands in it. */
export function isVoidItem(judge: ItemJudge, { bytes, words }: Heap, item: number): boolean {
  if (!isEnveloped(clientFlags(words, item))) return false
  return judge.isVoid(bytes, valueStart(words, item), valueBytes(words, item))
}

export class TagTable implements ItemJudge {
  readonly #clock: Clock
  readonly #journal: TagJournal | null
  readonly #voidedAt: Map<number, number>
  #floor: number

  constructor(
    clock: Clock,
    journal: TagJournal | null,
    floor: number,
    voidedAt: Map<number, number>,
  ) {
    this.#clock = clock
    this.#journal = journal
    this.#floor = floor
    this.#voidedAt = voidedAt
  }

  /** Tags that are known to have become void. */
  get count(): number {
    return this.#voidedAt.size
  }

  /** Milliseconds since 1970, no less than the coarse clock says. */
  get nowMs(): number {
    return Math.max(this.#clock.wallUs() / US_PER_MS, this.#clock.nowS * MS_PER_S)
  }

  isVoid(bytes: Bytes, at: number, length: number): boolean {
    if (envelopeBytesAt(bytes, at, length) === 0) return true
    if (!hasGrace(bytes, at) && freshUntilMs(bytes, at) <= this.nowMs) return true
    const count = tagCountAt(bytes, at)
    if (count === 0) return false
    const stamp = stampOf(bytes, at)
    if (stamp < this.#floor) return true
    for (let i = 0; i < count; i++) {
      const sequence = this.#voidedAt.get(tagAt(bytes, at, i))
      if (sequence !== undefined && stamp < sequence) return true
    }
    return false
  }

  /**
   * Makes void what carries a tag and was made before a change. Returns false if that could not be noted
   * for the time after a restart; then the disk must not be believed.
   */
  makeVoid(tag: number, sequence: number): boolean {
    this.#voidedAt.delete(tag)
    this.#voidedAt.set(tag, sequence)
    if (this.#voidedAt.size > VOID_TAGS_MAX) {
      this.#forgetOlder()
      return this.#journal?.rewrite(this.#floor, this.#voidedAt) ?? true
    }
    return this.#journal?.append(tag, sequence) ?? true
  }

  /** The map is in the order of the numbers, for each is set anew with the latest. */
  #forgetOlder(): void {
    let left = VOID_TAGS_MAX / 2
    for (const [tag, sequence] of this.#voidedAt) {
      if (left-- === 0) return
      this.#floor = Math.max(this.#floor, sequence)
      this.#voidedAt.delete(tag)
    }
  }
}

/** The hash of a tag: 53 bits. `kind` keeps tags and namespaces apart. */
export function hashTag(kind: 'tag' | 'namespace', name: string): number {
  const bytes = bytesOf(Buffer.from(`${kind}:${name}`))
  const { length } = bytes.buffer
  const high = hashKey(SEED_HIGH, bytes, 0, length) & HIGH_MASK
  return high * WORD + (hashKey(SEED_LOW, bytes, 0, length) >>> 0)
}
