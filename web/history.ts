/**
 * What the charts show: samples that are made from two documents that came one after the other, since
 * most figures are counters, and a rate is the difference of two.
 *
 * A sample that cannot be made is null in every column, and the lines have a gap there: after the server
 * began anew, after its counters were set to zero, and where nobody looked for a while.
 */

/** Makes one figure of two documents; null where there is none. */
export type Figure<Document> = (now: Document, before: Document, seconds: number) => number | null

/** Kept at most. At an interval of two seconds this is a quarter of an hour. */
const SAMPLES_MAX = 450
/** Longer than so many intervals between two documents is a gap. */
const GAP_INTERVALS = 3

export class History<Document> {
  readonly times: number[] = []
  readonly #figures: readonly Figure<Document>[]
  readonly #columns: (number | null)[][]
  readonly #isSameLife: (now: Document, before: Document) => boolean
  #before: { readonly document: Document; readonly atS: number } | null = null

  constructor(
    figures: readonly Figure<Document>[],
    isSameLife: (now: Document, before: Document) => boolean,
  ) {
    this.#figures = figures
    this.#columns = figures.map(() => [])
    this.#isSameLife = isSameLife
  }

  column(index: number): (number | null)[] {
    return this.#columns[index]!
  }

  /** The newest value of a column. */
  latest(index: number): number | null {
    return this.#columns[index]!.at(-1) ?? null
  }

  /** `atS` is when the document was made, by the server's clock. */
  add(document: Document, atS: number, intervalS: number): void {
    const before = this.#before
    this.#before = { document, atS }
    if (before === null) return
    if (!this.#isSameLife(document, before.document)) {
      // The clock of another life may be another one.
      if (atS <= before.atS) this.#clear()
      this.#push(atS, () => null)
      return
    }
    const seconds = atS - before.atS
    if (seconds <= 0) return
    if (seconds > GAP_INTERVALS * intervalS) this.#push(before.atS + intervalS, () => null)
    this.#push(atS, (figure) => figure(document, before.document, seconds))
  }

  #clear(): void {
    this.times.length = 0
    for (const column of this.#columns) column.length = 0
  }

  #push(atS: number, value: (figure: Figure<Document>) => number | null): void {
    this.times.push(atS)
    this.#figures.forEach((figure, index) => this.#columns[index]!.push(value(figure)))
    if (this.times.length <= SAMPLES_MAX) return
    this.times.shift()
    for (const column of this.#columns) column.shift()
  }
}

/** A counter's rate; null if it has gone back, which it does when it is set to zero. */
export function rateOf(now: number, before: number, seconds: number): number | null {
  return now >= before ? (now - before) / seconds : null
}

/** A share of what came in the meantime; null if nothing did. */
export function shareOf(part: number | null, ...parts: readonly (number | null)[]): number | null {
  const all = parts.reduce<number>((sum, value) => sum + (value ?? 0), 0)
  return part === null || all === 0 ? null : part / all
}
