/** version and verbosity. */
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import { OUTCOME } from '../message/codes.ts'
import type { Reply } from '../message/reply.ts'
import type { Request } from '../message/request.ts'
import type { CommandContext } from './context.ts'

export function version(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): void {
  reply.version(out, request, context.facts.compatibleVersion)
}

export function verbosity(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): void {
  context.facts.setVerbosity(request.deltaLo)
  reply.outcome(out, request, OUTCOME.OK)
}
