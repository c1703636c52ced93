// The command line of `npm run bench:hits`.

import { parseArgs } from 'node:util'
import { POLICY_NAMES, type PolicyName } from '../../src/store/l1/policy/registry.ts'

/** A size as it was written: a share of the keys of the trace, items, or bytes of memory. */
export interface SizeSpec {
  readonly text: string
  readonly unit: 'share' | 'items' | 'bytes'
  readonly amount: number
}

export interface HitsOptions {
  readonly traces: readonly string[]
  readonly policies: readonly PolicyName[]
  readonly sizes: readonly SizeSpec[]
  readonly itemsMin: number
  readonly seed: number
  readonly help: boolean
}

export const USAGE: string = `npm run bench:hits -- TRACE... [options]

  TRACE               a file: .rct, oracleGeneral, or lines of key[,size[,ttl[,op]]]; also packed (.xz, .zst, .gz);
                      or made: zipf:keys=100000,requests=1000000,exponent=1,drift=0  scan:requests=1000000
                      loop:keys=5000,requests=1000000; A+B mixes two, A/B has one after the other;
                      all with small=100,large=100000,share=0.01: bytes of values, and how many keys have large ones
  --policy a,b        ${POLICY_NAMES.join(', ')} (default: all)
  --size a,b          5% of the keys, 1000 items, or 64MB of memory (default 0.1%,1%,5%,10%,25%)
  --min-items N       leaves out shares of fewer items (default 50)
  --seed N            of the hash and of what is made (default 1)

Hit ratios of gets, in percent, of objects and of bytes. A miss is followed by a set. lru and fifo are held
against exact simulators: a difference in a single hit is an error.`

const UNITS: Readonly<Record<string, number>> = { KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 }

export function parseOptions(words: readonly string[]): HitsOptions {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      policy: { type: 'string', default: POLICY_NAMES.join(',') },
      size: { type: 'string', default: '0.1%,1%,5%,10%,25%' },
      'min-items': { type: 'string', default: '50' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  return {
    traces: positionals,
    policies: values.policy.split(',').map(policyOf),
    sizes: values.size.split(',').map(parseSize),
    itemsMin: wholeNumber('--min-items', values['min-items']),
    seed: wholeNumber('--seed', values.seed),
    help: values.help,
  }
}

export function parseSize(text: string): SizeSpec {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)(%|KB|MB|GB)?$/i.exec(text) ?? []
  const number = Number(digits)
  if (digits === '' || number === 0) throw new Error(`--size takes 5%, 1000 or 64MB, not ${text}`)
  if (unit === '%') return { text, unit: 'share', amount: number / 100 }
  if (unit === '') return { text, unit: 'items', amount: Math.ceil(number) }
  return { text, unit: 'bytes', amount: Math.round(number * UNITS[unit.toUpperCase()]!) }
}

function policyOf(name: string): PolicyName {
  const policy = POLICY_NAMES.find((known) => known === name)
  if (policy === undefined)
    throw new Error(`--policy takes ${POLICY_NAMES.join(', ')}, not ${name}`)
  return policy
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw new Error(`${name} takes a number, not ${text}`)
  return value
}
