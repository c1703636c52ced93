/** A histogram in a few figures. */
import type { Histogram } from '../observe/histogram.ts'
import type { Quantiles } from './stats-document.ts'

export function quantilesOf(histogram: Histogram): Quantiles {
  const { count, maxUs, sumUs } = histogram
  return {
    count,
    meanUs: count === 0 ? 0 : Math.round(sumUs / count),
    p50Us: histogram.quantileUs(0.5),
    p90Us: histogram.quantileUs(0.9),
    p99Us: histogram.quantileUs(0.99),
    p999Us: histogram.quantileUs(0.999),
    maxUs,
  }
}
