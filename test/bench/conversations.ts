/**
 * What is said in each dialect of the benchmark: requests, and the replies of a server that is right, put together here
 * without any of the program's own knowledge of the protocols.
 */
import { buildDataset, type Dataset, keyName, valueOf } from '../../bench/wire/dataset.ts'
import { binary } from '../../bench/wire/dialect/binary.ts'
import { type Dialect } from '../../bench/wire/dialect/dialect.ts'
import { meta } from '../../bench/wire/dialect/meta.ts'
import { text } from '../../bench/wire/dialect/text.ts'
import { Op, Pending } from '../../bench/wire/pending.ts'
import { ReplyChecker } from '../../bench/wire/verify.ts'

export type Request = readonly [op: Op, key: number]

export interface Conversation {
  readonly name: string
  readonly dialect: Dialect
  readonly requests: readonly Request[]
  /** One buffer for each that is sent as a whole: a reply, or an item of a binary multiget. */
  readonly replies: readonly Buffer[]
  /** Whether the byte at this place of all replies may be any. */
  readonly isFree: (at: number) => boolean
  readonly hits: number
  readonly misses: number
}

export const dataset: Dataset = buildDataset({
  prefix: 't:',
  keyCount: 50,
  values: [
    { valueBytes: 5, share: 0.3 },
    { valueBytes: 100, share: 0.7 },
  ],
})
/** Of multigets: one key twice in a row, and keys whose values differ in size. */
export const keys: Uint32Array = Uint32Array.from([3, 7, 7, 12])

const END = Buffer.from('END\r\n')
const HEADER_BYTES = 24
const CAS_AT = 16

export const CONVERSATIONS: readonly Conversation[] = [
  {
    name: 'text',
    dialect: text,
    requests: [
      [Op.get, 0],
      [Op.set, 1],
      [Op.get, 2],
      [Op.multiget, 0],
      [Op.incr, 9],
      [Op.get, 3],
      [Op.incr, 9],
    ],
    replies: [
      Buffer.concat([textItem(0), END]),
      Buffer.from('STORED\r\n'),
      END,
      Buffer.concat([...[...keys].map(textItem), END]),
      Buffer.from('1\r\n'),
      Buffer.concat([textItem(3), END]),
      Buffer.from('2\r\n'),
    ],
    isFree: () => false,
    hits: 2 + keys.length,
    misses: 1,
  },
  {
    name: 'meta',
    dialect: meta,
    requests: [
      [Op.get, 0],
      [Op.set, 1],
      [Op.get, 2],
      [Op.get, 7],
      [Op.get, 12],
      [Op.set, 3],
      [Op.get, 3],
    ],
    replies: [
      metaItem(0),
      Buffer.from('HD\r\n'),
      Buffer.from('EN\r\n'),
      metaItem(7),
      metaItem(12),
      Buffer.from('HD\r\n'),
      metaItem(3),
    ],
    isFree: () => false,
    hits: 4,
    misses: 1,
  },
  withFreeCas('binary', {
    requests: [
      [Op.get, 0],
      [Op.set, 1],
      [Op.get, 2],
      [Op.multiget, 0],
      [Op.get, 3],
      [Op.set, 3],
      [Op.multiget, 2],
    ],
    replies: [
      binaryHit(0, false),
      frame(0x01, { opaque: 1, cas: 7n }),
      frame(0x00, { opaque: 2, status: 1, value: Buffer.from('Not found') }),
      ...[3, 7, 7, 12].map((key) => binaryHit(key, true)),
      frame(0x0a, { opaque: 0 }),
      binaryHit(3, false),
      frame(0x01, { opaque: 3, cas: 0x0102_0304_0506_0708n }),
      ...[7, 12, 3, 7].map((key) => binaryHit(key, true)),
      frame(0x0a, { opaque: 2 }),
    ],
    hits: 2 + 2 * keys.length,
    misses: 1,
  }),
  withFreeCas('binary, with keys that are missing', {
    requests: [
      [Op.multiget, 0],
      [Op.get, 5],
      [Op.multiget, 1],
      [Op.get, 6],
      [Op.multiget, 2],
    ],
    replies: [
      // 3 and 12 are missing.
      binaryHit(7, true),
      binaryHit(7, true),
      frame(0x0a, { opaque: 0 }),
      binaryHit(5, false),
      // All are.
      frame(0x0a, { opaque: 1 }),
      binaryHit(6, false),
      // 12 and 3 are, between two that are not.
      binaryHit(7, true),
      binaryHit(7, true),
      frame(0x0a, { opaque: 2 }),
    ],
    hits: 6,
    misses: 2 + keys.length + 2,
  }),
]

