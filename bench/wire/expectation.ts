// The bytes that must come next: one part of a reply, compared in place however small the pieces in which it comes.
// One record per connection, set anew for every part; nothing is collected.

// What is compared.
const Kind = { exactly: 0, anything: 1, line: 2 } as const
type Kind = (typeof Kind)[keyof typeof Kind]

export interface Expectation {
  kind: Kind
  /** `bytes[from, to)` must come, and `bytes[from, at)` has. Where anything may come, only the count means something. */
  bytes: Buffer
  from: number
  at: number
  to: number
}

const NO_BYTES = Buffer.alloc(0)
const LINE_FEED = 0x0a
/** Below this a loop beats the call of a native comparison. */
const LOOP_BYTES_MAX = 48

export function newExpectation(): Expectation {
  return { kind: Kind.exactly, bytes: NO_BYTES, from: 0, at: 0, to: 0 }
}

export function expectBytes(next: Expectation, bytes: Buffer, from: number, to: number): void {
  next.kind = Kind.exactly
  next.bytes = bytes
  next.from = from
  next.at = from
  next.to = to
}

/** So many bytes, whatever they are. */
export function expectAnything(next: Expectation, count: number): void {
  expectBytes(next, NO_BYTES, 0, count)
  next.kind = Kind.anything
}

/** The rest of a line, whatever it says. */
export function expectLine(next: Expectation): void {
  expectBytes(next, NO_BYTES, 0, 1)
  next.kind = Kind.line
}

/**
 * `byte` came, which is not what was expected. If `bytes[from, to)` would have it there, and begins with all that has
 * come before it of this part, that is expected from now on; otherwise nothing changes.
 */
export function expectInstead(
  next: Expectation,
  bytes: Buffer,
  from: number,
  to: number,
  byte: number,
): boolean {
  const count = next.at - next.from
  if (next.kind !== Kind.exactly || count >= to - from || bytes[from + count] !== byte) return false
  if (!equal(bytes, from, next.bytes, next.from, count)) return false
  expectBytes(next, bytes, from, to)
  next.at = from + count
  return true
}

export function isMet(expected: Expectation): boolean {
  return expected.at === expected.to
}

/** How many bytes of `chunk[at, end)` are as expected, up to the first that is not. */
export function match(expected: Expectation, chunk: Buffer, at: number, end: number): number {
  const count = Math.min(end - at, expected.to - expected.at)
  if (expected.kind === Kind.exactly) {
    let right = count
    if (!equal(chunk, at, expected.bytes, expected.at, count)) {
      right = 0
      while (chunk[at + right] === expected.bytes[expected.at + right]) right++
    }
    expected.at += right
    return right
  }
  if (expected.kind === Kind.anything) {
    expected.at += count
    return count
  }
  const lineFeed = chunk.indexOf(LINE_FEED, at)
  if (lineFeed < 0 || lineFeed >= end) return end - at
  expected.at = expected.to
  return lineFeed + 1 - at
}

function equal(a: Buffer, aFrom: number, b: Buffer, bFrom: number, count: number): boolean {
  if (count > LOOP_BYTES_MAX) return a.compare(b, bFrom, bFrom + count, aFrom, aFrom + count) === 0
  for (let i = 0; i < count; i++) if (a[aFrom + i] !== b[bFrom + i]) return false
  return true
}
