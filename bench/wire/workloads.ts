// The workloads, as one table. Each is a dataset and a way to load the server with it.

import { type DatasetSpec } from './dataset.ts'

/** `mixed` sets and gets; `multiget` gets several keys at once; `incr` adds one to counters; `fill` sets more new keys than fit, then reads all back. */
export type Kind = 'mixed' | 'multiget' | 'incr' | 'fill'

/** Which of memcached's protocols. */
export type DialectName = 'text' | 'meta' | 'binary'

export interface Workload {
  readonly name: string
  readonly title: string
  readonly kind: Kind
  readonly dialect: DialectName
  readonly data: DatasetSpec
  readonly connections: number
  readonly pipelineDepth: number
  /** The share of sets among the requests of `mixed`. */
  readonly setShare: number
  readonly zipfExponent: number
  readonly multigetWidth: number
  /** Requests due a second, on a clock; 0: the next is sent when the last has been answered. */
  readonly ratePerS: number
  /** Whether `--quick` has it. */
  readonly isQuick: boolean
}

/** The skew that the cache literature takes for a hot web workload (YCSB's default). */
const ZIPF = 0.99
const ONE_SET_IN_ELEVEN = 1 / 11
/** What `fill` gets, whatever --memory says: small enough to be full within seconds. */
export const FILL_MEMORY_MB = 64
const FILL_VALUE_BYTES = 100
/** Values alone worth a quarter more than the memory: past eviction, whatever an item costs beside its value. */
const FILL_KEYS = Math.ceil((1.25 * FILL_MEMORY_MB * 2 ** 20) / FILL_VALUE_BYTES)
/** Every connection has this many counters of its own. */
export const COUNTERS_PER_CONNECTION = 200

const data100 = fixed('a:', 200_000, 100)
const data1k = fixed('b:', 50_000, 1000)
const data10k = fixed('c:', 5000, 10_000)
const data100k = fixed('d:', 500, 100_000)
const dataMix: DatasetSpec = {
  prefix: 'e:',
  keyCount: 20_000,
  values: [
    { valueBytes: 100, share: 0.7 },
    { valueBytes: 1000, share: 0.25 },
    { valueBytes: 50_000, share: 0.05 },
  ],
}

const base: Omit<Workload, 'name' | 'title'> = {
  kind: 'mixed',
  dialect: 'text',
  data: data100,
  connections: 50,
  pipelineDepth: 1,
  setShare: ONE_SET_IN_ELEVEN,
  zipfExponent: ZIPF,
  multigetWidth: 1,
  ratePerS: 0,
  isQuick: false,
}

export const WORKLOADS: readonly Workload[] = [
  workload('get_p1', 'set:get 1:10, 100 B, one request at a time', { isQuick: true }),
  workload('get_p16', 'the same, pipelined 16', { pipelineDepth: 16, isQuick: true }),
  workload('get_p64', 'the same, pipelined 64', { pipelineDepth: 64 }),
  workload('mget50', 'get of 50 keys, 100 B; a request is a key', {
    kind: 'multiget',
    multigetWidth: 50,
    isQuick: true,
  }),
  workload('mg_p16', 'meta: ms:mg 1:10, 100 B, pipelined 16', {
    dialect: 'meta',
    pipelineDepth: 16,
  }),
  workload('bget_p1', 'binary: set:get 1:10, 100 B, one request at a time', {
    dialect: 'binary',
  }),
  workload('bget_p16', 'the same, pipelined 16', { dialect: 'binary', pipelineDepth: 16 }),
  workload('bgetq50', 'binary: GETKQ of 50 keys and a NOOP, 100 B; a request is a key', {
    kind: 'multiget',
    dialect: 'binary',
    multigetWidth: 50,
  }),
  workload('v1k', 'set:get 1:10, 1 KB', { data: data1k, isQuick: true }),
  workload('v10k', 'set:get 1:10, 10 KB', { data: data10k }),
  workload('v100k', 'set:get 1:10, 100 KB', { data: data100k }),
  workload('vmix', 'set:get 1:10, 100 B to 50 KB, uniform keys', {
    data: dataMix,
    zipfExponent: 0,
  }),
  workload('set_p1', 'set only, 100 B', { setShare: 1 }),
  workload('set_p16', 'set only, 100 B, pipelined 16', {
    setShare: 1,
    pipelineDepth: 16,
    isQuick: true,
  }),
  workload('incr_p16', 'incr, pipelined 16', {
    kind: 'incr',
    data: fixed('n:', COUNTERS_PER_CONNECTION, 7),
    pipelineDepth: 16,
  }),
  workload('c1000', 'set:get 1:10, 100 B, 1000 connections', { connections: 1000 }),
  workload('open20k', 'set:get 1:10, 100 B, 20,000 requests/s on a clock', { ratePerS: 20_000 }),
  workload('fill', `set new keys of 100 B into ${FILL_MEMORY_MB} MB, past eviction`, {
    kind: 'fill',
    data: fixed('f:', FILL_KEYS, FILL_VALUE_BYTES),
    pipelineDepth: 16,
    isQuick: true,
  }),
]

/** The workloads of these names (`*` stands for any letters), in the order of the table. Throws for an unknown name. */
export function selectWorkloads(names: readonly string[]): readonly Workload[] {
  const patterns = names.map((name) => new RegExp(`^${name.replaceAll('*', '.*')}$`))
  for (const [i, pattern] of patterns.entries()) {
    if (!WORKLOADS.some((candidate) => pattern.test(candidate.name)))
      throw new Error(`there is no workload ${names[i]}; --list shows them`)
  }
  return WORKLOADS.filter((candidate) => patterns.some((pattern) => pattern.test(candidate.name)))
}

function workload(name: string, title: string, differences: Partial<Workload>): Workload {
  return { ...base, ...differences, name, title }
}

function fixed(prefix: string, keyCount: number, valueBytes: number): DatasetSpec {
  return { prefix, keyCount, values: [{ valueBytes, share: 1 }] }
}
