/** A log that nobody reads: where a program asked for none, the package that writes logs is not loaded. */
import type { Logger } from '../observe/log.ts'

export const QUIET_LOG: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  level: 'silent',
}

function nothing(): void {
  // Nobody asked.
}
