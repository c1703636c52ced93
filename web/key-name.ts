/**
 * Keys, which are arbitrary bytes, as people read them and as the server is asked for them. The server
 * names a key in base64 where it is not printable ASCII; most of those are UTF-8.
 */
import type { KeyName } from '../src/http/stats-document.ts'
import { visible } from './format.ts'

const PRINTABLE = /^[\u0021-\u007e]+$/

/** A key as text: what is no UTF-8, and what cannot be seen, as numbers. */
export function shownKey({ key, isBase64 }: KeyName): string {
  if (!isBase64) return visible(key)
  const bytes = bytesOf(key)
  if (bytes === null) return visible(key)
  try {
    return visible(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    return Array.from(bytes, shownByte).join('')
  }
}

/** What somebody has typed, as the name of a key; null if it is not what it says it is. */
export function typedKey(text: string, isBase64: boolean): KeyName | null {
  if (isBase64) return text !== '' && bytesOf(text) !== null ? { key: text, isBase64 } : null
  if (PRINTABLE.test(text)) return { key: text, isBase64 }
  const binary = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte))
  return text === '' ? null : { key: btoa(binary.join('')), isBase64: true }
}

/** Where the door tells of a key; relative to the page. */
export function keyPath({ key, isBase64 }: KeyName): string {
  return `key?${isBase64 ? 'key64' : 'key'}=${encodeURIComponent(key)}`
}

function bytesOf(base64: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  } catch {
    return null
  }
}

function shownByte(byte: number): string {
  const character = String.fromCharCode(byte)
  return PRINTABLE.test(character) ? character : `\\x${byte.toString(16).padStart(2, '0')}`
}
