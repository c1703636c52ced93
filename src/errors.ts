/**
 * Operating errors and assertions, the only two ways in which this program raises anything.
 *
 * Outcomes of a protocol (a miss, a value that is too large) are integers in `message/codes.ts`
 * and never come here. A `ServerError` is something that an operator can do something about; its
 * `code` is stable, listed in docs/OPERATIONS.md, and decides the exit status. `assert` is for
 * bugs: it says that this program is wrong, not its input.
 */

/** Exit statuses of the program, named as in sysexits.h. */
export const EXIT = {
  OK: 0,
  FAILURE: 1,
  USAGE: 64,
  DATA: 65,
  UNAVAILABLE: 69,
  CANNOT_BIND: 73,
  IO: 74,
  PROTOCOL: 76,
  NO_PERMISSION: 77,
  CONFIG: 78,
} as const

/** Every code that a `ServerError` can have, with the exit status (see EXIT) at start-up. */
export const ERROR_CODES = {
  /** The command line is wrong. */
  USAGE: 64,
  /** A configuration file, variable or option holds an unknown key or a value out of range. */
  CONFIG_INVALID: 78,
  /** The configuration file cannot be read. */
  CONFIG_UNREADABLE: 78,
  /** The file of users cannot be read, or a line of it is wrong. */
  USERS_UNREADABLE: 78,
  /** Certificate or key cannot be read, or do not fit together. */
  CERTIFICATES_UNUSABLE: 78,
  /** More memory is configured than this runtime can address or allocate. */
  MEMORY_UNAVAILABLE: 78,
  /** A listener cannot be opened. */
  CANNOT_BIND: 73,
  /** The user to change to does not exist, or changing to it is not permitted. */
  CANNOT_SWITCH_USER: 64,
  /** The pid file cannot be written. */
  PIDFILE_UNWRITABLE: 73,
  /** The file of ports that MEMCACHED_PORT_FILENAME names cannot be written. */
  PORT_FILE_UNWRITABLE: 73,
  /** Another process holds the data directory. */
  DATA_DIR_IN_USE: 73,
  /** The data directory cannot be made, read or written, or what must be read from it is damaged. */
  DATA_DIR_UNUSABLE: 73,
  /** The data directory holds files that are not of this program. */
  DATA_DIR_FOREIGN: 78,
  /** The data directory was written by a later version, in a format that this one does not know. */
  DATA_DIR_NEWER: 78,
  /** A tool cannot reach its server, or not any more. */
  SERVER_UNREACHABLE: 69,
  /** The server of a tool answers with something else than memcached's protocol has. */
  SERVER_UNEXPECTED: 76,
  /** The server of a tool does not take the name and password that it was given. */
  LOGIN_REFUSED: 77,
  /** A dump is damaged or cut off, or is none. */
  DUMP_DAMAGED: 65,
  /** A dump was written by a later version, in a format that this one does not know. */
  DUMP_NEWER: 65,
  /** The file of a dump cannot be opened, read or written. */
  DUMP_UNUSABLE: 74,
  /** A server did not take all items of a dump. */
  RESTORE_INCOMPLETE: 1,
  /** An argument of a call of the library is none that it takes. */
  ARGUMENT_INVALID: 64,
  /** A key is empty, or longer than 250 bytes. */
  KEY_INVALID: 64,
  /** A value is larger than `server.max_item_size`. */
  VALUE_TOO_LARGE: 1,
  /** A value is not one that can be counted with. */
  VALUE_NOT_NUMERIC: 1,
  /** No memory can be had for a value. */
  CACHE_FULL: 1,
  /** The cache was shut down. */
  CACHE_CLOSED: 1,
  /** A factory took longer than its hard timeout. */
  FACTORY_TIMEOUT: 1,
} as const

export type ErrorCode = keyof typeof ERROR_CODES

/** An operating error with a stable code. */
export class ServerError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'ServerError'
    this.code = code
  }

  /** The status with which a process that cannot start because of this error exits. */
  get exitStatus(): number {
    return ERROR_CODES[this.code]
  }
}

/** Ends the current operation if a condition that this program relies on does not hold. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`)
}
