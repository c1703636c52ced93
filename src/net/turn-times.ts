/**
 * Where the time of one client's commands goes: from the arrival of their bytes, over turns that others
 * have and waits for the disk, to the write of their replies. One for each connection, where that is
 * measured.
 *
 * ```
 *  bytes come          others have their turn      the disk is awaited         replies leave
 *      |── run ──|────────── queue ──────────|── run ──|──── disk ────|── run ──|
 * ```
 */
import type { Socket } from 'node:net'
import { slotOfRun, slotOfStored } from '../commands/command-class.ts'
import type { Request } from '../message/request.ts'
import { countOf } from '../observe/command-latency.ts'
import { WAITING } from './command-in-progress.ts'
import type { CommandInProgress, Waiting } from './command-in-progress.ts'
import type { HeldReplies } from './held-replies.ts'
import { SEVERAL, nameOf } from './turn-record.ts'
import type { NamedCommand, TurnRecord } from './turn-record.ts'

const US_PER_MS = 1000

export class TurnTimes {
  readonly #record: TurnRecord
  /** When the bytes came, when this turn began, how long the disk took before it. */
  #sinceMs = 0
  #turnMs = 0
  #diskMs = 0
  /** When waiting for the disk began. */
  #suspendedMs = 0

  constructor(record: TurnRecord) {
    this.#record = record
  }

  /** Bytes have come: a turn begins. */
  received(): void {
    this.#sinceMs = this.#record.clock.elapsedMs()
    this.#turnMs = this.#sinceMs
    this.#diskMs = 0
  }

  /** A turn begins with bytes that came before. */
  resumed(): void {
    this.#turnMs = this.#record.clock.elapsedMs()
  }

  /** The disk is awaited. */
  suspended(): void {
    this.#suspendedMs = this.#record.clock.elapsedMs()
  }

  /** And has done what was wanted. */
  proceeded(): void {
    this.#diskMs += this.#record.clock.elapsedMs() - this.#suspendedMs
  }

  /** The replies of what was answered have left, or are held back. `command` is the last of the turn. */
  sent(command: CommandInProgress, held: HeldReplies | null, socket: Socket): void {
    const { clock, latency, sample, slowMs } = this.#record
    if (!latency.hasAnswered) return
    if (sample !== null) sample.turnEnded()
    if (held !== null) {
      this.#hold(command, held)
      return
    }
    const nowMs = clock.elapsedMs()
    const totalMs = nowMs - this.#sinceMs
    if (totalMs >= slowMs) {
      const times = { totalMs, runMs: nowMs - this.#turnMs, diskMs: this.#diskMs }
      this.#record.noteSlow(this.#named(command), clientOf(socket), latency.answeredCount, times)
    }
    latency.sent(totalMs * US_PER_MS)
  }

  /** Lets them wait until the disk has what they acknowledge. */
  #hold(command: CommandInProgress, held: HeldReplies): void {
    const { latency, slowLog } = this.#record
    this.suspended()
    held.answered = latency.take()
    held.last = slowLog === null ? SEVERAL : this.#named(command)
  }

  /** Replies that were held back have left. */
  sentLate({ answered, last }: HeldReplies, socket: Socket): void {
    if (answered === null) return
    const runMs = this.#suspendedMs - this.#turnMs
    this.proceeded()
    const { clock, latency, slowMs } = this.#record
    const totalMs = clock.elapsedMs() - this.#sinceMs
    if (totalMs >= slowMs) {
      const times = { totalMs, runMs, diskMs: this.#diskMs }
      this.#record.noteSlow(last, clientOf(socket), countOf(answered), times)
    }
    latency.sentLate(answered, totalMs * US_PER_MS)
  }

  /** The last command, unless it is not over: then it is not to be blamed for what came before it. */
  #named({ request, waiting }: CommandInProgress): NamedCommand {
    return waiting === WAITING.NOTHING ? nameOf(request, this.#record.heap) : SEVERAL
  }
}

/** Where a command is counted that waited for the disk. */
export function slotOfWaited(request: Request, waiting: Waiting): number {
  return waiting === WAITING.TO_RUN ? slotOfRun(request, true) : slotOfStored(request, true)
}

function clientOf({ remoteAddress, remotePort }: Socket): string {
  return remoteAddress === undefined ? 'unix' : `${remoteAddress}:${remotePort}`
}
