/**
 * Commands told to those who watch, and counted by prefixes of keys. To be called only where
 * `context.watchers.topics` is not 0: nobody else has to pay for it.
 */
import { bytesOf } from '../bytes/ascii.ts'
import { uriEncoded } from '../bytes/uri.ts'
import { OP, OPTION, OUTCOME } from '../message/codes.ts'
import type { Outcome } from '../message/codes.ts'
import type { Request } from '../message/request.ts'
import { TOPIC } from '../observe/watchers.ts'
import type { ItemContext } from './context.ts'

/** memcached's words for what became of a storage command. */
const STATUS: Partial<Record<Outcome, string>> = {
  [OUTCOME.STORED]: 'stored',
  [OUTCOME.NOT_STORED]: 'not_stored',
  [OUTCOME.EXISTS]: 'exists',
  [OUTCOME.NOT_FOUND]: 'not_found',
  [OUTCOME.TOO_LARGE]: 'too_large',
  [OUTCOME.NO_MEMORY]: 'no_memory',
}

const COMMAND: Readonly<Record<number, string>> = {
  [OP.ADD]: 'add',
  [OP.SET]: 'set',
  [OP.REPLACE]: 'replace',
  [OP.APPEND]: 'append',
  [OP.PREPEND]: 'prepend',
  [OP.CAS]: 'cas',
}

/** The key of a request whose input is still there. */
export function keyOf({ bytes, keyStart, keyBytes }: Request): string {
  return bytes.buffer.toString('latin1', keyStart, keyStart + keyBytes)
}

/** The key of an item, or of a reservation. */
export function keyOfItem({ cache, heap }: ItemContext, item: number): string {
  const end = cache.valueStart(item)
  return heap.buffer.toString('latin1', end - cache.keyBytes(item), end)
}

/** A key was asked for by a get; `item` is 0 if there is none. */
export function noteGet(context: ItemContext, request: Request, item: number): void {
  const { cache, prefixes, watchers } = context
  const isHit = item !== 0
  if ((watchers.topics & TOPIC.PREFIXES) !== 0) prefixes.get(keyOf(request), isHit)
  if ((watchers.topics & TOPIC.SAMPLE) !== 0) {
    watchers.sample!.read(keyOf(request), isHit, isHit ? cache.valueBytes(item) : 0)
  }
  noteLookup(context, request, item)
}

/** A key was looked up, for whatever command but a storage command. */
export function noteLookup(context: ItemContext, request: Request, item: number): void {
  const isWatched = (context.watchers.topics & TOPIC.FETCHERS) !== 0
  const valueBytes = item === 0 ? 0 : context.cache.valueBytes(item)
  noteLookupOf(context, isWatched ? keyOf(request) : '', item, valueBytes)
}

/** The same, for an item that may have another value by now: `valueBytes` is what it had. */
export function noteLookupOf(
  context: ItemContext,
  key: string,
  item: number,
  valueBytes: number,
): void {
  const { cache, watchers } = context
  const cause = cache.departures.takeCause()
  if ((watchers.topics & TOPIC.FETCHERS) === 0) return
  const status = item === 0 ? cause : 'found'
  const classId = item === 0 ? 0 : cache.sizeClass(item)
  watchers.tell(
    TOPIC.FETCHERS,
    `type=item_get key=${uriEncoded(key)} status=${status} clsid=${classId} ` +
      `cfd=${clientOf(context)} size=${valueBytes}`,
  )
}

/** A storage command was carried out, or could not be; with how many bytes, with those it extends. */
export function noteStore(
  context: ItemContext,
  request: Request,
  outcome: Outcome,
  key: string,
  valueBytes: number = request.valueBytes,
): void {
  const { cache, clock, watchers } = context
  if ((watchers.topics & TOPIC.PREFIXES) !== 0) context.prefixes.set(key)
  if ((watchers.topics & TOPIC.SAMPLE) !== 0) watchers.sample!.write(key, request.valueBytes)
  if ((watchers.topics & TOPIC.MUTATIONS) === 0) return
  const hasItem = outcome !== OUTCOME.TOO_LARGE && outcome !== OUTCOME.NO_MEMORY
  const keyBytes = bytesOf(Buffer.from(key, 'latin1'))
  const expiresAtS = cache.expiryOf(request.exptime, keyBytes, 0, key.length)
  const ttlS = expiresAtS === 0 || !hasItem ? 0 : Math.max(0, expiresAtS - clock.nowS)
  const command = request.ifCas ? COMMAND[OP.CAS] : COMMAND[request.op]
  const classId = hasItem ? cache.store.classOf(key.length, valueBytes) : 0
  watchers.tell(
    TOPIC.MUTATIONS,
    `type=item_store key=${uriEncoded(key)} status=${STATUS[outcome] ?? 'na'} ` +
      `cmd=${command ?? 'na'} ttl=${ttlS} clsid=${classId} cfd=${clientOf(context)} ` +
      `size=${hasItem ? valueBytes : 0}`,
  )
}

/** A key was asked for by a delete; `item` is 0 if there is none. */
export function noteDelete(context: ItemContext, request: Request, item: number): void {
  const { prefixes, watchers } = context
  if ((watchers.topics & TOPIC.PREFIXES) !== 0) prefixes.delete(keyOf(request))
  if ((watchers.topics & TOPIC.SAMPLE) !== 0) watchers.sample!.remove(keyOf(request))
  noteLookup(context, request, item)
}

/** A delete takes an item out, or has emptied it. */
export function noteDeleted(context: ItemContext, request: Request, item: number): void {
  const { cache, watchers } = context
  if ((watchers.topics & TOPIC.DELETIONS) === 0) return
  const command = (request.options & OPTION.META_FORM) === 0 ? 'delete' : 'md'
  watchers.tell(
    TOPIC.DELETIONS,
    `type=deleted key=${uriEncoded(keyOf(request))} cmd=${command} ` +
      `clsid=${cache.sizeClass(item)} size=${cache.valueBytes(item)}`,
  )
}

function clientOf({ client }: ItemContext): number {
  return client?.number ?? 0
}
