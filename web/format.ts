/**
 * Numbers and keys as the page shows them: short, with their unit, and of a width that changes little.
 * Sizes are in powers of 1024, as everywhere in this program.
 */

/** Between a number and its unit. */
const SPACE = '\u00a0'
export const NOTHING = '–'

const SIZE_UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const
const COUNT_UNITS = ['', 'k', 'M', 'G', 'T', 'P'] as const

type Amount = number | null | undefined

/** Three digits that mean something: 0, 7, 42.5, 999, 5.00 k, 12.3 k. */
export function count(amount: Amount): string {
  return scaled(amount, 1000, COUNT_UNITS)
}

/** All digits: 1,234,567. */
export function wholeCount(amount: Amount): string {
  return isKnown(amount) ? Math.round(amount).toLocaleString('en') : NOTHING
}

export function bytes(amount: Amount): string {
  return scaled(amount, 1024, SIZE_UNITS)
}

export function perSecond(amount: Amount): string {
  return isKnown(amount) ? `${count(amount)}/s` : NOTHING
}

export function bytesPerSecond(amount: Amount): string {
  return isKnown(amount) ? `${bytes(amount)}/s` : NOTHING
}

/** A share between 0 and 1. Only all is 100 %, and only nothing 0 %. */
export function percent(share: Amount): string {
  if (!isKnown(share)) return NOTHING
  const value = share * 100
  if (value === 0) return `0${SPACE}%`
  const least = Math.max(0.01, value)
  const shown = value < 100 ? Math.min(99.99, least) : value
  const isNearAnEnd = shown < 1 || (shown > 99 && shown < 100)
  return `${shown.toFixed(isNearAnEnd ? 2 : 1)}${SPACE}%`
}

/** A number as it stands at an axis, where most are round: 2.00 k is 2 k. */
export function round(text: string): string {
  return text.replace(/\.0+(?!\d)/, '')
}

/** A duration that is short: 850 µs, 12.5 ms, 3.4 s. */
export function durationUs(us: Amount): string {
  if (!isKnown(us)) return NOTHING
  if (us < 1000) return `${Number.isInteger(us) ? us : digits(us)}${SPACE}µs`
  if (us < 1_000_000) return `${digits(us / 1000)}${SPACE}ms`
  return `${digits(us / 1_000_000)}${SPACE}s`
}

/** A duration that is long: 42 s, 5 min 3 s, 4 h 10 min, 3 d 7 h. */
export function ageS(seconds: Amount): string {
  if (!isKnown(seconds)) return NOTHING
  const whole = Math.max(0, Math.floor(seconds))
  const units = [
    ['d', Math.floor(whole / 86_400)],
    ['h', Math.floor(whole / 3600) % 24],
    ['min', Math.floor(whole / 60) % 60],
    ['s', whole % 60],
  ] as const
  const first = Math.min(units.findIndex(([, value]) => value > 0) >>> 0, units.length - 1)
  return units
    .slice(first, first + 2)
    .map(([unit, value]) => `${value}${SPACE}${unit}`)
    .join(' ')
}

/** The time of day, as the clock of who looks shows it. */
export function timeOfDay(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString('en-GB')
}

/**
 * A text of strangers, such as a key: what cannot be seen, or would change how the rest is shown, as
 * its number. It is still only ever put into the page as text.
 */
export function visible(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  )
}

function scaled(amount: Amount, step: number, units: readonly string[]): string {
  if (!isKnown(amount)) return NOTHING
  let value = amount
  let unit = 0
  // What would be printed as a whole step is one of the next unit.
  while (Math.abs(value) >= step - 0.5 && unit < units.length - 1) {
    value /= step
    unit++
  }
  const shown = unit === 0 && Number.isInteger(value) ? String(value) : digits(value)
  return withUnit(shown, units[unit]!)
}

function withUnit(number: string, unit: string): string {
  return unit === '' ? number : `${number}${SPACE}${unit}`
}

function digits(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size < 9.995) return value.toFixed(2)
  return value.toFixed(size < 99.95 ? 1 : 0)
}

function isKnown(amount: Amount): amount is number {
  return amount !== null && amount !== undefined && Number.isFinite(amount)
}
