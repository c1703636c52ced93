// `npm run bench:hits`: hit ratios of the eviction policies over traces, through the real cache in this process,
// beside exact simulators and beside the references that lie with the traces. bench/hits/README.md says how to read it.

import { readTrace } from './formats.ts'
import { generate, isGenerated } from './generators.ts'
import { parseOptions, USAGE, type HitsOptions, type SizeSpec } from './options.ts'
import { type Reference, referencesBeside } from './references.ts'
import { replay, type StoreSize } from './replay.ts'
import { SIMULATED, simulateHits } from './simulators.ts'
import { Shortfalls } from './shortfalls.ts'
import type { Trace } from './trace.ts'

try {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) console.log(USAGE)
  else if (options.traces.length === 0) throw new Error(`which trace?\n\n${USAGE}`)
  else process.exitCode = run(options) ? 0 : 1
} catch (error) {
  console.error(`bench:hits: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}

/** Returns whether every policy that has a simulator equals it. */
function run(options: HitsOptions): boolean {
  const shortfalls = new Shortfalls()
  let isExact = true
  console.log('trace          size       store  policy  objects    bytes  ns/req  beside it')
  for (const word of options.traces) {
    const trace = isGenerated(word) ? generate(word, options.seed) : readTrace(word)
    const references = isGenerated(word) ? [] : referencesBeside(word)
    for (const spec of options.sizes) {
      const size = sizeOf(trace, spec)
      if (spec.unit === 'share' && size.amount < options.itemsMin) continue
      const reference = references.find(
        (one) => one.trace === trace.name && size.unit === 'items' && one.capacity === size.amount,
      )
      isExact = runCell(options, trace, spec, size, reference, shortfalls) && isExact
    }
  }
  for (const line of shortfalls.summary()) console.log(line)
  return isExact
}

/** One trace at one size, with every policy. */
function runCell(
  options: HitsOptions,
  trace: Trace,
  spec: SizeSpec,
  size: StoreSize,
  reference: Reference | undefined,
  shortfalls: Shortfalls,
): boolean {
  let isExact = true
  for (const policy of options.policies) {
    const result = replay(trace, policy, size, options.seed)
    const ratio = (100 * result.hits) / result.gets
    const beside: string[] = []
    if (reference !== undefined) {
      const { best, bestName, fifo, lru } = reference
      beside.push(
        `best ${best.toFixed(2)} ${bestName}, lru ${lru.toFixed(2)}, fifo ${fifo.toFixed(2)}`,
      )
      shortfalls.add(policy, ratio, reference)
    }
    const simulated = SIMULATED.find((name) => name === policy)
    if (simulated !== undefined && size.unit === 'items') {
      const hits = simulateHits(trace, simulated, size.amount)
      if (hits !== result.hits) isExact = false
      beside.push(hits === result.hits ? 'exact' : `NOT EXACT: ${hits} hits, not ${result.hits}`)
    }
    if (result.refused > 0) beside.push(`${result.refused} sets refused`)
    const bytes =
      result.getBytes === 0 ? '-' : ((100 * result.hitBytes) / result.getBytes).toFixed(2)
    const nanoseconds = ((result.elapsedMs * 1e6) / trace.keys.length).toFixed(0)
    const store = size.unit === 'items' ? String(size.amount) : spec.text
    const cells = [
      trace.name.padEnd(14),
      spec.text.padEnd(6),
      store.padStart(9),
      ` ${policy.padEnd(6)}`,
      ratio.toFixed(2).padStart(8),
      bytes.padStart(8),
      nanoseconds.padStart(7),
      ` ${beside.join('; ')}`,
    ]
    console.log(cells.join(' ').trimEnd())
  }
  return isExact
}

function sizeOf(trace: Trace, spec: SizeSpec): StoreSize {
  if (spec.unit !== 'share') return { unit: spec.unit, amount: spec.amount }
  return { unit: 'items', amount: Math.max(1, Math.round(trace.keyCount * spec.amount)) }
}
