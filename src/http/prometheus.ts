/**
 * `/metrics`: the tables of metrics, handed to prom-client when Prometheus asks. Nothing is kept between
 * two scrapes, and nothing is done for it per request of a client.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { itemStats, slabStats } from '../commands/class-report.ts'
import { generalStats } from '../commands/stats-report.ts'
import type { Answer } from './answer.ts'
import { EXPORTER_METRICS } from './exporter-metrics.ts'
import type { HistogramRow, Labels, MetricRow, Snapshot } from './metric-row.ts'
import { OWN_HISTOGRAMS, OWN_METRICS } from './own-metrics.ts'
import type { ReportSources } from './stats-report.ts'

const US_PER_S = 1_000_000
/** From 10 us to 5 s, three to a decade: finer quantiles are in `stats latency`. */
const BOUNDS_US: readonly number[] = [
  10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
  1_000_000, 2_000_000, 5_000_000,
]

export class PrometheusReport {
  readonly #sources: ReportSources
  readonly #registry = new Registry()
  #snapshot: Snapshot

  constructor(sources: ReportSources) {
    this.#sources = sources
    this.#snapshot = snapshotOf(sources)
    const now = (): Snapshot => this.#snapshot
    for (const row of [...EXPORTER_METRICS, ...OWN_METRICS]) register(this.#registry, row, now)
    for (const row of OWN_HISTOGRAMS) {
      this.#registry.registerMetric(new FilledHistogram(row, now))
    }
  }

  async answer(): Promise<Answer> {
    this.#snapshot = snapshotOf(this.#sources)
    const body = await this.#registry.metrics()
    return { status: 200, type: this.#registry.contentType, body }
  }
}

function snapshotOf(sources: ReportSources): Snapshot {
  const { context } = sources
  const classes = new Map<string, Map<string, string>>()
  for (const [path, value] of [...itemStats(context), ...slabStats(context)]) {
    // "items:5:number" and "5:chunk_size"; "active_slabs" is of none.
    const match = /^(?:items:)?(\d+):(\w+)$/.exec(path)
    if (match === null) continue
    const [, slab = '', name = ''] = match
    const figures = classes.get(slab) ?? new Map<string, string>()
    figures.set(name, value)
    classes.set(slab, figures)
  }
  return {
    sources,
    stats: new Map(generalStats(context)),
    settings: new Map(context.facts.settings()),
    classes,
  }
}

function register(registry: Registry, row: MetricRow, now: () => Snapshot): void {
  const { name, help, labels = [] } = row
  const options = { name, help, labelNames: [...labels], registers: [registry] }
  if (row.type === 'counter') {
    const counter: Counter = new Counter({
      ...options,
      collect() {
        counter.reset()
        if (labels.length === 0) counter.remove()
        for (const [of, value] of row.read(now())) counter.inc(of, value)
      },
    })
    return
  }
  const gauge: Gauge = new Gauge({
    ...options,
    collect() {
      gauge.reset()
      if (labels.length === 0) gauge.remove()
      for (const [of, value] of row.read(now())) gauge.set(of, value)
    },
  })
}

/**
 * A histogram of prom-client takes one duration at a time. This one shows what another histogram has
 * recorded; there is no other way in than to be one of its kind.
 */
class FilledHistogram extends Histogram {
  readonly #row: HistogramRow
  readonly #now: () => Snapshot

  constructor(row: HistogramRow, now: () => Snapshot) {
    super({ name: row.name, help: row.help, labelNames: [...row.labels], registers: [] })
    this.#row = row
    this.#now = now
  }

  /** What the registry asks for to write text. */
  getForPromString(): Promise<object> {
    const { name, help } = this.#row
    return Promise.resolve({ name, help, type: 'histogram', values: this.#values() })
  }

  #values(): { metricName: string; labels: Labels; value: number }[] {
    const { name } = this.#row
    return this.#row.read(this.#now()).flatMap(([labels, durations]) => {
      const buckets = BOUNDS_US.map((us) => ({
        metricName: `${name}_bucket`,
        labels: { ...labels, le: String(us / US_PER_S) },
        value: durations.countUpTo(us),
      }))
      const { count, sumUs } = durations
      return [
        ...buckets,
        { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
        { metricName: `${name}_sum`, labels, value: sumUs / US_PER_S },
        { metricName: `${name}_count`, labels, value: count },
      ]
    })
  }
}
