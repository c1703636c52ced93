/**
 * cache_memlimit, slabs, lru, extstore and debugtime: settings that are changed while the server runs.
 *
 * What has a counterpart here takes effect: the limit of memory, and three rules of the disk tier. The
 * rest is answered as memcached answers it, remembered for `stats settings`, and changes nothing: pages
 * move between size classes by themselves, and the order of eviction is another one.
 */
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import type { Reply } from '../message/reply.ts'
import type { Request } from '../message/request.ts'
import type { CommandContext } from './context.ts'
import { fractional, names, signed, unsigned, wordsOf } from './words.ts'

const MEGABYTE = 1024 * 1024
const LIMIT_MIN_MB = 8
/** Above this memcached believes that somebody gave bytes. */
const LIMIT_MAX_MB = 1_000_000_000
const CLASS_MAX = 63
const AUTOMOVE_MAX = 2
const PERCENT_MAX = 80

const OK = 'OK'
const ERROR = 'ERROR'
const BAD_FORMAT = 'CLIENT_ERROR bad command line format'

/** Settings of memcached that mean nothing here, with its defaults. */
export interface Remembered {
  slabAutomove: number
  slabAutomoveRatio: number
  lruSegmented: boolean
  hotPercent: number
  warmPercent: number
  hotFactor: number
  warmFactor: number
  /** Negative: off. */
  temporaryTtlS: number
}

export function rememberedDefaults(): Remembered {
  return {
    slabAutomove: 1,
    slabAutomoveRatio: 0.8,
    lruSegmented: false,
    hotPercent: 20,
    warmPercent: 40,
    hotFactor: 0.2,
    warmFactor: 2,
    temporaryTtlS: -1,
  }
}

type Answer = (context: CommandContext, words: readonly string[]) => string

/** Answers a command that is over in a word, and has it written down. */
export function tune(
  name: string,
  answer: Answer,
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): void {
  const words = wordsOf(request)
  const line = answer(context, words)
  context.facts.audit.command(context.client, [name, ...words].join(' '), line)
  reply.line(out, request, line)
}

/** cache_memlimit <megabytes> */
export function cacheMemlimit({ memoryLimit }: CommandContext, words: readonly string[]): string {
  const megabytes = unsigned(words[0])
  if (Number.isNaN(megabytes)) return ERROR
  if (megabytes < LIMIT_MIN_MB) {
    return `MEMLIMIT_TOO_SMALL cannot set maxbytes to less than ${LIMIT_MIN_MB}m`
  }
  if (megabytes > LIMIT_MAX_MB) {
    return 'MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes'
  }
  if (memoryLimit.set(megabytes * MEGABYTE)) return OK
  return 'MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust'
}

/** slabs reassign <source> <destination>, slabs automove <level>, slabs automove ratio <ratio> */
export function slabs(context: CommandContext, words: readonly string[]): string {
  const [word] = words
  if (words.length === 3 && names(word, 'reassign')) return reassign(context, words)
  if (words.length < 2 || !names(word, 'automove')) return ERROR
  const { remembered } = context
  if (names(words[1], 'ratio') || names(words[1], 'freeratio')) {
    const ratio = fractional(words[2])
    if (Number.isNaN(ratio)) return ERROR
    if (names(words[1], 'ratio')) remembered.slabAutomoveRatio = ratio
    return OK
  }
  if (names(words[1], 'window')) return Number.isNaN(unsigned(words[2])) ? BAD_FORMAT : OK
  const level = unsigned(words[1])
  if (Number.isNaN(level)) return BAD_FORMAT
  if (level > AUTOMOVE_MAX) return ERROR
  remembered.slabAutomove = level
  return OK
}

function isClass(classId: number): boolean {
  return classId >= 0 && classId <= CLASS_MAX
}

