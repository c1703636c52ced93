/**
 * `getOrSet`: when a value is used as it is, when a factory runs for it, and who waits how long.
 *
 * ```
 *   found         fresh ──▶ given; past `earlyRefresh`, renewed meanwhile
 *                 in its time of grace ──▶ given after `softTimeout`, or when the factory fails; renewed
 *                 known to be nothing ──▶ undefined
 *   not found     the factory is waited for, at most `hardTimeout`
 *   promised      a client of the network was told to make it: waited for, for a while
 * ```
 */
import type { Cache } from '../engine/cache.ts'
import { ON_DISK } from '../engine/cache.ts'
import { ServerError } from '../errors.ts'
import type { Clock, Repeating } from '../observe/clock.ts'
import { METRIC } from '../observe/metrics.ts'
import type { DiskWait } from './disk-wait.ts'
import { milliseconds } from './duration.ts'
import type { Duration } from './duration.ts'
import type { EventSources } from './events.ts'
import type { FactoryRuns, Order, Run } from './factory-runs.ts'
import { WAIT } from './item-store.ts'
import type { ItemStore, Wait } from './item-store.ts'
import type { SetOptions } from './store-plan.ts'

/** How long a value is waited for that a client of the network was told to make, and how often looked for. */
const PROMISE_MS = 2000
const PROMISE_LOOK_MS = 20
const MS_PER_S = 1000

/** How a value is got, made and stored. */
export interface GetOrSetOptions extends SetOptions {
  /** How long a value in its time of grace may wait for the factory to do better. Left out: not at all. */
  readonly softTimeout?: Duration
  /** How long this call waits for the factory at most: then it fails with FACTORY_TIMEOUT. */
  readonly hardTimeout?: Duration
  /** The part of its `ttl`, from 0 to 1, after which a value is renewed while it is still given. */
  readonly earlyRefresh?: number
  /** How long it is remembered that the factory said undefined. Left out: not at all. */
  readonly negativeTtl?: Duration
  /** Ends this call; the factory is told when nobody is left who waits for it. */
  readonly signal?: AbortSignal
  /** Runs the factory though there is a good value. */
  readonly forceRefresh?: boolean
}

/** What a look at the cache came to. */
interface Looked {
  readonly value: unknown
  /** The value may be given: it is good, or in its time of grace. */
  readonly hasValue: boolean
  /** Somebody should be waited for; null if the value is all there is to say. */
  readonly run: Run | null
  /** A client of the network makes the value. */
  readonly isPromised: boolean
}

const NOTHING: Looked = { value: undefined, hasValue: true, run: null, isPromised: false }
const PROMISED: Looked = { value: undefined, hasValue: false, run: null, isPromised: true }

/** A factory has not ended in time. */
const LATE: unique symbol = Symbol('late')

export class Renewal {
  readonly #cache: Cache
  readonly #items: ItemStore
  readonly #wait: DiskWait
  readonly #runs: FactoryRuns
  readonly #events: EventSources
  readonly #clock: Clock

  constructor(
    cache: Cache,
    items: ItemStore,
    wait: DiskWait,
    runs: FactoryRuns,
    events: EventSources,
    clock: Clock,
  ) {
    this.#cache = cache
    this.#items = items
    this.#wait = wait
    this.#runs = runs
    this.#events = events
    this.#clock = clock
  }

  async getOrSet(order: Order, options: GetOrSetOptions): Promise<unknown> {
    options.signal?.throwIfAborted()
    // Before anything is done, so that a mistake never depends on what is in the cache.
    const softMs = timeoutOf(options.softTimeout, 'softTimeout')
    const hardMs = timeoutOf(options.hardTimeout, 'hardTimeout')
    const earlyMs = earlyOf(options)
    const isForced = options.forceRefresh === true
    const promisedUntilMs = this.#clock.elapsedMs() + PROMISE_MS
    let looked = await this.#wait.read(() => this.#look(order, earlyMs, isForced, true))
    while (looked.isPromised) {
      await this.#pause(PROMISE_LOOK_MS, options.signal)
      const isWaited = this.#clock.elapsedMs() < promisedUntilMs
      looked = await this.#wait.read(() => this.#look(order, earlyMs, isForced, isWaited))
    }
    const { run, value, hasValue } = looked
    if (run === null) return value
    if (!hasValue) return this.#result(order.key, run, hardMs ?? Infinity, options.signal)
    if (softMs === undefined) {
      this.#detach(order.key, run)
      return value
    }
    try {
      const made = await this.#race(run, Math.min(softMs, hardMs ?? Infinity), options.signal)
      if (made !== LATE) return made
      this.#detach(order.key, run)
      return value
    } catch (error) {
      if (options.signal?.aborted === true) throw error
      this.#runs.failed(order.key, run, error)
      return value
    }
  }

