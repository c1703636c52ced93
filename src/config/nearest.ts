/** "Did you mean ...?": the known name that a mistyped one was most likely meant to be. */

/** A name that has to be changed in more than this share of its letters is another name. */
const CHANGED_SHARE_MAX = 0.4

/** The known name nearest to `name` by edit distance, unless none is near. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(name.length * CHANGED_SHARE_MAX)) + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/**
 * Insertions, deletions, replacements and swaps of neighbours between two words: the optimal
 * string alignment distance (Damerau, 1964), row by row.
 */
function editDistance(from: string, to: string): number {
  let twoAbove: number[] = []
  let above = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const replaced = (above[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1)
      const removed = (above[column] ?? 0) + 1
      const inserted = (current[column - 1] ?? 0) + 1
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      const swapped = isSwap ? (twoAbove[column - 2] ?? Infinity) + 1 : Infinity
      current.push(Math.min(replaced, removed, inserted, swapped))
    }
    twoAbove = above
    above = current
  }
  return above[to.length] ?? 0
}
