// A stream of requests for the replay: what all formats and generators are turned into.

export const TRACE_OP = { GET: 0, SET: 1, DELETE: 2 } as const

export interface Trace {
  readonly name: string
  /** Which key is asked for; keys count from 0. */
  readonly keys: Uint32Array
  /** Different keys. */
  readonly keyCount: number
  /** Bytes of the value, where the trace says; `sizeDefault` otherwise. */
  readonly sizes: Uint32Array | null
  readonly sizeDefault: number
  /** `TRACE_OP`; all are gets where the trace doesn't say. */
  readonly ops: Uint8Array | null
  /** Seconds that what is stored lives, 0 for ever. */
  readonly ttlsS: Uint32Array | null
  /** Milliseconds since the first request. */
  readonly timesMs: Uint32Array | null
}

/** A trace of gets that says nothing else. */
export function traceOfKeys(name: string, keys: Uint32Array, keyCount: number): Trace {
  return {
    name,
    keys,
    keyCount,
    sizes: null,
    sizeDefault: 0,
    ops: null,
    ttlsS: null,
    timesMs: null,
  }
}

/** Gives each key the next number when it comes for the first time. */
export class KeyNumbers<Key> {
  readonly #numbers = new Map<Key, number>()

  get count(): number {
    return this.#numbers.size
  }

  of(key: Key): number {
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const number = this.#numbers.size
    this.#numbers.set(key, number)
    return number
  }
}
