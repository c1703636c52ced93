/** Keys as meta commands have them: as they are, or in base64 where a line could not hold them. */

const BLANK = 0x20
const DELETE = 0x7f
/** The most bytes of a key on the wire, in whatever form. */
const TOKEN_BYTES_MAX = 250

/** What stands after the command, ` b` included; null for a key that no line can hold. */
export function metaKey(key: Buffer, isBinary: boolean): { text: string; flag: string } | null {
  if (!isBinary && isPlain(key)) return { text: key.toString('latin1'), flag: '' }
  const text = key.toString('base64')
  return text.length > TOKEN_BYTES_MAX ? null : { text, flag: ' b' }
}

/** The key of a line of `lru_crawler metadump`: every byte but the plainest may be written as %XX. */
export function keyOfUri(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  let to = 0
  for (let from = 0; from < bytes.length; from++, to++) {
    const code = bytes[from]!
    if (code === 0x25 && from + 2 < bytes.length) {
      bytes[to] = Number.parseInt(bytes.toString('latin1', from + 1, from + 3), 16)
      from += 2
    } else {
      bytes[to] = code
    }
  }
  return bytes.subarray(0, to)
}

function isPlain(key: Buffer): boolean {
  for (const code of key) {
    if (code <= BLANK || code === DELETE) return false
  }
  return key.length > 0 && key.length <= TOKEN_BYTES_MAX
}
