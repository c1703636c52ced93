// Loads one server from this process, over several connections that stay open, and measures what it costs.

import { type Dataset } from '../wire/dataset.ts'
import { text } from '../wire/dialect/text.ts'
import { Driver } from '../wire/drive.ts'
import { Histogram } from '../wire/histogram.ts'
import { type RunningServer } from '../wire/servers.ts'
import { type Source } from '../wire/sources.ts'
import { type Cost, costBetween, costOf } from './process-cost.ts'

export interface Window {
  readonly requests: number
  readonly seconds: number
  readonly hits: number
  readonly misses: number
  readonly cost: Cost
  readonly p50Us: number
  readonly p99Us: number
  readonly p999Us: number
}

export interface Pace {
  readonly pipelineDepth: number
  /** Requests due a second, on a clock; 0: the next is sent when the last has been answered. */
  readonly ratePerS: number
}

const READ_BUFFER_BYTES = 1 << 16
/** Requests that a connection may have on the way, a power of two: enough for the deepest pipeline here. */
const PENDING_MAX = 64
export const ONE_AT_A_TIME: Pace = { pipelineDepth: 1, ratePerS: 0 }

export class Load {
  readonly #server: RunningServer
  readonly #driver: Driver
  readonly #histogram: Histogram

  private constructor(server: RunningServer, driver: Driver, histogram: Histogram) {
    this.#server = server
    this.#driver = driver
    this.#histogram = histogram
  }

  static async open(
    server: RunningServer,
    dataset: Dataset,
    connections: number,
    polls: boolean,
  ): Promise<Load> {
    const histogram = new Histogram()
    const driver = new Driver(histogram, polls)
    await driver.open(connections, {
      port: server.port,
      dataset,
      keys: new Uint32Array(1),
      dialect: text,
      multigetWidth: 1,
      counters: new Float64Array(0),
      mayRefuse: false,
      pendingMax: PENDING_MAX,
      readBuffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
    })
    return new Load(server, driver, histogram)
  }

  /** Runs until the source has no more. */
  all(source: Source, pace: Pace): Promise<Window> {
    return this.#measure(() => this.#driver.run({ source, ...pace }))
  }

  /** Runs for some seconds, of which the first `warmSeconds` are not measured. */
  async window(source: Source, pace: Pace, warmSeconds: number, seconds: number): Promise<Window> {
    const running = this.#driver.run({ source, ...pace })
    if (warmSeconds > 0) await Promise.race([wait(warmSeconds), running])
    const window = await this.#measure(() => Promise.race([wait(seconds), running]))
    this.#driver.stop()
    await running
    return window
  }

  close(): Promise<void> {
    return this.#driver.close()
  }

  async #measure(work: () => Promise<void>): Promise<Window> {
    const driver = this.#driver
    const histogram = this.#histogram
    histogram.reset()
    const { answers, hits, misses } = driver
    const before = costOf(this.#server.pid)
    const startMs = performance.now()
    await work()
    const seconds = (performance.now() - startMs) / 1000
    const cost = costBetween(before, costOf(this.#server.pid))
    return {
      requests: driver.answers - answers,
      seconds,
      hits: driver.hits - hits,
      misses: driver.misses - misses,
      cost,
      p50Us: histogram.quantileUs(0.5),
      p99Us: histogram.quantileUs(0.99),
      p999Us: histogram.quantileUs(0.999),
    }
  }
}

function wait(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000))
}
