// Seeded choices, drawn before the clock starts: which key comes next, and whether it is set or got.
// The same seed gives the same choices to every server.

export type Random = () => number

/** Mulberry32: 32 bits of state, good enough to choose keys, and the same on every machine. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * `count` indices of keys with a Zipf popularity: the key of rank r is drawn in proportion to 1 / r^exponent.
 * With exponent 0 all keys are equally likely.
 */
export function drawKeys(
  count: number,
  keyCount: number,
  zipfExponent: number,
  random: Random,
): Uint32Array {
  const draws = new Uint32Array(count)
  if (zipfExponent === 0) {
    for (let i = 0; i < count; i++) draws[i] = Math.floor(random() * keyCount)
    return draws
  }
  const cumulative = new Float64Array(keyCount)
  let sum = 0
  for (let rank = 0; rank < keyCount; rank++) {
    sum += (rank + 1) ** -zipfExponent
    cumulative[rank] = sum
  }
  for (let i = 0; i < count; i++) draws[i] = firstAbove(cumulative, random() * sum)
  return draws
}

/** `count` flags, each 1 with the given probability. */
export function drawFlags(count: number, probability: number, random: Random): Uint8Array {
  const draws = new Uint8Array(count)
  for (let i = 0; i < count; i++) draws[i] = random() < probability ? 1 : 0
  return draws
}

function firstAbove(ascending: Float64Array, value: number): number {
  let low = 0
  let high = ascending.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ascending[middle]! > value) high = middle
    else low = middle + 1
  }
  return low
}
