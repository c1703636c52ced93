/** `/key?key=K`, or `/key?key64=B` with the key in base64: what is known about one item, in both tiers. */
import type { CommandContext } from '../commands/context.ts'
import { inspectKey } from '../engine/key-inspection.ts'
import type { InspectedItem } from '../engine/key-inspection.ts'
import { jsonAnswer, textAnswer } from './answer.ts'
import type { Answer } from './answer.ts'
import { keyName } from './key-name.ts'
import type { ItemDocument, KeyDocument, ValueDocument } from './stats-document.ts'

/** memcached's limit, which is this server's. */
const KEY_BYTES_MAX = 250
const VALUE_BYTES_SHOWN_MAX = 65_536
const BASE64_FORM = /^[\w+/-]*={0,2}$/
/** What a terminal, or a page, would not show as it is. */
const CONTROLS = /[\p{Cc}\uFFFD]/u

export async function keyAnswer(
  context: CommandContext,
  query: URLSearchParams,
  valuesAllowed: boolean,
): Promise<Answer> {
  const key = keyOf(query)
  if (key === null) {
    return textAnswer(400, `ask for key=K, or key64=B in base64: 1 to ${KEY_BYTES_MAX} bytes`)
  }
  const item = await inspectKey(context.cache, key, valuesAllowed ? VALUE_BYTES_SHOWN_MAX : 0)
  const document: KeyDocument = {
    ...keyName(key.toString('latin1')),
    item: item === null ? null : describe(item, context.clock.nowS, valuesAllowed),
  }
  return jsonAnswer(200, document)
}

function keyOf(query: URLSearchParams): Buffer | null {
  const text = query.get('key')
  const encoded = query.get('key64')
  if ((text === null) === (encoded === null)) return null
  if (encoded !== null && !BASE64_FORM.test(encoded)) return null
  const key = text === null ? Buffer.from(encoded ?? '', 'base64') : Buffer.from(text)
  return key.length === 0 || key.length > KEY_BYTES_MAX ? null : key
}

function describe(item: InspectedItem, nowS: number, valuesAllowed: boolean): ItemDocument {
  const { isInMemory, isOnDisk, expiresAtS } = item
  return {
    tier: isInMemory && isOnDisk ? 'both' : isInMemory ? 'memory' : 'disk',
    valueBytes: item.valueBytes,
    clientFlags: item.clientFlags,
    ttlS: expiresAtS === 0 ? null : Math.max(0, expiresAtS - nowS),
    cas: String(item.cas),
    isFetched: item.isFetched,
    isStale: item.isStale,
    isWon: item.isWon,
    idleS: item.idleS,
    sizeClass: item.sizeClass,
    chunkBytes: item.chunkBytes,
    generation: item.generation,
    value: valuesAllowed ? showValue(item) : null,
  }
}

function showValue({ value, valueBytes }: InspectedItem): ValueDocument {
  const isCut = value.length < valueBytes
  const text = value.toString('utf8')
  if (CONTROLS.test(text.replaceAll(/[\t\r\n]/g, ''))) {
    return { text: value.toString('base64'), isBase64: true, isCut }
  }
  return { text, isBase64: false, isCut }
}
