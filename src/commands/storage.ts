/**
 * set, add, replace, append, prepend, cas: in two halves, because the value comes between them.
 *
 * `begin` finds a place for the value; `finish` judges the condition and links the item. No
 * condition is judged in `begin`: other connections run in between.
 */
import { copyBytes } from '../bytes/ascii.ts'
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import { ON_DISK } from '../engine/cache.ts'
import { OP, OPTION, OUTCOME, RAN } from '../message/codes.ts'
import type { Outcome, Ran } from '../message/codes.ts'
import type { Reply } from '../message/reply.ts'
import type { Request } from '../message/request.ts'
import { CLASS_METRIC, METRIC } from '../observe/metrics.ts'
import type { ItemContext } from './context.ts'
import { itemSize } from './context.ts'
import { keyOf, keyOfItem, noteLookupOf, noteStore } from './notes.ts'

/** What became of the beginning of a storage command. */
export const BEGUN = {
  /** `request.item` waits for its value, at `request.valueStart`. */
  RESERVED: 0,
  /** It cannot be: `request.outcome` says why, and the value is to be swallowed. */
  REFUSED: 1,
  /** It is done and answered already. */
  STORED: 2,
} as const

export type Begun = (typeof BEGUN)[keyof typeof BEGUN]

/**
 * Finds a place for the value that is about to come. Where it has come already, whole and well
 * formed, `wholeAt` says where in `request.bytes` it stands (-1 otherwise), and a set is carried out
 * at once: in the place of the item that its key has, if the size class is the same, or as a new
 * item if it has none.
 */
export function begin(
  context: ItemContext,
  request: Request,
  wholeAt: number,
  reply: Reply,
  out: OutputBuffer,
): Begun {
  const { cache, metrics, settings } = context
  request.item = 0
  request.valueStart = 0
  const { bytes, keyStart, keyBytes, valueBytes, clientFlags, exptime } = request
  const hash = cache.hash(bytes, keyStart, keyBytes)
  if (itemSize(keyBytes, valueBytes, clientFlags) > settings.itemBytesMax) {
    metrics.count(METRIC.STORE_TOO_LARGE)
    request.outcome = OUTCOME.TOO_LARGE
  } else {
    let isNew = false
    // A key of its own says nothing of where the value is; such a set goes the long way.
    if (wholeAt >= 0 && bytes !== request.ownKey && request.op === OP.SET && !request.ifCas) {
      const old = cache.findInMemory(hash, bytes, keyStart, keyBytes)
      isNew = old === 0
      const isWatched = context.watchers.topics !== 0
      const oldBytes = isWatched && !isNew ? cache.valueBytes(old) : 0
      if (old !== 0 && cache.rewrite(old, valueBytes, clientFlags, exptime)) {
        copyBytes(context.heap, cache.valueStart(old), bytes, wholeAt, valueBytes)
        countSet(context, old)
        if (request.options !== 0) {
          noteKey(context, request, old)
          setCas(context, request, old)
        }
        if (request.wantsItem) cache.show(old, context.view)
        answer(context, request, OUTCOME.STORED, reply, out)
        if (isWatched) {
          const key = keyOf(request)
          noteLookupOf(context, key, old, oldBytes)
          noteStore(context, request, OUTCOME.STORED, key)
        }
        return BEGUN.STORED
      }
    }
    const item = cache.reserve(hash, bytes, keyStart, keyBytes, valueBytes, clientFlags, exptime)
    if (item !== 0 && request.options !== 0) noteKey(context, request, item)
    if (item !== 0 && isNew) {
      // Nobody ran in between, so the key still has no item.
      copyBytes(context.heap, cache.valueStart(item), bytes, wholeAt, valueBytes)
      countSet(context, item)
      const key = context.watchers.topics === 0 ? '' : keyOf(request)
      const outcome = link(context, request, item, 0)
      answer(context, request, outcome, reply, out)
      if (context.watchers.topics !== 0) {
        noteLookupOf(context, key, 0, 0)
        noteStore(context, request, outcome, key)
      }
      return BEGUN.STORED
    }
    if (item !== 0) {
      request.item = item
      request.valueStart = cache.valueStart(item)
      return BEGUN.RESERVED
    }
    metrics.count(METRIC.STORE_NO_MEMORY)
    metrics.countClass(CLASS_METRIC.OUTOFMEMORY, cache.store.classOf(keyBytes, valueBytes))
    request.outcome = OUTCOME.NO_MEMORY
  }
  if (context.watchers.topics !== 0) noteStore(context, request, request.outcome, keyOf(request))
  // A set that cannot be carried out must not leave the old value behind as if it had been.
  if (request.op === OP.SET || (request.options & OPTION.DISCARD) !== 0) {
    cache.discard(hash, bytes, keyStart, keyBytes)
  }
  return BEGUN.REFUSED
}

