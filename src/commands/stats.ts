/**
 * stats and its many arguments. An argument may be shortened, as memcached compares only as many letters
 * as it is given (`stats r` resets).
 */
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import { OUTCOME, RAN } from '../message/codes.ts'
import type { Ran } from '../message/codes.ts'
import type { Reply } from '../message/reply.ts'
import type { Request } from '../message/request.ts'
import { cachedItems } from './cache-dump.ts'
import { itemStats, slabStats } from './class-report.ts'
import type { CommandContext } from './context.ts'
import { diskStats } from './disk-report.ts'
import { latencyStats, slowStats } from './insight-report.ts'
import { goOn, lineRows, produce, statRows } from './slices.ts'
import { hotKeyStats, prefixStats } from './prefix-report.ts'
import { generalStats } from './stats-report.ts'
import type { Stat } from './stats-report.ts'
import { names, unsigned, wordsOf } from './words.ts'

/** memcached has size classes below this, and tools count upwards until it says so. */
const CLASSES = 64

export function stats(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  if (request.producer !== null) return goOn(request.producer, request, reply, out)
  const words = wordsOf(request)
  const [word] = words
  const rows = rowsOf(context, word)
  if (rows !== null) return produce(statRows(rows), request, reply, out)
  if (names(word, 'reset')) {
    context.metrics.reset()
    context.prefixes.clear()
    context.insight.latency?.reset()
    context.insight.slowLog?.reset()
    context.watchers.sample?.clear()
    reply.outcome(out, request, OUTCOME.RESET)
    return RAN.DONE
  }
  if (names(word, 'detail')) return detail(context, words[1], request, reply, out)
  if (names(word, 'cachedump')) return cachedump(context, words, request, reply, out)
  reply.outcome(out, request, OUTCOME.UNKNOWN_COMMAND)
  return RAN.DONE
}

/** The figures that an argument asks for; null if it is none for figures. */
function rowsOf(
  context: CommandContext,
  word: string | undefined,
): Iterable<Stat, void, undefined> | null {
  if (word === undefined) return generalStats(context)
  if (word === 'items') return itemStats(context)
  if (word === 'slabs') return slabStats(context)
  if (word === 'sizes') return [['sizes_status', 'disabled']]
  if (names(word, 'conns') && !names(word, 'cachedump'))
    return context.facts.connections(context.client)
  if (names(word, 'settings')) return context.facts.settings()
  // memcached has none of these names, so shorter ones are not known either.
  if (word === 'l2') return diskStats(context)
  if (word === 'latency') return latencyStats(context)
  if (word === 'slow') return slowStats(context)
  if (word === 'hotkeys') return hotKeyStats(context)
  if (word === 'prefixes') return prefixStats(context)
  // Their figures are among the general ones.
  if (word === 'extstore') return []
  return null
}

/** stats detail on|off|dump */
function detail(
  context: CommandContext,
  word: string | undefined,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  if (!context.settings.dumpEnabled) {
    reply.line(out, request, 'CLIENT_ERROR stats detail not allowed')
    return RAN.DONE
  }
  if (word === 'on' || word === 'off') {
    context.watchers.countPrefixes(word === 'on')
    reply.outcome(out, request, OUTCOME.OK)
    return RAN.DONE
  }
  if (word !== 'dump') {
    reply.line(out, request, 'CLIENT_ERROR usage: stats detail on|off|dump')
    return RAN.DONE
  }
  const lines = context.prefixes.lines()
  if (reply.hasLines) return produce(lineRows(lines), request, reply, out)
  // In frames it is one value, which has to be known whole.
  reply.stat(out, request, 'detailed', [...lines, 'END'].map((line) => `${line}\r\n`).join(''))
  reply.endOfStats(out, request)
  return RAN.DONE
}

/** stats cachedump <class> <most items, 0 for all> */
function cachedump(
  context: CommandContext,
  words: readonly string[],
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  const classId = unsigned(words[1])
  const itemsMax = unsigned(words[2])
  let refusal = ''
  if (!context.settings.dumpEnabled) refusal = 'CLIENT_ERROR stats cachedump not allowed'
  else if (words.length < 3) refusal = 'CLIENT_ERROR bad command line'
  else if (Number.isNaN(classId + itemsMax)) refusal = 'CLIENT_ERROR bad command line format'
  else if (classId >= CLASSES) refusal = 'CLIENT_ERROR Illegal slab id'
  if (refusal !== '' || !reply.hasLines) {
    reply.line(out, request, refusal)
    return RAN.DONE
  }
  return produce(lineRows(cachedItems(context, classId, itemsMax)), request, reply, out)
}
