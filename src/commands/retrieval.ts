/** get, gets, gat, gats: one key at a time. */
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import { ON_DISK } from '../engine/cache.ts'
import { RAN } from '../message/codes.ts'
import type { Ran } from '../message/codes.ts'
import type { Reply } from '../message/reply.ts'
import type { Request } from '../message/request.ts'
import { CLASS_METRIC, METRIC } from '../observe/metrics.ts'
import type { CommandContext } from './context.ts'
import { noteGet } from './notes.ts'

/** Answers one key. A get that touches counts as a touch, as in memcached. */
export function get(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  const { cache, metrics, view } = context
  const item = cache.find(request.bytes, request.keyStart, request.keyBytes)
  if (item === ON_DISK) return RAN.FAULT
  request.isHit = item !== 0
  if (context.watchers.topics !== 0) noteGet(context, request, item)
  metrics.count(request.touches ? METRIC.CMD_TOUCH : METRIC.CMD_GET)
  if (item === 0) {
    metrics.count(request.touches ? METRIC.TOUCH_MISSES : METRIC.GET_MISSES)
    reply.miss(out, request)
    return RAN.DONE
  }
  if (request.touches) {
    metrics.count(METRIC.TOUCH_HITS)
    metrics.countClass(CLASS_METRIC.TOUCH_HITS, cache.sizeClass(item))
    cache.setExpiry(item, request.exptime)
  } else {
    metrics.countGetHit(cache.sizeClass(item))
  }
  cache.touch(item)
  cache.show(item, view)
  reply.hit(out, request, view)
  return RAN.DONE
}
