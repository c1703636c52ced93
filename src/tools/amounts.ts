/** Numbers as people read them in a terminal. */

const BYTES_PER_UNIT: readonly (readonly [unit: string, bytes: number])[] = [
  ['TB', 2 ** 40],
  ['GB', 2 ** 30],
  ['MB', 2 ** 20],
  ['KB', 2 ** 10],
]
/** Below it a rate is shown with a digit behind the point. */
const ROUND_FROM = 10

/** 1,234,567 */
export function printCount(count: number): string {
  return Math.round(count).toLocaleString('en')
}

/** 1,234 or, where it is small, 0.4 */
export function printRate(perS: number): string {
  if (perS === 0 || perS >= ROUND_FROM) return printCount(perS)
  return perS.toFixed(1)
}

/** 61.2 MB */
export function printBytes(bytes: number): string {
  for (const [unit, perUnit] of BYTES_PER_UNIT) {
    if (bytes >= perUnit) return `${(bytes / perUnit).toFixed(1)} ${unit}`
  }
  return `${Math.round(bytes)} B`
}

/** 97.2 %, or a dash for what there is no share of. */
export function printShare(share: number | null): string {
  return share === null ? '–' : `${(100 * share).toFixed(1)} %`
}

/** 3 d 4 h, 1 h 2 m, 12 m 7 s, 9 s */
export function printSpan(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const parts: readonly (readonly [count: number, unit: string])[] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'm'],
    [whole % 60, 's'],
  ]
  const first = parts.findIndex(([count]) => count > 0)
  if (first < 0) return '0 s'
  return parts
    .slice(first, first + 2)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ')
}

/** ████████░░ */
export function bar(share: number, columns: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * columns)
  return `${'█'.repeat(full)}${'░'.repeat(columns - full)}`
}
