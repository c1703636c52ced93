/**
 * Replies that acknowledge changes which are not on disk yet (`l2.write_policy = "write-through"`): copies,
 * since the output area is everybody's.
 */
import type { Socket } from 'node:net'
import { SENT } from './socket-writer.ts'
import type { SocketWriter, WriteDone } from './socket-writer.ts'
import type { Answered } from '../observe/command-latency.ts'
import { SEVERAL } from './turn-record.ts'
import type { NamedCommand } from './turn-record.ts'

export class HeldReplies {
  readonly #writer: SocketWriter | null
  readonly #parts: Buffer[] = []
  bytes = 0
  /** The commands whose replies these are, where that is measured. */
  answered: Answered | null = null
  /** The last of them. */
  last: NamedCommand = SEVERAL

  /** `writer`: null where nothing goes straight to the handle. */
  constructor(writer: SocketWriter | null) {
    this.#writer = writer
  }

  add(bytes: Buffer): void {
    this.#parts.push(Buffer.from(bytes))
    this.bytes += bytes.length
  }

  /**
   * Sends them, straight where nothing `waits` before them; then returns how much of it the system has
   * not taken, until `done`.
   */
  sendTo(socket: Socket, waits: boolean, done: WriteDone): number {
    if (socket.destroyed) return 0
    const isOne = this.#parts.length === 1 && !waits && socket.writableLength === 0
    if (isOne && this.#writer !== null) {
      const sent = this.#writer.send(socket, this.#parts[0]!, done)
      return sent === SENT.QUEUED ? this.bytes : 0
    }
    socket.cork()
    for (const part of this.#parts) socket.write(part)
    socket.uncork()
    return 0
  }
}
