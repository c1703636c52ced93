/**
 * How often keys of one prefix are asked for, found, stored and deleted: `stats detail`. The prefix of a
 * key ends before its first delimiter; a key without one is not counted.
 */

/** memcached's MAX_PREFIX_COUNT: keys of further prefixes are not counted. */
const PREFIXES_MAX = 65_536

interface Counts {
  gets: number
  hits: number
  sets: number
  deletes: number
}

export class PrefixCounts {
  readonly delimiter: string
  readonly #counts = new Map<string, Counts>()

  constructor(delimiter: string) {
    this.delimiter = delimiter
  }

  get(key: string, isHit: boolean): void {
    const counts = this.#of(key)
    if (counts === undefined) return
    counts.gets++
    if (isHit) counts.hits++
  }

  set(key: string): void {
    const counts = this.#of(key)
    if (counts !== undefined) counts.sets++
  }

  delete(key: string): void {
    const counts = this.#of(key)
    if (counts !== undefined) counts.deletes++
  }

  clear(): void {
    this.#counts.clear()
  }

  /** One line for each prefix, without line ends. */
  *lines(): Generator<string, void, undefined> {
    for (const [prefix, { gets, hits, sets, deletes }] of this.#counts) {
      yield `PREFIX ${prefix} get ${gets} hit ${hits} set ${sets} del ${deletes}`
    }
  }

  #of(key: string): Counts | undefined {
    const end = key.indexOf(this.delimiter)
    if (end < 0) return undefined
    const prefix = key.slice(0, end)
    let counts = this.#counts.get(prefix)
    if (counts === undefined && this.#counts.size < PREFIXES_MAX) {
      counts = { gets: 0, hits: 0, sets: 0, deletes: 0 }
      this.#counts.set(prefix, counts)
    }
    return counts
  }
}
