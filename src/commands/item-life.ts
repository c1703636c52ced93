/** The expiry that a request gives to an item, and what it shows of it. */
import { OPTION } from '../message/codes.ts'
import type { Request } from '../message/request.ts'
import type { ItemContext } from './context.ts'

/** Of an item without an end. */
const FOR_EVER_S = -1

/**
 * Sets the expiry of an item as the request says, and shows how long it lived before and lives after
 * each step. An item that the request has made begins without an end, as in memcached.
 */
export function setLife(
  context: ItemContext,
  request: Request,
  item: number,
  isNew: boolean,
): void {
  const { cache, view } = context
  const { options } = request
  view.isNew = isNew
  view.ttlS = isNew ? FOR_EVER_S : cache.secondsToLive(item)
  if (isNew) {
    cache.setExpiry(item, request.vivifyS)
    view.vivifiedTtlS = secondsLeft(context, item)
  }
  if ((options & OPTION.TOUCH) !== 0) {
    cache.setExpiry(item, request.exptime)
    view.touchedTtlS = secondsLeft(context, item)
    if (isNew && (options & OPTION.TOUCH_BEFORE_VIVIFY) !== 0) {
      cache.setExpiry(item, request.vivifyS)
    }
  }
}

/** Seconds that an item lives, 0 if it is over already. */
function secondsLeft(context: ItemContext, item: number): number {
  const seconds = context.cache.secondsToLive(item)
  return seconds < FOR_EVER_S ? 0 : seconds
}
