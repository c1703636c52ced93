/** Commands to the server itself: shutdown and refresh_certs. */
import { equalsText } from '../bytes/ascii.ts'
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import { OUTCOME, RAN } from '../message/codes.ts'
import type { Outcome, Ran } from '../message/codes.ts'
import type { Reply } from '../message/reply.ts'
import type { Request } from '../message/request.ts'
import type { CommandContext, Refreshed } from './context.ts'

const REFRESH_OUTCOME: Readonly<Record<Refreshed, Outcome>> = {
  refreshed: OUTCOME.OK,
  'no-tls': OUTCOME.NO_TLS,
  failed: OUTCOME.BAD_CERTIFICATES,
}

/** shutdown [graceful]: who asks is not answered, but hung up on with all the others. */
export function shutDown(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  if (!context.settings.shutdownEnabled) {
    reply.outcome(out, request, OUTCOME.SHUTDOWN_DISABLED)
    return RAN.DONE
  }
  const { bytes, keyStart, keyBytes } = request
  const graceful = equalsText(bytes.buffer, keyStart, keyStart + keyBytes, 'graceful')
  if (keyBytes > 0 && !graceful) {
    reply.outcome(out, request, OUTCOME.BAD_SHUTDOWN)
    return RAN.DONE
  }
  context.facts.shutDown(graceful)
  return RAN.CLOSE
}

export function refreshCertificates(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): void {
  reply.outcome(out, request, REFRESH_OUTCOME[context.facts.refreshCertificates()])
}
