// Items whose every part follows from a number, so that any of them can be told to be whole.

export const VALUE_BYTES = 100
/** Items live for ever, or for so many seconds and up to a thousand more. */
const LIFE_S = 100_000

export function nameOf(key: number): string {
  return `k:${String(key).padStart(9, '0')}`
}

export function flagsOf(key: number): number {
  return (key * 7) % 65_536
}

export function lifeOf(key: number): number {
  return key % 2 === 0 ? 0 : LIFE_S + (key % 1000)
}

export function valueOf(key: number): string {
  return `<${key}>`.repeat(VALUE_BYTES).slice(0, VALUE_BYTES)
}
