/**
 * The page of the HTTP door: asks for `/stats.json` at intervals and shows what is in it. It changes
 * nothing on the server.
 */
import type { StatsDocument } from '../src/http/stats-document.ts'
import { Chart } from './chart.ts'
import { byId, setText } from './dom.ts'
import { CHARTS, isSameLife } from './figures.ts'
import { History } from './history.ts'
import { Inspector } from './inspector.ts'
import { Source, keepToken, readToken } from './source.ts'
import type { Answer } from './source.ts'
import { StatusLine } from './status.ts'
import { Tables } from './tables.ts'
import { Tiles, about } from './tiles.ts'

/** What the axis of time shows, in intervals. */
const WINDOW_INTERVALS = 150

const TOKEN_SENTENCE =
  'It is metrics.token of the configuration. It is kept until this tab is closed.'

const lines = CHARTS.flatMap((chart) => chart.lines)
const history = new History<StatsDocument>(
  lines.map((line) => line.make),
  isSameLife,
)
const status = new StatusLine()
const tiles = new Tiles(byId('tiles', HTMLDListElement))
const inspector = new Inspector()
const tables = new Tables((name) => inspector.choose(name))
const charts = CHARTS.map((spec) => new Chart(spec))
byId('charts', HTMLElement).append(...charts.map(({ element }) => element))

const interval = byId('interval', HTMLSelectElement)
const pause = byId('pause', HTMLButtonElement)
const keyRing = byId('key-ring', HTMLButtonElement)
const unlock = byId('unlock', HTMLDialogElement)
const token = byId('token', HTMLInputElement)
const known = { hasDisk: true, isLocked: false }
const source = new Source<StatsDocument>('stats.json', Number(interval.value), show)

function show(answer: Answer<StatsDocument>): void {
  status.show(answer)
  known.isLocked = answer.kind === 'locked'
  showKeyRing()
  if (answer.kind === 'locked') askForToken(answer.hadToken)
  if (answer.kind !== 'document') return
  history.add(answer.document, answer.document.timeMs / 1000, source.intervalMs / 1000)
  setText(byId('about', HTMLElement), about(answer.document))
  tiles.show(answer.document, (name) =>
    history.latest(lines.findIndex((line) => line.name === name)),
  )
  tables.show(answer.document)
  known.hasDisk = answer.document.disk !== null
  showCharts()
}

function showCharts(): void {
  const windowS = (WINDOW_INTERVALS * source.intervalMs) / 1000
  charts.forEach((chart, index) => {
    chart.element.hidden = !known.hasDisk && CHARTS[index]!.needsDisk === true
    const values = CHARTS[index]!.lines.map((line) => history.column(lines.indexOf(line)))
    chart.show({ times: history.times, values, windowS })
  })
}

function askForToken(isWrong: boolean): void {
  keepToken('')
  showKeyRing()
  const note = byId('unlock-note', HTMLElement)
  note.classList.toggle('bad', isWrong)
  setText(note, isWrong ? 'That was not the token of this server.' : TOKEN_SENTENCE)
  if (!unlock.open) unlock.showModal()
  token.focus()
}

/** The way to forget the token, or to the dialog where that was closed without one. */
function showKeyRing(): void {
  const hasToken = readToken() !== ''
  setText(keyRing, hasToken ? 'Forget token' : 'Enter token')
  keyRing.hidden = !hasToken && !known.isLocked
}

byId('unlock-form', HTMLFormElement).addEventListener('submit', () => {
  keepToken(token.value.trim())
  token.value = ''
  source.askNow()
})
keyRing.addEventListener('click', () => {
  if (readToken() === '') {
    askForToken(false)
  } else {
    keepToken('')
    location.reload()
  }
})
pause.addEventListener('click', () => {
  source.pause(!source.isPaused)
  pause.setAttribute('aria-pressed', String(source.isPaused))
  setText(pause, source.isPaused ? 'Go on' : 'Pause')
  if (source.isPaused) status.showPaused()
})
interval.addEventListener('change', () => {
  source.setInterval(Number(interval.value))
  showCharts()
})
for (const query of ['(prefers-color-scheme: dark)', '(prefers-contrast: more)']) {
  matchMedia(query).addEventListener('change', () => charts.forEach((chart) => chart.restyle()))
}
document.title = `${location.host} · rat-memcached`
source.askNow()
