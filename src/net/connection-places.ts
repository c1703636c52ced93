/**
 * How many clients there may be, in all and of one address. A place is taken when a client is accepted and
 * free when it is gone; a handshake takes one as well, so that handshakes cannot be had without end.
 */

export interface PlaceLimits {
  readonly connectionsMax: number
  /** 0 = unlimited. */
  readonly connectionsPerAddressMax: number
}

/** Taken by one client. */
export interface Place {
  /** May be called more than once. */
  free(): void
}

/** How an IPv4 address looks to a listener on IPv6. */
const MAPPED_PREFIX = '::ffff:'

export class ConnectionPlaces {
  readonly #limits: PlaceLimits
  readonly #freed: () => void
  readonly #ofAddress = new Map<string, number>()
  #taken = 0

  /** `freed` is called when a place has become free. */
  constructor(limits: PlaceLimits, freed: () => void) {
    this.#limits = limits
    this.#freed = freed
  }

  get full(): boolean {
    return this.#taken >= this.#limits.connectionsMax
  }

  /** Whether so many of this address are there that no other may come. */
  fullFor(remoteAddress: string | undefined): boolean {
    const { connectionsPerAddressMax } = this.#limits
    if (connectionsPerAddressMax === 0) return false
    return (this.#ofAddress.get(plain(remoteAddress)) ?? 0) >= connectionsPerAddressMax
  }

  take(remoteAddress: string | undefined): Place {
    // Counted whether there is a limit or not: there may be one later.
    const counts = remoteAddress !== undefined
    const address = plain(remoteAddress)
    this.#taken++
    if (counts) this.#ofAddress.set(address, (this.#ofAddress.get(address) ?? 0) + 1)
    let taken = true
    return {
      free: () => {
        if (!taken) return
        taken = false
        this.#taken--
        if (counts) this.#leave(address)
        this.#freed()
      },
    }
  }

  #leave(address: string): void {
    const left = (this.#ofAddress.get(address) ?? 1) - 1
    if (left === 0) this.#ofAddress.delete(address)
    else this.#ofAddress.set(address, left)
  }
}

function plain(address = ''): string {
  return address.startsWith(MAPPED_PREFIX) ? address.slice(MAPPED_PREFIX.length) : address
}
