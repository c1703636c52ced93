/** Outcomes of commands that a program can do something about, as errors. */
import { ServerError } from '../errors.ts'
import { OUTCOME } from '../message/codes.ts'
import type { Outcome } from '../message/codes.ts'

/** The error for an outcome of a command on a key. */
export function failure(outcome: Outcome, key: string): ServerError {
  const name = JSON.stringify(key)
  switch (outcome) {
    case OUTCOME.TOO_LARGE:
      return new ServerError(
        'VALUE_TOO_LARGE',
        `the value of ${name} is larger than server.max_item_size`,
      )
    case OUTCOME.NON_NUMERIC:
      return new ServerError('VALUE_NOT_NUMERIC', `the value of ${name} is no whole number`)
    default:
      return new ServerError('CACHE_FULL', `no memory can be had for the value of ${name}`)
  }
}

/** The error of a call after the end. */
export function closed(): ServerError {
  return new ServerError('CACHE_CLOSED', 'the cache was shut down')
}
