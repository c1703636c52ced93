/**
 * Whether the machine has been started anew since a data directory was used last: the file `boot` in it
 * says in which life of the machine that was.
 *
 * A process that is killed leaves to the system what it has written. A machine that stops without a word
 * takes with it what the system had not brought to the device, of any file, in any order; and LevelDB takes
 * a log or a manifest that ends early for one that ended there.
 */
import { join } from 'node:path'
import { createDurably, errorCode } from './file-system.ts'
import type { FileSystem } from './file-system.ts'

/** Linux draws a new one with each start. */
export const BOOT_ID_PATH = '/proc/sys/kernel/random/boot_id'
const BOOT_NAME = 'boot'

/** Notes in which life of the machine a directory is used, on the device. */
export function noteBoot(folder: string, files: FileSystem): void {
  const now = textOf(BOOT_ID_PATH, files)
  if (now === '' || now === textOf(join(folder, BOOT_NAME), files)) return
  createDurably(files, folder, BOOT_NAME, Buffer.from(now))
}

/** Whether the machine has started since. False also where the system does not tell. */
export function hasMachineRestarted(folder: string, files: FileSystem): boolean {
  const noted = textOf(join(folder, BOOT_NAME), files)
  const now = textOf(BOOT_ID_PATH, files)
  return noted !== '' && now !== '' && noted !== now
}

/** Nothing for a file that is not there. */
function textOf(path: string, files: FileSystem): string {
  try {
    return files.readFileSync(path).toString('latin1')
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || path === BOOT_ID_PATH) return ''
    throw error
  }
}
