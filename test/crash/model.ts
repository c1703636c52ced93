/**
 * What a cache may answer, given all that it has acknowledged: the judge of every reply.
 *
 * Keys are told apart by `KeyHistory`; here is what concerns all of them: flushes, the deaths of the
 * server, and cas values, which name one value of one key over all lives of the server.
 */
import { KeyHistory, clockTime } from './key-history.ts'
import type { Fault, Verdict } from './key-history.ts'
import type { Ids, State } from './item-state.ts'
import { mutates } from './operation.ts'
import type { Interval, Operation, Reply } from './operation.ts'

export const POLICIES = ['write-behind', 'write-through', 'on-evict'] as const
export type Policy = (typeof POLICIES)[number]

export interface Expectations {
  /** `memory`: everything may be gone at any time. */
  readonly policy: Policy | 'memory'
  /** Everything fits the disk, so nothing has to leave it. */
  readonly isRoomy: boolean
  /** Age of a mutation that write-behind may lose. */
  readonly windowMs: number
}

export interface Finding {
  readonly fault: Fault | 'lost'
  readonly key: string
  readonly why: string
  readonly history: readonly string[]
}

/** What is counted. Those of `Fault`, and `lost`, are violations. */
export interface Tally {
  acknowledged: number
  flushes: number
  checked: number
  misses: number
  /** Losses that the policy allows, and the age of the oldest of them when the server was killed. */
  lostAllowed: number
  lostOldestMs: number
  reappeared: number
  /** Requests that were answered SERVER_ERROR. */
  refused: number
  stale: number
  resurrected: number
  wrong: number
  cas: number
  protocol: number
  lost: number
}

/** A delayed flush comes at a full second that the server notices within another one. */
const FLUSH_LAG_MS = 1500

interface Flush {
  readonly op: Operation
  readonly sentMs: number
  /** Until when it may have been carried out. */
  doneMs: number
}

interface Death {
  readonly atMs: number
  readonly isClean: boolean
}

export class Model {
  readonly tally: Tally = emptyTally()
  readonly findings: Finding[] = []
  readonly #expectations: Expectations
  readonly #keys = new Map<string, KeyHistory>()
  readonly #ids: Ids = { next: 1 }
  readonly #flushes: Flush[] = []
  readonly #deaths: Death[] = []
  /** Which value each cas value names. */
  readonly #named = new Map<string, string>()

  constructor(expectations: Expectations) {
    this.#expectations = expectations
  }

