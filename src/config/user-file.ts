/**
 * The users of a file: NAME:PASSWORD on each line, as memcached's -Y has them. A name ends at the first
 * colon, and a password at the end of its line. Lines that are empty or begin with # are skipped.
 */
import { readFileSync } from 'node:fs'
import { ServerError } from '../errors.ts'

export interface User {
  readonly name: string
  readonly password: string
}

/** memcached takes 8 of them and forgets the others; each costs a comparison at every login. */
const USERS_MAX = 1000
/** More is no file of users. */
const FILE_BYTES_MAX = 1_048_576

/** Reads the users of a file. Fails with USERS_UNREADABLE. */
export function readUsers(file: string): User[] {
  let text: string
  try {
    // Byte by byte: a password is what a client sends, in whatever encoding that is.
    text = readFileSync(file, 'latin1')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ServerError('USERS_UNREADABLE', `cannot read the users: ${reason}`, error)
  }
  if (text.length > FILE_BYTES_MAX) {
    throw new ServerError('USERS_UNREADABLE', `${file}: too large for a file of users`)
  }
  const users = parseUsers(text)
  if (typeof users === 'number') {
    throw new ServerError('USERS_UNREADABLE', `${file}:${users}: not NAME:PASSWORD`)
  }
  if (users.length > USERS_MAX) {
    throw new ServerError('USERS_UNREADABLE', `${file}: more than ${USERS_MAX} users`)
  }
  return users
}

/** The users of a text, or the number of the line that is wrong. The text of a message has no password. */
export function parseUsers(text: string): User[] | number {
  const users: User[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    if (line === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    if (colon < 1 || colon === line.length - 1 || line.includes('\0')) return index + 1
    users.push({ name: line.slice(0, colon), password: line.slice(colon + 1) })
  }
  return users
}
