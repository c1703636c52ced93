/**
 * A command from its first byte to its answer, which may be more than one event apart: its fields, how
 * far its value has come, how much of it is still to be skipped.
 *
 * Nearly every command is over when the event is over that it came in. So connections share one of
 * these, and one input window; only who is in the middle of a command has its own. A thousand idle
 * connections then have a thousand records less to be fetched from memory.
 */
import { bytesOf, copyBytes, isLineEnd } from '../bytes/ascii.ts'
import type { Bytes } from '../bytes/ascii.ts'
import { InputWindow } from '../bytes/input-window.ts'
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import type { CommandContext } from '../commands/context.ts'
import { run } from '../commands/dispatch.ts'
import { BEGUN, begin, finish } from '../commands/storage.ts'
import type { DiskGate } from '../engine/disk-gate.ts'
import { OP, PARSED } from '../message/codes.ts'
import type { Parsed, Ran } from '../message/codes.ts'
import type { Protocol } from '../message/protocol.ts'
import type { Reply } from '../message/reply.ts'
import { Request } from '../message/request.ts'
import { METRIC } from '../observe/metrics.ts'
import type { Metrics } from '../observe/metrics.ts'
import { ValueIntake } from './value-intake.ts'

/** What a command whose item is on disk waits for. */
export const WAITING = {
  NOTHING: 0,
  /** To be run again. */
  TO_RUN: 1,
  /** Its value is there: to be finished again. */
  TO_FINISH: 2,
} as const

export type Waiting = (typeof WAITING)[keyof typeof WAITING]

/** Items that are loaded ahead for one connection: as many as are read together at little cost. */
const PRELOADED_MAX = 64
/** A key has at most as many bytes; its length is stored in one. */
const KEPT_KEY_BYTES = 256

export class CommandInProgress {
  readonly request: Request
  readonly intake: ValueIntake = new ValueIntake()
  waiting: Waiting = WAITING.NOTHING
  #keptKey: Bytes | null = null
  /** Bytes of a refused value that are still to be skipped before its refusal is answered. */
  swallowBytes = 0

  constructor(bytes: Bytes) {
    this.request = new Request(bytes)
  }

  get unfinished(): boolean {
    return (
      this.intake.active ||
      this.swallowBytes > 0 ||
      this.request.continues ||
      this.waiting !== WAITING.NOTHING
    )
  }

  /** Bytes that are kept free for a value that has come in part. */
  get reservedBytes(): number {
    return this.intake.active ? this.request.valueBytes : 0
  }

  /** Lets the command wait, with a key of its own: the input that holds it will be gone by then. */
  wait(waiting: Waiting): void {
    this.waiting = waiting
    const { request } = this
    // allocates: for the first command of a connection that waits for the disk
    this.#keptKey ??= bytesOf(Buffer.allocUnsafeSlow(KEPT_KEY_BYTES))
    copyBytes(this.#keptKey, 0, request.bytes, request.keyStart, request.keyBytes)
    request.bytes = this.#keptKey
    request.keyStart = 0
  }
}

/** What connections lend each other: nearly every command is over when its event is. */
/** Commands that wait take one each; as many are kept for those that come next. */
const SPARES_MAX = 64

export class TurnScratch {
  readonly input: InputWindow
  /** For looking at commands before their turn. */
  readonly inputAhead: InputWindow
  readonly requestAhead: Request
  command: CommandInProgress
  readonly #bytes: Bytes
  readonly #spares: CommandInProgress[] = []

  constructor(bytes: Bytes) {
    this.input = new InputWindow(bytes)
    this.inputAhead = new InputWindow(bytes)
    this.requestAhead = new Request(bytes)
    this.#bytes = bytes
    this.command = new CommandInProgress(bytes)
  }

  /** Gives the command at hand to a connection that is not through with it. */
  lend(): CommandInProgress {
    const { command } = this
    // allocates: as many as there are connections in the middle of a command
    this.command = this.#spares.pop() ?? new CommandInProgress(this.#bytes)
    return command
  }

