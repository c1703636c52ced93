/** Keys of items as JSON shows them: text where they are printable ASCII, else base64. */
import type { KeyName } from './stats-document.ts'

const PRINTABLE = /^[!-~]*$/

/** The name of a key that is given as latin1 text, one character a byte. */
export function keyName(latin1: string): KeyName {
  if (PRINTABLE.test(latin1)) return { key: latin1, isBase64: false }
  return { key: Buffer.from(latin1, 'latin1').toString('base64'), isBase64: true }
}
