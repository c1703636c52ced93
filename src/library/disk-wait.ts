/**
 * Waiting for the disk on behalf of a program: for items that are there only, for room to write, and until
 * what must be said there has been said. Without a disk tier nothing here waits.
 */
import { DiskGate } from '../engine/disk-gate.ts'
import type { Cache } from '../engine/cache.ts'
import { WAIT } from './item-store.ts'
import type { Wait } from './item-store.ts'

export class DiskWait {
  readonly #gate: DiskGate
  #committing: Promise<void> | null = null
  #running = 0
  #whenIdle: (() => void) | null = null

  constructor(cache: Cache) {
    this.#gate = new DiskGate(cache)
  }

  /** Whether who changes something now should wait: the disk is behind. */
  get isCongested(): boolean {
    return this.#gate.congested
  }

  /**
   * Runs a step until it does not say WAIT. The key that it looked for last is loaded meanwhile, together
   * with those of all others who wait.
   */
  read<T>(step: () => T | Wait): T | Promise<T> {
    let result = step()
    while (result === WAIT) {
      if (!this.#gate.loadNow()) return this.#load(step)
      try {
        result = step()
      } finally {
        this.#gate.release()
      }
    }
    return result
  }

  /**
   * The same for a step that changes something: it is acknowledged when the disk has heard of it, which
   * most changes need not wait for.
   */
  change<T>(step: () => T | Wait): T | Promise<T> {
    if (this.#gate.congested) return this.#changeLater(step)
    const before = this.#gate.changes
    let result: T | Promise<T>
    try {
      result = this.read(step)
    } catch (error) {
      // Also what fails may have changed something.
      if (!this.#owes(before)) throw error
      result = Promise.reject(error)
    }
    return result instanceof Promise || this.#owes(before) ? this.#settled(result, before) : result
  }

  async #changeLater<T>(step: () => T | Wait): Promise<T> {
    this.#running++
    try {
      await this.#until((waiter) => this.#gate.whenUncongested(waiter))
      const before = this.#gate.changes
      return await this.#settled(this.#tried(step), before)
    } finally {
      this.#stopped()
    }
  }

  async #tried<T>(step: () => T | Wait): Promise<T> {
    return this.read(step)
  }

  /** Something has to be said to the disk, or written there, before a change is acknowledged. */
  #owes(before: number): boolean {
    const gate = this.#gate
    return gate.uncommitted || (gate.writesThrough && gate.changes !== before)
  }

  async #settled<T>(result: T | Promise<T>, before: number): Promise<T> {
    this.#running++
    try {
      return await result
    } finally {
      if (this.#gate.uncommitted) await this.#commit()
      if (this.#gate.writesThrough && this.#gate.changes !== before) {
        await this.#until((waiter) => this.#gate.whenWritten(waiter))
      }
      this.#stopped()
    }
  }

  #stopped(): void {
    this.#running--
    if (this.#running === 0) this.#whenIdle?.()
  }

  /** A change that cannot wait has been made: says on disk what must be said there. */
  acknowledge(): void {
    if (this.#gate.uncommitted) this.#gate.commit()
  }

  /** Resolves when all changes so far are on disk, or it is known that they will not be. */
  async written(): Promise<void> {
    if (this.#gate.hasDisk) await this.#until((waiter) => this.#gate.whenWritten(waiter))
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    if (this.#running === 0) return
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve
    })
  }

  #load<T>(step: () => T | Wait): Promise<T> {
    this.#running++
    return new Promise<T>((resolve, reject) => {
      const proceed = (): void => {
        try {
          // Again at once, while the item is kept in memory for those who wait for it.
          const result = step()
          if (result === WAIT) {
            this.#gate.load(waiter)
            return
          }
          resolve(result)
        } catch (error) {
          reject(error)
        }
        this.#stopped()
      }
      const waiter = { proceed }
      this.#gate.load(waiter)
    })
  }

  /** One write for all changes of a turn. */
  #commit(): Promise<void> {
    this.#committing ??= this.#commitOnce()
    return this.#committing
  }

  async #commitOnce(): Promise<void> {
    await Promise.resolve()
    this.#committing = null
    if (this.#gate.uncommitted) this.#gate.commit()
  }

  #until(ask: (waiter: { proceed(): void }) => void): Promise<void> {
    return new Promise((resolve) => {
      ask({ proceed: resolve })
    })
  }
}