  /** Takes back a command that is over. */
  takeBack(command: CommandInProgress): void {
    if (this.#spares.length < SPARES_MAX) this.#spares.push(command)
  }
}

/** Looks for the keys of the next commands, and fetches what they need from memory: for all at once. */
export function prefetchAhead(
  { cache }: CommandContext,
  protocol: Protocol,
  input: InputWindow,
  request: Request,
): void {
  const { ahead } = input
  if (!ahead.isDue(input.start, input.end)) return
  protocol.lookAhead(input, request.continues)
  if (ahead.count > 0) cache.prefetch(ahead)
}

/** Runs a command again that had to wait for its item. */
export function runAgain(
  context: CommandContext,
  { request }: CommandInProgress,
  waiting: Waiting,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  return waiting === WAITING.TO_RUN
    ? run(context, request, reply, out)
    : finish(context, request, reply, out)
}

/**
 * A storage command has been read: finds a place for its value, or stores it if it is there. Returns
 * whether it is stored.
 */
export function beginValue(
  context: CommandContext,
  command: CommandInProgress,
  input: InputWindow,
  reply: Reply,
  out: OutputBuffer,
): boolean {
  const { request } = command
  const total = request.valueBytes + request.trailerBytes
  const wholeAt = isWhole(request, input) ? input.start : -1
  const begun = begin(context, request, wholeAt, reply, out)
  if (begun === BEGUN.RESERVED) command.intake.begin()
  else if (begun === BEGUN.STORED) input.start += total
  else if (total > 0) command.swallowBytes = total
  else reply.outcome(out, request, request.outcome)
  return begun === BEGUN.STORED
}

/** Whether the value of a request stands whole and well closed in the window. */
function isWhole(request: Request, input: InputWindow): boolean {
  const end = input.start + request.valueBytes
  if (end + request.trailerBytes > input.end) return false
  return request.trailerBytes === 0 || isLineEnd(input.bytes.buffer, end)
}

/** Deals with what is not a request. Returns whether to hang up. */
export function refuse(
  parsed: Parsed,
  command: CommandInProgress,
  reply: Reply,
  out: OutputBuffer,
  metrics: Metrics,
): boolean {
  const { request } = command
  if (parsed === PARSED.REFUSED) {
    command.swallowBytes = request.swallowBytes
    if (request.swallowBytes === 0) reply.outcome(out, request, request.outcome)
    return false
  }
  if (parsed === PARSED.MALFORMED) reply.outcome(out, request, request.outcome)
  if (parsed === PARSED.LINE_TOO_LONG) metrics.count(METRIC.LINES_TOO_LONG)
  return true
}

/** Skips input of a refused value. Returns whether all of it is skipped. */
export function swallow(command: CommandInProgress, input: InputWindow): boolean {
  const length = Math.min(command.swallowBytes, input.end - input.start)
  input.start += length
  command.swallowBytes -= length
  return command.swallowBytes === 0
}

/**
 * Looks at the commands behind one that waits for the disk, and has the items loaded that they will
 * ask for: so a long multiget waits for the disk once rather than once a key.
 */
export function preloadAhead(
  disk: DiskGate,
  protocol: Protocol,
  request: Request,
  scratch: TurnScratch,
): void {
  const { input, inputAhead, requestAhead } = scratch
  inputAhead.show(input.bytes, input.start, input.end)
  requestAhead.op = request.op
  requestAhead.continues = request.continues
  for (let i = 0; i < PRELOADED_MAX && inputAhead.start < inputAhead.end; i++) {
    if (protocol.parse(inputAhead, requestAhead) !== PARSED.READY) break
    const { op, bytes, keyStart, keyBytes } = requestAhead
    if (keyBytes > 0 && op !== OP.STATS) disk.preload(bytes, keyStart, keyBytes)
  }
}
