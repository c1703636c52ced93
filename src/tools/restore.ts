/**
 * Puts the items of a dump into a server, by meta commands, some hundred under way at a time. The server
 * that is slow slows down the reading of the file. Works with memcached 1.6 as well.
 */
import { ServerError } from '../errors.ts'
import type { Clock } from '../observe/clock.ts'
import { DUMPED } from './dump-file.ts'
import type { DumpedItem } from './dump-file.ts'
import { metaKey } from './meta-key.ts'
import type { ServerClient } from './server-client.ts'

/** Commands and bytes that are sent at once; as much again may be under way. */
const CHUNK_COMMANDS = 256
const CHUNK_BYTES = 2 ** 20
/** What does not expire by 32 bits of seconds is over later than any server can say. */
const EXPIRY_MAX_S = 2 ** 31 - 1
/** A time to live that nothing has: who asks with it wins a mortal item. */
const RECACHE_S = 2 ** 31 - 1
const LINE_END = Buffer.from('\r\n', 'latin1')
const US_PER_S = 1_000_000
const UINT32 = 2n ** 32n

export interface RestoreOptions {
  /** Leaves alone what is there already. */
  readonly add: boolean
  /** Gives items the cas values that they had. */
  readonly keepCas: boolean
}

export interface RestoreCounts {
  /** Items that are there now. */
  stored: number
  /** Items that expired since the dump was made. */
  expired: number
  /** Items of which there was another, with `add`. */
  kept: number
  /** Items that the server did not take, and what it said of the first of them. */
  refused: number
  firstRefusal: string
  /** Keys that no command in text can name. */
  unnameable: number
}

export async function restore(
  client: ServerClient,
  blocks: AsyncIterable<readonly DumpedItem[]>,
  options: RestoreOptions,
  clock: Clock,
  progress: (counts: RestoreCounts) => void,
): Promise<RestoreCounts> {
  const sender = new Sender(client)
  const { counts } = sender
  for await (const items of blocks) {
    const nowS = Math.floor(clock.wallUs() / US_PER_S)
    for (const item of items) {
      if (item.expiresAtS !== 0 && item.expiresAtS <= nowS) {
        counts.expired++
        continue
      }
      const isBinary = (item.states & DUMPED.BINARY_KEY) !== 0
      const name = metaKey(item.key, isBinary)
      if (name === null) counts.unnameable++
      else await sender.store(name.text, name.flag, item, options)
    }
    progress(counts)
  }
  await sender.finish()
  progress(counts)
  return counts
}

/** What a reply is of. */
const ASKED = { SET: 0, STATE: 1 } as const
type Asked = (typeof ASKED)[keyof typeof ASKED]

/** Gathers commands, sends them in chunks, and takes the replies of one chunk while the next is under way. */
class Sender {
  readonly counts: RestoreCounts = {
    stored: 0,
    expired: 0,
    kept: 0,
    refused: 0,
    firstRefusal: '',
    unnameable: 0,
  }
  readonly #client: ServerClient
  #pieces: Buffer[] = []
  #bytes = 0
  #asked: Asked[] = []
  #underWay: Asked[] = []

  constructor(client: ServerClient) {
    this.#client = client
  }

  async store(
    key: string,
    flag: string,
    item: DumpedItem,
    { add, keepCas }: RestoreOptions,
  ): Promise<void> {
    const { states, value, clientFlags } = item
    const cas = BigInt(item.casHi) * UINT32 + BigInt(item.casLo)
    const withCas = keepCas && cas !== 0n ? ` E${cas}` : ''
    const isMortal = item.expiresAtS !== 0
    const expiry = isMortal ? ` T${Math.min(item.expiresAtS, EXPIRY_MAX_S)}` : ''
    const flags = clientFlags === 0 ? '' : ` F${clientFlags}`
    const mode = add ? ' ME' : ''
    this.#say(`ms ${key} ${value.length}${expiry}${flags}${withCas}${mode}${flag}\r\n`, ASKED.SET)
    this.#pieces.push(value, LINE_END)
    this.#bytes += value.length
    const isStale = (states & DUMPED.STALE) !== 0
    if (isStale) this.#say(`md ${key} I${withCas}${flag}\r\n`, ASKED.STATE)
    // Whoever asks for a stale item wins it. For another, its life has to seem to be nearly over.
    if ((states & DUMPED.WON) !== 0 && (isStale || isMortal)) {
      this.#say(`mg ${key}${isStale ? '' : ` R${RECACHE_S}`}${flag}\r\n`, ASKED.STATE)
    }
    if (this.#asked.length >= CHUNK_COMMANDS || this.#bytes >= CHUNK_BYTES) await this.#flush()
  }

  async finish(): Promise<void> {
    await this.#flush()
    await this.#take()
  }

  #say(line: string, asked: Asked): void {
    this.#pieces.push(Buffer.from(line, 'latin1'))
    this.#bytes += line.length
    this.#asked.push(asked)
  }

  async #flush(): Promise<void> {
    const chunk = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#bytes = 0
    const asked = this.#asked
    this.#asked = []
    await this.#client.send(chunk)
    await this.#take()
    this.#underWay = asked
  }

  async #take(): Promise<void> {
    const { counts } = this
    for (const asked of this.#underWay) {
      const line = this.#client.takeLine() ?? (await this.#client.line())
      if (asked === ASKED.STATE) continue
      if (line === 'HD') counts.stored++
      else if (line === 'NS') counts.kept++
      else if (line.startsWith('SERVER_ERROR')) {
        counts.refused++
        if (counts.firstRefusal === '') counts.firstRefusal = line
      } else throw this.#client.unexpected(line)
    }
    this.#underWay = []
  }
}

/** What stands in the way of calling it a success; null if nothing does. */
export function shortfall({
  refused,
  firstRefusal,
  unnameable,
}: RestoreCounts): ServerError | null {
  if (refused === 0 && unnameable === 0) return null
  const said = refused === 0 ? '' : `the server refused ${refused} items: ${firstRefusal}`
  const odd = unnameable === 0 ? '' : `${unnameable} keys cannot be named in text`
  return new ServerError('RESTORE_INCOMPLETE', [said, odd].filter(Boolean).join('; '))
}
