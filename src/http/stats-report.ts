/** `/stats.json`: everything that there is to know, as one document. Made when asked for. */
import type { CommandContext } from '../commands/context.ts'
import { configEntries } from '../config/print.ts'
import type { Config } from '../config/schema.ts'
import { CLASS_METRIC, METRIC } from '../observe/metrics.ts'
import type { LoopDelay } from '../observe/loop-delay.ts'
import { diskDocument } from './disk-report.ts'
import { hotKeysDocument, prefixDocuments } from './hot-keys-report.ts'
import { latencyDocument, slowLogDocument } from './insight-report.ts'
import type {
  ClientDocument,
  ClientsDocument,
  Gauges,
  MemoryDocument,
  Readiness,
  SizeClassDocument,
  StatsDocument,
} from './stats-document.ts'

const CLIENTS_SHOWN_MAX = 100
/** Their rows come before those of clients; nobody has more. */
const LISTENERS_MAX = 100
/** The class of items that take whole pages, the last one. */
const CLASS_LARGE = 63
const US_PER_S = 1_000_000

export interface ReportSources {
  readonly context: CommandContext
  readonly config: Config
  readonly loopDelay: LoopDelay
  readiness(): Readiness
}

export function statsDocument(sources: ReportSources): StatsDocument {
  const { context, config } = sources
  const { clock, facts } = context
  return {
    format: 1,
    version: facts.ownVersion,
    compatibleVersion: facts.compatibleVersion,
    nodeVersion: process.versions.node,
    pid: process.pid,
    timeMs: Math.floor(clock.wallUs() / 1000),
    startedAtS: facts.startedAtS,
    uptimeS: clock.nowS - facts.startedAtS,
    readiness: sources.readiness(),
    counters: countersOf(context),
    gauges: gaugesOf(sources),
    latency: latencyDocument(context),
    memory: memoryDocument(context, config),
    disk: diskDocument(context),
    clients: clientsDocument(context),
    hotKeys: hotKeysDocument(context),
    prefixes: prefixDocuments(context),
    slowLog: slowLogDocument(context),
    configuration: configEntries(config),
    allowsValues: config.metrics.valuesAllowed,
  }
}

function countersOf({ metrics }: CommandContext): Record<string, number> {
  const rows = Object.entries(METRIC)
  return Object.fromEntries(
    rows.map(([name, slot]) => [name.toLowerCase(), Math.round(metrics.value(slot))]),
  )
}

function gaugesOf({ context, config, loopDelay }: ReportSources): Gauges {
  const { cache, facts, memoryLimit } = context
  const { heap, index, slabs } = cache.store
  const memory = process.memoryUsage()
  const usage = process.resourceUsage()
  const delay = loopDelay.read()
  return {
    items: cache.count,
    bytes: cache.usedBytes,
    bytesMax: memoryLimit.bytes,
    pageBytes: slabs.pagesInUse * heap.pageBytes,
    indexBytes: index.memoryBytes,
    oldestAgeS: cache.oldestAgeS,
    connections: facts.currentConnections(),
    connectionsMax: facts.maxConnections,
    inflightBytes: facts.inflightBytes(),
    inflightBytesMax: config.server.inflightBytesMax,
    rssBytes: memory.rss,
    heapUsedBytes: memory.heapUsed,
    heapTotalBytes: memory.heapTotal,
    arrayBufferBytes: memory.arrayBuffers,
    cpuUserS: usage.userCPUTime / US_PER_S,
    cpuSystemS: usage.systemCPUTime / US_PER_S,
    loopDelayP50Us: delay.quantileUs(0.5),
    loopDelayP99Us: delay.quantileUs(0.99),
    loopDelayMaxUs: delay.maxUs,
  }
}

function memoryDocument({ cache, metrics }: CommandContext, { l1 }: Config): MemoryDocument {
  const { heap, slabs } = cache.store
  const classes: SizeClassDocument[] = []
  for (let id = 1; id <= CLASS_LARGE; id++) {
    const pages = slabs.classPages(id)
    if (pages === 0) continue
    const isLarge = id === CLASS_LARGE
    classes.push({
      id,
      chunkBytes: isLarge ? heap.pageBytes : slabs.classes.chunkBytes[id]!,
      pages,
      chunks: isLarge ? pages : pages * slabs.classes.chunksPerPage[id]!,
      usedChunks: isLarge ? pages : slabs.classUsed(id),
      items: cache.store.itemsOf(id),
      bytes: cache.store.bytesOf(id),
      getHits: metrics.classValue(CLASS_METRIC.GET_HITS, id),
      sets: metrics.classValue(CLASS_METRIC.CMD_SET, id),
      evictions: metrics.classValue(CLASS_METRIC.EVICTED, id),
    })
  }
  const facts: [string, string][] = [
    ['evictions', l1.evictions ? 'on' : 'off'],
    ['entries_max', l1.entriesMax === 0 ? 'none' : String(l1.entriesMax)],
  ]
  return { policy: { name: l1.eviction, facts }, classes }
}

/** From the rows of `stats conns`, which are "NUMBER:NAME". */
function clientsDocument({ facts }: CommandContext): ClientsDocument {
  const rows = new Map<string, Map<string, string>>()
  for (const [path, value] of facts.connections(null)) {
    const [number = '', name = ''] = path.split(/:(.*)/, 2)
    const known = rows.get(number)
    if (known === undefined && rows.size > CLIENTS_SHOWN_MAX + LISTENERS_MAX) break
    if (known === undefined) rows.set(number, new Map([[name, value]]))
    else known.set(name, value)
  }
  const shown = [...rows]
    .filter(([, row]) => row.has('listen_addr'))
    .slice(0, CLIENTS_SHOWN_MAX)
    .map(([number, row]): ClientDocument => ({
      number: Number(number),
      address: row.get('addr') ?? '',
      listenAddress: row.get('listen_addr') ?? '',
      state: row.get('state') ?? '',
      idleS: Number(row.get('secs_since_last_cmd')),
    }))
  return { count: facts.currentConnections(), shown }
}
