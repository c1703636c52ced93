/**
 * The stamp of a data directory: a text file `FORMAT` that says whose it is and in which format.
 *
 * A directory without it is taken only when it is empty, one with another text never, so that a
 * mistyped path costs nobody a file. The number grows when an older version could no longer make
 * sense of what a newer one writes; whatever is done to a directory is done after its stamp was
 * read. Nothing here looks at anything else in the directory than names.
 */
import { join } from 'node:path'
import { ServerError } from '../../errors.ts'
import { createDurably, errorCode, MACHINE_FILES } from './file-system.ts'
import type { FileSystem } from './file-system.ts'

const STAMP_NAME = 'FORMAT'
/** While the stamp is being made. */
const STAMP_NAME_UNFINISHED = `${STAMP_NAME}.new`
const FORMAT_NUMBER = 1
const STAMP = `rat-memcached data directory\nformat ${FORMAT_NUMBER}\n`
/** What a stamp of any format begins with. */
const STAMP_OF_ANY_FORMAT = /^rat-memcached data directory\nformat ([1-9]\d{0,8})\n/
/** More of a file than any stamp is long; somebody else's `FORMAT` may have any length. */
const STAMP_BYTES_MAX = 256
/** What a file system itself puts into its top folder. */
const NOBODYS: readonly string[] = ['lost+found']
/** So many names tell whose directory it is. */
const NAMES_SHOWN = 3

/**
 * Makes sure that a directory is there and is this program's in a format that it knows, and stamps
 * it if it is new. True if it was new or empty.
 *
 * Throws a `ServerError` DATA_DIR_FOREIGN or DATA_DIR_NEWER, and then has changed nothing, or
 * DATA_DIR_UNUSABLE if the directory cannot be made, listed or written.
 */
export function claimDataDirectory(folder: string, files: FileSystem = MACHINE_FILES): boolean {
  const names = makeAndList(folder, files)
  // A process that was killed while it made the stamp has left the beginning of one, and no more.
  const isUnfinished = (name: string): boolean =>
    name === STAMP_NAME_UNFINISHED && STAMP.startsWith(readStart(folder, name, files))
  if (names.includes(STAMP_NAME)) {
    judgeStamp(folder, readStart(folder, STAMP_NAME, files))
    return false
  }
  const others = names.filter((name) => !NOBODYS.includes(name) && !isUnfinished(name))
  if (others.length > 0) {
    throw new ServerError(
      'DATA_DIR_FOREIGN',
      `data directory ${folder} is not of rat-memcached: it holds ${listOf(others)} and no file ${STAMP_NAME}; choose an empty directory, or one that is not there yet`,
    )
  }
  try {
    createDurably(files, folder, STAMP_NAME, Buffer.from(STAMP))
  } catch (error) {
    throw unusable(folder, 'cannot be written', error)
  }
  return true
}

function makeAndList(folder: string, files: FileSystem): string[] {
  try {
    files.mkdirSync(folder)
  } catch (error) {
    throw unusable(folder, 'cannot be made', error)
  }
  try {
    return files.readdirSync(folder)
  } catch (error) {
    throw unusable(folder, 'cannot be listed', error)
  }
}

function judgeStamp(folder: string, text: string): void {
  if (text === STAMP) return
  const format = Number(STAMP_OF_ANY_FORMAT.exec(text)?.[1] ?? 0)
  if (format > FORMAT_NUMBER) {
    throw new ServerError(
      'DATA_DIR_NEWER',
      `data directory ${folder} has format ${format}, and this version of rat-memcached knows formats up to ${FORMAT_NUMBER}; start the version that wrote it, or choose another directory`,
    )
  }
  const line = text.split('\n', 1)[0]!.slice(0, 40)
  throw new ServerError(
    'DATA_DIR_FOREIGN',
    `data directory ${folder} is not of rat-memcached: its file ${STAMP_NAME} begins with ${JSON.stringify(line)}; choose an empty directory, or one that is not there yet`,
  )
}

function readStart(folder: string, name: string, files: FileSystem): string {
  const path = join(folder, name)
  const bytes = Buffer.alloc(STAMP_BYTES_MAX)
  try {
    const file = files.openSync(path, 'r')
    try {
      return bytes.toString('latin1', 0, files.readSync(file, bytes, 0, STAMP_BYTES_MAX, 0))
    } finally {
      files.closeSync(file)
    }
  } catch (error) {
    if (errorCode(error) === 'EISDIR') return 'a folder'
    throw unusable(folder, `has a file ${name} that cannot be read`, error)
  }
}

function listOf(names: readonly string[]): string {
  const shown = names
    .toSorted()
    .slice(0, NAMES_SHOWN)
    .map((name) => JSON.stringify(name))
    .join(', ')
  const more = names.length - NAMES_SHOWN
  return more > 0 ? `${shown} and ${more} more` : shown
}

function unusable(folder: string, what: string, cause: unknown): ServerError {
  return new ServerError(
    'DATA_DIR_UNUSABLE',
    `data directory ${folder} ${what} (${errorCode(cause)}): it needs a path that this user may read and write`,
    cause,
  )
}

/** Whether a data directory is still there. */
export function isStamped(folder: string, files: FileSystem = MACHINE_FILES): boolean {
  try {
    return files.sizeSync(join(folder, STAMP_NAME)) > 0
  } catch (error) {
    // Any other trouble than that it is gone says nothing about that.
    return errorCode(error) !== 'ENOENT'
  }
}
