/**
 * What the operator says about how long items live: a default for those without an expiry and a most
 * for all, with exceptions by the beginning of the key.
 *
 * It decides when an item is over whenever a client gives it an expiry, by whatever command. What it says
 * can be replaced while the server runs; items that are stored keep what they have.
 */
import { bytesOf, equalBytes } from '../bytes/ascii.ts'
import type { Bytes } from '../bytes/ascii.ts'
import { expiryInstant } from './expiry.ts'

export interface TtlRule {
  readonly prefix: string
  /** As in `TtlSettings`, which counts for what is left out here. */
  readonly defaultMs?: number
  readonly maxMs?: number
}

export interface TtlSettings {
  /** The life of an item to which a client gives no end, 0 for no end. */
  readonly defaultMs: number
  /** The longest life of an item, 0 for no limit. */
  readonly maxMs: number
  readonly rules: readonly TtlRule[]
}

interface Limits {
  readonly prefix: Bytes
  readonly prefixBytes: number
  readonly defaultS: number
  readonly maxS: number
}

const MS_PER_S = 1000
const NO_RULES: readonly Limits[] = []

export class TtlRules {
  #isEmpty = true
  #forAll: Limits = limitsOf({ prefix: '' }, { defaultMs: 0, maxMs: 0, rules: [] })
  /** The rules by the first byte of their prefixes, the longest prefixes first. */
  #byFirstByte: (readonly Limits[])[] = []

  /** Lets other rules count from now on. */
  replace(settings: TtlSettings): void {
    const { defaultMs, maxMs, rules } = settings
    this.#isEmpty = defaultMs === 0 && maxMs === 0 && rules.length === 0
    this.#forAll = limitsOf({ prefix: '' }, settings)
    const longestFirst = rules
      .map((rule) => limitsOf(rule, settings))
      .sort((a, b) => b.prefixBytes - a.prefixBytes)
    this.#byFirstByte = Array.from({ length: 256 }, (_, first) => {
      const those = longestFirst.filter(({ prefix }) => prefix.buffer[0] === first)
      return those.length === 0 ? NO_RULES : those
    })
  }

  /** Wall time in seconds at which the item of a key is over, 0 for never. */
  instant(exptimeS: number, nowS: number, bytes: Bytes, start: number, length: number): number {
    if (this.#isEmpty) return expiryInstant(exptimeS, nowS)
    const { defaultS, maxS } = this.#limitsFor(bytes, start, length)
    const defaultAtS = defaultS === 0 ? 0 : nowS + defaultS
    const asked = exptimeS === 0 ? defaultAtS : expiryInstant(exptimeS, nowS)
    if (maxS === 0 || (asked !== 0 && asked <= nowS + maxS)) return asked
    return nowS + maxS
  }

  #limitsFor(bytes: Bytes, start: number, length: number): Limits {
    if (length === 0) return this.#forAll
    const rules = this.#byFirstByte[bytes.buffer[start]!]!
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i]!
      const { prefixBytes } = rule
      if (prefixBytes <= length && equalBytes(bytes, start, rule.prefix, 0, prefixBytes)) {
        return rule
      }
    }
    return this.#forAll
  }
}

function limitsOf(rule: TtlRule, settings: TtlSettings): Limits {
  const prefix = bytesOf(Buffer.from(rule.prefix))
  return {
    prefix,
    prefixBytes: prefix.buffer.length,
    defaultS: Math.ceil((rule.defaultMs ?? settings.defaultMs) / MS_PER_S),
    maxS: Math.ceil((rule.maxMs ?? settings.maxMs) / MS_PER_S),
  }
}
