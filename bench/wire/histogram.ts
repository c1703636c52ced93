// A log-linear histogram of latencies, in the manner of HdrHistogram: every power of two is cut into
// STEPS equal steps, so that a value is known to within 1/STEPS (1.6 %) over the whole range, in 10 KB.
// Recording is an index and an increment; quantiles are computed once, at the end.
// Not for values beyond 107 s (they count as that).

const STEPS_LOG2 = 6
const STEPS = 1 << STEPS_LOG2
/** Ten units a microsecond: 2^30 of them are 107 s, and the sum stays within an integer of V8's small kind. */
const UNITS_PER_US = 10
const UNITS_MAX = 2 ** 30 - 1
const BUCKETS = (30 - STEPS_LOG2 + 1) * STEPS

export class Histogram {
  readonly #counts: Float64Array = new Float64Array(BUCKETS)
  #total = 0

  get total(): number {
    return this.#total
  }

  recordUs(us: number): void {
    const units = us <= 0 ? 0 : Math.min(UNITS_MAX, Math.round(us * UNITS_PER_US))
    const bucket = bucketOf(units)
    this.#counts[bucket] = this.#counts[bucket]! + 1
    this.#total++
  }

  reset(): void {
    this.#counts.fill(0)
    this.#total = 0
  }

  /** The smallest value, to within a step, that a share `quantile` of all values doesn't exceed; 0 when empty. */
  quantileUs(quantile: number): number {
    const rank = Math.max(1, Math.ceil(quantile * this.#total))
    let seen = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket]!
      if (seen >= rank) return middleOf(bucket) / UNITS_PER_US
    }
    return 0
  }
}

/** Below STEPS a unit has its own bucket; above, the highest set bit picks the row and the next bits the step. */
function bucketOf(units: number): number {
  if (units < STEPS) return units
  const shift = 31 - Math.clz32(units) - STEPS_LOG2
  return (shift + 1) * STEPS + ((units >>> shift) - STEPS)
}

function middleOf(bucket: number): number {
  if (bucket < STEPS) return bucket
  const shift = (bucket >>> STEPS_LOG2) - 1
  const least = ((bucket & (STEPS - 1)) + STEPS) * 2 ** shift
  return least + (2 ** shift - 1) / 2
}
