/** Finds the keys of frames before their turn, by their headers alone. Judges nothing. */
import type { InputWindow } from '../../bytes/input-window.ts'
import { HEADER_BYTES, MAGIC_REQUEST, bodyBytesAt, extrasBytesAt, keyBytesAt } from './layout.ts'

export function lookAhead(input: InputWindow): void {
  const { ahead, bytes, end } = input
  const { view } = bytes
  let at = input.start
  ahead.begin(bytes, at)
  while (!ahead.isFull && end - at >= HEADER_BYTES && view.getUint8(at) === MAGIC_REQUEST) {
    const keyBytes = keyBytesAt(view, at)
    const keyStart = at + HEADER_BYTES + extrasBytesAt(view, at)
    if (keyBytes > 0 && keyStart + keyBytes <= end) ahead.add(keyStart, keyStart + keyBytes)
    at += HEADER_BYTES + bodyBytesAt(view, at)
  }
  ahead.until = at
}
