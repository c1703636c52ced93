/**
 * What an eviction policy is: an order over all items of the store, whatever their size.
 *
 * A policy keeps its order in the header of the items (two links) and in small tables of its own.
 * It never frees anything: it names a victim, and hears of the removal like of any other.
 */

export interface EvictionPolicy {
  /** An item was linked. */
  inserted(item: number): void
  /** An item was used. */
  touched(item: number): void
  /** An item is about to be unlinked, for whatever reason. */
  removed(item: number): void
  /** `to` is a copy of the linked item `from`, header included, and takes its place. */
  relocated(from: number, to: number): void
  /** The item to evict next, 0 if there is none. Changes nothing. */
  victim(): number
  /** The item that is evicted after `item`, 0 after the last: for walks over all items. */
  after(item: number): number
}
