/**
 * What an eviction policy is: an order over all items of the store, whatever their size.
 *
 * A policy keeps its order in the header of the items (two links and one byte) and in small tables
 * of its own. It never frees anything: it names a victim, and hears of the removal like of any
 * other. An item that is removed while it is the victim was evicted, as far as a policy can tell.
 */

export interface EvictionPolicy {
  /** An item was linked that the store did not hold. */
  inserted(item: number): void
  /** An item was linked that had been evicted before and was asked for: used again, not new. */
  insertedAgain(item: number): void
  /** An item was linked that is to be evicted next, because only the present command needs it. */
  insertedCold(item: number): void
  /** An item was used. */
  touched(item: number): void
  /** A key was asked for that is not there. */
  missed(): void
  /** An item was given another value in its place. */
  rewritten(item: number): void
  /** `to`, a new item with the key of `from`, was linked in its stead. */
  replaced(from: number, to: number): void
  /** An item is about to be unlinked, for whatever reason. */
  removed(item: number): void
  /** `to` is a copy of the linked item `from`, header included, and takes its place. */
  relocated(from: number, to: number): void
  /** The item to evict next, 0 if there is none. Stays the same until some other call. */
  victim(): number
  /**
   * The item that is evicted after `item`, 0 after the last: for walks over all items that begin
   * with the victim. An item that is neither the first nor the last of its queue comes behind its
   * older neighbour.
   */
  after(item: number): number
}
