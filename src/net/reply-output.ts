/**
 * The output half of a connection: replies gather in the shared area and leave in one write, unless the
 * client does not take them, or they may not leave yet.
 *
 * ```
 *  written ──▶ gathered ──(end of the turn, or much)──▶ sent
 *                 │  large value, from where it lies        │  the system takes a part
 *                 ├──▶ corked ───(end of the turn)──▶ sent  └──▶ queued, blocked ──('drain')──▶ sent
 *                 │  acknowledges what is not on disk
 *                 └──▶ held ───────(written)───────▶ sent
 * ```
 */
import type { Socket } from 'node:net'
import type { Bytes } from '../bytes/ascii.ts'
import type { OutputBuffer, OutputSink } from '../bytes/output-buffer.ts'
import { METRIC } from '../observe/metrics.ts'
import type { CommandInProgress } from './command-in-progress.ts'
import type { ConnectionHost } from './connection-host.ts'
import { HeldReplies } from './held-replies.ts'
import type { OutputHolder } from './io-area.ts'
import { SENT, failWrite } from './socket-writer.ts'
import type { TurnTimes } from './turn-times.ts'

/** Replies are sent when as much has gathered, even if more commands wait. */
const SEND_FROM_BYTES = 65_536

/** Who waits for its output. */
export interface OutputOwner {
  /** What the client had not taken has left. */
  outputTaken(): void
  /** What was held back has been sent: the changes that it acknowledges are on disk. */
  outputWritten(): void
}

export class ReplyOutput implements OutputHolder, OutputSink {
  readonly #socket: Socket
  readonly #host: ConnectionHost
  readonly #owner: OutputOwner
  /** Null where nothing is measured. */
  readonly #times: TurnTimes | null
  readonly #writeDone = (status: number): void => this.#queueSent(status)
  /** What is answered in this turn; the last of it, once the turn is over. */
  #command: CommandInProgress
  /** Changes to the cache that there were when this turn began. */
  #changesBefore = 0
  /** More waits for the client than may. */
  #blocked = false
  /** Replies that may not leave before the changes that they acknowledge are on disk. */
  #held: HeldReplies | null = null
  /** Parts of a reply are gathered in the socket, to leave in one write. */
  #corked = false
  /** Bytes of values among them: as much is pinned, and lost to the cache, until it is sent. */
  #corkedBytes = 0
  /** Bytes of a direct write of which the system has taken only a part so far. */
  #queuedBytes = 0

  constructor(socket: Socket, host: ConnectionHost, owner: OutputOwner, times: TurnTimes | null) {
    this.#socket = socket
    this.#host = host
    this.#owner = owner
    this.#times = times
    this.#command = host.scratch.command
  }

  /** Begins a turn. Returns where the replies of `command` go, and of those behind it. */
  open(command: CommandInProgress): OutputBuffer {
    this.#command = command
    this.#changesBefore = this.#host.disk.changes
    return this.#host.io.openOutput(this)
  }

  /** Whether commands of this turn have changed the cache. */
  get hasChanged(): boolean {
    return this.#host.disk.changes !== this.#changesBefore
  }

  /** Whether as much has gathered that it is to be sent although commands wait. */
  get isMuch(): boolean {
    const { io, limits } = this.#host
    return io.out.length >= SEND_FROM_BYTES || this.#corkedBytes >= limits.pendingOutputBytes
  }

  /** Whether no more commands are to be answered before something has left. */
  get waits(): boolean {
    return this.#blocked || this.#held !== null
  }

  /** Whether replies may not leave yet. */
  get isHeldBack(): boolean {
    return this.#held !== null
  }

  /** Whether replies wait that the system has not taken. */
  get holdsOutput(): boolean {
    return !this.#socket.destroyed && this.#pending
  }

  /** Bytes that take memory until the client, or the disk, has taken something. */
  get waitingBytes(): number {
    const socket = this.#socket
    // Where no 'drain' will be told of, the system takes the rest in a moment.
    const pending = socket.writableNeedDrain ? socket.writableLength : 0
    return this.#queuedBytes + pending + (this.#held?.bytes ?? 0)
  }

