/**
 * A chart of some lines over time: uPlot for the drawing, and a legend of our own, which has the figures
 * as text. It shows those of the newest sample, or of the one that the pointer, or the arrow keys, are at.
 *
 * The window of time has a fixed length from the start, so that nothing moves but the lines.
 */
import uPlot from 'uplot'
import { make, setText } from './dom.ts'
import { NOTHING, round, timeOfDay } from './format.ts'

/** Names of colours in page.css. */
export type Colour = 'blue' | 'green' | 'orange' | 'red' | 'violet' | 'grey'

export interface Line {
  readonly label: string
  readonly colour: Colour
  readonly dashed?: boolean
  /** The area below is filled as well. */
  readonly filled?: boolean
}

export interface ChartSpec {
  readonly title: string
  readonly lines: readonly Line[]
  readonly format: (value: number | null | undefined) => string
  /** From 0 to this; left out, to what is needed. */
  readonly top?: number
  /** The least top of a scale that adapts: else a little would fill the chart. */
  readonly topMin?: number
  /** The scale is in powers of two. */
  readonly isBytes?: boolean
  /** For durations, which differ by powers of ten. */
  readonly isLogarithmic?: boolean
}

/**
 * Times in seconds, oldest first, and a column for each line, null where nothing is known. Read only; uPlot's
 * types do not say so.
 */
export interface Columns {
  readonly times: number[]
  readonly values: (number | null)[][]
  /** What the axis of time shows. */
  readonly windowS: number
}

/** uPlot's number for such a scale. */
const LOGARITHMIC = 3
const HEIGHT_PX = 128
const AXIS_WIDTH_PX = 62
const AXIS_HEIGHT_PX = 22
/** Labels of time stand this far apart, at least. */
const TIME_LABEL_PX = 90
const VALUE_LABEL_PX = 28
const FILL_OPACITY = '22'
const TOP_MIN = 10
const BYTES_TOP_MIN = 1024
/** Where a scale of bytes may have its lines. */
const BYTE_STEPS = Array.from({ length: 50 }, (_, power) => 2 ** power)
/** The least range of a logarithmic scale, in microseconds. */
const LOG_BOTTOM = 10
const LOG_TOP_MIN = 1000

export class Chart {
  readonly element: HTMLElement
  readonly #spec: ChartSpec
  readonly #canvas: HTMLElement = make('div', 'canvas')
  readonly #time: HTMLElement = make('span', 'time')
  readonly #values: readonly HTMLElement[]
  #plot: uPlot | null = null
  #columns: Columns = { times: [], values: [], windowS: 1 }
  /** The sample that is looked at; null: the newest. */
  #at: number | null = null

