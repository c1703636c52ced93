/** delete, touch and flush_all. */
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import { ON_DISK } from '../engine/cache.ts'
import { OPTION, OUTCOME, RAN } from '../message/codes.ts'
import type { Outcome, Ran } from '../message/codes.ts'
import type { Reply } from '../message/reply.ts'
import type { Request } from '../message/request.ts'
import { CLASS_METRIC, METRIC } from '../observe/metrics.ts'
import type { ItemContext } from './context.ts'
import { noteDelete, noteDeleted, noteLookup } from './notes.ts'

/** A delete that keeps something. */
const KEEPING = OPTION.INVALIDATE | OPTION.EMPTY

export function remove(
  context: ItemContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  const { cache, metrics } = context
  const { bytes, keyStart, keyBytes } = request
  const item = cache.find(bytes, keyStart, keyBytes)
  if (item === ON_DISK) return RAN.FAULT
  request.isHit = item !== 0
  if (context.watchers.topics !== 0) noteDelete(context, request, item)
  if (item === 0) {
    // What could not be read from disk just now must not come back when it can.
    cache.discard(cache.hash(bytes, keyStart, keyBytes), bytes, keyStart, keyBytes)
    metrics.count(METRIC.DELETE_MISSES)
    reply.outcome(out, request, OUTCOME.NOT_FOUND)
    return RAN.DONE
  }
  if (request.ifCas && !cache.hasCas(item, request.casHi, request.casLo)) {
    metrics.count(METRIC.DELETE_MISSES)
    reply.outcome(out, request, OUTCOME.EXISTS)
    return RAN.DONE
  }
  if ((request.options & KEEPING) !== 0) {
    reply.outcome(out, request, removeInPart(context, request, item))
    return RAN.DONE
  }
  metrics.count(METRIC.DELETE_HITS)
  metrics.countClass(CLASS_METRIC.DELETE_HITS, cache.sizeClass(item))
  if (context.watchers.topics !== 0) noteDeleted(context, request, item)
  cache.remove(item)
  reply.outcome(out, request, OUTCOME.DELETED)
  return RAN.DONE
}

/** Removes less than the item: its value, with EMPTY, or its being up to date, with INVALIDATE. */
function removeInPart(context: ItemContext, request: Request, item: number): Outcome {
  const { cache, metrics } = context
  const { options } = request
  let kept = item
  if ((options & OPTION.EMPTY) !== 0) {
    kept = empty(context, request, item)
    if (kept === 0) {
      metrics.count(METRIC.STORE_NO_MEMORY)
      return OUTCOME.NO_MEMORY
    }
  }
  if ((options & OPTION.INVALIDATE) === 0) {
    metrics.count(METRIC.DELETE_HITS)
    if (context.watchers.topics !== 0) noteDeleted(context, request, kept)
    return OUTCOME.DELETED
  }
  if ((options & OPTION.TOUCH) !== 0) cache.setExpiry(kept, request.exptime)
  cache.marks.invalidate(kept)
  if ((options & OPTION.NEW_CAS) === 0) cache.stamp(kept)
  else cache.setCas(kept, request.newCasHi, request.newCasLo)
  return OUTCOME.DELETED
}

/**
 * Puts an item without a value in the place of another, with its cas number if it is given none.
 * Returns 0 without memory.
 */
function empty(context: ItemContext, request: Request, item: number): number {
  const { cache, view } = context
  const { bytes, keyStart, keyBytes, clientFlags, exptime, options } = request
  cache.show(item, view)
  const { casHi, casLo } = view
  // Making room may evict the item; its pin keeps it until it is replaced.
  if (!cache.pin(item)) return 0
  const hash = cache.hash(bytes, keyStart, keyBytes)
  const emptied = cache.reserve(hash, bytes, keyStart, keyBytes, 0, clientFlags, exptime)
  const linked = emptied !== 0 && cache.link(emptied, cache.isLinked(item) ? item : 0)
  cache.unpin(item)
  if (!linked) return 0
  if ((options & OPTION.NEW_CAS) === 0) cache.setCas(emptied, casHi, casLo)
  else cache.setCas(emptied, request.newCasHi, request.newCasLo)
  return emptied
}

/** A new expiry for an item; its cas value stays. */
export function touch(
  context: ItemContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  const { cache, metrics, view } = context
  const item = cache.find(request.bytes, request.keyStart, request.keyBytes)
  if (item === ON_DISK) return RAN.FAULT
  request.isHit = item !== 0
  metrics.count(METRIC.CMD_TOUCH)
  if (context.watchers.topics !== 0) noteLookup(context, request, item)
  if (item === 0) {
    metrics.count(METRIC.TOUCH_MISSES)
    reply.outcome(out, request, OUTCOME.NOT_FOUND)
    return RAN.DONE
  }
  metrics.count(METRIC.TOUCH_HITS)
  metrics.countClass(CLASS_METRIC.TOUCH_HITS, cache.sizeClass(item))
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

/** Counts what is asked for, carried out or not, as memcached does. */
export function flushAll(
  context: ItemContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  context.metrics.count(METRIC.CMD_FLUSH)
  if (!context.settings.flushEnabled) {
    reply.outcome(out, request, OUTCOME.FLUSH_DISABLED)
    return RAN.DONE
  }
  if (request.outcome !== OUTCOME.NONE) {
    reply.outcome(out, request, request.outcome)
    return RAN.DONE
  }
  context.cache.flush(request.exptime)
  reply.outcome(out, request, OUTCOME.OK)
  return RAN.DONE
}
