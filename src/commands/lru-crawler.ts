/** lru_crawler: removing what is dead, and listing what is not. */
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import { RAN } from '../message/codes.ts'
import type { Ran } from '../message/codes.ts'
import type { Reply } from '../message/reply.ts'
import type { Request } from '../message/request.ts'
import type { CommandContext } from './context.ts'
import { KeyDump, META_DUMP, MG_DUMP } from './key-dump.ts'
import { goOn, produce } from './slices.ts'
import { names, unsigned, wordsOf } from './words.ts'

/** memcached's MAX_NUMBER_OF_SLAB_CLASSES. */
const CLASSES = 64
const SLEEP_US_MAX = 1_000_000

const OK = 'OK'
const ERROR = 'ERROR'
const BAD_FORMAT = 'CLIENT_ERROR bad command line format'
const DISABLED = 'CLIENT_ERROR lru crawler disabled'
const BUSY = 'BUSY currently processing crawler request'
const BAD_CLASS = 'BADCLASS invalid class id'

export function lruCrawler(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  if (request.producer !== null) return goOn(request.producer, request, reply, out)
  const words = wordsOf(request)
  const [word, argument] = words
  if (words.length === 2 && (names(word, 'metadump') || names(word, 'mgdump'))) {
    return dump(context, request, reply, out, names(word, 'metadump'), argument!)
  }
  reply.line(out, request, answerTo(context, words))
  return RAN.DONE
}

function answerTo({ crawler }: CommandContext, words: readonly string[]): string {
  const [word, argument] = words
  if (words.length === 1) {
    if (names(word, 'enable')) {
      if (crawler.isEnabled) return 'ERROR failed to start lru crawler thread'
      crawler.isEnabled = true
      return OK
    }
    if (!names(word, 'disable')) return ERROR
    crawler.isEnabled = false
    return OK
  }
  if (words.length !== 2) return ERROR
  if (names(word, 'crawl')) {
    if (!crawler.isEnabled) return DISABLED
    // There is no walk by hash for this one, in memcached either.
    if (argument === 'hash') return 'ERROR an unknown error happened'
    const classes = classesOf(argument!)
    if (classes === null) return BAD_CLASS
    return crawler.crawl(classes) ? OK : BUSY
  }
  const number = unsigned(argument)
  if (names(word, 'tocrawl')) {
    if (Number.isNaN(number)) return BAD_FORMAT
    crawler.itemsPerClassMax = number
    return OK
  }
  if (!names(word, 'sleep')) return ERROR
  if (Number.isNaN(number)) return BAD_FORMAT
  if (number > SLEEP_US_MAX) return 'CLIENT_ERROR sleep must be one second or less'
  crawler.sleepUs = number
  return OK
}

/** lru_crawler metadump|mgdump all|hash|<class>,<class>... */
function dump(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
  isMeta: boolean,
  which: string,
): Ran {
  const { crawler, settings } = context
  const classes = classesOf(which)
  const name = isMeta ? 'metadump' : 'mgdump'
  let refusal = ''
  if (!crawler.isEnabled) refusal = DISABLED
  else if (!settings.dumpEnabled) refusal = `ERROR ${isMeta ? name : 'key dump'} not allowed`
  else if (out.length > 0) refusal = `ERROR cannot pipeline other commands before ${name}`
  else if (classes === null) refusal = BAD_CLASS
  else if (!crawler.take()) refusal = BUSY
  if (refusal !== '' || classes === null) {
    reply.line(out, request, refusal)
    return RAN.DONE
  }
  out.text('OK\r\n')
  const form = isMeta ? META_DUMP : MG_DUMP
  return produce(new KeyDump(context, form, classes), request, reply, out)
}

/** Which classes a word names; null if it names one that there cannot be. */
function classesOf(word: string): Uint8Array | null {
  const classes = new Uint8Array(CLASSES)
  if (word === 'all' || word === 'hash') return classes.fill(1)
  for (const part of word.split(',').filter((text) => text !== '')) {
    const classId = unsigned(part)
    if (Number.isNaN(classId) || classId < 1 || classId >= CLASSES) return null
    classes[classId] = 1
  }
  return classes
}
