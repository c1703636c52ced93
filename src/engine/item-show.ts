/** From the header of an item to the view that replies read. */
import type { ItemView } from '../message/item-view.ts'
import { casHi, casLo, clientFlags, keyBytes, keyStart, valueBytes } from '../store/l1/layout.ts'

/** Shows what every reply may need of an item. */
export function showItem(words: Int32Array, item: number, view: ItemView): void {
  const keyAt = keyStart(item)
  const keyLength = keyBytes(words, item)
  view.item = item
  view.keyStart = keyAt
  view.keyBytes = keyLength
  view.valueStart = keyAt + keyLength
  view.valueBytes = valueBytes(words, item)
  view.clientFlags = clientFlags(words, item)
  view.casHi = casHi(words, item)
  view.casLo = casLo(words, item)
}
