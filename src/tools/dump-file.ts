/**
 * The file that `dump` writes and `restore` reads: items in blocks, each with a checksum, and an end that
 * says how many there were, so that what is damaged, cut off or of a later version is never taken for whole.
 *
 * ```
 * head    | RATDUMP\n | version u16 | 0 u16 | 0 u32 | made at, ms since 1970, f64 |          24 bytes
 * block   | kind u32  | length u32 | crc32 of the payload u32 | payload … |          kind 1, items
 * end     | kind u32  | 16 u32     | crc32 u32 | items f64 | payload bytes f64 |     kind 2
 *
 * item    | key length u16 | states u8 | 0 u8 | client flags u32 | expires at, s since 1970, or 0, f64 |
 *         | cas high u32 | cas low u32 | value length u32 | key | value |             28 bytes before the key
 * ```
 * Numbers are little-endian. A block holds whole items, as many as make BLOCK_BYTES, or one that is larger.
 */
import { crc32 } from 'node:zlib'
import { ServerError } from '../errors.ts'

/** Written by this version, which reads this one only. */
const VERSION = 1
const MAGIC = Buffer.from('RATDUMP\n', 'latin1')
const HEAD_BYTES = 24
const BLOCK_HEAD_BYTES = 12
const END_BYTES = 16
const ITEM_HEAD_BYTES = 28
const KIND = { ITEMS: 1, END: 2 } as const
/** Large enough for a checksum to cost nothing, small enough to lose little by damage. */
const BLOCK_BYTES = 262_144
/** No server has a larger item. */
const BLOCK_BYTES_MAX = 2 ** 31 - 1

/** States of an item, as bits. */
export const DUMPED = {
  /** It was invalidated, and is served until somebody brings a new value. */
  STALE: 1,
  /** Somebody has been told to bring it. */
  WON: 2,
  /** Its key was given in base64. */
  BINARY_KEY: 4,
} as const

export interface DumpedItem {
  readonly key: Buffer
  readonly value: Buffer
  readonly clientFlags: number
  /** Seconds since 1970; 0 for never. */
  readonly expiresAtS: number
  readonly casHi: number
  readonly casLo: number
  readonly states: number
}

/** Where a dump is written to. Resolves when more may be written. */
export type Write = (bytes: Buffer) => Promise<void>

export class DumpWriter {
  readonly #write: Write
  #pieces: Buffer[] = []
  #pieceBytes = 0
  #items = 0
  #bytes = 0

  constructor(write: Write) {
    this.#write = write
  }

  get items(): number {
    return this.#items
  }
  /** Bytes of all items so far. */
  get bytes(): number {
    return this.#bytes
  }

  async begin(madeAtMs: number): Promise<void> {
    const head = Buffer.alloc(HEAD_BYTES)
    MAGIC.copy(head)
    head.writeUInt16LE(VERSION, 8)
    head.writeDoubleLE(madeAtMs, 16)
    await this.#write(head)
  }

  /** Adds an item; its key and value are taken along when the block is full. */
  async add(item: DumpedItem): Promise<void> {
    const head = Buffer.allocUnsafe(ITEM_HEAD_BYTES)
    head.writeUInt16LE(item.key.length, 0)
    head.writeUInt8(item.states, 2)
    head.writeUInt8(0, 3)
    head.writeUInt32LE(item.clientFlags, 4)
    head.writeDoubleLE(item.expiresAtS, 8)
    head.writeUInt32LE(item.casHi, 16)
    head.writeUInt32LE(item.casLo, 20)
    head.writeUInt32LE(item.value.length, 24)
    this.#pieces.push(head, item.key, item.value)
    this.#pieceBytes += ITEM_HEAD_BYTES + item.key.length + item.value.length
    this.#items++
    if (this.#pieceBytes >= BLOCK_BYTES) await this.#writeBlock()
  }

  async end(): Promise<void> {
    if (this.#pieceBytes > 0) await this.#writeBlock()
    const payload = Buffer.alloc(END_BYTES)
    payload.writeDoubleLE(this.#items, 0)
    payload.writeDoubleLE(this.#bytes, 8)
    await this.#write(Buffer.concat([blockHead(KIND.END, payload), payload]))
  }

  async #writeBlock(): Promise<void> {
    const payload = Buffer.concat(this.#pieces, this.#pieceBytes)
    this.#pieces = []
    this.#pieceBytes = 0
    this.#bytes += payload.length
    await this.#write(blockHead(KIND.ITEMS, payload))
    await this.#write(payload)
  }
}

function blockHead(kind: number, payload: Buffer): Buffer {
  const head = Buffer.allocUnsafe(BLOCK_HEAD_BYTES)
  head.writeUInt32LE(kind, 0)
  head.writeUInt32LE(payload.length, 4)
  head.writeUInt32LE(crc32(payload), 8)
  return head
}

/** Where a dump is read from: exactly so many bytes, or null if it ends before. */
export type Read = (length: number) => Promise<Buffer | null>

/** What of a dump is not to be believed, with the items that came before. */
function damaged(what: string, items: number): ServerError {
  return new ServerError('DUMP_DAMAGED', `${what}; ${items} items before that are good`)
}

/** The items of a dump, block by block. Fails with DUMP_DAMAGED, or with DUMP_NEWER for one of a later version. */
export async function* readDump(read: Read): AsyncGenerator<DumpedItem[], void, undefined> {
  const head = await read(HEAD_BYTES)
  if (head === null || !head.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new ServerError('DUMP_DAMAGED', 'this is no dump of rat-memcached')
  }
  const version = head.readUInt16LE(8)
  if (version !== VERSION) {
    const message = `the dump has format ${version}; this program reads format ${VERSION}`
    throw new ServerError('DUMP_NEWER', message)
  }
  let items = 0
  let bytes = 0
  for (;;) {
    const block = await read(BLOCK_HEAD_BYTES)
    if (block === null) throw damaged('the dump is cut off', items)
    const kind = block.readUInt32LE(0)
    const length = block.readUInt32LE(4)
    const isKnown = kind === KIND.ITEMS || (kind === KIND.END && length === END_BYTES)
    if (!isKnown || length > BLOCK_BYTES_MAX) throw damaged('a block has no sense', items)
    const payload = await read(length)
    if (payload === null) throw damaged('the dump is cut off', items)
    if (crc32(payload) !== block.readUInt32LE(8)) {
      throw damaged('a block does not have its checksum', items)
    }
    if (kind === KIND.END) {
      if (payload.readDoubleLE(0) !== items || payload.readDoubleLE(8) !== bytes) {
        throw damaged('the dump lacks some of its blocks', items)
      }
      return
    }
    const found = itemsOf(payload)
    if (found === null) throw damaged('a block holds an item that is not whole', items)
    items += found.length
    bytes += length
    yield found
  }
}

function itemsOf(payload: Buffer): DumpedItem[] | null {
  const items: DumpedItem[] = []
  let at = 0
  while (at < payload.length) {
    const keyStart = at + ITEM_HEAD_BYTES
    if (keyStart > payload.length) return null
    const valueStart = keyStart + payload.readUInt16LE(at)
    const end = valueStart + payload.readUInt32LE(at + 24)
    if (end > payload.length) return null
    items.push({
      key: payload.subarray(keyStart, valueStart),
      value: payload.subarray(valueStart, end),
      states: payload.readUInt8(at + 2),
      clientFlags: payload.readUInt32LE(at + 4),
      expiresAtS: payload.readDoubleLE(at + 8),
      casHi: payload.readUInt32LE(at + 16),
      casLo: payload.readUInt32LE(at + 20),
    })
    at = end
  }
  return items
}
