/**
 * What the options of a set mean for the item: its expiry, and whether its value needs a header.
 *
 * An expiry in whole seconds of a minute or more is memcached's, and the value lies there as any client
 * stores it. A finer one, grace and tags need the header of `engine/envelope.ts`.
 */
import { TAGS_MAX, envelopeBytes } from '../engine/envelope.ts'
import type { Envelope } from '../engine/envelope.ts'
import { hashTag } from '../engine/tag-table.ts'
import type { TagTable } from '../engine/tag-table.ts'
import { ServerError } from '../errors.ts'
import { milliseconds } from './duration.ts'
import type { Duration } from './duration.ts'

/** Below this an error of a second matters. */
const PRECISE_BELOW_MS = 60_000
const MS_PER_S = 1000
/** As memcached, the engine takes what is above for a date. */
const RELATIVE_MAX_MS = 30 * 24 * 3600 * MS_PER_S
/** Of the 32 bits that an expiry has. */
const INSTANT_MAX_S = 0xffff_ffff

/** How a value is stored. */
export interface SetOptions {
  /** How long the value is good: milliseconds, or '10m'. Left out: `ttl.default`. 0: for ever. */
  readonly ttl?: Duration
  /** How long it may be used after that, while a new one is made or when none can be had (`getOrSet`). */
  readonly grace?: Duration
  /** What it was made of: `invalidateTags` with any of them makes it void. */
  readonly tags?: readonly string[]
}

/** What becomes of the options. */
export interface StorePlan {
  /** As a client of memcached writes it. */
  readonly exptimeS: number
  /** Null where the value needs no header. */
  readonly envelope: Envelope | null
  readonly envelopeBytes: number
}

export const PLAIN: StorePlan = { exptimeS: 0, envelope: null, envelopeBytes: 0 }

/**
 * The plan of some options. `scope` are the hashes of the namespaces that the key is in, `stamp` the
 * number of the last change before the value was made.
 */
export function planOf(
  options: SetOptions | undefined,
  scope: readonly number[],
  stamp: number,
  table: TagTable,
  isNegative = false,
): StorePlan {
  if (options === undefined && scope.length === 0 && !isNegative) return PLAIN
  const ttlMs = options?.ttl === undefined ? 0 : milliseconds(options.ttl, 'ttl')
  const graceMs = options?.grace === undefined ? 0 : milliseconds(options.grace, 'grace')
  const isFinite = ttlMs !== 0 && ttlMs !== Infinity
  const isPrecise = isFinite && (ttlMs < PRECISE_BELOW_MS || ttlMs % MS_PER_S !== 0)
  const tags = tagsOf(options?.tags, scope)
  const hasGrace = isFinite && graceMs > 0
  if (!isPrecise && !hasGrace && !isNegative && tags.length === 0) {
    return { ...PLAIN, exptimeS: isFinite ? secondsOf(ttlMs, table.nowMs) : 0 }
  }
  const freshUntilMs = isFinite ? table.nowMs + ttlMs : Infinity
  const endMs = hasGrace ? freshUntilMs + graceMs : freshUntilMs
  const exptimeS = endMs === Infinity ? 0 : Math.min(INSTANT_MAX_S, Math.ceil(endMs / MS_PER_S))
  return {
    exptimeS,
    envelope: { stamp, freshUntilMs, hasGrace, isNegative, tags },
    envelopeBytes: envelopeBytes(tags.length),
  }
}

function tagsOf(names: readonly string[] | undefined, scope: readonly number[]): readonly number[] {
  if (names === undefined || names.length === 0) return scope
  const tags = new Set(scope)
  for (const name of names) tags.add(hashTag('tag', name))
  if (tags.size > TAGS_MAX) {
    throw new ServerError('ARGUMENT_INVALID', `tags: a value has at most ${TAGS_MAX}`)
  }
  return [...tags]
}

/** Whole seconds as a client writes them. */
function secondsOf(ttlMs: number, nowMs: number): number {
  if (ttlMs <= RELATIVE_MAX_MS) return ttlMs / MS_PER_S
  return Math.min(INSTANT_MAX_S, Math.floor((nowMs + ttlMs) / MS_PER_S))
}
