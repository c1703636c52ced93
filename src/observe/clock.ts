/**
 * Time, the only door of `Date.now`, `performance.now` and the repeating timers.
 *
 * Two clocks under two names that must not be mixed: `nowS` is wall time in whole seconds, coarse,
 * for expiry and statistics; `elapsedMs()` is monotonic and fine, for measuring durations.
 *
 * `nowS` never runs backwards: an administrator (or a time daemon) that sets the clock back revives
 * no expired item. It follows the wall clock forwards, so that a laptop that slept finds its items
 * as old as they are.
 */

// The global of this name is a getter: a look at the clock takes 44 ns by it, and 39 ns by the import.
import { performance } from 'node:perf_hooks'

/** How often the coarse clock is read; a quarter of its unit keeps its error below 250 ms. */
const TICK_MS = 250

/** A repeating timer that can be stopped. Never keeps a process alive. */
export interface Repeating {
  stop(): void
}

export interface Clock {
  /** Wall time in whole seconds since 1970, never decreasing. */
  readonly nowS: number
  /** From now on `nowS` is no less than this: an earlier process has seen it. */
  notBefore(seconds: number): void
  /** Milliseconds since an arbitrary instant, monotonic, with fractions. */
  elapsedMs(): number
  /** Microseconds since 1970, for lines that are to be put in order by it. */
  wallUs(): number
  /** Calls `task` every `periodMs` milliseconds. */
  every(periodMs: number, task: () => void): Repeating
  /** Calls `task` once, `delayMs` milliseconds from now. */
  after(delayMs: number, task: () => void): Repeating
}

/** The clock of the machine. `stop()` ends its ticking. */
export class SystemClock implements Clock {
  nowS: number
  readonly #ticking: Repeating
  /** Where the wall clock is behind what was seen before, time goes on from there. */
  #baseS = 0
  #baseMs = 0
  /** Only for tests of clients: see `pause` and `shift`. */
  #isPaused = false
  #shiftS = 0

  constructor() {
    this.nowS = Math.floor(Date.now() / 1000)
    this.#ticking = this.every(TICK_MS, () => {
      if (this.#isPaused) return
      const wallS = Math.floor(Date.now() / 1000) + this.#shiftS
      const sinceBaseS = this.#baseS + Math.floor((this.elapsedMs() - this.#baseMs) / 1000)
      this.nowS = Math.max(this.nowS, wallS, sinceBaseS)
    })
  }

  notBefore(seconds: number): void {
    if (seconds <= this.nowS) return
    this.#baseS = seconds
    this.#baseMs = this.elapsedMs()
    this.nowS = seconds
  }

  elapsedMs(): number {
    return performance.now()
  }

  wallUs(): number {
    return Math.floor((performance.timeOrigin + performance.now()) * 1000)
  }

  /** Lets the coarse clock stand still, or go on from where the wall clock is by now. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused
  }

  /** Moves the coarse clock on by some seconds, or back. */
  shift(seconds: number): void {
    this.#shiftS += seconds
    this.nowS += seconds
  }

  every(periodMs: number, task: () => void): Repeating {
    const timer = setInterval(task, periodMs)
    timer.unref()
    return { stop: () => clearInterval(timer) }
  }

  after(delayMs: number, task: () => void): Repeating {
    const timer = setTimeout(task, delayMs)
    timer.unref()
    return { stop: () => clearTimeout(timer) }
  }

  stop(): void {
    this.#ticking.stop()
  }
}

/** A clock that moves only when told to, for tests. Timers fire inside `advance`. */
export class ManualClock implements Clock {
  nowS: number
  #elapsedMs = 0
  #timers: { dueMs: number; periodMs: number; task: () => void }[] = []

  constructor(startS = 1_800_000_000) {
    this.nowS = startS
  }

  notBefore(seconds: number): void {
    if (seconds > this.nowS) this.nowS = seconds
  }

  elapsedMs(): number {
    return this.#elapsedMs
  }

  wallUs(): number {
    return this.nowS * 1_000_000
  }

  every(periodMs: number, task: () => void): Repeating {
    return this.#schedule(periodMs, periodMs, task)
  }

  after(delayMs: number, task: () => void): Repeating {
    return this.#schedule(delayMs, Infinity, task)
  }

  /** Moves both clocks on by whole seconds and runs the timers that fall due. */
  advance(seconds: number): void {
    this.nowS += seconds
    this.#elapsedMs += seconds * 1000
    for (const timer of this.#timers) {
      while (timer.dueMs <= this.#elapsedMs) {
        timer.dueMs += timer.periodMs
        timer.task()
      }
    }
  }

  #schedule(delayMs: number, periodMs: number, task: () => void): Repeating {
    const timer = { dueMs: this.#elapsedMs + delayMs, periodMs, task }
    this.#timers.push(timer)
    return {
      stop: () => {
        this.#timers = this.#timers.filter((other) => other !== timer)
      },
    }
  }
}
