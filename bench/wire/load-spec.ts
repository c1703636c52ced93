// What the benchmark tells its load program, and what that answers: one JSON text each way.

import { type Workload } from './workloads.ts'

export interface LoadSpec {
  readonly workload: Workload
  readonly port: number
  /** The server's process, whose CPU time the load program reads at both ends of the measured window. */
  readonly pid: number
  readonly seconds: number
  /** Whether the keys must be set first: not if an earlier run has set them in this server. */
  readonly mustPopulate: boolean
  readonly seed: number
  /** Poll instead of sleeping, so that the server is not charged for waking us: only with a core of our own. */
  readonly polls: boolean
}

export interface LoadResult {
  /** Requests answered in the window; of multigets, keys. */
  readonly requests: number
  readonly seconds: number
  /** CPU time of the server in the window; null where the system doesn't tell. */
  readonly cpuUs: number | null
  readonly p50Us: number
  readonly p99Us: number
  readonly p999Us: number
  readonly hits: number
  readonly misses: number
  /** Sets refused for want of memory, in a fill. */
  readonly refusals: number
  /** Why the run counts for nothing; null: every byte was right. */
  readonly failure: string | null
}
