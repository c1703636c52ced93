/** Giving up the rights of root, once they have served to bind addresses. */

import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs'
import { parseListenAddress } from '../config/listen-address.ts'
import { ServerError } from '../errors.ts'

export interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** What the runtime offers on systems that have users; the declarations of Node 20 lack one. */
interface Rights {
  initgroups?(userName: string, gid: number): void
  setegid?(gid: number): void
  seteuid?(uid: number): void
  setgid?(gid: number): void
  setuid?(uid: number): void
}

const USERS_FILE = '/etc/passwd'
/** What is stored is for nobody else to read. */
const PRIVATE = 0o700

/** Finds a user by name or number. Fails with CANNOT_SWITCH_USER. */
export function lookUpUser(name: string): User {
  const user = findUser(readUsers(), name)
  if (user === undefined) {
    throw new ServerError('CANNOT_SWITCH_USER', `there is no user '${name}' in ${USERS_FILE}`)
  }
  return user
}

/** Finds a user in the text of a passwd file: name:password:uid:gid:comment:home:shell. */
export function findUser(passwd: string, nameOrUid: string): User | undefined {
  const rows = passwd.split('\n').map((line) => line.split(':'))
  const row =
    rows.find((fields) => fields[0] === nameOrUid) ?? rows.find((fields) => fields[2] === nameOrUid)
  if (row === undefined || nameOrUid === '') return undefined
  const [name = '', , uid = '', gid = ''] = row
  return /^\d+$/.test(uid) && /^\d+$/.test(gid)
    ? { name, uid: Number(uid), gid: Number(gid) }
    : undefined
}

/** Makes a user the owner of UNIX sockets, who would else be locked out by their permissions. */
export function giveSocketsTo(user: User, addresses: readonly string[]): void {
  for (const text of addresses) {
    const address = parseListenAddress(text)
    if (address?.kind !== 'unix') continue
    attempt(user, () => chownSync(address.path, user.uid, user.gid))
  }
}

/**
 * Opens a folder as the user who is to work in it later, so that all that is made there is that
 * user's. The folder itself is made by root where it is missing, since the user may not be allowed to.
 */
export async function asOwner<Opened>(
  user: User,
  folder: string,
  open: () => Promise<Opened>,
): Promise<Opened> {
  const rights: Rights = process
  const uid = process.getuid?.()
  const gid = process.getgid?.()
  if (uid === undefined || gid === undefined || uid === user.uid) return open()
  attempt(user, () => {
    if (mkdirSync(folder, { recursive: true }) !== undefined) {
      chmodSync(folder, PRIVATE)
      chownSync(folder, user.uid, user.gid)
    }
    rights.setegid?.(user.gid)
    rights.seteuid?.(user.uid)
  })
  try {
    return await open()
  } finally {
    rights.seteuid?.(uid)
    rights.setegid?.(gid)
  }
}

/** Becomes a user for good: groups first, for afterwards there is no right to change them. */
export function switchTo(user: User): void {
  if (user.uid === process.getuid?.()) return
  const rights: Rights = process
  attempt(user, () => {
    rights.initgroups?.(user.name, user.gid)
    rights.setgid?.(user.gid)
    rights.setuid?.(user.uid)
  })
}

function attempt(user: User, change: () => void): void {
  try {
    change()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ServerError(
      'CANNOT_SWITCH_USER',
      `cannot change to user '${user.name}': ${reason}`,
      error,
    )
  }
}

function readUsers(): string {
  try {
    return readFileSync(USERS_FILE, 'utf8')
  } catch (error) {
    throw new ServerError('CANNOT_SWITCH_USER', `cannot read ${USERS_FILE}`, error)
  }
}
