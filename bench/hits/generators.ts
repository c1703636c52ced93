// Traces that are made, not recorded: `kind:name=value,name=value`.
//
//   zipf:keys=100000,requests=1000000,exponent=1,drift=0   popularity by rank; with each request the ranks
//                                                          move on by `drift` keys
//   scan:requests=1000000                                  every key once
//   loop:keys=5000,requests=1000000                        the same keys in the same order, again and again
//
// All of them also take sizes: `small` and `large` bytes of values, and the `share` of the keys whose values are large.
//
// `A+B` mixes two request by request, at random, in proportion to their lengths; `A/B` has one after the
// other: a change of phase. `+` binds closer. Their keys are different ones. The same seed makes the same trace.

import { drawKeys, seededRandom, type Random } from '../wire/draws.ts'
import { traceOfKeys, type Trace } from './trace.ts'

interface Stream {
  readonly keys: Uint32Array
  readonly keyCount: number
  /** Bytes of the value, by request; null where no sizes were asked for. */
  readonly sizes: Uint32Array | null
}

type Parameters = Readonly<Record<string, number>>

const SIZES: Parameters = { small: 0, large: 0, share: 0 }
const DEFAULTS: Readonly<Record<string, Parameters>> = {
  zipf: { keys: 100_000, requests: 1_000_000, exponent: 1, drift: 0, ...SIZES },
  scan: { requests: 1_000_000, ...SIZES },
  loop: { keys: 5000, requests: 1_000_000, ...SIZES },
}

/** Whether a word on the command line names a trace to be made. */
export function isGenerated(word: string): boolean {
  return /^(zipf|scan|loop)(:|\+|\/|$)/.test(word)
}

export function generate(text: string, seed: number): Trace {
  const random = seededRandom(seed)
  const phases = text.split('/').map((phase) => {
    const parts = phase.split('+').map((part) => make(part, random))
    return parts.reduce((a, b) => mix(a, b, random))
  })
  const { keys, keyCount, sizes } = phases.reduce((a, b) => append(a, b))
  return { ...traceOfKeys(text, keys, keyCount), sizes }
}

function make(text: string, random: Random): Stream {
  const [kind = '', list = ''] = text.split(':')
  const defaults = DEFAULTS[kind]
  if (defaults === undefined)
    throw new Error(`${kind} is none of ${Object.keys(DEFAULTS).join(', ')}`)
  const given = parameters(kind, list, defaults)
  const { keys = 0, requests = 0, exponent = 0, drift = 0, small = 0, large = 0, share = 0 } = given
  const period = kind === 'scan' ? requests : keys
  const stream =
    kind === 'zipf'
      ? zipf(keys, requests, exponent, drift, random)
      : {
          keys: Uint32Array.from({ length: requests }, (_, i) => i % period),
          keyCount: period,
          sizes: null,
        }
  if (small === 0 && large === 0) return stream
  // Which keys are large has nothing to do with how often they come.
  const isLarge = Uint8Array.from({ length: stream.keyCount }, () => (random() < share ? 1 : 0))
  return { ...stream, sizes: stream.keys.map((key) => (isLarge[key] === 1 ? large : small)) }
}

function parameters(kind: string, list: string, defaults: Parameters): Parameters {
  const given: Record<string, number> = { ...defaults }
  for (const pair of list.split(',').filter((word) => word !== '')) {
    const [name = '', value = ''] = pair.split('=')
    if (!(name in defaults) || value === '' || !(Number(value) >= 0))
      throw new Error(
        `${kind} takes ${Object.keys(defaults).join(', ')} as name=number, not ${pair}`,
      )
    given[name] = Number(value)
  }
  return given
}

function zipf(
  keyCount: number,
  requests: number,
  exponent: number,
  drift: number,
  random: Random,
): Stream {
  const ranks = drawKeys(requests, keyCount, exponent, random)
  const last = keyCount + Math.floor(drift * requests)
  const keys = ranks.map((rank, i) => rank + Math.floor(drift * i))
  return { keys, keyCount: last, sizes: null }
}

function mix(a: Stream, b: Stream, random: Random): Stream {
  const keys = new Uint32Array(a.keys.length + b.keys.length)
  const sizes = new Uint32Array(keys.length)
  let fromA = 0
  let fromB = 0
  for (let i = 0; i < keys.length; i++) {
    const leftA = a.keys.length - fromA
    if (random() * (keys.length - i) < leftA) {
      sizes[i] = a.sizes?.[fromA] ?? 0
      keys[i] = a.keys[fromA++]!
    } else {
      sizes[i] = b.sizes?.[fromB] ?? 0
      keys[i] = a.keyCount + b.keys[fromB++]!
    }
  }
  return { keys, keyCount: a.keyCount + b.keyCount, sizes: hasSizes(a, b) ? sizes : null }
}

function hasSizes(a: Stream, b: Stream): boolean {
  return a.sizes !== null || b.sizes !== null
}

function append(a: Stream, b: Stream): Stream {
  const keys = new Uint32Array(a.keys.length + b.keys.length)
  keys.set(a.keys)
  keys.set(
    b.keys.map((key) => a.keyCount + key),
    a.keys.length,
  )
  const sizes = new Uint32Array(keys.length)
  sizes.set(a.sizes ?? [])
  sizes.set(b.sizes ?? [], a.keys.length)
  return { keys, keyCount: a.keyCount + b.keyCount, sizes: hasSizes(a, b) ? sizes : null }
}
