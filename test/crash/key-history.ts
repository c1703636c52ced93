/**
 * Everything that is known of one key: the states that it may be in, and what it once was.
 *
 * A cache may lose anything, so a key without an item is always possible; `isCertain` says that it
 * would be a loss. More than one state is possible only after a crash, or a request without a
 * reply; the first reply that tells them apart leaves one.
 */
import { answers, deathOf, effectsOf, expiryOf, outlasts, shows } from './item-state.ts'
import type { Effect, Ids, State } from './item-state.ts'
import { describeOperation, describeReply, mutates } from './operation.ts'
import type { Interval, Operation, Reply } from './operation.ts'

export const FAULTS = ['stale', 'resurrected', 'wrong', 'cas', 'protocol'] as const
export type Fault = (typeof FAULTS)[number]

export interface Verdict {
  /** What is wrong with the reply. */
  readonly fault?: Fault
  readonly why?: string
  /** It misses a state that had no reason to leave. */
  readonly lost?: State
  /** It shows an item that an earlier reply had missed: odd, but not stale. */
  readonly reappeared?: boolean
  /** The state that a get showed. */
  readonly shown?: State
}

/** Operations that are remembered for the report. */
const LOG_LINES = 12
/** What expires this soon may be refused by the disk: its absence is no loss. */
const LASTING_MS = 60_000
/** Bytes of each end of a value that tell it from others. */
const PRINT_BYTES = 24

export class KeyHistory {
  readonly key: string
  states: State[] = []
  /** One of the states must be there. */
  isCertain = false
  /** When the item was last known to be there. */
  seenMs = 0
  readonly #log: string[] = []
  /** Fingerprints of all that was ever stored. */
  readonly #past = new Set<string>()
  /** States that were missed though nothing had ended them. */
  #missed: State[] = []
  #missedMs = 0
  /** A reply could not be explained, and does not tell what is stored: the next one will. */
  #isUnknown = false
  /** What removed the last state. */
  #end = 'never stored'

  constructor(key: string) {
    this.key = key
  }

  /** The last operations, oldest first. */
  get log(): readonly string[] {
    return this.#log
  }

  /** Learns from a reply. `isSure` is false while a flush may have come in between. */
  answered(op: Operation, reply: Reply, at: Interval, isSure: boolean, ids: Ids): Verdict {
    this.#note(op, describeReply(reply), at)
    if (reply.kind === 'line' && /^(?:SERVER_)?ERROR/.test(reply.line)) {
      return this.#failed(op, reply.line)
    }
    if (this.#isUnknown && !this.#isKnownBy(op, reply, ids)) return {}
    const alive = this.#alive(at)
    const effects = effectsOf(op, [...alive, undefined], at, ids).filter((one) =>
      answers(one, reply),
    )
    if (effects.length === 0) return this.#unexpected(op, reply, at, ids)
    const hits = effects.filter(({ from }) => from !== undefined)
    if (hits.length > 0) {
      this.#become(hits, op, isSure)
      this.seenMs = at.receivedMs
      return shownBy(hits, reply)
    }
    const lost = this.#lost(alive, at)
    const before = this.states.length > 0 ? this.states : this.#missed
    this.#become(effects, op, isSure)
    if (this.states.length > 0) this.seenMs = at.receivedMs
    else if (op.verb !== 'delete') this.#missing(before, at)
    return lost === undefined ? {} : { lost }
  }

  /** A request without a reply was carried out, as a later reply tells. */
  obeyed(op: Operation, at: Interval, isSure: boolean, ids: Ids): void {
    this.#note(op, 'noreply, carried out', at)
    const alive = this.#alive(at)
    const effects = effectsOf(op, [...alive, undefined], at, ids)
    const hits = effects.filter(({ from }) => from !== undefined)
    const wasThere = this.states.every((state) => outlasts(state, at.receivedMs))
    const wasCertain = this.isCertain && wasThere && hits.length > 0
    const expected = wasCertain ? hits : effects
    this.#become(effects, op, isSure)
    this.isCertain = isSure && expected.every(({ next }) => next !== undefined)
    // A condition that nobody has seen hold proves nothing.
    if (effects.every(({ next }) => next !== undefined)) this.seenMs = at.receivedMs
  }

  /** The server was killed before it answered: the operation has happened, or not. */
  unanswered(op: Operation, at: Interval, ids: Ids): void {
    if (!mutates(op)) return
    this.#note(op, 'killed', at)
    const states = new Set(this.#alive(at))
    for (const { next } of effectsOf(op, [...states, undefined], at, ids)) {
      if (next !== undefined) states.add(next)
    }
    this.#take([...states])
    this.isCertain = false
  }

  /** A flush within an interval was answered: it ends what was stored before it was sent. */
  flushed(sentMs: number, doneMs: number): void {
    this.isCertain = false
    for (const state of [...this.states, ...this.#missed]) {
      if (state.writtenMs < sentMs) state.flushedMs = Math.min(state.flushedMs, doneMs)
    }
  }

  remark(text: string): void {
    this.#push(text)
  }

  /** Ends the ignorance that a fault has left behind, where a reply can. */
  #isKnownBy(op: Operation, reply: Reply, ids: Ids): boolean {
    const isKnown = op.verb === 'set' || op.verb === 'delete' || reply.kind !== 'line'
    if (!isKnown) return false
    this.#isUnknown = false
    if (reply.kind === 'hit') {
      const { value, flags, cas } = reply.hit
      const writtenMs = 0
      const flushedMs = Infinity
      this.#take([{ id: ids.next++, value, flags, expiry: undefined, writtenMs, cas, flushedMs }])
    }
    return true
  }

  #alive(at: Interval): State[] {
    return this.states.filter((state) => deathOf(state, at.sentMs) === undefined)
  }

  #lost(alive: readonly State[], at: Interval): State | undefined {
    if (!this.isCertain) return undefined
    if (!this.states.every((state) => outlasts(state, at.receivedMs + LASTING_MS))) return undefined
    return alive[0]
  }

