/** How far a tool has come: a line in a terminal that is written over, and nothing elsewhere. */
import type { Clock } from '../observe/clock.ts'
import { bar, printBytes, printCount, printRate, printSpan } from './amounts.ts'

const INTERVAL_MS = 200
const BAR_COLUMNS = 24
/** To the beginning of the line, and the line empty. */
const AGAIN = '\r\u001B[K'

export class Progress {
  readonly #clock: Clock
  readonly #isShown: boolean
  readonly #beganMs: number
  /** What there is to do, as far as that is known; 0 if it is not. */
  readonly #total: number
  #shownMs = -Infinity

  /** `total` is what there is to do, 0 if that is not known. */
  constructor(clock: Clock, total: number, isShown: boolean) {
    this.#clock = clock
    this.#total = total
    this.#isShown = isShown
    this.#beganMs = clock.elapsedMs()
  }

  update(items: number, bytes: number): void {
    const now = this.#clock.elapsedMs()
    if (!this.#isShown || now - this.#shownMs < INTERVAL_MS) return
    this.#shownMs = now
    process.stderr.write(AGAIN + this.#line(items, bytes, now))
  }

  /** The last line, also where none was shown before. */
  finish(sentence: string): void {
    const seconds = (this.#clock.elapsedMs() - this.#beganMs) / 1000
    const took = seconds < 10 ? `${seconds.toFixed(1)} s` : printSpan(seconds)
    process.stderr.write(`${this.#isShown ? AGAIN : ''}${sentence} in ${took}\n`)
  }

  #line(items: number, bytes: number, nowMs: number): string {
    const perS = items / Math.max(0.001, (nowMs - this.#beganMs) / 1000)
    const done = `${printCount(items)} items, ${printBytes(bytes)}, ${printRate(perS)} /s`
    if (this.#total === 0) return done
    const share = Math.min(1, items / this.#total)
    return `${bar(share, BAR_COLUMNS)} ${Math.floor(100 * share)} %  ${done}`
  }
}
