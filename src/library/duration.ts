/** Durations as programs write them: a number of milliseconds, or a text such as '90s', '10m', '1h'. */
import { parseDurationMs } from '../config/units.ts'
import { ServerError } from '../errors.ts'

/** Milliseconds, or a text with a unit: 'ms', 's', 'm', 'h', 'd'. */
export type Duration = number | string

const HAS_UNIT = /[a-z]\s*$/

/** Milliseconds of a duration. Fails with ARGUMENT_INVALID; `what` names the argument. */
export function milliseconds(duration: Duration, what: string): number {
  const ms = typeof duration === 'number' ? duration : textMs(duration)
  if (ms === undefined || Number.isNaN(ms) || ms < 0) {
    throw new ServerError(
      'ARGUMENT_INVALID',
      `${what}: ${JSON.stringify(duration)} is no duration; write milliseconds, or a text such as '10m'`,
    )
  }
  return ms
}

function textMs(text: string): number | undefined {
  return HAS_UNIT.test(text) ? parseDurationMs(text) : undefined
}