export function checkerOf(
  dialect: Dialect,
  requests: readonly Request[],
  mayRefuse = false,
): { checker: ReplyChecker; pending: Pending } {
  const pending = new Pending(16)
  for (const [op, key] of requests) pending.push(op, key, 0)
  const counters = new Float64Array(dataset.keyCount)
  const multigetWidth = keys.length
  const options = { dialect, dataset, pending, keys, multigetWidth, counters, mayRefuse }
  return { checker: new ReplyChecker(options), pending }
}

export function feed(checker: ReplyChecker, bytes: Buffer): number {
  return checker.feed(bytes, bytes.length)
}

function textItem(key: number): Buffer {
  const value = valueOf(dataset, key)
  const head = `VALUE ${keyName(dataset, key)} ${1000 + key} ${value.length}\r\n`
  return Buffer.concat([Buffer.from(head), value, Buffer.from('\r\n')])
}

function metaItem(key: number): Buffer {
  const value = valueOf(dataset, key)
  return Buffer.concat([Buffer.from(`VA ${value.length}\r\n`), value, Buffer.from('\r\n')])
}

/** The hit of a GET, or of a GETKQ. */
function binaryHit(key: number, withKey: boolean): Buffer {
  const extras = Buffer.alloc(4)
  extras.writeUInt32BE(1000 + key)
  return frame(withKey ? 0x0d : 0x00, {
    opaque: key,
    cas: BigInt(key) + 100n,
    extras,
    key: withKey ? keyName(dataset, key) : '',
    value: valueOf(dataset, key),
  })
}

interface FrameParts {
  readonly opaque: number
  readonly status?: number
  readonly cas?: bigint
  readonly extras?: Buffer
  readonly key?: string
  readonly value?: Buffer
}

function frame(opcode: number, parts: FrameParts): Buffer {
  const extras = parts.extras ?? Buffer.alloc(0)
  const key = Buffer.from(parts.key ?? '')
  const value = parts.value ?? Buffer.alloc(0)
  const header = Buffer.alloc(HEADER_BYTES)
  header[0] = 0x81
  header[1] = opcode
  header.writeUInt16BE(key.length, 2)
  header[4] = extras.length
  header.writeUInt16BE(parts.status ?? 0, 6)
  header.writeUInt32BE(extras.length + key.length + value.length, 8)
  header.writeUInt32BE(parts.opaque, 12)
  header.writeBigUInt64BE(parts.cas ?? 0n, CAS_AT)
  return Buffer.concat([header, extras, key, value])
}

/** The cas of an item may be any; where there is no item it is 0. */
function withFreeCas(
  name: string,
  parts: Pick<Conversation, 'requests' | 'replies' | 'hits' | 'misses'>,
): Conversation {
  const free = new Set<number>()
  let start = 0
  for (const reply of parts.replies) {
    if (reply.readBigUInt64BE(CAS_AT) !== 0n)
      for (let at = CAS_AT; at < HEADER_BYTES; at++) free.add(start + at)
    start += reply.length
  }
  return { ...parts, name, dialect: binary, isFree: (at) => free.has(at) }
}
