/**
 * An item as a reply needs it: numbers copied out of its header, and where its bytes are.
 *
 * Borrowed: valid until the next call of the engine. Whoever needs the value for longer pins it.
 */
import type { Bytes } from '../bytes/ascii.ts'

export class ItemView {
  /** Where key and value are: the heap. */
  bytes: Bytes
  /** Handle of the item, for pinning. */
  item = 0
  keyStart = 0
  keyBytes = 0
  valueStart = 0
  valueBytes = 0
  clientFlags = 0
  casHi = 0
  casLo = 0

  constructor(bytes: Bytes) {
    this.bytes = bytes
  }
}

/**
 * Keeps an item where it is while the network reads from it. A pinned item may be unlinked, but
 * its chunk is neither overwritten nor reused before the last pin is gone.
 */
export interface PinOwner {
  /** Returns false where no further pin can be had: copy the value instead. */
  pin(item: number): boolean
  unpin(item: number): void
}
