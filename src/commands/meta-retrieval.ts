/**
 * mg and me: an item with what is known about it, and the renewal of items.
 *
 * Of the clients that meet a stale item, one that is about to end (RECACHE) or one that is not there
 * (`vivifies`), one is told that it won: it is to renew the item. The others are told that one did.
 */
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import { ON_DISK } from '../engine/cache.ts'
import { OPTION, RAN } from '../message/codes.ts'
import type { Ran } from '../message/codes.ts'
import type { Reply } from '../message/reply.ts'
import type { Request } from '../message/request.ts'
import { CLASS_METRIC, METRIC } from '../observe/metrics.ts'
import type { CommandContext } from './context.ts'
import { itemSize } from './context.ts'
import { setLife } from './item-life.ts'
import { noteGet } from './notes.ts'

/** What needs more than a look at the item. */
const CHANGING = OPTION.TOUCH | OPTION.RECACHE

/** Answers a get that may touch, peek, make the item, and win its renewal. */
export function metaGet(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  const { cache, metrics, view } = context
  const { options } = request
  let item = cache.find(request.bytes, request.keyStart, request.keyBytes)
  if (item === ON_DISK) return RAN.FAULT
  request.isHit = item !== 0
  if (context.watchers.topics !== 0) noteGet(context, request, item)
  let isNew = false
  if (item === 0) {
    if (request.vivifies) item = makeEmpty(context, request)
    if (item === 0) {
      // Also where the expiry was to be set: memcached counts that as a touch only if it came to it.
      metrics.count(METRIC.CMD_GET)
      metrics.count(METRIC.GET_MISSES)
      reply.miss(out, request)
      return RAN.DONE
    }
    isNew = true
  }
  if (isNew && isBeingMade(context, request)) cache.marks.setWon(item)
  const isWon = cache.marks.isWon(item)
  let wins = false
  if (isNew || (options & CHANGING) !== 0) {
    wins = changeLife(context, request, item, isNew, isWon)
  } else if ((options & OPTION.DETAILS) !== 0) {
    view.isNew = false
    view.ttlS = cache.secondsToLive(item)
  }
  view.isStale = cache.marks.isStale(item)
  view.isWon = isWon
  if (isWon) wins = false
  else if (view.isStale) wins = true
  view.wins = wins
  if (wins) cache.marks.setWon(item)
  if ((options & OPTION.DETAILS) !== 0) {
    view.isFetched = cache.isFetched(item)
    view.idleS = cache.idleS(item)
    view.hasBinaryKey = cache.marks.hasBinaryKey(item)
  }
  if ((options & OPTION.PEEK) === 0) cache.touch(item)
  if ((options & OPTION.TOUCH) === 0) {
    metrics.count(METRIC.CMD_GET)
    metrics.countGetHit(cache.sizeClass(item))
  } else {
    metrics.count(METRIC.CMD_TOUCH)
    metrics.count(METRIC.TOUCH_HITS)
    metrics.countClass(CLASS_METRIC.TOUCH_HITS, cache.sizeClass(item))
  }
  cache.show(item, view)
  reply.hit(out, request, view)
  return RAN.DONE
}

/**
 * Sets the expiry of an item. Returns whether this client is to renew it, because it has made it, or
 * because the end of the item is near.
 */
function changeLife(
  context: CommandContext,
  request: Request,
  item: number,
  isNew: boolean,
  isWon: boolean,
): boolean {
  const { cache } = context
  const { options } = request
  const isAsked = (options & OPTION.RECACHE) !== 0 && !isNew && !isWon
  const isAskedLast = (options & OPTION.TOUCH_BEFORE_RECACHE) !== 0
  const endsSoon = isAsked && !isAskedLast && cache.endsBefore(item, request.recacheS)
  setLife(context, request, item, isNew)
  return isNew || endsSoon || (isAsked && isAskedLast && cache.endsBefore(item, request.recacheS))
}

/** Whether this process makes a value for the key already: then no client is told to. */
function isBeingMade({ cache }: CommandContext, request: Request): boolean {
  const { bytes, keyStart, keyBytes } = request
  return cache.renewals?.has(cache.hash(bytes, keyStart, keyBytes)) === true
}

/** An item without a value, for the client that makes it to fill. Returns 0 without memory. */
function makeEmpty(context: CommandContext, request: Request): number {
  const { cache } = context
  const { bytes, keyStart, keyBytes, options } = request
  const hash = cache.hash(bytes, keyStart, keyBytes)
  const item = cache.reserve(hash, bytes, keyStart, keyBytes, 0, 0, 0)
  if (item === 0 || !linkEmpty(context, item)) return 0
  if ((options & OPTION.NEW_CAS) !== 0) cache.setCas(item, request.newCasHi, request.newCasLo)
  return item
}

/** An item without a value is no change for who makes one at the moment. */
function linkEmpty({ cache }: CommandContext, item: number): boolean {
  const { renewals } = cache
  cache.renewals = null
  const isLinked = cache.link(item, 0)
  cache.renewals = renewals
  return isLinked
}

/** What is known about an item, without counting as a use of it. */
export function metaDebug(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  const { cache, metrics, view } = context
  const item = cache.find(request.bytes, request.keyStart, request.keyBytes)
  if (item === ON_DISK) return RAN.FAULT
  metrics.count(METRIC.CMD_META)
  if (item === 0) {
    reply.miss(out, request)
    return RAN.DONE
  }
  cache.show(item, view)
  view.ttlS = cache.secondsToLive(item)
  view.idleS = cache.idleS(item)
  view.isFetched = cache.isFetched(item)
  view.hasBinaryKey = cache.marks.hasBinaryKey(item)
  view.sizeClass = cache.sizeClass(item)
  view.itemBytes = itemSize(view.keyBytes, view.valueBytes, view.clientFlags)
  reply.hit(out, request, view)
  return RAN.DONE
}
