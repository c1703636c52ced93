/** The figures of this moment, at the top of the page. */
import type { StatsDocument } from '../src/http/stats-document.ts'
import { make, setText } from './dom.ts'
import { ageS, bytes, count, durationUs, percent, perSecond, wholeCount } from './format.ts'

/** The newest value of a line of the charts, by its name. */
export type Latest = (name: string) => number | null

interface Shown {
  readonly main: string
  readonly more: string
  /** How full it is, from 0 to 1; left out where that is no question. */
  readonly filled?: number | undefined
}

interface Tile {
  readonly name: string
  readonly show: (document: StatsDocument, latest: Latest) => Shown
}

const TILES: readonly Tile[] = [
  {
    name: 'Gets',
    show: ({ counters }, latest) => ({
      main: perSecond(latest('gets')),
      more: `${wholeCount(counters['cmd_get'] ?? 0)} in all`,
    }),
  },
  {
    name: 'Hit ratio',
    show: ({ counters }, latest) => ({
      main: percent(latest('hitRatio')),
      more: `${percent(ratio(counters['get_hits'], counters['cmd_get']))} in all`,
    }),
  },
  {
    name: 'Sets',
    show: ({ counters }, latest) => ({
      main: perSecond(latest('sets')),
      more: `${wholeCount(counters['cmd_set'] ?? 0)} in all`,
    }),
  },
  {
    name: 'Reads, p99',
    show: (_, latest) => ({
      main: durationUs(latest('readP99')),
      more: `from disk ${durationUs(latest('diskReadP99'))}`,
    }),
  },
  {
    name: 'Writes, p99',
    show: (_, latest) => ({
      main: durationUs(latest('writeP99')),
      more: `half within ${durationUs(latest('writeP50'))}`,
    }),
  },
  {
    name: 'Memory',
    show: ({ gauges }) => ({
      main: bytes(gauges.bytes),
      more: `of ${bytes(gauges.bytesMax)}, ${count(gauges.items)} items`,
      filled: ratio(gauges.pageBytes + gauges.indexBytes, gauges.bytesMax),
    }),
  },
  {
    name: 'Disk',
    show: ({ disk }) =>
      disk === null
        ? { main: 'none', more: 'no disk tier' }
        : {
            main: bytes(disk.bytes),
            more: `of ${bytes(disk.bytesMax)}, ${count(disk.items)} items`,
            filled: ratio(disk.bytes, disk.bytesMax),
          },
  },
  {
    name: 'Connections',
    show: ({ gauges }) => ({
      main: wholeCount(gauges.connections),
      more: `of ${wholeCount(gauges.connectionsMax)}`,
      filled: ratio(gauges.connections, gauges.connectionsMax),
    }),
  },
]

export class Tiles {
  readonly #tiles: readonly {
    readonly tile: Tile
    readonly main: HTMLElement
    readonly more: HTMLElement
    readonly filled: HTMLElement
  }[]

  constructor(list: HTMLDListElement) {
    this.#tiles = TILES.map((tile) => {
      const main = make('dd', 'main', '–')
      const more = make('dd', 'more')
      const filled = make('dd', 'filled')
      filled.setAttribute('aria-hidden', 'true')
      filled.hidden = true
      list.append(make('div', '', make('dt', '', tile.name), main, more, filled))
      return { tile, main, more, filled }
    })
  }

  show(document: StatsDocument, latest: Latest): void {
    for (const { tile, main, more, filled } of this.#tiles) {
      const shown = tile.show(document, latest)
      setText(main, shown.main)
      setText(more, shown.more)
      more.title = shown.more
      filled.hidden = shown.filled === undefined
      filled.style.setProperty('--share', `${((shown.filled ?? 0) * 100).toFixed(1)}%`)
    }
  }
}

/** What stands behind the name of the program. */
export function about(document: StatsDocument): string {
  const { version, compatibleVersion, nodeVersion, pid, uptimeS } = document
  return `${version} · like memcached ${compatibleVersion} · Node ${nodeVersion} · pid ${pid} · up ${ageS(uptimeS)}`
}

function ratio(part: number | undefined, whole: number | undefined): number | undefined {
  return part === undefined || whole === undefined || whole === 0 ? undefined : part / whole
}
