/** The line that says whether what the page shows is true, and whether the server is ready. */
import type { StatsDocument } from '../src/http/stats-document.ts'
import { byId, setText } from './dom.ts'
import { ageS, timeOfDay, visible } from './format.ts'
import type { Answer } from './source.ts'

const TICK_MS = 1000

export class StatusLine {
  readonly #line: HTMLElement = byId('status', HTMLElement)
  #lastAtMs: number | null = null
  #gone: { readonly reason: string; readonly againAtMs: number } | null = null

  constructor() {
    setInterval(() => this.#showGone(), TICK_MS)
  }

  show(answer: Answer<StatsDocument>): void {
    const isStale = answer.kind !== 'document'
    document.documentElement.classList.toggle('stale', isStale)
    this.#gone = null
    if (answer.kind === 'document') {
      this.#lastAtMs = Date.now()
      const { ready, reasons } = answer.document.readiness
      if (ready) this.#say('good', 'Ready')
      else this.#say('warn', `Not ready: ${visible(reasons.join('; '))}`)
    } else if (answer.kind === 'locked') {
      this.#say('warn', 'Locked: the server asks for its token')
    } else {
      this.#gone = { reason: answer.reason, againAtMs: Date.now() + answer.againInS * 1000 }
      this.#showGone()
    }
  }

  showPaused(): void {
    this.#gone = null
    const when =
      this.#lastAtMs === null ? '' : `; the figures are of ${timeOfDay(this.#lastAtMs / 1000)}`
    this.#say('', `Paused${when}`)
  }

  #showGone(): void {
    if (this.#gone === null) return
    const { reason, againAtMs } = this.#gone
    const since =
      this.#lastAtMs === null ? '' : ` for ${ageS((Date.now() - this.#lastAtMs) / 1000)}`
    const again = Math.max(0, Math.ceil((againAtMs - Date.now()) / 1000))
    this.#say('bad', `The server is gone${since}: ${reason}. Asking again in ${ageS(again)}`)
  }

  #say(className: string, text: string): void {
    this.#line.className = className
    setText(this.#line, text)
    this.#line.title = text
  }
}