  #become(effects: readonly Effect[], op: Operation, isSure: boolean): void {
    this.#missed = []
    const wasCertain = this.isCertain
    this.#take([...new Set(effects.flatMap(({ next }) => next ?? []))])
    if (this.states.length === 0 && mutates(op)) {
      if (effects.some(({ from }) => from !== undefined)) this.#end = `${op.verb} had ended it`
    }
    // An item that a get shows is there, and yet may have been flushed since.
    this.isCertain = this.states.length > 0 && (isSure || (wasCertain && !mutates(op)))
  }

  /**
   * Keeps what a reply has missed. Another connection may have asked before, and seen it, though it
   * hears of that later.
   */
  #missing(states: readonly State[], at: Interval): void {
    this.#missed = [...states]
    this.#missedMs = at.receivedMs
  }

  #take(states: State[]): void {
    this.states = states
    for (const { value, flags } of states) this.#past.add(fingerprint(value, flags))
  }

  /** An error says that nothing was stored; a set that fails leaves no old value, either. */
  #failed(op: Operation, line: string): Verdict {
    this.isCertain = false
    if (op.verb === 'set') {
      this.states = []
      this.#end = 'a set had failed'
    }
    return line.startsWith('SERVER_ERROR') ? {} : { fault: 'protocol', why: line }
  }

  /** No possible state explains a reply: says what it is, and believes it from here on. */
  #unexpected(op: Operation, reply: Reply, at: Interval, ids: Ids): Verdict {
    const again = effectsOf(
      op,
      this.#missed.filter((state) => deathOf(state, at.sentMs) === undefined),
      at,
      ids,
    ).filter((one) => answers(one, reply))
    if (again.length > 0) {
      const reappeared = at.sentMs > this.#missedMs
      this.#become(again, op, false)
      this.isCertain = false
      this.seenMs = at.receivedMs
      return { ...shownBy(again, reply), reappeared }
    }
    const verdict = this.#accuse(reply, at)
    this.#missed = []
    this.isCertain = false
    if (reply.kind === 'hit') {
      const { value, flags, cas } = reply.hit
      const state: State = {
        id: ids.next++,
        value,
        flags,
        expiry: op.verb === 'gat' ? expiryOf(op.exptime, at) : undefined,
        writtenMs: at.receivedMs,
        cas,
        flushedMs: Infinity,
      }
      this.#take([state])
    } else {
      this.states = []
      this.#isUnknown = op.verb !== 'delete'
    }
    return verdict
  }

  #accuse(reply: Reply, at: Interval): Verdict {
    const alive = this.#alive(at)
    const dead = this.states.map((state) => deathOf(state, at.sentMs)).find(Boolean)
    const end = dead === undefined ? this.#end : `it had ${dead}`
    if (reply.kind === 'hit') {
      if (alive.some((state) => shows(state, reply))) {
        const seen = alive.map((state) => state.cas ?? '?').join(' or ')
        return { fault: 'cas', why: `the cas value of this item was ${seen}` }
      }
      const wasThere = this.#past.has(fingerprint(reply.hit.value, reply.hit.flags))
      if (!wasThere) return { fault: 'wrong', why: 'nobody has ever stored this' }
      if (alive.length === 0) return { fault: 'resurrected', why: end }
      return { fault: 'stale', why: 'it has been overwritten' }
    }
    if (reply.kind === 'line' && reply.line.startsWith('CLIENT_ERROR') && alive.length > 0) {
      return { fault: 'protocol', why: reply.line }
    }
    if (alive.length === 0) return { fault: 'resurrected', why: end }
    if (reply.kind === 'line' && /^\d+$/.test(reply.line)) {
      return { fault: 'stale', why: 'it was counted from another number' }
    }
    if (reply.kind === 'line' && /^(?:STORED|EXISTS)$/.test(reply.line)) {
      const seen = alive.map((state) => state.cas ?? '?').join(' or ')
      return { fault: 'cas', why: `the cas value of this item was ${seen}` }
    }
    return { fault: 'protocol', why: 'no answer to this request' }
  }

  #note(op: Operation, outcome: string, at: Interval): void {
    const span = `${clockTime(at.sentMs)} +${Math.round(at.receivedMs - at.sentMs)}ms`
    this.#push(`${span} ${describeOperation(op)} → ${outcome}`)
  }

  #push(line: string): void {
    this.#log.push(line)
    if (this.#log.length > LOG_LINES) this.#log.shift()
  }
}

export function clockTime(ms: number): string {
  return new Date(ms).toISOString().slice(14, 23)
}

/** Which state a hit shows, with the cas value that is known of it now. */
function shownBy(effects: readonly Effect[], reply: Reply): Verdict {
  if (reply.kind !== 'hit') return {}
  const states = effects.flatMap(({ from }) => from ?? [])
  const shown = states.find(({ cas }) => cas === reply.hit.cas) ?? states[0]
  if (shown === undefined) return {}
  for (const { from, next } of effects) {
    if (from?.id === shown.id) from.cas = reply.hit.cas
    if (next?.id === shown.id) next.cas = reply.hit.cas
  }
  return { shown }
}

function fingerprint(value: Buffer, flags: number): string {
  const start = value.toString('latin1', 0, PRINT_BYTES)
  const end = value.toString('latin1', Math.max(0, value.length - PRINT_BYTES))
  return `${flags} ${value.length} ${start} ${end}`
}
