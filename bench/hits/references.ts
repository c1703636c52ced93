// What other policies reach, if a README.md beside the traces has a table of it.
//
// A row: `| trace | size | C | OPT | best name | fifo | lru | ... |`, hit ratios in percent at C items.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface Reference {
  readonly trace: string
  readonly capacity: number
  readonly best: number
  readonly bestName: string
  readonly fifo: number
  readonly lru: number
}

const COLUMNS_MIN = 7

/** The table beside a trace; empty if there is none. */
export function referencesBeside(tracePath: string): readonly Reference[] {
  const path = join(dirname(tracePath), 'README.md')
  return existsSync(path) ? parseReferences(readFileSync(path, 'utf8')) : []
}

export function parseReferences(text: string): readonly Reference[] {
  return text.split('\n').flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim())
    const [, trace = '', , capacity = '', , best = '', fifo = '', lru = ''] = cells
    const [bestRatio = '', bestName = ''] = best.split(' ')
    const numbers = [capacity, bestRatio, fifo, lru].map(Number)
    if (cells.length < COLUMNS_MIN || capacity === '' || numbers.some(Number.isNaN)) return []
    const [c, b, f, l] = numbers
    return [{ trace, capacity: c!, best: b!, bestName, fifo: f!, lru: l! }]
  })
}
