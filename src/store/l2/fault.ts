/**
 * What went wrong on disk, in the few kinds that the store answers differently. LevelDB tells little
 * more than a sentence; this file is where such sentences are read, and nowhere else.
 */
import { ServerError } from '../../errors.ts'

/** Kinds of trouble that the store answers differently. */
export const FAULT = {
  /** Files are missing or hold nonsense: set the generation aside. */
  CORRUPT: 'corrupt',
  /** No room on the disk, or none within the quota: wait for room, drop the oldest. */
  NO_SPACE: 'no-space',
  /** Any other failure of the system, such as a vanished folder or a broken disk. */
  IO: 'io',
  /** It was closed before. */
  CLOSED: 'closed',
  /** Another process, or another object in this one, has it open. */
  LOCKED: 'locked',
} as const
export type Fault = (typeof FAULT)[keyof typeof FAULT]

/** LevelDB gives the words of the system, those of strerror or of Windows; Node its codes. */
const NO_SPACE =
  /^(?:ENOSPC|EDQUOT|EFBIG)$|No space left on device|quota exceeded|File too large|not enough space/i
/** Each without a cause: with one the database was never open. */
const CLOSED = /^LEVEL_(?:DATABASE|ITERATOR)_NOT_OPEN$/
/** What LevelDB says of a folder without CURRENT, and of a CURRENT that names no file. */
const MISSING = /does not exist \(create_if_missing|No such file or directory|cannot find the/

/** What kind of trouble an error of a generation, of `classic-level` or of the system tells of. */
export function faultOf(error: unknown): Fault {
  for (let link = error; link instanceof Error; link = link.cause) {
    const code = codeOf(link)
    if (code === 'LEVEL_LOCKED') return FAULT.LOCKED
    if (code === 'LEVEL_CORRUPTION') return FAULT.CORRUPT
    if (NO_SPACE.test(code) || NO_SPACE.test(link.message)) return FAULT.NO_SPACE
    if (link.cause === undefined && CLOSED.test(code)) return FAULT.CLOSED
  }
  return FAULT.IO
}

/** The code of an error, '' where it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** Files that must be there and are not are damage, not trouble with the disk. */
export function orMissing(error: unknown): unknown {
  const said = error instanceof Error && error.cause instanceof Error ? error.cause.message : ''
  if (!MISSING.test(said)) return error
  return Object.assign(new Error(said, { cause: error }), { code: 'LEVEL_CORRUPTION' })
}

/** An error of LevelDB or of the system as one of this program, which says what and why. */
export function unusable(what: string, cause: unknown): ServerError {
  if (cause instanceof ServerError) return cause
  return new ServerError('DATA_DIR_UNUSABLE', `${what}: ${reasonOf(cause)}`, cause)
}

/** The innermost message: "Database failed to open" alone helps nobody. */
function reasonOf(error: unknown): string {
  let reason = String(error)
  for (let link = error; link instanceof Error; link = link.cause) reason = link.message
  return reason
}
