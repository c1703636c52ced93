/** A line of the log from time to time that says what was done since the last one. */
import type { Repeating } from '../observe/clock.ts'
import type { Logger } from '../observe/log.ts'
import { METRIC } from '../observe/metrics.ts'
import type { MetricSlot } from '../observe/metrics.ts'
import type { CommandContext } from './context.ts'

const COUNTED = {
  gets: METRIC.CMD_GET,
  sets: METRIC.CMD_SET,
  hits: METRIC.GET_HITS,
  misses: METRIC.GET_MISSES,
  evictions: METRIC.EVICTIONS,
  disk_reads: METRIC.L2_HITS,
  disk_writes: METRIC.L2_WRITES,
} as const satisfies Readonly<Record<string, MetricSlot>>

type Counts = Record<keyof typeof COUNTED, number>

export class Summary {
  readonly #context: CommandContext
  readonly #log: Logger
  #ticking: Repeating | null = null
  #last: Counts
  #lastMs: number

  constructor(context: CommandContext, log: Logger) {
    this.#context = context
    this.#log = log
    this.#last = this.#count()
    this.#lastMs = context.clock.elapsedMs()
  }

  /** How often; 0 for never. */
  set intervalMs(ms: number) {
    this.#ticking?.stop()
    this.#last = this.#count()
    this.#lastMs = this.#context.clock.elapsedMs()
    this.#ticking = ms === 0 ? null : this.#context.clock.every(ms, () => this.#write())
  }

  #write(): void {
    const { cache, clock, facts } = this.#context
    const now = this.#count()
    const nowMs = clock.elapsedMs()
    const since = (name: keyof typeof COUNTED): number => {
      // Less than before: the counters were set to zero.
      const grown = now[name] - this.#last[name]
      return grown < 0 ? now[name] : grown
    }
    const asked = since('hits') + since('misses')
    const { tier } = cache
    this.#log.info(
      {
        seconds: Math.round((nowMs - this.#lastMs) / 1000),
        gets: since('gets'),
        sets: since('sets'),
        hit_ratio: asked === 0 ? null : Number((since('hits') / asked).toFixed(4)),
        items: cache.count,
        memory_bytes: cache.usedBytes,
        evictions: since('evictions'),
        connections: facts.currentConnections(),
        ...(tier === null
          ? {}
          : {
              disk_items: tier.l2.keys.count,
              disk_bytes: tier.l2.list.bytes,
              disk_reads: since('disk_reads'),
              disk_writes: since('disk_writes'),
              disk_degraded: tier.l2.degraded,
            }),
      },
      'summary',
    )
    this.#last = now
    this.#lastMs = nowMs
  }

  #count(): Counts {
    const { metrics } = this.#context
    const counts: Counts = {
      gets: 0,
      sets: 0,
      hits: 0,
      misses: 0,
      evictions: 0,
      disk_reads: 0,
      disk_writes: 0,
    }
    for (const name of Object.keys(COUNTED)) {
      if (isCounted(name)) counts[name] = metrics.value(COUNTED[name])
    }
    return counts
  }
}

function isCounted(name: string): name is keyof typeof COUNTED {
  return Object.hasOwn(COUNTED, name)
}
