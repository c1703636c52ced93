/**
 * Takes the items of a server, one after the other: one connection lists keys (`lru_crawler metadump`, of
 * both tiers), another fetches what is under them by meta commands, some hundred at a time. Works with
 * memcached 1.6 as well. No more is in memory than two such batches, whatever the number of items.
 *
 * What changes meanwhile is taken as it is when its turn comes. Who reads a stale item is told to bring a
 * new value, and others are not any more: that is given back by invalidating it once more.
 */
import type { Clock } from '../observe/clock.ts'
import { DUMPED } from './dump-file.ts'
import type { DumpWriter } from './dump-file.ts'
import { keyOfUri, metaKey } from './meta-key.ts'
import type { ServerClient } from './server-client.ts'

/** Keys that are asked for together, and what their items may take together. */
const BATCH_KEYS = 256
const BATCH_BYTES = 2 * 2 ** 20
/** The listing and what is left of an item's life are seconds that were rounded at other instants. */
const EXPIRY_TOLERANCE_S = 2
const UINT32_BITS = 32n
const UINT32_MASK = 0xffff_ffffn

export interface DumpCounts {
  /** Items that were written. */
  items: number
  /** Keys that were listed and gone when they were asked for. */
  gone: number
  /** Keys that no command in text can name: of the binary protocol, long and with odd bytes. */
  unnameable: number
}

interface ListedKey {
  readonly key: Buffer
  readonly text: string
  readonly flag: string
  /** Seconds since 1970; 0 for never. */
  readonly expiresAtS: number
}

export async function dump(
  lister: ServerClient,
  fetcher: ServerClient,
  writer: DumpWriter,
  clock: Clock,
  progress: (counts: DumpCounts) => void,
): Promise<DumpCounts> {
  const counts: DumpCounts = { items: 0, gone: 0, unnameable: 0 }
  /** What puts things right again, to be sent with the next batch. */
  let amends: string[] = []
  let asked: readonly ListedKey[] = []
  let amendsAsked = 0
  const ask = async (keys: readonly ListedKey[]): Promise<void> => {
    amendsAsked = amends.length
    const questions = keys.map(({ text, flag }) => `mg ${text} k f t c u v${flag}\r\n`)
    await fetcher.send([...amends, ...questions].join(''))
    amends = []
  }
  const take = async (keys: readonly ListedKey[], amendCount: number): Promise<void> => {
    for (let i = 0; i < amendCount; i++) await fetcher.line()
    for (const listed of keys) {
      const amend = await takeItem(fetcher, listed, writer, clock, counts)
      if (amend !== null) amends.push(amend)
    }
    progress(counts)
  }
  for await (const keys of listedKeys(lister, counts)) {
    const [before, amendsBefore] = [asked, amendsAsked]
    await ask(keys)
    await take(before, amendsBefore)
    asked = keys
  }
  const [last, amendsLast] = [asked, amendsAsked]
  await take(last, amendsLast)
  await ask([])
  await take([], amendsAsked)
  return counts
}

/** Keys in batches, as the server lists them. */
async function* listedKeys(
  client: ServerClient,
  counts: DumpCounts,
): AsyncGenerator<ListedKey[], void, undefined> {
  await client.send('lru_crawler metadump all\r\n')
  let batch: ListedKey[] = []
  let batchBytes = 0
  for (;;) {
    const line = client.takeLine() ?? (await client.line())
    if (line === 'END') break
    // memcached says so first.
    if (line === 'OK') continue
    const match = /^key=(\S+) exp=(-?\d+) .*\bsize=(\d+)/.exec(line)
    if (match === null) throw client.unexpected(line)
    const key = keyOfUri(match[1]!)
    const name = metaKey(key, false)
    if (name === null) {
      counts.unnameable++
      continue
    }
    batch.push({ key, ...name, expiresAtS: Math.max(0, Number(match[2])) })
    batchBytes += Number(match[3])
    if (batch.length < BATCH_KEYS && batchBytes < BATCH_BYTES) continue
    yield batch
    batch = []
    batchBytes = 0
  }
  if (batch.length > 0) yield batch
}

/** Takes one reply. Returns the command that gives back what reading has taken from others, if it has. */
async function takeItem(
  client: ServerClient,
  listed: ListedKey,
  writer: DumpWriter,
  clock: Clock,
  counts: DumpCounts,
): Promise<string | null> {
  const line = client.takeLine() ?? (await client.line())
  if (line === 'EN') {
    counts.gone++
    return null
  }
  const [code, length, ...flags] = line.split(' ')
  if (code !== 'VA') throw client.unexpected(line)
  const withEnd = await client.bytes(Number(length) + 2)
  const states = statesOf(flags)
  const cas = BigInt(argumentOf(flags, 'c') ?? '0')
  await writer.add({
    key: listed.key,
    value: withEnd.subarray(0, -2),
    clientFlags: Number(argumentOf(flags, 'f') ?? 0),
    expiresAtS: expiryOf(Number(argumentOf(flags, 't') ?? -1), listed.expiresAtS, clock),
    casHi: Number(cas >> UINT32_BITS),
    casLo: Number(cas & UINT32_MASK),
    states,
  })
  counts.items++
  const hasWon = flags.includes('W') && (states & DUMPED.STALE) !== 0
  return hasWon ? `md ${listed.text} I C${cas}${listed.flag}\r\n` : null
}

function statesOf(flags: readonly string[]): number {
  return (
    (flags.includes('X') ? DUMPED.STALE : 0) |
    (flags.includes('Z') ? DUMPED.WON : 0) |
    (flags.includes('b') ? DUMPED.BINARY_KEY : 0)
  )
}

/** What follows the letter of a flag. */
function argumentOf(flags: readonly string[], letter: string): string | undefined {
  return flags.find((flag) => flag.startsWith(letter) && flag.length > 1)?.slice(1)
}

/** The instant of the listing, unless the item was given another life since. */
function expiryOf(secondsToLive: number, listedS: number, clock: Clock): number {
  if (secondsToLive < 0) return 0
  const expiresAtS = Math.floor(clock.wallUs() / 1_000_000) + secondsToLive
  return Math.abs(listedS - expiresAtS) <= EXPIRY_TOLERANCE_S ? listedS : expiresAtS
}
