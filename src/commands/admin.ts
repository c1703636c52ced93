/** version, verbosity and stats. */
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import { equalsText, startsWith } from '../bytes/ascii.ts'
import { OUTCOME } from '../message/codes.ts'
import type { Reply } from '../message/reply.ts'
import type { Request } from '../message/request.ts'
import type { CommandContext } from './context.ts'
import { diskStats } from './disk-report.ts'
import { generalStats } from './stats-report.ts'
import type { Stat } from './stats-report.ts'

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

/**
 * stats, stats settings, stats l2, stats reset. An argument may be shortened, as memcached compares
 * only as many letters as it is given (`stats r` resets).
 */
export function stats(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): void {
  if (request.keyBytes === 0) {
    report(generalStats(context), request, reply, out)
  } else if (isPrefixOf(request, 'reset')) {
    context.metrics.reset()
    reply.outcome(out, request, OUTCOME.RESET)
  } else if (isPrefixOf(request, 'settings')) {
    report(context.facts.settings(), request, reply, out)
  } else if (isWord(request, 'l2')) {
    // memcached has none of this name, so a shorter one is not known either.
    report(diskStats(context), request, reply, out)
  } else if (isWord(request, 'detail off')) {
    // There are no statistics by prefix, so they are off.
    reply.outcome(out, request, OUTCOME.OK)
  } else {
    reply.outcome(out, request, OUTCOME.UNKNOWN_COMMAND)
  }
}

function report(figures: readonly Stat[], request: Request, reply: Reply, out: OutputBuffer): void {
  for (const [name, value] of figures) reply.stat(out, request, name, value)
  reply.endOfStats(out, request)
}

function isWord(request: Request, word: string): boolean {
  const { keyStart, keyBytes } = request
  return equalsText(request.bytes.buffer, keyStart, keyStart + keyBytes, word)
}

function isPrefixOf(request: Request, word: string): boolean {
  const { keyStart, keyBytes } = request
  if (keyBytes > word.length) return false
  return startsWith(request.bytes.buffer, keyStart, keyStart + keyBytes, word.slice(0, keyBytes))
}
