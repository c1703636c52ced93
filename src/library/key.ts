/** A key as bytes: UTF-8, in one place that every command of the library writes its key to. */
import { bytesOf } from '../bytes/ascii.ts'
import type { Bytes } from '../bytes/ascii.ts'
import { ServerError } from '../errors.ts'

/** memcached's limit, which its clients know. */
export const KEY_BYTES_MAX = 250
/** A character is at most three bytes a unit of UTF-16. */
const ROOM_BYTES = 3 * KEY_BYTES_MAX
const ASCII_MAX = 0x7f

export class Key {
  readonly bytes: Bytes = bytesOf(Buffer.alloc(ROOM_BYTES))
  length = 0

  /** Writes a key and returns its bytes. Fails with KEY_INVALID. */
  write(key: string): number {
    const { buffer } = this.bytes
    const { length } = key
    if (length === 0 || length > KEY_BYTES_MAX) throw invalid(key)
    let i = 0
    for (; i < length; i++) {
      const code = key.charCodeAt(i)
      if (code > ASCII_MAX) break
      buffer[i] = code
    }
    this.length = i === length ? length : buffer.write(key, 0, 'utf8')
    if (this.length > KEY_BYTES_MAX) throw invalid(key)
    return this.length
  }
}

function invalid(key: string): ServerError {
  if (typeof key !== 'string') return new ServerError('KEY_INVALID', 'a key is a text')
  const why = key === '' ? 'is empty' : `has more than ${KEY_BYTES_MAX} bytes`
  return new ServerError('KEY_INVALID', `the key ${JSON.stringify(key.slice(0, 40))} ${why}`)
}
