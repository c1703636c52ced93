/**
 * What is noted of the turns of all clients: how long commands took, which of them took too long, and,
 * in one turn of many, the keys.
 */
import { isStorage, wordOf } from '../commands/command-class.ts'
import type { Request } from '../message/request.ts'
import type { Clock } from '../observe/clock.ts'
import type { CommandLatency } from '../observe/command-latency.ts'
import type { KeySample } from '../observe/key-sample.ts'
import type { SlowLog } from '../observe/slow-log.ts'

const US_PER_MS = 1000

/** A command by its name and key, as text. */
export interface NamedCommand {
  readonly word: string
  readonly key: string
}

/** Where the time of a turn went, in milliseconds; what is left was spent in waiting for the turn. */
export interface TurnTimes {
  readonly totalMs: number
  readonly runMs: number
  readonly diskMs: number
}

/** A turn whose last command is not over: it is not to be blamed for what came before. */
export const SEVERAL: NamedCommand = { word: 'several', key: '' }

export class TurnRecord {
  readonly clock: Clock
  readonly latency: CommandLatency
  readonly slowLog: SlowLog | null
  readonly sample: KeySample | null
  /** Where items are. */
  readonly heap: Buffer
  /** A turn that takes as long is slow. */
  readonly slowMs: number

  constructor(
    clock: Clock,
    latency: CommandLatency,
    slowLog: SlowLog | null,
    sample: KeySample | null,
    heap: Buffer,
  ) {
    this.sample = sample
    this.heap = heap
    this.clock = clock
    this.latency = latency
    this.slowLog = slowLog
    this.slowMs = slowLog === null ? Infinity : slowLog.thresholdUs / US_PER_MS
  }

  /** Puts a turn into the slow log, under the name of its last command. */
  noteSlow(command: NamedCommand, client: string, commands: number, times: TurnTimes): void {
    const { totalMs, runMs, diskMs } = times
    const totalUs = Math.round(totalMs * US_PER_MS)
    const runUs = Math.min(totalUs, Math.round(runMs * US_PER_MS))
    const diskUs = Math.min(totalUs - runUs, Math.round(diskMs * US_PER_MS))
    this.slowLog?.add({
      timeMs: Math.floor(this.clock.wallUs() / US_PER_MS),
      command: command.word,
      key: command.key,
      client,
      totalUs,
      queueUs: totalUs - runUs - diskUs,
      runUs,
      diskUs,
      commands,
    })
  }
}

/** The command of a request that is over, as long as its turn lasts. `heap` has what is stored. */
export function nameOf(request: Request, heap: Buffer): NamedCommand {
  const { op, bytes, keyStart, keyBytes, valueStart } = request
  // The input with the key is gone where a value came in pieces; an item has its key before its value.
  const isInHeap = isStorage(op) && valueStart > 0
  const buffer = isInHeap ? heap : bytes.buffer
  const start = isInHeap ? valueStart - keyBytes : keyStart
  return { word: wordOf(request), key: buffer.toString('latin1', start, start + keyBytes) }
}
