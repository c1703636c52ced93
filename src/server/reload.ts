/**
 * Reading the configuration again while the server runs. What is wrong with it, or with a file that it
 * names, is found before anything is changed, so a bad configuration changes nothing. What can be changed
 * live is; what cannot is named, and is as it was until the server is started again.
 *
 * Which key is which is said in the schema (`live`). Not for: how a part of the server takes a new value.
 */
import { differences, withKeysOf, type KeyChange } from '../config/difference.ts'
import type { Config } from '../config/schema.ts'
import { ServerError } from '../errors.ts'
import type { Clock } from '../observe/clock.ts'
import type { Logger } from '../observe/log.ts'
import { METRIC } from '../observe/metrics.ts'
import type { Metrics } from '../observe/metrics.ts'

/** The parts of a server that take new values. */
export interface LiveParts {
  /**
   * Reads what the configuration names: users, certificates. Fails with a ServerError if that is bad. What
   * it returns puts it in force.
   */
  prepare(next: Config): () => void
  /** The keys whose new values cannot be taken after all, though they can in general. */
  refuse(next: Config, isChanged: (key: string) => boolean): readonly string[]
  /** Puts a configuration in force; all that is different from `before` can be. */
  enforce(config: Config, before: Config): void
}

export class Reloader {
  /** The configuration in force. */
  config: Config
  /** When it was read last, in seconds; 0 if that was at the start. */
  reloadedAtS = 0
  readonly #parts: LiveParts
  readonly #clock: Clock
  readonly #metrics: Metrics
  readonly #log: Logger

  constructor(config: Config, parts: LiveParts, clock: Clock, metrics: Metrics, log: Logger) {
    this.config = config
    this.#parts = parts
    this.#clock = clock
    this.#metrics = metrics
    this.#log = log
  }

  /** Reads by `read`, and applies. Returns whether the configuration was good. */
  reload(read: () => Config): boolean {
    let next: Config
    let putInForce: () => void
    try {
      next = read()
      putInForce = this.#parts.prepare(next)
    } catch (error) {
      this.#failed(error)
      return false
    }
    const changes = differences(this.config, next)
    const changed = new Set(changes.map(({ key }) => key))
    const refused = this.#parts.refuse(next, (key) => changed.has(key))
    const isApplied = ({ key, isLive }: KeyChange): boolean => isLive && !refused.includes(key)
    const applied = changes.filter((change) => isApplied(change))
    const before = this.config
    this.config = withKeysOf(before, next, new Set(applied.map(({ key }) => key)))
    putInForce()
    this.#parts.enforce(this.config, before)
    this.reloadedAtS = this.#clock.nowS
    this.#metrics.count(METRIC.CONFIG_RELOADS)
    for (const { key, from, to } of applied)
      this.#log.info({ key, from, to }, 'a setting has changed')
    const waiting = changes.filter((change) => !isApplied(change))
    for (const { key, from, to } of waiting) {
      this.#log.warn({ key, in_force: from, configured: to }, 'a setting needs a restart to change')
    }
    this.#log.info(
      { changed: applied.length, need_restart: waiting.length },
      'the configuration was reloaded',
    )
    return true
  }

  #failed(error: unknown): void {
    this.#metrics.count(METRIC.CONFIG_RELOAD_ERRORS)
    const code = error instanceof ServerError ? error.code : undefined
    const reason = error instanceof Error ? error.message : String(error)
    this.#log.error({ code, reason }, 'the configuration was not reloaded: nothing has changed')
  }
}
