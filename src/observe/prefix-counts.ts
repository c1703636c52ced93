/**
 * How often keys of one prefix are asked for, found, stored, deleted and evicted. The prefix of a key ends
 * before its first delimiter; a key without one is not counted.
 *
 * There are two of these: one counts every command from `stats detail on` to off, the other what is in the
 * sample (`key-sample.ts`), each for as many commands as it stands for.
 */

/** memcached's MAX_PREFIX_COUNT: keys of further prefixes are not counted. */
const PREFIXES_MAX = 65_536

export interface PrefixFigures {
  gets: number
  hits: number
  sets: number
  deletes: number
  evictions: number
}

export class PrefixCounts {
  readonly delimiter: string
  readonly #prefixesMax: number
  readonly #forgetsRare: boolean
  readonly #counts = new Map<string, PrefixFigures>()

  /** `forgetsRare`: where there are too many prefixes, those with least go, instead of not being let in. */
  constructor(delimiter: string, prefixesMax: number = PREFIXES_MAX, forgetsRare = false) {
    this.delimiter = delimiter
    this.#prefixesMax = prefixesMax
    this.#forgetsRare = forgetsRare
  }

  get(key: string, isHit: boolean, weight = 1): void {
    const counts = this.#of(key)
    if (counts === undefined) return
    counts.gets += weight
    if (isHit) counts.hits += weight
  }

  set(key: string, weight = 1): void {
    const counts = this.#of(key)
    if (counts !== undefined) counts.sets += weight
  }

  delete(key: string, weight = 1): void {
    const counts = this.#of(key)
    if (counts !== undefined) counts.deletes += weight
  }

  evict(key: string, weight = 1): void {
    const counts = this.#of(key)
    if (counts !== undefined) counts.evictions += weight
  }

  clear(): void {
    this.#counts.clear()
  }

  /** The prefix of a key; undefined where it has none. */
  prefixOf(key: string): string | undefined {
    const end = key.indexOf(this.delimiter)
    return end < 0 ? undefined : key.slice(0, end)
  }

  /** Those that most commands were about, the first one first. */
  top(prefixesMax: number): (readonly [prefix: string, figures: PrefixFigures])[] {
    return [...this.#counts].toSorted(([, a], [, b]) => uses(b) - uses(a)).slice(0, prefixesMax)
  }

  /** One line for each prefix, without line ends. */
  *lines(): Generator<string, void, undefined> {
    for (const [prefix, { gets, hits, sets, deletes }] of this.#counts) {
      yield `PREFIX ${prefix} get ${gets} hit ${hits} set ${sets} del ${deletes}`
    }
  }

  #of(key: string): PrefixFigures | undefined {
    const prefix = this.prefixOf(key)
    if (prefix === undefined) return undefined
    let counts = this.#counts.get(prefix)
    if (counts === undefined) {
      if (this.#counts.size >= this.#prefixesMax && !this.#makeRoom()) return undefined
      counts = { gets: 0, hits: 0, sets: 0, deletes: 0, evictions: 0 }
      this.#counts.set(prefix, counts)
    }
    return counts
  }

  /** Forgets the half of which there was least. Returns whether it may. */
  #makeRoom(): boolean {
    if (!this.#forgetsRare) return false
    const kept = this.top(Math.floor(this.#prefixesMax / 2))
    this.#counts.clear()
    for (const [prefix, figures] of kept) this.#counts.set(prefix, figures)
    return true
  }
}

function uses({ gets, sets, deletes }: PrefixFigures): number {
  return gets + sets + deletes
}
