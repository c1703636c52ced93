/**
 * How often logins may fail: so many times on one connection, so many times a minute from one address.
 * Beyond the latter its logins fail unseen, so that guessing does not get faster with more connections.
 */
import type { Clock } from '../observe/clock.ts'

/** Who tries to log in. */
export interface LoginClient {
  /** Where it comes from; empty for a UNIX socket. */
  readonly address: string
  /** Its logins that failed. */
  failedLogins: number
}

export interface LoginLimitOptions {
  readonly attemptsMax: number
  /** 0 = unlimited. */
  readonly failuresPerMinuteMax: number
}

const MINUTE_S = 60
/** So many addresses are known; of more the one that failed first is forgotten. */
const ADDRESSES_MAX = 10_000

interface Failures {
  sinceS: number
  count: number
}

export class LoginLimits {
  readonly #options: LoginLimitOptions
  readonly #clock: Clock
  /** In the order of their first failure. */
  readonly #failures = new Map<string, Failures>()

  constructor(options: LoginLimitOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
  }

  /** Whether a login of this client is looked at. */
  admits({ address }: LoginClient): boolean {
    const failures = this.#failures.get(address)
    if (failures === undefined) return true
    if (this.#clock.nowS - failures.sinceS >= MINUTE_S) {
      this.#failures.delete(address)
      return true
    }
    const { failuresPerMinuteMax } = this.#options
    return failuresPerMinuteMax === 0 || failures.count < failuresPerMinuteMax
  }

  /** Notes a failure. Returns whether the connection may go on. */
  fail(client: LoginClient): boolean {
    const { address } = client
    const failures = this.#failures.get(address)
    if (failures === undefined) {
      for (const [oldest] of this.#failures) {
        if (this.#failures.size < ADDRESSES_MAX) break
        this.#failures.delete(oldest)
      }
      this.#failures.set(address, { sinceS: this.#clock.nowS, count: 1 })
    } else {
      failures.count++
    }
    client.failedLogins++
    return client.failedLogins < this.#options.attemptsMax
  }
}
