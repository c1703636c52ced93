/** What number n is called in a journal, for two processes that have to agree. */
export function hashHiOf(n: number): number {
  return Math.imul(n, 0x9e37_79b1)
}
export function hashLoOf(n: number): number {
  return ~n
}