/**
 * Carries out the command whose value has arrived whole in `request.item`. On a FAULT the item still
 * waits for it.
 */
export function finish(
  context: ItemContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  const { cache } = context
  const item = request.item
  // A plain set wants nothing of what it replaces; every other command has a condition on it.
  const isPlain = request.op === OP.SET && !request.ifCas
  const old = isPlain ? cache.findSameKeyInMemory(item) : cache.findSameKey(item)
  if (old === ON_DISK) return RAN.FAULT
  countSet(context, item)
  request.item = 0
  if (context.watchers.topics !== 0) {
    finishWatched(context, request, item, old, reply, out)
    return RAN.DONE
  }
  const outcome = store(context, request, item, old)
  answer(context, request, outcome, reply, out)
  return RAN.DONE
}

/** The same, told to those who watch. */
function finishWatched(
  context: ItemContext,
  request: Request,
  item: number,
  old: number,
  reply: Reply,
  out: OutputBuffer,
): void {
  const { cache } = context
  const key = keyOfItem(context, item)
  const oldBytes = old === 0 ? 0 : cache.valueBytes(old)
  noteLookupOf(context, key, old, oldBytes)
  const outcome = store(context, request, item, old)
  answer(context, request, outcome, reply, out)
  const doesExtend = request.op === OP.APPEND || request.op === OP.PREPEND
  const isLonger = doesExtend && outcome === OUTCOME.STORED
  noteStore(context, request, outcome, key, request.valueBytes + (isLonger ? oldBytes : 0))
}

/**
 * Gives up what a request holds: its reservation, because the value did not come whole or not well formed,
 * or what is left of a long answer, because nobody is there to take it.
 */
export function abandon(context: ItemContext, request: Request): void {
  request.producer?.stop()
  request.producer = null
  if (request.item === 0) return
  context.cache.abandon(request.item)
  request.item = 0
}

/** Counts a command that has its value. A condition that fails counts as well. */
function countSet({ cache, metrics }: ItemContext, item: number): void {
  metrics.countSet(cache.sizeClass(item))
}

/** Says what came of it, with the item as it is now where there is one to show. */
function answer(
  context: ItemContext,
  request: Request,
  outcome: Outcome,
  reply: Reply,
  out: OutputBuffer,
): void {
  if (request.wantsItem && outcome === OUTCOME.STORED) {
    reply.changed(out, request, outcome, context.view)
  } else {
    reply.outcome(out, request, outcome)
  }
}

function store(context: ItemContext, request: Request, item: number, old: number): Outcome {
  const { cache } = context
  switch (request.op) {
    case OP.SET:
      if (request.ifCas) return compareAndSet(context, request, item, old)
      return link(context, request, item, old)
    case OP.ADD:
      if (old === 0) return link(context, request, item, 0)
      // An add that fails counts as a use of the item, as in memcached.
      cache.bump(old)
      return refuse(context, item, OUTCOME.NOT_STORED)
    case OP.REPLACE:
      if (old === 0) return refuse(context, item, OUTCOME.NOT_STORED)
      return link(context, request, item, old)
    case OP.CAS:
      return compareAndSet(context, request, item, old)
    default:
      if (old === 0) {
        if (request.vivifies) return link(context, request, item, 0)
        return refuse(context, item, OUTCOME.NOT_STORED)
      }
      if (request.ifCas && !cache.hasCas(old, request.casHi, request.casLo)) {
        return refuse(context, item, OUTCOME.EXISTS)
      }
      return extend(context, request, item, old)
  }
}

