/** What must not come of noise. */
import type { NoiseResult } from './run.ts'

/** Collections of garbage come when they come: so much more is not growth. */
const GROWTH_MAX = 1.15
/** Both together: a machine that is busy is slow by itself. */
const P99_FACTOR_MAX = 10
const P99_MS_MAX = 15

export function problemsOf(result: NoiseResult): string[] {
  const { complaints, wrongReplies, quietP99Ms, noisyP99Ms, laterMb, lastMb } = result
  const problems: string[] = []
  if (complaints !== '') problems.push(`the server says: ${complaints}`)
  if (wrongReplies > 0) problems.push(`${wrongReplies} wrong replies to the client that behaves`)
  if (!(lastMb <= laterMb * GROWTH_MAX)) {
    problems.push(`memory grows: from ${laterMb.toFixed(0)} to ${lastMb.toFixed(0)} MB`)
  }
  if (!(noisyP99Ms <= Math.max(quietP99Ms * P99_FACTOR_MAX, P99_MS_MAX))) {
    problems.push(`p99 is ${noisyP99Ms.toFixed(2)} ms, ${quietP99Ms.toFixed(2)} ms without noise`)
  }
  return problems
}
