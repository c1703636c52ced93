/**
 * Replies that acknowledge changes which are not on disk yet (`l2.write_policy = "write-through"`): copies,
 * since the output area is everybody's.
 */
import type { Socket } from 'node:net'
import type { Answered } from '../observe/command-latency.ts'
import { SEVERAL } from './turn-record.ts'
import type { NamedCommand } from './turn-record.ts'

export class HeldReplies {
  readonly #parts: Buffer[] = []
  bytes = 0
  /** The commands whose replies these are, where that is measured. */
  answered: Answered | null = null
  /** The last of them. */
  last: NamedCommand = SEVERAL

  add(bytes: Buffer): void {
    this.#parts.push(Buffer.from(bytes))
    this.bytes += bytes.length
  }

  sendTo(socket: Socket): void {
    socket.cork()
    for (const part of this.#parts) socket.write(part)
    socket.uncork()
  }
}
