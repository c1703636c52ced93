/** The tables of the page: what of the document goes into which cell. */
import type {
  DiskDocument,
  HotKey,
  HotKeysDocument,
  KeyName,
  StatsDocument,
} from '../src/http/stats-document.ts'
import { byId, fillFacts, fillRows, make, setText } from './dom.ts'
import type { Cell } from './dom.ts'
import {
  NOTHING,
  ageS,
  bytes,
  count,
  durationUs,
  percent,
  timeOfDay,
  visible,
  wholeCount,
} from './format.ts'
import { shownKey } from './key-name.ts'

type Choose = (name: KeyName) => void
type Rows = readonly (readonly Cell[])[]

/** The class of items that take whole pages. */
const CLASS_LARGE = 63

const HOT: readonly {
  readonly id: string
  readonly title: string
  readonly of: (hot: HotKeysDocument) => readonly HotKey[]
  readonly format: (value: number) => string
}[] = [
  { id: 'hot-reads', title: 'Read', of: ({ reads }) => reads, format: count },
  { id: 'hot-writes', title: 'Written', of: ({ writes }) => writes, format: count },
  { id: 'hot-bytes', title: 'Most bytes moved', of: (hot) => hot.bytes, format: bytes },
  { id: 'hot-misses', title: 'Missed', of: ({ misses }) => misses, format: count },
]

export class Tables {
  readonly #choose: Choose
  readonly #filter: HTMLInputElement = byId('configuration-filter', HTMLInputElement)
  #configuration: StatsDocument['configuration'] = []

  constructor(choose: Choose) {
    this.#choose = choose
    for (const { id, title } of HOT) {
      const heading = make('h3', '', title)
      heading.id = `${id}-heading`
      const body = make('tbody', '')
      body.id = `${id}-rows`
      const scroll = make('div', 'scroll', make('table', '', body))
      scroll.tabIndex = 0
      scroll.setAttribute('role', 'region')
      scroll.setAttribute('aria-labelledby', heading.id)
      byId(id, HTMLDivElement).append(heading, scroll)
    }
    this.#filter.addEventListener('input', () => this.#showConfiguration())
  }

  show(document: StatsDocument): void {
    fill('classes', this.#classes(document), 'no memory is taken yet')
    this.#showDisk(document.disk)
    this.#showHotKeys(document.hotKeys)
    fill('prefixes', prefixes(document), 'none was seen yet')
    this.#showSlowLog(document)
    const { count: clients, shown } = document.clients
    note('clients-note', clients > shown.length ? `the first ${shown.length} of ${clients}` : '')
    fill(
      'clients',
      shown.map(({ number, address, state, idleS }) => [
        String(number),
        visible(address),
        visible(state.replace(/^conn_/, '')),
        ageS(idleS),
      ]),
      'nobody is connected',
    )
    fillFacts(byId('facts', HTMLDListElement), facts(document))
    this.#configuration = document.configuration
    this.#showConfiguration()
  }

  #classes({ memory }: StatsDocument): Rows {
    const pageBytes = memory.classes.find(({ id }) => id === CLASS_LARGE)?.chunkBytes
    return memory.classes.map((row) => {
      const roomBytes = row.chunks * row.chunkBytes
      const share = roomBytes === 0 ? 0 : row.bytes / roomBytes
      const isLarge = row.id === CLASS_LARGE
      return [
        isLarge ? `pages of ${bytes(pageBytes)}` : bytes(row.chunkBytes),
        count(row.items),
        wholeCount(row.pages),
        count(row.evictions),
        { text: `${bytes(row.bytes)} · ${percent(share)}`, share },
      ]
    })
  }

