/**
 * How long things took: a log-linear histogram, in the manner of G. Tene's HdrHistogram. Every power
 * of two is cut into STEPS equal steps, so that a duration is known to 3 % over the whole range, in
 * 7 KB. To record is an index and an addition, and allocates nothing; quantiles are computed when
 * they are asked for.
 *
 * Not for durations beyond 2^31 us, 36 minutes, which count as that.
 */

const STEPS_LOG2 = 5
const STEPS = 1 << STEPS_LOG2
const VALUE_BITS = 31
const VALUE_MAX = 2 ** VALUE_BITS - 1
const BUCKETS = (VALUE_BITS - STEPS_LOG2 + 1) * STEPS

export class Histogram {
  readonly #counts: Float64Array = new Float64Array(BUCKETS)
  #count = 0
  #max = 0
  #sum = 0

  /** Durations that were recorded. */
  get count(): number {
    return this.#count
  }
  /** The longest of them, in microseconds. */
  get maxUs(): number {
    return this.#max
  }

  /** All of them together, in microseconds. */
  get sumUs(): number {
    return this.#sum
  }

  record(us: number): void {
    this.recordMany(us, 1)
  }

  /** Records the same duration for some things that took it together. */
  recordMany(us: number, count: number): void {
    // Of a clock that is set back in the middle; NaN would make an index of its own.
    const value = us > 0 ? Math.min(VALUE_MAX, Math.round(us)) : 0
    this.#counts[bucketOf(value)]! += count
    this.#count += count
    this.#sum += value * count
    if (value > this.#max) this.#max = value
  }

  /** Adds what another one has recorded. */
  add(other: Histogram): void {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      this.#counts[bucket]! += other.#counts[bucket]!
    }
    this.#count += other.#count
    this.#sum += other.#sum
    this.#max = Math.max(this.#max, other.#max)
  }

  /** How many durations were no longer than `us`, to within a step. */
  countUpTo(us: number): number {
    const last = us >= VALUE_MAX ? BUCKETS - 1 : bucketOf(Math.max(0, Math.floor(us)))
    let seen = 0
    for (let bucket = 0; bucket <= last; bucket++) seen += this.#counts[bucket]!
    return seen
  }

  /**
   * The shortest duration, to within a step and never above `maxUs`, that a share of all does not
   * exceed; 0 when nothing was recorded.
   */
  quantileUs(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.#count))
    let seen = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket]!
      if (seen >= rank) return Math.min(this.#max, endOf(bucket))
    }
    return 0
  }

  /** Buckets that hold anything: their greatest duration, and how many there are in them. */
  buckets(): (readonly [upToUs: number, count: number])[] {
    const found: (readonly [number, number])[] = []
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = this.#counts[bucket]!
      if (count > 0) found.push([endOf(bucket), count])
    }
    return found
  }

  reset(): void {
    this.#counts.fill(0)
    this.#count = 0
    this.#max = 0
    this.#sum = 0
  }
}

/** Below STEPS each value has its bucket; above, the highest set bit picks the row, the next the step. */
function bucketOf(value: number): number {
  if (value < STEPS) return value
  const shift = 31 - Math.clz32(value) - STEPS_LOG2
  return (shift + 1) * STEPS + ((value >>> shift) - STEPS)
}

/** The greatest value of a bucket. */
function endOf(bucket: number): number {
  if (bucket < STEPS) return bucket
  const shift = (bucket >>> STEPS_LOG2) - 1
  return ((bucket & (STEPS - 1)) + STEPS + 1) * 2 ** shift - 1
}
