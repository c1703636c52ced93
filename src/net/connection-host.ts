/** What all connections have in common. */
import type { CommandContext } from '../commands/context.ts'
import type { DiskGate } from '../engine/disk-gate.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Protocols } from '../protocol/select.ts'
import type { TurnScratch } from './command-in-progress.ts'
import type { Connection } from './connection.ts'
import type { InflightBytes } from './inflight-bytes.ts'
import type { IoArea } from './io-area.ts'
import type { ReplyPins } from './reply-pins.ts'
import type { ReadMode } from './socket-reader.ts'
import type { SocketWriter } from './socket-writer.ts'
import type { TurnRecord } from './turn-record.ts'

export interface ConnectionLimits {
  /** Commands handled before others get their turn. */
  readonly commandsPerTurn: number
  /** Reply bytes that may wait for this client before its commands are no longer read. */
  readonly pendingOutputBytes: number
}

export interface ConnectionHost {
  readonly io: IoArea
  readonly scratch: TurnScratch
  readonly protocols: Protocols
  readonly context: CommandContext
  readonly disk: DiskGate
  readonly pins: ReplyPins
  /** Null where nothing is measured. */
  readonly turns: TurnRecord | null
  readonly metrics: Metrics
  readonly limits: ConnectionLimits
  readonly inflight: InflightBytes
  readonly readMode: ReadMode
  readonly writer: SocketWriter
  /**
   * What is sent has to be copied: the sockets keep it for longer than their `writableLength` is of use.
   * So it is with TLS, which always ends a write later.
   */
  readonly copiesOutput: boolean
  /** The connection is over. */
  closed(connection: Connection, error: Error | null): void
}
