/** delete, touch and flush_all. */
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import { OUTCOME } from '../message/codes.ts'
import type { Reply } from '../message/reply.ts'
import type { Request } from '../message/request.ts'
import { METRIC } from '../observe/metrics.ts'
import type { CommandContext } from './context.ts'

export function remove(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): void {
  const { cache, metrics } = context
  const item = cache.find(request.bytes, request.keyStart, request.keyBytes)
  if (item === 0) {
    metrics.count(METRIC.DELETE_MISSES)
    reply.outcome(out, request, OUTCOME.NOT_FOUND)
    return
  }
  metrics.count(METRIC.DELETE_HITS)
  cache.remove(item)
  reply.outcome(out, request, OUTCOME.DELETED)
}

/** A new expiry for an item; its cas value stays. */
export function touch(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): void {
  const { cache, metrics } = context
  metrics.count(METRIC.CMD_TOUCH)
  const item = cache.find(request.bytes, request.keyStart, request.keyBytes)
  if (item === 0) {
    metrics.count(METRIC.TOUCH_MISSES)
    reply.outcome(out, request, OUTCOME.NOT_FOUND)
    return
  }
  metrics.count(METRIC.TOUCH_HITS)
  cache.setExpiry(item, request.exptime)
  cache.touch(item)
  reply.outcome(out, request, OUTCOME.TOUCHED)
}

export function flushAll(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): void {
  context.metrics.count(METRIC.CMD_FLUSH)
  context.cache.flush(request.exptime)
  reply.outcome(out, request, OUTCOME.OK)
}
