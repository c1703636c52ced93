/**
 * Factories that are running: one for each key, whoever waits for it.
 *
 * A run notes the number of the last change when it begins. What is changed, deleted or invalidated while it
 * runs is not overwritten by what it made of the state before. Not for: when a factory is to run.
 */
import { tracingChannel } from 'node:diagnostics_channel'
import type { TracingChannel } from 'node:diagnostics_channel'
import type { Cache } from '../engine/cache.ts'
import { Renewals } from '../engine/renewals.ts'
import type { Renewal } from '../engine/renewals.ts'
import type { TagTable } from '../engine/tag-table.ts'
import type { DiskWait } from './disk-wait.ts'
import type { Duration } from './duration.ts'
import { CHANNEL_PREFIX } from './events.ts'
import type { EventSources } from './events.ts'
import type { ItemStore } from './item-store.ts'
import { closed } from './outcome-error.ts'
import { planOf } from './store-plan.ts'
import type { SetOptions } from './store-plan.ts'

/** What a factory is told, and what it may say about the value that it makes. */
export interface FactoryContext {
  readonly key: string
  /** Aborted when nobody waits for the value any more, and when the cache is shut down. */
  readonly signal: AbortSignal
  /** The value whose time of grace it is, if there is one. */
  readonly stale: unknown
  /** From the options of the call; the factory may change them by what it finds. */
  ttl: Duration | undefined
  grace: Duration | undefined
  tags: readonly string[]
}

/** Makes the value of a key. Undefined: there is none. */
export type Factory<Value> = (context: FactoryContext) => Value | Promise<Value>

/** What is to be made, and how it is stored. */
export interface Order {
  readonly key: string
  readonly scope: readonly number[]
  readonly factory: Factory<unknown>
  readonly options: SetOptions
  /** How long it is remembered that there is no value; undefined: not at all. */
  readonly negativeTtl: Duration | undefined
}

export interface Run {
  readonly promise: Promise<unknown>
  readonly controller: AbortController
  /** Who waits; with none, and not `isDetached`, the run is aborted. */
  waiters: number
  /** It goes on though nobody waits. */
  isDetached: boolean
  /** Its failure was told as an event; once is enough. */
  isTold: boolean
}

export class FactoryRuns {
  readonly #cache: Cache
  readonly #items: ItemStore
  readonly #wait: DiskWait
  readonly #tags: TagTable
  readonly #events: EventSources
  readonly #renewals = new Renewals()
  readonly #runs = new Map<string, Run>()
  readonly #tracing: TracingChannel = tracingChannel(`${CHANNEL_PREFIX}factory`)
  /** Clients of the network use the same cache: they are to know of runs. */
  isShared = false

  constructor(
    cache: Cache,
    items: ItemStore,
    wait: DiskWait,
    tags: TagTable,
    events: EventSources,
  ) {
    this.#cache = cache
    this.#items = items
    this.#wait = wait
    this.#tags = tags
    this.#events = events
  }

  get count(): number {
    return this.#runs.size
  }

  get(key: string): Run | undefined {
    return this.#runs.get(key)
  }

  /** The run for a key, begun if there is none. `item` is what the key has in memory, 0 for nothing. */
  join(order: Order, item: number, stale: unknown): Run {
    return this.#runs.get(order.key) ?? this.#begin(order, item, stale)
  }

  /** Tells that a run has failed, on behalf of a call that has a value nevertheless. */
  failed(key: string, run: Run, error: unknown): void {
    if (run.isTold) return
    run.isTold = true
    this.#events.failed(error, key)
  }

  /** Ends all runs. */
  stop(): void {
    for (const run of this.#runs.values()) run.controller.abort(closed())
  }

  /** Resolves when no factory is running. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#runs.values()].map((run) => run.promise))
  }

  #begin(order: Order, item: number, stale: unknown): Run {
    const controller = new AbortController()
    const { length, bytes } = this.#items.key
    const renewal = this.#renewals.begin(this.#cache.hash(bytes, 0, length))
    this.#cache.renewals = this.#renewals
    const stamp = this.#cache.sequence
    if (this.isShared && item !== 0) this.#cache.marks.setWon(item)
    const promise = this.#make(order, controller.signal, renewal, stamp, stale)
    const run: Run = { promise, controller, waiters: 0, isDetached: false, isTold: false }
    this.#runs.set(order.key, run)
    // Whoever waits hears of it by `promise`; for nobody it is no unhandled rejection.
    promise.catch(() => undefined)
    return run
  }

  async #make(
    order: Order,
    signal: AbortSignal,
    renewal: Renewal,
    stamp: number,
    stale: unknown,
  ): Promise<unknown> {
    const { key, options } = order
    const { ttl, grace, tags = [] } = options
    const context: FactoryContext = { key, signal, stale, ttl, grace, tags }
    try {
      // Never within the call that asks: that looks at memory, and must not be interrupted.
      await Promise.resolve()
      signal.throwIfAborted()
      const value = await this.#tracing.tracePromise(async () => order.factory(context), { key })
      if (value !== undefined || order.negativeTtl !== undefined) {
        await this.#store(order, context, renewal, stamp, value)
      }
      return value
    } catch (error) {
      this.#giveUp(key)
      throw error
    } finally {
      this.#renewals.end(renewal)
      if (this.#renewals.isEmpty) this.#cache.renewals = null
      this.#runs.delete(key)
    }
  }

  /** Stores what was made, unless the key has changed meanwhile. That it cannot be stored is told, only. */
  async #store(
    order: Order,
    context: FactoryContext,
    renewal: Renewal,
    stamp: number,
    value: unknown,
  ): Promise<void> {
    const { key, scope } = order
    const { ttl, grace, tags } = context
    try {
      const isStored = await this.#wait.change(() => {
        if (renewal.isVoid || context.signal.aborted) return false
        if (value === undefined) {
          const options = { ttl: order.negativeTtl!, tags }
          this.#items.setNegative(key, planOf(options, scope, stamp, this.#tags, true))
        } else {
          const options = {
            tags,
            ...(ttl === undefined ? {} : { ttl }),
            ...(grace === undefined ? {} : { grace }),
          }
          this.#items.set(key, value, planOf(options, scope, stamp, this.#tags))
        }
        return true
      })
      if (isStored) this.#events.key('set', key)
    } catch (error) {
      this.#events.failed(error, key)
    }
  }

  /** Lets clients of the network try. */
  #giveUp(key: string): void {
    if (!this.isShared) return
    const item = this.#items.look(key)
    if (item > 0 && this.#cache.marks.isWon(item)) this.#cache.marks.clearWon(item)
  }
}
