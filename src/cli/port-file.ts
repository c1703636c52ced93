/**
 * The file that tells which ports are listened on, for who starts a server on free ports: memcached writes
 * it where MEMCACHED_PORT_FILENAME says, and programs that start servers for tests read it.
 */

import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { ServerError } from '../errors.ts'

export const PORT_FILE_VARIABLE = 'MEMCACHED_PORT_FILENAME'

/** A line `TCP INET: PORT` or `TCP INET6: PORT` for each address; UNIX sockets have no port. */
export function portLines(addresses: readonly string[]): string {
  return addresses
    .filter((address) => !address.startsWith('unix:'))
    .map((address) => {
      const family = address.startsWith('[') ? 'INET6' : 'INET'
      return `TCP ${family}: ${address.slice(address.lastIndexOf(':') + 1)}\n`
    })
    .join('')
}

/**
 * Written beside its place and renamed into it, so that nobody reads half of it. Empty name: no file.
 * @throws ServerError PORT_FILE_UNWRITABLE
 */
export function writePortFile(file: string, addresses: readonly string[]): void {
  if (file === '') return
  try {
    rmSync(`${file}.lck`, { force: true })
    writeFileSync(`${file}.lck`, portLines(addresses), { flag: 'wx' })
    renameSync(`${file}.lck`, file)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ServerError(
      'PORT_FILE_UNWRITABLE',
      `cannot write the file of ports that ${PORT_FILE_VARIABLE} names: ${reason}`,
      error,
    )
  }
}
