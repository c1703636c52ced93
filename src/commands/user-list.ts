/**
 * The users that may log in. A password is kept as a keyed hash of name and password together; a login is
 * compared with every user, all the bytes, so that the time it takes tells nothing of either.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Bytes } from '../bytes/ascii.ts'
import type { User } from '../config/user-file.ts'
import type { Authenticator } from './login.ts'

const HASH = 'sha256'
const HASH_KEY_BYTES = 32
const LENGTH_BYTES = 4

export class UserList implements Authenticator {
  /** Of this process, so that the hashes are of no use elsewhere. */
  readonly #key: Buffer = randomBytes(HASH_KEY_BYTES)
  #hashes: readonly Buffer[] = []

  constructor(users: readonly User[]) {
    this.replace(users)
  }

  get size(): number {
    return this.#hashes.length
  }

  /** From now on these may log in. Who has logged in before stays so. */
  replace(users: readonly User[]): void {
    this.#hashes = users.map(({ name, password }) =>
      this.#hash(Buffer.from(name, 'latin1'), Buffer.from(password, 'latin1')),
    )
  }

  accepts(
    { buffer }: Bytes,
    nameStart: number,
    nameEnd: number,
    passwordStart: number,
    passwordEnd: number,
  ): boolean {
    // allocates: a login is rare, and is made slow by others who try
    const name = buffer.subarray(nameStart, nameEnd)
    const given = this.#hash(name, buffer.subarray(passwordStart, passwordEnd))
    let found = false
    for (const hash of this.#hashes) found = timingSafeEqual(given, hash) || found
    return found
  }

  /** The length of the name stands before it, so that no other name and password come to the same. */
  #hash(name: Buffer, password: Buffer): Buffer {
    const length = Buffer.alloc(LENGTH_BYTES)
    length.writeUInt32BE(name.length)
    return createHmac(HASH, this.#key).update(length).update(name).update(password).digest()
  }
}
