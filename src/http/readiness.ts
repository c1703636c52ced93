/**
 * Whether the server is one that clients should be sent to: `/readyz`. Not whether it lives: it answers in
 * all these states, and only who balances load, or rolls out a new version, need act on them.
 */
import type { CommandContext } from '../commands/context.ts'
import type { ReadyReason, Readiness } from './stats-document.ts'

export class ReadinessWatch {
  /** The server is stopping. */
  isDraining = false
  readonly #context: CommandContext
  #degradedLimitMs = Infinity
  /** When it was first seen that the disk tier is in trouble; NaN while it is not. */
  #degradedAtMs = Number.NaN

  /** `degradedLimitMs` 0 is no limit. */
  constructor(context: CommandContext, degradedLimitMs: number) {
    this.#context = context
    this.limitDegraded(degradedLimitMs)
  }

  /** For how long the disk tier may be in trouble; 0 is no limit. */
  limitDegraded(ms: number): void {
    this.#degradedLimitMs = ms === 0 ? Infinity : ms
  }

  /** Looks at the disk. To be called often enough that trouble is seen when it begins. */
  tick(): void {
    const { cache, clock } = this.#context
    if (cache.tier?.l2.degraded !== true) this.#degradedAtMs = Number.NaN
    else if (Number.isNaN(this.#degradedAtMs)) this.#degradedAtMs = clock.elapsedMs()
  }

  read(): Readiness {
    this.tick()
    const { cache, clock, facts } = this.#context
    const reasons: string[] = []
    const say = (reason: ReadyReason, sentence: string): void => {
      reasons.push(`${reason}: ${sentence}`)
    }
    if (this.isDraining) say('draining', 'the server is stopping')
    if (cache.tier?.l2.isRecovering === true) {
      say('recovering', 'the index of the disk tier is being rebuilt')
    }
    const degradedMs = clock.elapsedMs() - this.#degradedAtMs
    if (degradedMs >= this.#degradedLimitMs) {
      say('degraded', `the disk tier has been in trouble for ${Math.floor(degradedMs / 1000)} s`)
    }
    if (facts.currentConnections() >= facts.maxConnections) {
      say('full', `there are ${facts.maxConnections} connections, as many as there may be`)
    }
    return { ready: reasons.length === 0, reasons }
  }
}
