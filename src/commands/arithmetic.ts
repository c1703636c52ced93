/**
 * incr and decr: on the digits of a value, 64 bits, wrapping upwards and stopping at 0.
 *
 * A counter keeps its length: where the new number is shorter, spaces follow it. One that is not there
 * is made where the request says so.
 */
import { CR, NINE, SPACE, ZERO, copyBytes } from '../bytes/ascii.ts'
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import { addU64, parseU64, printU64, subtractU64 } from '../bytes/u64.ts'
import type { U64 } from '../bytes/u64.ts'
import { ON_DISK } from '../engine/cache.ts'
import { OP, OPTION, OUTCOME, RAN } from '../message/codes.ts'
import type { Ran } from '../message/codes.ts'
import type { Reply } from '../message/reply.ts'
import type { Request } from '../message/request.ts'
import { CLASS_METRIC, METRIC } from '../observe/metrics.ts'
import type { ItemContext } from './context.ts'
import { setLife } from './item-life.ts'
import { noteLookup } from './notes.ts'

const TAB = 9

export function arithmetic(
  context: ItemContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  const { cache, metrics, heap, counter, view } = context
  const up = request.op === OP.INCR
  const item = cache.find(request.bytes, request.keyStart, request.keyBytes)
  if (item === ON_DISK) return RAN.FAULT
  request.isHit = item !== 0
  if (context.watchers.topics !== 0) noteLookup(context, request, item)
  if (item === 0) {
    if (request.vivifies) return vivify(context, request, reply, out)
    metrics.count(up ? METRIC.INCR_MISSES : METRIC.DECR_MISSES)
    reply.outcome(out, request, OUTCOME.NOT_FOUND)
    return RAN.DONE
  }
  const start = cache.valueStart(item)
  const length = cache.valueBytes(item)
  if (length > 0 && request.ifCas && !cache.hasCas(item, request.casHi, request.casLo)) {
    reply.outcome(out, request, OUTCOME.EXISTS)
    return RAN.DONE
  }
  if (!parseCounter(heap.buffer, start, start + length, counter)) {
    reply.outcome(out, request, OUTCOME.NON_NUMERIC)
    return RAN.DONE
  }
  metrics.count(up ? METRIC.INCR_HITS : METRIC.DECR_HITS)
  const classHits = up ? CLASS_METRIC.INCR_HITS : CLASS_METRIC.DECR_HITS
  metrics.countClass(classHits, cache.sizeClass(item))
  if (up) addU64(counter.hi, counter.lo, request.deltaHi, request.deltaLo, counter)
  else subtractU64(counter.hi, counter.lo, request.deltaHi, request.deltaLo, counter)
  counter.digitCount = printU64(counter.digits.buffer, 0, counter.hi, counter.lo)
  const written = write(context, item, start, length)
  if (written === 0) {
    metrics.count(METRIC.STORE_NO_MEMORY)
    reply.outcome(out, request, OUTCOME.NO_MEMORY)
    return RAN.DONE
  }
  if (request.wantsItem) showCounter(context, request, written, false)
  reply.counter(out, request, counter, view)
  return RAN.DONE
}

/** Makes the counter that is not there; that is neither a hit nor a miss, as in memcached. */
function vivify(context: ItemContext, request: Request, reply: Reply, out: OutputBuffer): Ran {
  const { cache, metrics, heap, counter, view } = context
  counter.hi = request.initialHi
  counter.lo = request.initialLo
  const count = printU64(counter.digits.buffer, 0, counter.hi, counter.lo)
  counter.digitCount = count
  const { bytes, keyStart, keyBytes, vivifyS } = request
  const hash = cache.hash(bytes, keyStart, keyBytes)
  const item = cache.reserve(hash, bytes, keyStart, keyBytes, count, 0, vivifyS)
  if (item !== 0) copyBytes(heap, cache.valueStart(item), counter.digits, 0, count)
  if (item === 0 || !cache.link(item, 0)) {
    metrics.count(METRIC.STORE_NO_MEMORY)
    reply.outcome(out, request, OUTCOME.NO_MEMORY)
    return RAN.DONE
  }
  if (request.wantsItem) showCounter(context, request, item, true)
  reply.counter(out, request, counter, view)
  return RAN.DONE
}

/** Gives a counter what the request wants beside its number, and shows it. */
function showCounter(context: ItemContext, request: Request, item: number, isNew: boolean): void {
  const { cache, view } = context
  const { options } = request
  if ((options & OPTION.NEW_CAS) !== 0) cache.setCas(item, request.newCasHi, request.newCasLo)
  if (options !== 0) setLife(context, request, item, isNew)
  cache.show(item, view)
}

/**
 * Changes the value of `length` bytes at `start` in place, or replaces the item where the digits do
 * not fit or somebody reads it. Returns the item that it is now, 0 without memory.
 */
function write(context: ItemContext, item: number, start: number, length: number): number {
  const { cache, heap, counter } = context
  const count = counter.digitCount
  if (count <= length && !cache.isPinned(item)) {
    copyBytes(heap, start, counter.digits, 0, count)
    if (count < length) heap.buffer.fill(SPACE, start + count, start + length)
    cache.stamp(item)
    cache.bump(item)
    return item
  }
  if (!cache.pin(item)) return 0
  const total = Math.max(count, length)
  const grown = cache.reserveLike(item, total)
  if (grown === 0) {
    cache.unpin(item)
    return 0
  }
  const grownStart = cache.valueStart(grown)
  copyBytes(heap, grownStart, counter.digits, 0, count)
  if (count < total) heap.buffer.fill(SPACE, grownStart + count, grownStart + total)
  // What stands in for an item that somebody reads is marked as that one, changed in place, would be.
  const standsIn = count <= length
  if (standsIn) keepMarks(context, grown, item)
  const linked = cache.link(grown, cache.isLinked(item) ? item : 0)
  if (linked && standsIn && cache.isFetched(item)) cache.touch(grown)
  cache.unpin(item)
  return linked ? grown : 0
}

/** Marks a reservation as an item is marked. */
function keepMarks(context: ItemContext, reserved: number, item: number): void {
  const { cache } = context
  if (cache.marks.isStale(item)) cache.succeedStale(reserved, item)
  else if (cache.marks.isWon(item)) cache.marks.setWon(reserved)
  if (cache.marks.hasBinaryKey(item)) cache.marks.setBinaryKey(reserved)
}

/**
 * Digits with white space before them, and with white space or nothing behind: what strtoull takes
 * and its caller wants. Leading zeros may be any number.
 */
function parseCounter(buffer: Buffer, start: number, end: number, out: U64): boolean {
  if (parseU64(buffer, start, end, out)) return true
  let from = start
  while (from < end && isSpace(buffer[from]!)) from++
  let to = from
  while (to < end && buffer[to]! >= ZERO && buffer[to]! <= NINE) to++
  if (to < end && !isSpace(buffer[to]!)) return false
  return parseU64(buffer, from, to, out)
}

/** C's isspace: a space, or one of tab, line feed, vertical tab, form feed, carriage return. */
function isSpace(byte: number): boolean {
  return byte === SPACE || (byte >= TAB && byte <= CR)
}
