// A dialect: one of memcached's three protocols as the load program speaks it. It writes requests into the output of
// a client, from the records of a dataset, and knows which bytes must come back. Keys, values and client flags are the
// dataset's in every dialect, so that what one has set another can get.

import { type Dataset } from '../dataset.ts'
import { expectBytes, type Expectation } from '../expectation.ts'
import { Op, type Pending } from '../pending.ts'

export interface Dialect {
  /** What any one request takes at most. */
  readonly requestBytesMax: (dataset: Dataset, multigetWidth: number) => number
  /** Each of these returns the new end of `out`. */
  readonly writeGet: (out: Buffer, at: number, dataset: Dataset, key: number) => number
  /** Of a quiet set nothing comes back if all is well. */
  readonly writeSet: (
    out: Buffer,
    at: number,
    dataset: Dataset,
    key: number,
    quiet: boolean,
  ) => number
  /** A get of the `width` keys that stand in `keys` from `from` on, cyclically; the length of `keys` is a power of two. Null: no workload asks this dialect for it. */
  readonly writeMultiget:
    | ((
        out: Buffer,
        at: number,
        dataset: Dataset,
        keys: Uint32Array,
        from: number,
        width: number,
      ) => number)
    | null
  /** Null: no workload counts in this dialect. */
  readonly counters: CounterRequests | null
  readonly replies: (options: ReplyOptions) => Replies
}

export interface CounterRequests {
  /** Adds one. */
  readonly writeIncr: (out: Buffer, at: number, dataset: Dataset, key: number) => number
  readonly writeCounter: (
    out: Buffer,
    at: number,
    dataset: Dataset,
    key: number,
    value: number,
  ) => number
}

/** What came beside right bytes. */
export interface Tally {
  hits: number
  misses: number
  refusals: number
}

export interface ReplyOptions {
  readonly dataset: Dataset
  readonly pending: Pending
  /** The drawn keys of multigets and how many each has. */
  readonly keys: Uint32Array
  readonly multigetWidth: number
  /** The counters of this connection, by index of their key: only one connection touches a counter. */
  readonly counters: Float64Array
  /** Whether a set may be refused for want of memory. */
  readonly mayRefuse: boolean
  readonly tally: Tally
}

/** What must come back on one connection: the reply to the oldest pending request, part by part. */
export interface Replies {
  /** Sets the first part. */
  begin(next: Expectation): void
  /** A part has come whole. Sets the next one; false if the reply is whole too. No part is empty. */
  advance(next: Expectation): boolean
  /** `byte` came where another was expected. Sets what else the part may be; false if nothing: the reply is wrong. */
  otherwise(next: Expectation, byte: number): boolean
}

/** The key that the oldest pending request asked for; of a multiget, the one at this place. */
export function keyInReply(options: Pick<ReplyOptions, 'pending' | 'keys'>, place: number): number {
  const { pending, keys } = options
  if (pending.op() !== Op.multiget) return pending.key()
  return keys[(pending.key() + place) & (keys.length - 1)]!
}

/** Expects the value of a key behind its mark. False if there is nothing. */
export function expectBody(next: Expectation, dataset: Dataset, key: number): boolean {
  const offset = dataset.bodyOffset[key]!
  expectBytes(next, dataset.block, offset, offset + dataset.bodyBytes[key]!)
  return next.from < next.to
}
