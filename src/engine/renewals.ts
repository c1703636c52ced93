/**
 * Values that this process is making: which keys, and whether something happened to them meanwhile.
 *
 * A value that was made of what was there before a key was changed or deleted must not be stored over
 * that change. And a client of the network that would be told to make the same value is told that somebody
 * does already. Keys are known by their hash: two with the same one cost a value that is not kept.
 */

/** One value that is being made. */
export interface Renewal {
  readonly hash: number
  /** The key was changed since; what is made is not to be stored. */
  isVoid: boolean
}

export class Renewals {
  readonly #byHash = new Map<number, Set<Renewal>>()

  get isEmpty(): boolean {
    return this.#byHash.size === 0
  }

  begin(hash: number): Renewal {
    const renewal: Renewal = { hash, isVoid: false }
    const others = this.#byHash.get(hash)
    if (others === undefined) this.#byHash.set(hash, new Set([renewal]))
    else others.add(renewal)
    return renewal
  }

  end(renewal: Renewal): void {
    const all = this.#byHash.get(renewal.hash)
    all?.delete(renewal)
    if (all?.size === 0) this.#byHash.delete(renewal.hash)
  }

  has(hash: number): boolean {
    return this.#byHash.has(hash)
  }

  /** A key was stored, changed or deleted. */
  changed(hash: number): void {
    for (const renewal of this.#byHash.get(hash) ?? []) renewal.isVoid = true
  }

  /** All of them were. */
  changedAll(): void {
    for (const all of this.#byHash.values()) for (const renewal of all) renewal.isVoid = true
  }
}
