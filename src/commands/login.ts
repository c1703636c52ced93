/**
 * Logging in. By SASL: one mechanism, PLAIN, whose message is `[identity] NUL name NUL password`
 * (RFC 4616). It says who somebody is and may say as whom to act; here both are the same, so the
 * first part is not looked at. A step takes the same message as the beginning. Or by name and password,
 * which the text protocol has in the value of a set.
 *
 * Who may log in is for an `Authenticator` to say. Without one the protocols do not know these commands.
 */
import { equalsText } from '../bytes/ascii.ts'
import type { Bytes } from '../bytes/ascii.ts'
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import { OP, OUTCOME, RAN } from '../message/codes.ts'
import type { Ran } from '../message/codes.ts'
import type { Reply } from '../message/reply.ts'
import type { Request } from '../message/request.ts'
import { METRIC } from '../observe/metrics.ts'
import type { CommandContext } from './context.ts'

const MECHANISM = 'PLAIN'

/** Knows users and their passwords. Must take as long for a wrong one as for the right one. */
export interface Authenticator {
  /** Whether the two ranges of `bytes` are the name of a user and that user's password. */
  accepts(
    bytes: Bytes,
    nameStart: number,
    nameEnd: number,
    passwordStart: number,
    passwordEnd: number,
  ): boolean
}

export function listMechanisms(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): void {
  if (context.authenticator === null) reply.outcome(out, request, OUTCOME.UNKNOWN_COMMAND)
  else reply.mechanisms(out, request, MECHANISM)
}

export function logIn(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  const { authenticator, client, loginLimits, metrics } = context
  if (authenticator === null) {
    reply.outcome(out, request, OUTCOME.UNKNOWN_COMMAND)
    return RAN.DONE
  }
  metrics.count(METRIC.AUTH_CMDS)
  const isAdmitted = client === null || loginLimits.admits(client)
  if (!isAdmitted) metrics.count(METRIC.AUTH_THROTTLED)
  else if (isAccepted(authenticator, request)) {
    reply.outcome(out, request, OUTCOME.AUTHENTICATED)
    return RAN.AUTHENTICATED
  }
  metrics.count(METRIC.AUTH_ERRORS)
  context.facts.audit.loginFailed(client)
  reply.outcome(out, request, OUTCOME.NOT_AUTHENTICATED)
  return client === null || loginLimits.fail(client) ? RAN.DONE : RAN.CLOSE
}

function isAccepted(authenticator: Authenticator, request: Request): boolean {
  if (request.op !== OP.LOG_IN) return isAcceptedBySasl(authenticator, request)
  const { bytes, keyStart, keyBytes, valueBytes } = request
  const nameEnd = keyStart + keyBytes
  const passwordStart = nameEnd + 1
  return authenticator.accepts(bytes, keyStart, nameEnd, passwordStart, passwordStart + valueBytes)
}

/** The mechanism is the key of the request, and its message stands right behind it. */
function isAcceptedBySasl(authenticator: Authenticator, request: Request): boolean {
  const { bytes, keyStart, keyBytes, valueBytes } = request
  const start = keyStart + keyBytes
  const end = start + valueBytes
  if (!equalsText(bytes.buffer, keyStart, start, MECHANISM)) return false
  const nameStart = zeroAt(bytes.buffer, start, end) + 1
  const passwordStart = zeroAt(bytes.buffer, nameStart, end) + 1
  if (passwordStart > end) return false
  return authenticator.accepts(bytes, nameStart, passwordStart - 1, passwordStart, end)
}

/** Where the next zero byte stands, `end` if there is none. */
function zeroAt(buffer: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && buffer[at] !== 0) at++
  return at
}
