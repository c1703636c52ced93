/** delete, touch and flush_all. */
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import { ON_DISK } from '../engine/cache.ts'
import { OUTCOME, RAN } from '../message/codes.ts'
import type { Ran } from '../message/codes.ts'
import type { Reply } from '../message/reply.ts'
import type { Request } from '../message/request.ts'
import { METRIC } from '../observe/metrics.ts'
import type { CommandContext } from './context.ts'

export function remove(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  const { cache, metrics } = context
  const item = cache.find(request.bytes, request.keyStart, request.keyBytes)
  if (item === ON_DISK) return RAN.FAULT
  if (item === 0) {
    metrics.count(METRIC.DELETE_MISSES)
    reply.outcome(out, request, OUTCOME.NOT_FOUND)
    return RAN.DONE
  }
  if (request.ifCas && !cache.hasCas(item, request.casHi, request.casLo)) {
    reply.outcome(out, request, OUTCOME.EXISTS)
    return RAN.DONE
  }
  metrics.count(METRIC.DELETE_HITS)
  cache.remove(item)
  reply.outcome(out, request, OUTCOME.DELETED)
  return RAN.DONE
}

/** A new expiry for an item; its cas value stays. */
export function touch(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  const { cache, metrics, view } = context
  const item = cache.find(request.bytes, request.keyStart, request.keyBytes)
  if (item === ON_DISK) return RAN.FAULT
  metrics.count(METRIC.CMD_TOUCH)
  if (item === 0) {
    metrics.count(METRIC.TOUCH_MISSES)
    reply.outcome(out, request, OUTCOME.NOT_FOUND)
    return RAN.DONE
  }
  metrics.count(METRIC.TOUCH_HITS)
  cache.setExpiry(item, request.exptime)
  cache.touch(item)
  if (request.wantsItem) {
    cache.show(item, view)
    reply.changed(out, request, OUTCOME.TOUCHED, view)
  } else {
    reply.outcome(out, request, OUTCOME.TOUCHED)
  }
  return RAN.DONE
}

export function flushAll(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  context.metrics.count(METRIC.CMD_FLUSH)
  context.cache.flush(request.exptime)
  reply.outcome(out, request, OUTCOME.OK)
  return RAN.DONE
}
