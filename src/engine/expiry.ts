/**
 * From the expiry that a client writes to the instant at which an item is over, and back.
 *
 * Semantics of memcached's protocol.txt: 0 is never; up to 30 days is relative to now; above that
 * it is a Unix time, which may lie in the past; negative is over at once.
 */

/** Above 30 days an expiry is absolute. */
const RELATIVE_MAX_S = 30 * 24 * 60 * 60
/** Any instant long past. */
const LONG_PAST_S = 1

/** Wall time in seconds at which an item expires, 0 for never. */
export function expiryInstant(exptimeS: number, nowS: number): number {
  if (exptimeS === 0) return 0
  if (exptimeS < 0) return LONG_PAST_S
  if (exptimeS <= RELATIVE_MAX_S) return nowS + exptimeS
  return exptimeS
}

export function isExpired(expiresAtS: number, nowS: number): boolean {
  return expiresAtS !== 0 && expiresAtS <= nowS
}