  #showDisk(disk: DiskDocument | null): void {
    note('disk-note', disk === null ? 'There is no disk tier.' : diskSentence(disk))
    const generationBytesMax = Math.max(1, ...(disk?.generations ?? []).map((row) => row.bytes))
    fill(
      'generations',
      (disk?.generations ?? []).map((row) => [
        row.isWritable ? `${row.id}, new` : String(row.id),
        ageS(row.ageS),
        count(row.items),
        count(row.referenced),
        { text: bytes(row.bytes), share: row.bytes / generationBytesMax },
      ]),
      NOTHING,
    )
  }

  #showHotKeys(hot: HotKeysDocument | null): void {
    const sentence =
      hot === null
        ? 'off: metrics.hot_keys'
        : `of the last ${ageS(hot.windowS)}${hot.sampleEvery > 1 ? `, estimated from one turn of clients in ${hot.sampleEvery}` : ''}`
    note('hot-note', sentence)
    byId('hot', HTMLDivElement).hidden = hot === null
    for (const { id, of, format } of HOT) {
      const rows = hot === null ? [] : of(hot)
      const most = Math.max(1, ...rows.map((row) => row.count))
      fill(
        `${id}-rows`,
        rows.map((row) => [
          this.#keyCell(row),
          { text: format(row.count), share: row.count / most },
        ]),
        NOTHING,
      )
    }
  }

  #showSlowLog({ slowLog }: StatsDocument): void {
    note(
      'slow-note',
      slowLog === null
        ? 'off: metrics.slow_log_threshold'
        : `above ${durationUs(slowLog.thresholdUs)}, ${wholeCount(slowLog.count)} in all`,
    )
    fill(
      'slow',
      (slowLog?.entries ?? []).map((row) => [
        timeOfDay(row.timeMs / 1000),
        visible(row.command),
        this.#keyCell(row),
        durationUs(row.totalUs),
        durationUs(row.queueUs),
        durationUs(row.runUs),
        durationUs(row.diskUs),
        visible(row.client),
      ]),
      'none',
    )
  }

  #showConfiguration(): void {
    const wanted = this.#filter.value.trim().toLowerCase()
    fill(
      'configuration',
      this.#configuration
        .filter(([key, value]) => `${key} ${value}`.toLowerCase().includes(wanted))
        .map(([key, value]) => [key, visible(value)]),
      'no key is like that',
    )
  }

  #keyCell(name: KeyName): Cell {
    return {
      key: shownKey(name),
      choose: () => this.#choose({ key: name.key, isBase64: name.isBase64 }),
    }
  }
}

function prefixes({ prefixes: all }: StatsDocument): Rows {
  return all.map((row) => [
    shownKey({ key: row.prefix, isBase64: row.isBase64 }),
    count(row.gets),
    percent(row.gets === 0 ? null : row.hits / row.gets),
    count(row.sets),
    count(row.evictions),
    count(row.items),
    bytes(row.bytes),
  ])
}

function diskSentence(disk: DiskDocument): string {
  const state = { ok: 'Well', recovering: 'The index is being rebuilt', degraded: 'In trouble' }
  const waiting = `${bytes(disk.stagedBytes)} wait to be written`
  return `${state[disk.state]}; ${waiting}${disk.isCongested ? ', and clients with it' : ''}.`
}

function facts(document: StatsDocument): (readonly [string, string])[] {
  const { disk, gauges, memory } = document
  const rows: (readonly [string, string])[] = [
    ['Order of eviction', memory.policy.name],
    ['Next to go, unused for', ageS(gauges.oldestAgeS)],
    ['Index of memory', bytes(gauges.indexBytes)],
    ['Under way', bytes(gauges.inflightBytes)],
    ['Heap of Node', `${bytes(gauges.heapUsedBytes)} of ${bytes(gauges.heapTotalBytes)}`],
    ['Buffers of Node', bytes(gauges.arrayBufferBytes)],
    ...memory.policy.facts.map(([name, value]) => [visible(name), visible(value)] as const),
  ]
  if (disk === null) return rows
  return [
    ...rows,
    ['Index of the disk', bytes(disk.indexBytes)],
    ['Being loaded', wholeCount(disk.loading)],
    ['Journal', `${count(disk.journalEntries)} keys, ${bytes(disk.journalBytes)}`],
    ['Written for a byte', disk.writeAmplification?.toFixed(2) ?? NOTHING],
    ['Stored of a byte', disk.compressionRatio?.toFixed(2) ?? NOTHING],
    ['Reading packs, p99', durationUs(disk.read.count === 0 ? null : disk.read.p99Us)],
    ['Writing a batch, p99', durationUs(disk.write.count === 0 ? null : disk.write.p99Us)],
    ['Generations dropped', wholeCount(disk.generationsDropped)],
  ]
}

function fill(id: string, rows: Rows, otherwise: string): void {
  fillRows(byId(id, HTMLTableSectionElement), rows.length === 0 ? [[otherwise]] : rows)
}

function note(id: string, text: string): void {
  setText(byId(id, HTMLElement), text)
}