  /** Looks at the cache and, in the same turn, joins or begins the run that it takes. */
  #look(order: Order, earlyMs: number, isForced: boolean, waits: boolean): Looked | Wait {
    const { key } = order
    const item = this.#items.look(key)
    if (item === ON_DISK) return WAIT
    const { metrics } = this.#items.context
    const { found } = this.#items
    const { marks } = this.#cache
    metrics.count(METRIC.CMD_GET)
    const isMarkedStale = item !== 0 && marks.isStale(item)
    const isWon = item !== 0 && marks.isWon(item)
    if (item !== 0 && found.isPromised) {
      // An item without a value, made for a client that was told to fill it.
      if (waits && this.#runs.get(key) === undefined) return PROMISED
    } else if (item !== 0 && found.isNegative) {
      if (this.#items.isFresh && !isForced) return NOTHING
    } else if (item !== 0) {
      const isFresh = this.#items.isFresh && !isMarkedStale
      metrics.countGetHit(this.#cache.sizeClass(item))
      this.#cache.touch(item)
      this.#events.key('hit', key)
      const value = this.#items.value()
      const endsSoon = isFresh && earlyMs > 0 && this.#msLeft(item) < earlyMs
      const isRenewedElsewhere =
        isMarkedStale && isWon && this.#runs.get(key) === undefined && this.#runs.isShared
      if (isForced) {
        return { value, hasValue: false, run: this.#join(order, item, value), isPromised: false }
      }
      if ((isFresh && !endsSoon) || isRenewedElsewhere) {
        return { value, hasValue: true, run: null, isPromised: false }
      }
      const run = this.#join(order, item, isFresh ? undefined : value)
      if (!isFresh) return { value, hasValue: true, run, isPromised: false }
      this.#detach(key, run)
      return { value, hasValue: true, run: null, isPromised: false }
    }
    metrics.count(METRIC.GET_MISSES)
    this.#events.key('miss', key)
    const run = this.#join(order, item, undefined)
    return { value: undefined, hasValue: false, run, isPromised: false }
  }

  #join(order: Order, item: number, stale: unknown): Run {
    const run = this.#runs.join(order, item, stale)
    run.waiters++
    return run
  }

  #msLeft(item: number): number {
    const { freshUntilMs } = this.#items.found
    if (freshUntilMs !== Infinity) return freshUntilMs - this.#items.nowMs
    const seconds = this.#cache.secondsToLive(item)
    return seconds < 0 ? Infinity : seconds * MS_PER_S
  }

  /** Lets a run go on without this call; that it fails is told. */
  #detach(key: string, run: Run): void {
    run.waiters--
    if (run.isDetached) return
    run.isDetached = true
    run.promise.catch((error: unknown) => this.#runs.failed(key, run, error))
  }

  /** What a factory makes, for who has nothing else. */
  async #result(key: string, run: Run, hardMs: number, signal?: AbortSignal): Promise<unknown> {
    const made = await this.#race(run, hardMs, signal)
    if (made !== LATE) return made
    this.#leave(run)
    throw new ServerError(
      'FACTORY_TIMEOUT',
      `the factory of ${JSON.stringify(key)} took longer than ${hardMs} ms`,
    )
  }

  /** A call does not wait any more. The factory is told if it was the last. */
  #leave(run: Run, reason?: unknown): void {
    run.waiters--
    if (run.waiters === 0 && !run.isDetached) run.controller.abort(reason)
  }

  /** What a run makes, or LATE. Rejects as the run does, or with the reason of the signal. */
  #race(run: Run, ms: number, signal: AbortSignal | undefined): Promise<unknown> {
    if (ms === Infinity && signal === undefined) return run.promise
    return new Promise((resolve, reject) => {
      let timer: Repeating | undefined
      const aborted = (): void => {
        end()
        this.#leave(run, signal?.reason)
        reject(reasonOf(signal))
      }
      const end = (): void => {
        timer?.stop()
        signal?.removeEventListener('abort', aborted)
      }
      signal?.addEventListener('abort', aborted)
      if (ms !== Infinity) {
        timer = this.#clock.after(ms, () => {
          end()
          resolve(LATE)
        })
      }
      void run.promise.then(resolve, reject).finally(end)
    })
  }

  #pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#clock.after(ms, () => {
        if (signal?.aborted === true) reject(reasonOf(signal))
        else resolve()
      })
    })
  }
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason })
}

function timeoutOf(timeout: Duration | undefined, what: string): number | undefined {
  return timeout === undefined ? undefined : milliseconds(timeout, what)
}

/** Milliseconds before the end of a value at which its renewal begins. */
function earlyOf({ earlyRefresh, ttl }: GetOrSetOptions): number {
  if (earlyRefresh === undefined) return 0
  if (!(earlyRefresh > 0 && earlyRefresh <= 1) || ttl === undefined) {
    throw new ServerError(
      'ARGUMENT_INVALID',
      'earlyRefresh: a part from 0 to 1 of ttl, which it needs',
    )
  }
  return milliseconds(ttl, 'ttl') * (1 - earlyRefresh)
}