  get #pending(): boolean {
    return this.#queuedBytes > 0 || this.#socket.writableLength > 0
  }

  /** Hands everything to the system, in one write. Returns whether it has left. */
  send(): boolean {
    const { copiesOutput, io } = this.#host
    const socket = this.#socket
    this.#handOver()
    if (this.#corked) {
      this.#corked = false
      this.#corkedBytes = 0
      socket.uncork()
    }
    this.#times?.sent(this.#command, this.#held, socket)
    if (!this.#pending) {
      io.rewind()
      return this.#held === null
    }
    if (copiesOutput) io.rewind()
    else io.leaveTo(this)
    if (!this.#blocked && this.#isBlockedByPeer()) {
      this.#blocked = true
      this.#host.metrics.count(METRIC.OUTPUT_BLOCKED)
    }
    return false
  }

  flush(): void {
    this.send()
  }

  /** The client has taken what waited. Returns whether commands waited for that. */
  unblock(): boolean {
    const wasBlocked = this.#blocked
    this.#blocked = false
    return wasBlocked
  }

  sendPinned(source: Bytes, start: number, length: number, item: number): void {
    const { io, metrics, pins } = this.#host
    const socket = this.#socket
    if (socket.destroyed) return
    if (this.#mustHold()) {
      this.#handOver()
      metrics.add(METRIC.BYTES_WRITTEN, length)
      this.#hold(source.buffer.subarray(start, start + length))
      return
    }
    if (!pins.pin(item, length)) {
      io.out.copy(source, start, length)
      return
    }
    if (!this.#corked) {
      this.#corked = true
      socket.cork()
    }
    this.#handOver()
    metrics.add(METRIC.BYTES_WRITTEN, length)
    this.#corkedBytes += length
    // allocates: a view and a callback for each large value
    socket.write(source.buffer.subarray(start, start + length), () => pins.unpin(item, length))
  }

  #isBlockedByPeer(): boolean {
    const socket = this.#socket
    return (
      this.#queuedBytes + socket.writableLength > this.#host.limits.pendingOutputBytes &&
      (this.#queuedBytes > 0 || socket.writableNeedDrain)
    )
  }

  /** Gives the written range to the socket; it is not to be written again before it is sent. */
  #handOver(): void {
    const { copiesOutput, disk, io, metrics, writer } = this.#host
    const socket = this.#socket
    const out = io.out
    if (out.position === out.base) return
    metrics.add(METRIC.BYTES_WRITTEN, out.length)
    if (disk.uncommitted) disk.commit()
    const view = io.written()
    if (this.#mustHold()) {
      this.#hold(view)
    } else if (copiesOutput) {
      socket.write(Buffer.from(view))
    } else if (this.#corked || this.#pending) {
      socket.write(view)
    } else if (writer.send(socket, view, this.#writeDone) === SENT.QUEUED) {
      this.#queuedBytes = view.length
    }
    out.base = out.position
  }

  /** Whether replies have to wait for changes of this turn, or behind others that do. */
  #mustHold(): boolean {
    return this.#held !== null || (this.#host.disk.writesThrough && this.hasChanged)
  }

  #hold(bytes: Buffer): void {
    if (this.#held === null) {
      // allocates: only where replies wait for the disk
      this.#held = new HeldReplies(this.#host.copiesOutput ? null : this.#host.writer)
      this.#host.disk.whenWritten({ proceed: () => this.#written() })
    }
    this.#held.add(bytes)
  }

  /** Everything that the held replies acknowledge is on disk. */
  #written(): void {
    const held = this.#held!
    this.#held = null
    this.#queuedBytes += held.sendTo(this.#socket, this.#queuedBytes > 0, this.#writeDone)
    this.#times?.sentLate(held, this.#socket)
    this.#owner.outputWritten()
  }

  /** The rest of a direct write has left, or never will. */
  #queueSent(status: number): void {
    this.#queuedBytes = 0
    if (status < 0) failWrite(this.#socket, status)
    else if (this.#socket.writableLength === 0) this.#owner.outputTaken()
  }
}
