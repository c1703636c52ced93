/** watch: from now on the client is told what others do, and asks for nothing more itself. */
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import { OUTCOME, RAN } from '../message/codes.ts'
import type { Ran } from '../message/codes.ts'
import type { Reply } from '../message/reply.ts'
import type { Request } from '../message/request.ts'
import { TOPIC, WATCHERS_MAX } from '../observe/watchers.ts'
import type { CommandContext } from './context.ts'
import { names, wordsOf } from './words.ts'

/** In the order in which memcached compares them, which matters for words that are cut short. */
const TOPICS: readonly (readonly [name: string, topic: number])[] = [
  ['rawcmds', TOPIC.RAWCMDS],
  ['evictions', TOPIC.EVICTIONS],
  ['fetchers', TOPIC.FETCHERS],
  ['mutations', TOPIC.MUTATIONS],
  ['sysevents', TOPIC.SYSEVENTS],
  ['connevents', TOPIC.CONNEVENTS],
  ['proxyreqs', TOPIC.PROXYREQS],
  ['proxyevents', TOPIC.PROXYEVENTS],
  ['proxyuser', TOPIC.PROXYUSER],
  ['deletions', TOPIC.DELETIONS],
]

export function watch(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  const words = wordsOf(request)
  const found = words.map((word) => TOPICS.find(([name]) => names(word, name)))
  let refusal = ''
  if (!context.settings.watchEnabled) refusal = 'CLIENT_ERROR watch commands not allowed'
  else if (out.length > 0) refusal = 'ERROR cannot pipeline other commands before watch'
  else if (found.includes(undefined)) refusal = 'ERROR'
  else if (context.watchers.count >= WATCHERS_MAX) {
    refusal = 'WATCHER_TOO_MANY log watcher limit reached'
  }
  if (refusal !== '') {
    reply.line(out, request, refusal)
    return RAN.DONE
  }
  request.topics = 0
  for (const topic of found) request.topics |= topic![1]
  if (request.topics === 0) request.topics = TOPIC.FETCHERS
  // What died unseen before is not told of.
  context.cache.departures.takeCause()
  reply.outcome(out, request, OUTCOME.OK)
  return RAN.WATCHING
}
