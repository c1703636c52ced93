/**
 * What memcached does with one key, as pure functions: from what may be stored under it and an
 * operation to the reply and to what is stored afterwards.
 *
 * Time is an interval, because the client does not know when within it the server acted.
 */
import type { Interval, Operation, Reply } from './operation.ts'

/** An instant that is known to lie between two others, in ms since 1970. */
export interface Expiry {
  readonly fromMs: number
  readonly toMs: number
}

/** Something that may be stored under a key. */
export interface State {
  /** Changes when the value is written, not when it is touched: one id, one cas value. */
  readonly id: number
  readonly value: Buffer
  readonly flags: number
  readonly expiry: Expiry | undefined
  /** When the operation that made it was answered. */
  readonly writtenMs: number
  /** The cas value, once it was seen. */
  cas: string | undefined
  /** From here on a flush has killed it. */
  flushedMs: number
}

/** One thing that an operation may do. */
export interface Effect {
  /** What it was done to; undefined is a key without an item. */
  readonly from: State | undefined
  /** A line, or the state that a get shows, or a miss. */
  readonly reply: string | State | undefined
  readonly next: State | undefined
}

/** The server reads its clock four times a second, and may be busy. */
const CLOCK_LAG_MS = 1000
const SECOND_MS = 1000
/** Above 30 days an exptime is absolute. */
const RELATIVE_MAX_S = 30 * 24 * 60 * 60
const U64_MAX = 0xffff_ffff_ffff_ffffn

/** Gives each value written a number of its own. */
export interface Ids {
  next: number
}

/** All that an operation may do to a state, or to a key without one. */
export function effectsOf(
  op: Operation,
  states: readonly (State | undefined)[],
  at: Interval,
  ids: Ids,
): Effect[] {
  const fresh = makeState(ids.next++, op.value, op.flags, expiryOf(op.exptime, at), at)
  return states.flatMap((from) =>
    from === undefined ? [onNothing(op, fresh)] : onState(op, from, fresh, at, ids),
  )
}

function onNothing(op: Operation, fresh: State): Effect {
  const done = (reply: string | undefined, next?: State): Effect => {
    return { from: undefined, reply, next }
  }
  switch (op.verb) {
    case 'set':
    case 'add':
      return done('STORED', fresh)
    case 'replace':
    case 'append':
    case 'prepend':
      return done('NOT_STORED')
    case 'get':
    case 'gat':
      return done(undefined)
    default:
      return done('NOT_FOUND')
  }
}

function onState(op: Operation, from: State, fresh: State, at: Interval, ids: Ids): Effect[] {
  const done = (reply: string | State, next: State | undefined): Effect[] => [{ from, reply, next }]
  switch (op.verb) {
    case 'set':
    case 'replace':
      return done('STORED', fresh)
    case 'add':
      return done('NOT_STORED', from)
    case 'append':
      return done('STORED', rewritten(from, Buffer.concat([from.value, op.value]), at, ids))
    case 'prepend':
      return done('STORED', rewritten(from, Buffer.concat([op.value, from.value]), at, ids))
    case 'cas': {
      const stored: Effect = { from, reply: 'STORED', next: fresh }
      const exists: Effect = { from, reply: 'EXISTS', next: from }
      if (from.cas === undefined) return [stored, exists]
      return [from.cas === op.token ? stored : exists]
    }
    case 'incr':
    case 'decr':
      return [counted(op, from, at, ids)]
    case 'touch':
      return done('TOUCHED', touched(from, op, at))
    case 'gat':
      return done(from, touched(from, op, at))
    case 'delete':
      return done('DELETED', undefined)
    default:
      return done(from, from)
  }
}

function counted(op: Operation, from: State, at: Interval, ids: Ids): Effect {
  // What strtoull takes: white space, digits, and then nothing or white space.
  const digits = /^[ \t-\r]*(\d{1,20})(?:[ \t-\r]|$)/.exec(
    from.value.toString('latin1', 0, 64),
  )?.[1]
  if (digits === undefined || from.value.length > 64) {
    const reply = 'CLIENT_ERROR cannot increment or decrement non-numeric value'
    return { from, reply, next: from }
  }
  const old = BigInt(digits)
  const less = old > op.delta ? old - op.delta : 0n
  const text = String(op.verb === 'incr' ? (old + op.delta) & U64_MAX : less)
  const value = Buffer.from(text.padEnd(from.value.length, ' '))
  return { from, reply: text, next: rewritten(from, value, at, ids) }
}

function makeState(
  id: number,
  value: Buffer,
  flags: number,
  expiry: Expiry | undefined,
  at: Interval,
): State {
  const writtenMs = at.receivedMs
  return { id, value, flags, expiry, writtenMs, cas: undefined, flushedMs: Infinity }
}

function rewritten(from: State, value: Buffer, at: Interval, ids: Ids): State {
  return makeState(ids.next++, value, from.flags, from.expiry, at)
}

function touched(from: State, op: Operation, at: Interval): State {
  return { ...from, expiry: expiryOf(op.exptime, at), writtenMs: at.receivedMs }
}

/** When an exptime that was sent within an interval will have come. */
export function expiryOf(exptime: number, at: Interval): Expiry | undefined {
  if (exptime === 0) return undefined
  if (exptime < 0) return { fromMs: 0, toMs: 0 }
  if (exptime > RELATIVE_MAX_S) {
    return { fromMs: exptime * SECOND_MS, toMs: exptime * SECOND_MS }
  }
  const inSeconds = (ms: number): number => Math.floor(ms / SECOND_MS) * SECOND_MS
  return {
    fromMs: inSeconds(at.sentMs - CLOCK_LAG_MS) + exptime * SECOND_MS,
    toMs: inSeconds(at.receivedMs) + exptime * SECOND_MS,
  }
}

/** Why an operation that was sent at an instant cannot have met a state; undefined if it can. */
export function deathOf(state: State, sentMs: number): 'expired' | 'flushed' | undefined {
  const { expiry, flushedMs } = state
  // What was over when it was written needs no clock to be over.
  if (expiry !== undefined && (expiry.toMs === 0 || expiry.toMs + CLOCK_LAG_MS <= sentMs)) {
    return 'expired'
  }
  return flushedMs < sentMs ? 'flushed' : undefined
}

/** Whether nothing but a fault can have ended a state before an instant. */
export function outlasts(state: State, untilMs: number): boolean {
  if (state.flushedMs !== Infinity) return false
  return state.expiry === undefined || state.expiry.fromMs > untilMs
}

/** Whether an effect would have been answered so. */
export function answers(effect: Effect, reply: Reply): boolean {
  const expected = effect.reply
  if (typeof expected === 'string') return reply.kind === 'line' && reply.line === expected
  if (expected === undefined) return reply.kind === 'miss'
  return reply.kind === 'hit' && shows(expected, reply) && hasCas(expected, reply)
}

export function shows(state: State, reply: Reply): boolean {
  if (reply.kind !== 'hit') return false
  return reply.hit.flags === state.flags && reply.hit.value.equals(state.value)
}

function hasCas(state: State, reply: Reply): boolean {
  return reply.kind === 'hit' && (state.cas === undefined || state.cas === reply.hit.cas)
}
