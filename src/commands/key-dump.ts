/**
 * All keys, those that only the disk has included: the answer to `lru_crawler metadump` and `mgdump`.
 * First memory is walked, then the disk, a slice in each turn of the client's connection, and only as fast
 * as the client reads.
 */
import { uriEncoded } from '../bytes/uri.ts'
import type { Bytes } from '../bytes/ascii.ts'
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import { DiskWalk } from '../engine/disk-walk.ts'
import type { DiskItem } from '../engine/disk-walk.ts'
import { RAN } from '../message/codes.ts'
import type { Ran } from '../message/codes.ts'
import type { DiskWaiter } from '../message/disk-waiter.ts'
import type { Producer } from '../message/producer.ts'
import type { Reply } from '../message/reply.ts'
import type { Request } from '../message/request.ts'
import type { CommandContext } from './context.ts'
import { itemSize } from './context.ts'

/** Keys that are written in one turn: about half a millisecond. */
const KEYS_PER_SLICE = 256
/** Buckets that are looked at in one turn, where they are empty or hold nothing to list. */
const BUCKETS_PER_SLICE = 4096
/** Behind the last bucket of the index, whose walk is over 32 bits of hashes. */
const WALK_END = 2 ** 32
const HEX_WORD_DIGITS = 8

/** What is shown of an item, wherever it is. */
interface KeyFacts {
  bytes: Bytes
  keyStart: number
  keyBytes: number
  /** 0 = never. */
  expiresAtS: number
  accessedAtS: number
  casHi: number
  casLo: number
  isFetched: boolean
  hasBinaryKey: boolean
  sizeClass: number
  itemBytes: number
  clientFlags: number
}

/** How an item is written, and how the list ends. */
export interface DumpForm {
  write(out: OutputBuffer, facts: KeyFacts): void
  readonly end: string
}

/** `key=... exp=... la=... cas=... fetch=... cls=... size=... flags=... `, with a line feed alone. */
export const META_DUMP: DumpForm = {
  write(out, facts) {
    const { bytes, keyStart, keyBytes, expiresAtS, accessedAtS, casHi, casLo } = facts
    const key = uriEncoded(bytes.buffer.toString('latin1', keyStart, keyStart + keyBytes))
    const cas = BigInt(
      `0x${casHi.toString(16)}${casLo.toString(16).padStart(HEX_WORD_DIGITS, '0')}`,
    )
    const expiry = expiresAtS === 0 ? -1 : expiresAtS
    const fetched = facts.isFetched ? 'yes' : 'no'
    out.text(`key=${key} exp=${expiry} la=${accessedAtS} cas=${cas} fetch=${fetched} `)
    out.text(`cls=${facts.sizeClass} size=${facts.itemBytes} flags=${facts.clientFlags} \n`)
  },
  end: 'END\r\n',
}

/** `mg KEY`, or `mg KEY b` with the key in base64: a command for each item that has it sent. */
export const MG_DUMP: DumpForm = {
  write(out, { bytes, keyStart, keyBytes, hasBinaryKey }) {
    const encoding = hasBinaryKey ? 'base64' : 'latin1'
    const key = bytes.buffer.toString(encoding, keyStart, keyStart + keyBytes)
    out.text(`mg ${key}${hasBinaryKey ? ' b' : ''}\r\n`)
  },
  end: 'EN\r\n',
}

export class KeyDump implements Producer {
  readonly #context: CommandContext
  readonly #form: DumpForm
  /** By class id: whether its items are listed. */
  readonly #classes: Uint8Array
  #cursor = 0
  #disk: DiskWalk | null = null
  #isStopped = false
  #written = 0
  #out!: OutputBuffer
  readonly #inMemory = (item: number): void => this.#writeItem(item)
  readonly #onDisk = (item: DiskItem): void => this.#writeRecord(item)

  /** The crawler has been taken for it. */
  constructor(context: CommandContext, form: DumpForm, classes: Uint8Array) {
    this.#context = context
    this.#form = form
    this.#classes = classes
    const { tier, store } = context.cache
    // From the start, so that it knows what comes into memory while that is walked.
    if (tier !== null) this.#disk = new DiskWalk(tier, store)
  }

  next(_request: Request, _reply: Reply, out: OutputBuffer): Ran {
    this.#out = out
    this.#written = 0
    const { index } = this.#context.cache.store
    for (let i = 0; this.#cursor < WALK_END; i++) {
      if (i === BUCKETS_PER_SLICE || this.#written >= KEYS_PER_SLICE) return RAN.MORE
      this.#cursor = index.walk(this.#cursor, this.#inMemory)
      if (this.#cursor >= WALK_END) this.#disk?.begin()
    }
    if (this.#disk !== null) {
      const ran = this.#nextOnDisk(this.#disk)
      if (ran !== RAN.DONE) return ran
    }
    out.text(this.#form.end)
    return RAN.DONE
  }

  #nextOnDisk(disk: DiskWalk): Ran {
    while (!disk.isOver) {
      if (this.#written >= KEYS_PER_SLICE) return RAN.MORE
      if (disk.isWaiting) return RAN.PAUSED
      disk.visitPack(this.#onDisk)
    }
    return RAN.DONE
  }

  whenReady(waiter: DiskWaiter): void {
    this.#disk!.whenReady(waiter)
  }

  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#disk?.stop()
    this.#context.crawler.release()
  }

  #writeItem(item: number): void {
    const { cache, clock, view } = this.#context
    const sizeClass = cache.sizeClass(item)
    if (this.#classes[sizeClass] === 0 || cache.isDead(item)) return
    cache.show(item, view)
    this.#disk?.listed(view.bytes, view.keyStart, view.keyBytes)
    const ttlS = cache.secondsToLive(item)
    this.#write({
      bytes: view.bytes,
      keyStart: view.keyStart,
      keyBytes: view.keyBytes,
      expiresAtS: ttlS === -1 ? 0 : clock.nowS + ttlS,
      accessedAtS: clock.nowS - cache.idleS(item),
      casHi: view.casHi,
      casLo: view.casLo,
      isFetched: cache.isFetched(item),
      hasBinaryKey: cache.marks.hasBinaryKey(item),
      sizeClass,
      itemBytes: itemSize(view.keyBytes, view.valueBytes, view.clientFlags),
      clientFlags: view.clientFlags,
    })
  }

  #writeRecord({ bytes, keyStart, fields, isFetched, hasBinaryKey, sinceS }: DiskItem): void {
    const { keyBytes, valueBytes, clientFlags, casHi, casLo, expiresAtS } = fields
    const sizeClass = this.#context.cache.store.classOf(keyBytes, valueBytes)
    if (this.#classes[sizeClass] === 0) return
    this.#write({
      bytes,
      keyStart,
      keyBytes,
      expiresAtS,
      accessedAtS: sinceS,
      casHi,
      casLo,
      isFetched,
      hasBinaryKey,
      sizeClass,
      itemBytes: itemSize(keyBytes, valueBytes, clientFlags),
      clientFlags,
    })
  }

  #write(facts: KeyFacts): void {
    this.#written++
    this.#form.write(this.#out, facts)
  }
}
