/**
 * Hash of a key -> the greatest sequence number under which it was said to be stale.
 *
 * Open addressing with linear probing in typed arrays, 16 bytes a slot and at most two slots of
 * three in use; a `Map` would need ten times as much for the millions that a long journal can name.
 * Filled once at the start and asked from then on; nothing is taken out. The hash is keyed, so its
 * low word is as good a place to begin as any.
 */

/** Slots at the start: 4 KiB. */
const SLOTS_START = 256

export class StaleKeys {
  #hashHi = new Int32Array(SLOTS_START)
  #hashLo = new Int32Array(SLOTS_START)
  /** 0 where a slot is free: no sequence number is 0. */
  #sequence = new Float64Array(SLOTS_START)
  #mask = SLOTS_START - 1
  #size = 0

  /** How many different hashes there are. */
  get size(): number {
    return this.#size
  }
  get memoryBytes(): number {
    return (this.#mask + 1) * 16
  }

  /** The greatest sequence number that was noted for a hash, 0 if none was. */
  sequenceOf(hashHi: number, hashLo: number): number {
    return this.#sequence[this.#slotOf(hashHi, hashLo)]!
  }

  /** Notes a hash, with a sequence number above 0. */
  note(hashHi: number, hashLo: number, sequence: number): void {
    const slot = this.#slotOf(hashHi, hashLo)
    const known = this.#sequence[slot]!
    if (known >= sequence) return
    this.#sequence[slot] = sequence
    if (known !== 0) return
    this.#hashHi[slot] = hashHi
    this.#hashLo[slot] = hashLo
    this.#size++
    if (this.#size * 3 > (this.#mask + 1) * 2) this.#grow()
  }

  /** Where a hash is, or the free slot where it would be. */
  #slotOf(hashHi: number, hashLo: number): number {
    const mask = this.#mask
    let slot = hashLo & mask
    while (
      this.#sequence[slot] !== 0 &&
      (this.#hashLo[slot] !== hashLo || this.#hashHi[slot] !== hashHi)
    ) {
      slot = (slot + 1) & mask
    }
    return slot
  }

  #grow(): void {
    const hashHi = this.#hashHi
    const hashLo = this.#hashLo
    const sequence = this.#sequence
    const slots = sequence.length * 2
    this.#hashHi = new Int32Array(slots)
    this.#hashLo = new Int32Array(slots)
    this.#sequence = new Float64Array(slots)
    this.#mask = slots - 1
    for (let i = 0; i < sequence.length; i++) {
      if (sequence[i] === 0) continue
      const slot = this.#slotOf(hashHi[i]!, hashLo[i]!)
      this.#hashHi[slot] = hashHi[i]!
      this.#hashLo[slot] = hashLo[i]!
      this.#sequence[slot] = sequence[i]!
    }
  }
}
