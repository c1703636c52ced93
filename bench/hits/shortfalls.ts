// How far policies stay below the best that is known, over all cells of trace and size.

import type { Reference } from './references.ts'

interface Cell {
  readonly name: string
  readonly shortfall: number
  readonly belowLru: number
}

/** Points below exact LRU that are no longer noise. */
const BELOW_LRU_POINTS = 0.5
const NEAR_POINTS = 2

export class Shortfalls {
  readonly #cells = new Map<string, Cell[]>()

  add(policy: string, ratio: number, reference: Reference): void {
    const cells = this.#cells.get(policy) ?? []
    this.#cells.set(policy, cells)
    cells.push({
      name: `${reference.trace} ${reference.capacity}`,
      shortfall: Math.max(0, reference.best - ratio),
      belowLru: reference.lru - ratio,
    })
  }

  /** A line for each policy. */
  summary(): string[] {
    return [...this.#cells].map(([policy, cells]) => {
      const mean = cells.reduce((sum, { shortfall }) => sum + shortfall, 0) / cells.length
      const near = cells.filter(({ shortfall }) => shortfall <= NEAR_POINTS).length
      const worst = cells.reduce((a, b) => (b.shortfall > a.shortfall ? b : a))
      const below = cells.filter(({ belowLru }) => belowLru > BELOW_LRU_POINTS)
      const names = below.map(({ name, belowLru }) => `${name} (${belowLru.toFixed(2)})`)
      return (
        `${policy}: ${cells.length} cells, mean shortfall ${mean.toFixed(2)} points, ` +
        `${near} within ${NEAR_POINTS}, worst ${worst.shortfall.toFixed(2)} (${worst.name}); ` +
        `more than ${BELOW_LRU_POINTS} below lru: ${names.length === 0 ? 'none' : names.join(', ')}`
      )
    })
  }
}