  /** Every key that was ever used. */
  get keys(): string[] {
    return [...this.#keys.keys()]
  }

  history(key: string): KeyHistory {
    let history = this.#keys.get(key)
    if (history === undefined) {
      history = new KeyHistory(key)
      this.#keys.set(key, history)
    }
    return history
  }

  /** No flush is under way at an instant. */
  isCalm(nowMs: number): boolean {
    return this.#flushes.every(({ doneMs }) => doneMs < nowMs)
  }

  /** An operation leaves the client. */
  sending(op: Operation, sentMs: number): void {
    if (op.verb !== 'flush_all') return
    this.#flushes.push({ op, sentMs, doneMs: Infinity })
    for (const history of this.#keys.values()) history.isCertain = false
  }

  /** An operation was answered, or (without a reply) one after it. */
  answered(op: Operation, reply: Reply | undefined, at: Interval): void {
    if (op.verb === 'version') return
    this.tally.acknowledged++
    if (op.verb === 'flush_all') {
      this.#flushed(op, at)
      return
    }
    const history = this.history(op.key)
    const isSure = this.#flushes.every(
      ({ sentMs, doneMs }) => doneMs < at.sentMs || at.receivedMs < sentMs,
    )
    if (reply === undefined) {
      history.obeyed(op, at, isSure, this.#ids)
      return
    }
    if (reply.kind === 'miss') this.tally.misses++
    if (reply.kind === 'line' && reply.line.startsWith('SERVER_ERROR')) this.tally.refused++
    const seenMs = history.seenMs
    const verdict = history.answered(op, reply, at, isSure, this.#ids)
    this.#judge(history, verdict, reply, seenMs, at)
  }

  /** The server died with these operations unanswered, in the order in which they were sent. */
  unanswered(operations: readonly { op: Operation; sentMs: number }[], diedMs: number): void {
    for (const { op, sentMs } of operations) {
      const at = { sentMs, receivedMs: diedMs }
      if (op.verb === 'flush_all') this.#endFlush(op, diedMs)
      else if (mutates(op)) this.history(op.key).unanswered(op, at, this.#ids)
    }
  }

  /** The server was killed, or stopped cleanly. */
  died(atMs: number, isClean: boolean): void {
    this.#deaths.push({ atMs, isClean })
    // Without a disk there is nothing to remember the last cas value by.
    if (this.#expectations.policy === 'memory') this.#named.clear()
    const text = isClean ? 'stopped' : 'killed'
    for (const history of this.#keys.values()) history.remark(`--- ${text} at ${clockTime(atMs)}`)
  }

  /** Something that concerns no key: a server that hangs up, hangs, or does not start. */
  accuse(why: string): void {
    this.#find('protocol', '', why, [])
  }

  #flushed(op: Operation, at: Interval): void {
    this.tally.flushes++
    const flush = this.#endFlush(op, at.receivedMs)
    if (flush === undefined) return
    for (const history of this.#keys.values()) history.flushed(flush.sentMs, flush.doneMs)
  }

  #endFlush(op: Operation, atMs: number): Flush | undefined {
    const flush = this.#flushes.find((one) => one.op === op)
    if (flush !== undefined) {
      flush.doneMs = atMs + (op.exptime > 0 ? op.exptime * 1000 + FLUSH_LAG_MS : 0)
    }
    return flush
  }

  #judge(history: KeyHistory, verdict: Verdict, reply: Reply, seenMs: number, at: Interval): void {
    const { fault, why, lost, reappeared, shown } = verdict
    if (fault !== undefined) {
      this.#find(fault, history.key, why ?? '', history.log)
      // What is wrong already is not to be wrong once more under another name.
      if (reply.kind === 'hit') this.#named.delete(reply.hit.cas)
    }
    if (reappeared === true) this.tally.reappeared++
    if (lost !== undefined) this.#judgeLoss(history, lost, seenMs, at)
    if (shown === undefined || reply.kind !== 'hit') return
    const { cas } = reply.hit
    const name = `value ${shown.id} of ${history.key}`
    const known = this.#named.get(cas)
    this.#named.set(cas, name)
    if (known !== undefined && known !== name) {
      this.#find('cas', history.key, `cas ${cas} was that of ${known}, not ${name}`, history.log)
    }
  }

  /**
   * A loss is measured by the first death after the item was last known to be there. What a request
   * without a reply has made of it since was perhaps never there, or was lost in a death after that.
   */
  #judgeLoss(history: KeyHistory, state: State, seenMs: number, at: Interval): void {
    const death = this.#deathFrom(seenMs)
    const ageMs = (death?.atMs ?? at.receivedMs) - state.writtenMs
    const later = this.#deathFrom(state.writtenMs)
    const isUnseen = state.writtenMs > seenMs && later !== undefined
    const laterAgeMs = (later?.atMs ?? at.receivedMs) - state.writtenMs
    if (!this.#mayLose(death, ageMs) && !(isUnseen && this.#mayLose(later, laterAgeMs))) {
      const when =
        death === undefined ? 'while it ran' : death.isClean ? 'in a clean stop' : 'in a kill'
      this.#find('lost', history.key, `lost ${when}, ${ageMs.toFixed(0)} ms old`, history.log)
      return
    }
    this.tally.lostAllowed++
    this.tally.lostOldestMs = Math.max(this.tally.lostOldestMs, ageMs)
  }

  #deathFrom(ms: number): Death | undefined {
    return this.#deaths.find(({ atMs }) => atMs >= ms)
  }

  #mayLose(death: Death | undefined, ageMs: number): boolean {
    const { policy, isRoomy, windowMs } = this.#expectations
    if (policy === 'memory' || !isRoomy) return true
    if (death === undefined || death.isClean || policy === 'write-through') return false
    return policy === 'on-evict' || ageMs <= windowMs
  }

  #find(fault: Finding['fault'], key: string, why: string, history: readonly string[]): void {
    this.tally[fault]++
    this.findings.push({ fault, key, why, history: [...history] })
  }
}

export function emptyTally(): Tally {
  return {
    acknowledged: 0,
    flushes: 0,
    checked: 0,
    misses: 0,
    lostAllowed: 0,
    lostOldestMs: 0,
    reappeared: 0,
    refused: 0,
    stale: 0,
    resurrected: 0,
    wrong: 0,
    cas: 0,
    protocol: 0,
    lost: 0,
  }
}
