/** One metric of `/metrics`, as a row of a table; and what all of them are read from at one scrape. */
import type { Histogram } from '../observe/histogram.ts'
import type { ReportSources } from './stats-report.ts'

export type Labels = Readonly<Record<string, string>>

/** What a server shows at one instant. */
export interface Snapshot {
  readonly sources: ReportSources
  /** `stats` and `stats settings`, by name. */
  readonly stats: ReadonlyMap<string, string>
  readonly settings: ReadonlyMap<string, string>
  /** `stats items` and `stats slabs`, by the number of the size class and the name. */
  readonly classes: ReadonlyMap<string, ReadonlyMap<string, string>>
}

/** One value of a metric. */
export type Sample = readonly [labels: Labels, value: number]

export interface MetricRow {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly labels?: readonly string[]
  /** Nothing where there is nothing to say, as of a disk tier that is not there. */
  read(snapshot: Snapshot): readonly Sample[]
}

/** A metric of durations. */
export interface HistogramRow {
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  read(snapshot: Snapshot): readonly (readonly [labels: Labels, durations: Histogram])[]
}

/** The value of a row without labels. */
export function single(value: number | undefined): Sample[] {
  return value === undefined ? [] : [[{}, value]]
}
