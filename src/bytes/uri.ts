/** Keys as words of a line for people and tools: memcached's way to write them without blanks. */

/** What stands for itself: letters, digits and `-._~` (RFC 3986). */
const PLAIN = /[A-Za-z0-9\-._~]/
const BYTES = 256
/** How each byte is written. */
const WRITTEN: readonly string[] = Array.from({ length: BYTES }, (_, byte) => {
  const character = String.fromCharCode(byte)
  if (PLAIN.test(character)) return character
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
})

/** A key, one character a byte, with `%XX` for those bytes that do not stand for themselves. */
export function uriEncoded(key: string): string {
  let text = ''
  for (let i = 0; i < key.length; i++) text += WRITTEN[key.charCodeAt(i)]!
  return text
}