  constructor(spec: ChartSpec) {
    this.#spec = spec
    this.#values = spec.lines.map(() => make('span', 'value', NOTHING))
    const items = spec.lines.map(({ label, colour, dashed }, index) => {
      const swatch = make('span', `swatch ${colour}${dashed === true ? ' dashed' : ''}`)
      return make('li', '', make('span', 'label', swatch, label), this.#values[index]!)
    })
    const title = make('h3', '', spec.title)
    const head = make('figcaption', '', title, this.#time)
    this.element = make('figure', 'panel chart', head, make('ul', 'legend', ...items), this.#canvas)
    this.#canvas.tabIndex = 0
    this.#canvas.setAttribute('role', 'img')
    this.#canvas.addEventListener('keydown', (event) => this.#onKey(event))
    this.#canvas.addEventListener('blur', () => this.#lookAt(null))
    new ResizeObserver(() => this.#resize()).observe(this.#canvas)
  }

  show(columns: Columns): void {
    this.#columns = columns
    this.#plot ??= this.#draw()
    this.#plot?.setData([columns.times, ...columns.values])
    this.#showFigures()
  }

  /** Draws anew, in the colours that hold now. */
  restyle(): void {
    this.#plot?.destroy()
    this.#plot = null
    this.show(this.#columns)
  }

  #resize(): void {
    const width = this.#canvas.clientWidth
    if (width > 0 && this.#plot !== null && this.#plot.width !== width) {
      this.#plot.setSize({ width, height: HEIGHT_PX })
    }
  }

  #draw(): uPlot | null {
    const width = this.#canvas.clientWidth
    if (width === 0) return null
    const { lines, format, isBytes = false, isLogarithmic = false } = this.#spec
    const style = getComputedStyle(this.element)
    const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim()
    const grid = { stroke: colour('grid'), width: 1 }
    const axis = {
      stroke: colour('muted'),
      font: `11px ${style.fontFamily}`,
      grid,
      ticks: { show: false },
    }
    const options: uPlot.Options = {
      width,
      height: HEIGHT_PX,
      legend: { show: false },
      padding: [8, 8, 0, 0],
      cursor: {
        sync: { key: 'time' },
        drag: { x: false, y: false },
        points: { size: 6 },
        y: false,
      },
      scales: {
        x: { time: true, range: () => this.#timeRange() },
        // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the declared enum has no value at run time
        y: isLogarithmic
          ? { distr: LOGARITHMIC, range: (_, low, high) => logRange(low, high) }
          : { range: (_, low, high) => [0, this.#topFor(high ?? low)] },
      },
      axes: [
        {
          ...axis,
          size: AXIS_HEIGHT_PX,
          space: TIME_LABEL_PX,
          values: (_, splits) => splits.map(timeOfDay),
        },
        {
          ...axis,
          size: AXIS_WIDTH_PX,
          ...(isBytes ? { incrs: BYTE_STEPS } : {}),
          // uPlot would leave out labels where it thinks that there are too many.
          ...(isLogarithmic
            ? { splits: powersOfTen, filter: (_: uPlot, all: number[]) => all }
            : {}),
          space: VALUE_LABEL_PX,
          values: (_, splits) => splits.map((value) => round(format(value))),
        },
      ],
      series: [
        {},
        ...lines.map((line) => ({
          label: line.label,
          stroke: colour(line.colour),
          width: 1.5,
          points: { show: false },
          spanGaps: false,
          ...(line.dashed === true ? { dash: [4, 3] } : {}),
          ...(line.filled === true ? { fill: `${colour(line.colour)}${FILL_OPACITY}` } : {}),
        })),
      ],
      hooks: { setCursor: [(plot) => this.#showSample(plot.cursor.idx ?? null)] },
    }
    return new uPlot(options, [this.#columns.times, ...this.#columns.values], this.#canvas)
  }

  #timeRange(): [number, number] {
    const last = this.#columns.times.at(-1) ?? Date.now() / 1000
    return [last - this.#columns.windowS, last]
  }

  #topFor(high: number | null): number {
    if (this.#spec.top !== undefined) return this.#spec.top
    const { isBytes = false, topMin = isBytes ? BYTES_TOP_MIN : TOP_MIN } = this.#spec
    return niceTop(Math.max(topMin, high ?? 0), isBytes)
  }

  #onKey(event: KeyboardEvent): void {
    const last = this.#columns.times.length - 1
    const at = this.#at ?? last
    const next: Record<string, number | null> = {
      ArrowLeft: Math.max(0, at - 1),
      ArrowRight: Math.min(last, at + 1),
      Home: 0,
      End: last,
      Escape: null,
    }
    if (last < 0 || !(event.key in next)) return
    event.preventDefault()
    this.#lookAt(next[event.key]!)
  }

  #lookAt(at: number | null): void {
    const time = at === null ? undefined : this.#columns.times[at]
    const left = time === undefined ? -1 : (this.#plot?.valToPos(time, 'x') ?? -1)
    this.#plot?.setCursor({ left, top: left < 0 ? -1 : 1 })
    this.#showSample(at)
  }

  #showSample(at: number | null): void {
    this.#at = at
    this.#showFigures()
  }

  #showFigures(): void {
    const { times, values } = this.#columns
    const { lines, title, format } = this.#spec
    const at = this.#at ?? times.length - 1
    setText(this.#time, this.#at === null ? '' : timeOfDay(times[at] ?? 0))
    const shown = lines.map((_, index) => format(values[index]?.[at]))
    shown.forEach((text, index) => setText(this.#values[index]!, text))
    const figures = lines.map(({ label }, index) => `${label} ${shown[index]}`)
    const label = `${title}: ${figures.join(', ')}. Arrow keys go through time.`
    this.#canvas.setAttribute('aria-label', label)
  }
}

/** Where a logarithmic scale has its lines. */
function powersOfTen(_: uPlot, axis: number, bottom: number, top: number): number[] {
  const count = Math.round(Math.log10(top / bottom)) + 1
  return axis === 0 ? [] : Array.from({ length: count }, (__, power) => bottom * 10 ** power)
}

function logRange(low: number | null, high: number | null): [number, number] {
  const bottom = 10 ** Math.floor(Math.log10(Math.max(1, Math.min(LOG_BOTTOM, low ?? LOG_BOTTOM))))
  const top = 10 ** Math.ceil(Math.log10(Math.max(LOG_TOP_MIN, high ?? LOG_TOP_MIN)))
  return [bottom, top]
}

/**
 * The next of 1, 2, 5, 10, 20, … that is not below, or the next power of two for bytes: the scale changes
 * seldom.
 */
export function niceTop(value: number, isBytes: boolean): number {
  if (isBytes) return 2 ** Math.ceil(Math.log2(value))
  const power = 10 ** Math.floor(Math.log10(value))
  return power * ([1, 2, 5].find((step) => step * power >= value) ?? 10)
}
