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

  /** The rest is for replies that show more of an item than its value: seconds it still lives, -1 for ever. */
  ttlS = 0
  /** The same after its expiry was set, as TOUCH or `vivifyS` say. */
  touchedTtlS = 0
  vivifiedTtlS = 0
  /** Seconds since it was used. */
  idleS = 0
  /** It was used since it was stored. */
  isFetched = false
  /** It was made by this request. */
  isNew = false
  isStale = false
  /** Another client was told to renew it. */
  isWon = false
  /** This client is to renew it. */
  wins = false
  /** The key is to be shown in base64. */
  hasBinaryKey = false
  sizeClass = 0
  /** As memcached counts it. */
  itemBytes = 0

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
