/**
 * From a request to its handler. One `switch`: 3 ns, where a table of functions takes 8.
 *
 * A handler answers through the reply that it is given and never asks which protocol that is.
 */
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import { OP, OUTCOME, RAN } from '../message/codes.ts'
import type { Ran } from '../message/codes.ts'
import type { Reply } from '../message/reply.ts'
import type { Request } from '../message/request.ts'
import { verbosity, version } from './admin.ts'
import { arithmetic } from './arithmetic.ts'
import type { CommandContext } from './context.ts'
import { refreshCertificates, shutDown } from './control.ts'
import { listMechanisms, logIn } from './login.ts'
import { metaDebug, metaGet } from './meta-retrieval.ts'
import { lruCrawler } from './lru-crawler.ts'
import { flushAll, remove, touch } from './removal.ts'
import { get } from './retrieval.ts'
import { stats } from './stats.ts'
import { cacheMemlimit, debugtime, extstore, lru, slabs, tune } from './tuning.ts'
import { watch } from './watch.ts'

/** Carries out a request that has no value. */
export function run(
  context: CommandContext,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  switch (request.op) {
    case OP.GET:
      return get(context, request, reply, out)
    case OP.META_GET:
      return metaGet(context, request, reply, out)
    case OP.META_DEBUG:
      return metaDebug(context, request, reply, out)
    case OP.INCR:
    case OP.DECR:
      return arithmetic(context, request, reply, out)
    case OP.TOUCH:
      return touch(context, request, reply, out)
    case OP.DELETE:
      return remove(context, request, reply, out)
    case OP.FLUSH_ALL:
      context.facts.audit.command(context.client, `flush_all ${request.exptime}`)
      return flushAll(context, request, reply, out)
    case OP.STATS:
      return stats(context, request, reply, out)
    case OP.VERSION:
      version(context, request, reply, out)
      return RAN.DONE
    case OP.VERBOSITY:
      context.facts.audit.command(context.client, `verbosity ${request.deltaLo}`)
      verbosity(context, request, reply, out)
      return RAN.DONE
    case OP.NOOP:
      reply.outcome(out, request, OUTCOME.OK)
      return RAN.DONE
    case OP.SASL_LIST:
      listMechanisms(context, request, reply, out)
      return RAN.DONE
    case OP.SASL_AUTH:
    case OP.SASL_STEP:
    case OP.LOG_IN:
      return logIn(context, request, reply, out)
    case OP.SHUTDOWN:
      context.facts.audit.command(context.client, 'shutdown')
      return shutDown(context, request, reply, out)
    case OP.REFRESH_CERTS:
      context.facts.audit.command(context.client, 'refresh_certs')
      refreshCertificates(context, request, reply, out)
      return RAN.DONE
    case OP.LRU_CRAWLER:
      return lruCrawler(context, request, reply, out)
    case OP.WATCH:
      return watch(context, request, reply, out)
    case OP.CACHE_MEMLIMIT:
      tune('cache_memlimit', cacheMemlimit, context, request, reply, out)
      return RAN.DONE
    case OP.SLABS:
      tune('slabs', slabs, context, request, reply, out)
      return RAN.DONE
    case OP.LRU:
      tune('lru', lru, context, request, reply, out)
      return RAN.DONE
    case OP.EXTSTORE:
      tune('extstore', extstore, context, request, reply, out)
      return RAN.DONE
    case OP.DEBUGTIME:
      tune('debugtime', debugtime, context, request, reply, out)
      return RAN.DONE
    case OP.QUIT:
      reply.outcome(out, request, OUTCOME.BYE)
      return RAN.CLOSE
    default:
      reply.outcome(out, request, OUTCOME.UNKNOWN_COMMAND)
      return RAN.DONE
  }
}
