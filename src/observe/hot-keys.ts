/**
 * The keys that most is done with, over a window that slides in two halves: what is shown is the half that
 * goes on and the one before, so nothing that is older than the window, and at least its last half.
 */
import { SpaceSaving } from './space-saving.ts'
import type { Frequent } from './space-saving.ts'

/** What keys are ranked by. */
export const RANKINGS = ['reads', 'writes', 'bytes', 'misses'] as const

export type Ranking = (typeof RANKINGS)[number]

/** A count is then too high by at most 0.2 % of all. */
const PLACES = 512

type Half = Readonly<Record<Ranking, SpaceSaving>>

export class HotKeys {
  readonly windowMs: number
  #now: Half = emptyHalf()
  #before: Half = emptyHalf()
  #beganMs: number

  constructor(windowMs: number, nowMs: number) {
    this.windowMs = windowMs
    this.#beganMs = nowMs
  }

  /** Something was done with a key, so many times or for so many bytes. */
  add(ranking: Ranking, key: string, weight: number): void {
    this.#now[ranking].add(key, weight)
  }

  /** Begins the next half of the window when it is time. */
  tick(nowMs: number): void {
    const halfMs = this.windowMs / 2
    const passedMs = nowMs - this.#beganMs
    if (passedMs < halfMs) return
    const old = this.#before
    // After a pause both halves are over.
    this.#before = passedMs < 2 * halfMs ? this.#now : emptyHalf()
    this.#now = old
    for (const ranking of RANKINGS) old[ranking].clear()
    this.#beganMs = nowMs
  }

  /** Those that come first, the first one first. */
  top(ranking: Ranking, keysMax: number): Frequent[] {
    const now = this.#now[ranking]
    const before = this.#before[ranking]
    const keys = new Set([...now.keys(), ...before.keys()])
    const found = [...keys].map((key): Frequent => {
      // A key that a half does not have may have been in it as often as this.
      const a = now.of(key) ?? absent(now)
      const b = before.of(key) ?? absent(before)
      return { key, count: a.count + b.count, error: a.error + b.error }
    })
    return found.toSorted((a, b) => b.count - b.error - (a.count - a.error)).slice(0, keysMax)
  }

  clear(): void {
    for (const ranking of RANKINGS) {
      this.#now[ranking].clear()
      this.#before[ranking].clear()
    }
  }
}

function absent(half: SpaceSaving): { count: number; error: number } {
  return { count: half.countOfAbsent, error: half.countOfAbsent }
}

function emptyHalf(): Half {
  return {
    reads: new SpaceSaving(PLACES),
    writes: new SpaceSaving(PLACES),
    bytes: new SpaceSaving(PLACES),
    misses: new SpaceSaving(PLACES),
  }
}