function reassign({ cache }: CommandContext, words: readonly string[]): string {
  const source = signed(words[1])
  const destination = signed(words[2])
  if (Number.isNaN(source + destination)) return BAD_FORMAT
  if (source === destination) return 'SAME src and dst class are identical'
  // -1 is whichever has a page to spare.
  if ((!isClass(source) && source !== -1) || !isClass(destination)) {
    return 'BADCLASS invalid src or dst class id'
  }
  // Class 0 stands for pages that belong to none: memcached, too, has some only after a move.
  if (source === 0 || (source > 0 && cache.store.slabs.classPages(source) < 2)) {
    return 'NOSPARE source class has no spare pages'
  }
  return OK
}

/** lru tune <hot %> <warm %> <hot factor> <warm factor>, lru mode <mode>, lru temp_ttl <seconds> */
export function lru({ remembered }: CommandContext, words: readonly string[]): string {
  const [word] = words
  if (words.length >= 5 && names(word, 'tune')) {
    const hotPercent = unsigned(words[1])
    const warmPercent = unsigned(words[2])
    const hotFactor = fractional(words[3])
    const warmFactor = fractional(words[4])
    if (Number.isNaN(hotPercent + warmPercent + hotFactor + warmFactor)) return ERROR
    if (hotPercent + warmPercent > PERCENT_MAX) return 'ERROR hot and warm pcts must not exceed 80'
    if (hotFactor <= 0 || warmFactor <= 0) {
      return 'ERROR hot/warm age factors must be greater than 0'
    }
    Object.assign(remembered, { hotPercent, warmPercent, hotFactor, warmFactor })
    return OK
  }
  if (words.length >= 2 && names(word, 'mode')) {
    if (words[1] !== 'flat' && words[1] !== 'segmented') return ERROR
    remembered.lruSegmented = words[1] === 'segmented'
    return OK
  }
  if (words.length < 2 || !names(word, 'temp_ttl')) return ERROR
  const seconds = signed(words[1])
  if (Number.isNaN(seconds)) return ERROR
  remembered.temporaryTtlS = seconds
  return OK
}

/** Settings of memcached's external storage that have no counterpart, beside those below that have. */
const EXTSTORE_OTHERS = ['item_age', 'compact_under', 'drop_under', 'max_sleep', 'drop_unread']

/** extstore <setting> <number> */
export function extstore({ cache }: CommandContext, words: readonly string[]): string {
  const [word] = words
  if (words.length < 2) return ERROR
  if (words.length > 2 && names(word, 'free_memchunks')) {
    const classId = unsigned(words[1])
    return Number.isNaN(classId + unsigned(words[2])) || classId > CLASS_MAX ? ERROR : OK
  }
  if (names(word, 'max_frag')) return Number.isNaN(fractional(words[1])) ? ERROR : OK
  const number = unsigned(words[1])
  if (Number.isNaN(number)) return ERROR
  const rules = cache.tier?.rules
  if (names(word, 'item_size')) {
    if (rules !== undefined) rules.valueBytesMin = number
    return OK
  }
  if (names(word, 'low_ttl')) {
    if (rules !== undefined) rules.secondsToLiveMin = number
    return OK
  }
  if (names(word, 'recache_rate')) {
    // memcached takes one read of so many into memory.
    const promotion = number === 0 ? 'never' : number === 1 ? 'always' : 'second-hit'
    if (rules !== undefined) rules.promotion = promotion
    return OK
  }
  return EXTSTORE_OTHERS.some((name) => names(word, name)) ? OK : ERROR
}

/** debugtime p|r|<seconds>: stops the clock, lets it go on, moves it. Only for tests of clients. */
export function debugtime({ facts }: CommandContext, words: readonly string[]): string {
  const [word] = words
  const clock = facts.adjustableClock
  if (clock === null) return ERROR
  if (word === 'p' || word === 'r') {
    clock.pause(word === 'p')
    return OK
  }
  const seconds = signed(word)
  if (Number.isNaN(seconds)) return ERROR
  clock.shift(seconds)
  return OK
}