function compareAndSet(context: ItemContext, request: Request, item: number, old: number): Outcome {
  const { cache, metrics } = context
  if (old === 0) {
    metrics.count(METRIC.CAS_MISSES)
    return refuse(context, item, OUTCOME.NOT_FOUND)
  }
  const { casHi, casLo } = request
  if (!cache.hasCas(old, casHi, casLo)) {
    const maySucceed = (request.options & OPTION.INVALIDATE) !== 0 && (casHi !== 0 || casLo !== 0)
    if (maySucceed && cache.hasLaterCas(old, casHi, casLo)) {
      // Older than what is there, which was invalidated meanwhile: better than nothing, but stale.
      cache.succeedStale(item, old)
      return link(context, request, item, old)
    }
    metrics.count(METRIC.CAS_BADVAL)
    metrics.countClass(CLASS_METRIC.CAS_BADVAL, cache.sizeClass(old))
    return refuse(context, item, OUTCOME.EXISTS)
  }
  metrics.count(METRIC.CAS_HITS)
  metrics.countClass(CLASS_METRIC.CAS_HITS, cache.sizeClass(old))
  return link(context, request, item, old)
}

/** Makes the reservation the item of its key, and shows it if that was asked for. */
function link(context: ItemContext, request: Request, item: number, old: number): Outcome {
  const { cache } = context
  if (cache.link(item, old)) {
    if (request.options !== 0) setCas(context, request, item)
    if (request.wantsItem) cache.show(item, context.view)
    return OUTCOME.STORED
  }
  context.metrics.count(METRIC.STORE_NO_MEMORY)
  return OUTCOME.NO_MEMORY
}

/** Notes on an item, or a reservation, how its key was written. */
function noteKey(context: ItemContext, request: Request, item: number): void {
  if ((request.options & OPTION.BINARY_KEY) !== 0) context.cache.marks.setBinaryKey(item)
}

/** Gives an item that was stored the cas number that the client chose for it. */
function setCas(context: ItemContext, request: Request, item: number): void {
  if ((request.options & OPTION.NEW_CAS) === 0) return
  context.cache.setCas(item, request.newCasHi, request.newCasLo)
}

function refuse(context: ItemContext, item: number, outcome: Outcome): Outcome {
  context.cache.abandon(item)
  return outcome
}

/**
 * append and prepend: a third item takes both values, and flags and expiry of the old one. Where
 * it cannot be had, nothing is stored and nothing is lost, and that is said as memcached says it.
 */
function extend(context: ItemContext, request: Request, added: number, old: number): Outcome {
  const { cache, heap, metrics, settings } = context
  const oldBytes = cache.valueBytes(old)
  const addedBytes = cache.valueBytes(added)
  const total = oldBytes + addedBytes
  if (itemSize(cache.keyBytes(old), total, cache.clientFlags(old)) > settings.itemBytesMax) {
    metrics.count(METRIC.STORE_TOO_LARGE)
    return refuse(context, added, OUTCOME.NOT_STORED)
  }
  // Making room may evict the old item; its pin keeps the bytes until they are copied.
  const pinned = cache.pin(old)
  const grown = pinned ? cache.reserveLike(old, total) : 0
  if (grown === 0) {
    if (pinned) cache.unpin(old)
    metrics.count(METRIC.STORE_NO_MEMORY)
    return refuse(context, added, OUTCOME.NOT_STORED)
  }
  const start = cache.valueStart(grown)
  const isBehind = request.op === OP.APPEND
  const oldAt = isBehind ? start : start + addedBytes
  const addedAt = isBehind ? start + oldBytes : start
  copyBytes(heap, oldAt, heap, cache.valueStart(old), oldBytes)
  copyBytes(heap, addedAt, heap, cache.valueStart(added), addedBytes)
  cache.abandon(added)
  const outcome = link(context, request, grown, cache.isLinked(old) ? old : 0)
  cache.unpin(old)
  return outcome
}
