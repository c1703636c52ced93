/**
 * Sizes and durations as people write them: read into whole bytes and whole milliseconds, and
 * printed back. What is printed is always read back as the same number.
 *
 * A text that is no such amount is answered with `undefined`, never with NaN and never rounded:
 * "0.3k" is not a whole number of bytes, so it is not a size.
 */

const SIZE_FORM = /^(\d+(?:\.\d+)?) *(?:b|([kmg])(?:i?b)?)?$/i
const DURATION_FORM = /^(\d+(?:\.\d+)?) *(ms|s|m|h|d)?$/

/** Powers of 1024, with and without the i: memory is never sold in powers of ten. */
const BYTES_PER_UNIT: Readonly<Record<string, number>> = { g: 1024 ** 3, m: 1024 ** 2, k: 1024 }

const MS_PER_UNIT: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
}

/** A product such as 1.1 * 1000 may miss its whole number by this much and still mean it. */
const ROUNDING_ERROR = 1e-6

/** Reads a size: a number of bytes, or a text such as "64MB", "1k", "1.5GiB". */
export function parseSize(amount: string | number): number | undefined {
  if (typeof amount === 'number') return whole(amount)
  const match = SIZE_FORM.exec(amount.trim())
  if (match === null) return undefined
  return whole(Number(match[1]) * (BYTES_PER_UNIT[(match[2] ?? '').toLowerCase()] ?? 1))
}

/** Prints a size with the largest unit that divides it: 67108864 is "64MB", 1000 is "1000". */
export function printSize(bytes: number): string {
  for (const [unit, bytesPerUnit] of Object.entries(BYTES_PER_UNIT)) {
    if (bytes > 0 && bytes % bytesPerUnit === 0)
      return `${bytes / bytesPerUnit}${unit.toUpperCase()}B`
  }
  return String(bytes)
}

/** Reads a duration into milliseconds: a number of seconds, or a text such as "30s", "500ms". */
export function parseDurationMs(amount: string | number): number | undefined {
  if (typeof amount === 'number') return whole(amount * 1000)
  const match = DURATION_FORM.exec(amount.trim())
  if (match === null) return undefined
  return whole(Number(match[1]) * (MS_PER_UNIT[match[2] ?? 's'] ?? 1000))
}

/** Prints a duration with the largest unit that divides it: 90000 is "90s", 0 is "0s". */
export function printDurationMs(durationMs: number): string {
  if (durationMs === 0) return '0s'
  for (const [unit, msPerUnit] of Object.entries(MS_PER_UNIT)) {
    if (durationMs % msPerUnit === 0) return `${durationMs / msPerUnit}${unit}`
  }
  return `${durationMs}ms`
}

function whole(amount: number): number | undefined {
  const rounded = Math.round(amount)
  if (Math.abs(rounded - amount) > ROUNDING_ERROR) return undefined
  return rounded >= 0 && Number.isSafeInteger(rounded) ? rounded : undefined
}
