/**
 * One client: its input, its turn, and the output half that it owns. Knows no command and no protocol, only that bytes
 * become requests and that each is answered in order.
 *
 * ```
 *            received                    command limit reached
 *  reading ──────────▶ processing ──────────────────────────────▶ yielded ──(next turn)──▶ processing
 *     ▲                    │  client takes no replies
 *     └────── done ────────┼──────────────────────────────────▶ blocked ──('drain')──▶ processing
 *                          │  item, room or writing is awaited
 *                          ├──────────────────────────────────▶ suspended ──(disk)───▶ processing
 *                          └── quit, overlong line, error ────▶ closing
 * ```
 * While yielded, blocked or suspended nothing is read, so a client can neither starve the others nor
 * fill memory with replies that it does not take, nor with values that the disk does not take.
 */
import type { Socket } from 'node:net'
import { slotOfRun, slotOfStored } from '../commands/command-class.ts'
import { run } from '../commands/dispatch.ts'
import { abandon, finish } from '../commands/storage.ts'
import type { DiskWaiter } from '../message/disk-waiter.ts'
import { OUTCOME, PARSED, RAN } from '../message/codes.ts'
import type { Ran } from '../message/codes.ts'
import type { Protocol } from '../message/protocol.ts'
import { METRIC } from '../observe/metrics.ts'
import {
  CommandInProgress,
  WAITING,
  beginValue,
  prefetchAhead,
  preloadAhead,
  refuse,
  runAgain,
  swallow,
} from './command-in-progress.ts'
import type { Waiting } from './command-in-progress.ts'
import type { ConnectionHost } from './connection-host.ts'
import { HEADROOM_BYTES } from './io-area.ts'
import { KeptInput } from './kept-input.ts'
import { ReplyOutput } from './reply-output.ts'
import type { OutputOwner } from './reply-output.ts'
import { startReading } from './socket-reader.ts'
import { SocketWatcher, unheard } from './socket-watcher.ts'
import { TurnTimes, slotOfWaited } from './turn-times.ts'
import { INTAKE } from './value-intake.ts'

/** What a connection has under way is noted above this; below, all of them together take little. */
const INFLIGHT_BYTES_MIN = 4096

export class Connection implements OutputOwner, DiskWaiter {
  readonly socket: Socket
  /** Wall time of the last bytes that came, in seconds. */
  activeAtS: number
  failedLogins = 0
  /** By which watchers and statistics know it; the table of connections gives it. */
  number = 0
  /** The client asks for nothing more: it is told what others do. */
  isWatching = false
  /** The client was hung up on because of what it sent. */
  hasErred = false
  readonly #host: ConnectionHost
  readonly #output: ReplyOutput
  /** What the client speaks, once its first byte has told. */
  #protocol: Protocol | null = null
  /** The command in progress, between events; null as long as there is none. */
  #command: CommandInProgress | null = null
  /** Input that could not be used yet, at the start of a buffer of our own. */
  #kept: KeptInput | null = null
  #yielded = false
  /** The disk has to do something before this connection goes on. */
  #suspended = false
  /** The client sends no more, but what it has sent is still to be answered. */
  #ended = false
  #closing = false
  /** Null where nothing is measured. */
  readonly #times: TurnTimes | null
  /** Something is under way, or was when that was last noted. */
  #owes = false
  #error: Error | null = null

  constructor(accepted: Socket, host: ConnectionHost) {
    this.#host = host
    this.activeAtS = host.context.clock.nowS
    this.#times = host.turns === null ? null : new TurnTimes(host.turns)
    const sink = (length: number): boolean => this.#received(length)
    this.socket = startReading(accepted, host.io.readBuffer, sink, host.readMode)
    this.#output = new ReplyOutput(this.socket, host, this, this.#times)
    this.socket.on('drain', () => this.outputTaken())
    this.socket.on('end', () => this.#inputEnded())
    this.socket.on('error', (error) => {
      this.#error = error
    })
    this.socket.on('close', () => this.#closed())
  }

  /** Ends the connection after everything that was answered has left. */
  close(): void {
    this.#closing = true
    this.socket.destroySoon()
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#closing = true
    this.socket.destroy()
  }

  /** Whether commands wait that have been received but not answered. */
  get busy(): boolean {
    return this.#yielded || this.#suspended || this.#output.waits
  }

  /** Whether a value, accepted or refused, has come in part. */
  get isReceivingValue(): boolean {
    const command = this.#command
    return command !== null && (command.intake.active || command.swallowBytes > 0)
  }

  get address(): string {
    return this.socket.remoteAddress ?? ''
  }

  /** Whether replies wait that the system has not taken. */
  get holdsOutput(): boolean {
    return this.#output.holdsOutput
  }

  /** Takes `length` bytes from the shared read area. Returns whether to go on reading. */
  #received(length: number): boolean {
    if (this.#closing) return false
    const { io, metrics, scratch } = this.#host
    if (this.#times !== null) this.#times.received()
    metrics.add(METRIC.BYTES_READ, length)
    this.activeAtS = this.#host.context.clock.nowS
    const input = scratch.input
    const kept = this.#kept
    if (kept === null || kept.length === 0) {
      input.show(io.bytes, HEADROOM_BYTES, HEADROOM_BYTES + length)
    } else {
      kept.showWith(io.bytes, length, input)
    }
    this.#process()
    return !this.#closing && !this.busy
  }

  /** Handles the commands of the input window, then sends what they were answered. */
  #process(): void {
    const { protocols, context, disk, limits, scratch, turns } = this.#host
    const input = scratch.input
    const protocol = (this.#protocol ??= protocols.of(input))
    const command = this.#command ?? scratch.command
    const { request, intake } = command
    const reply = protocol.reply
    const output = this.#output
    const out = output.open(command)
    let budget = limits.commandsPerTurn
    context.client = this
    while (!this.#closing) {
      if (command.waiting !== WAITING.NOTHING) {
        const { waiting } = command
        const ran = runAgain(context, command, waiting, reply, out)
        if (!this.#settle(ran, command, waiting)) break
        if (turns !== null) turns.latency.count(slotOfWaited(request, waiting))
      }
      if (command.swallowBytes > 0) {
        if (!swallow(command, input)) break
        reply.outcome(out, request, request.outcome)
      }
      if (intake.active) {
        const took = intake.take(input, request, context.heap)
        if (took === INTAKE.INCOMPLETE) break
        if (took === INTAKE.COMPLETE) {
          const ran = finish(context, request, reply, out)
          if (ran !== RAN.DONE && !this.#settle(ran, command, WAITING.TO_FINISH)) break
          if (turns !== null) turns.latency.count(slotOfStored(request, ran === RAN.FAULT))
        } else {
          abandon(context, request)
          reply.outcome(out, request, OUTCOME.BAD_CHUNK)
        }
      }
      if (output.hasChanged && disk.congested) {
        this.#suspend()
        disk.whenUncongested(this)
        break
      }
      if (input.start >= input.end) break
      if (output.isMuch) {
        output.send()
        if (output.waits) break
      }
      if (budget === 0) {
        this.#yield()
        break
      }
      budget--
      prefetchAhead(context, protocol, input, request)
      const parsed = protocol.parse(input, request)
      if (parsed === PARSED.READY) {
        const ran = run(context, request, reply, out)
        if (ran !== RAN.DONE && !this.#settle(ran, command, WAITING.TO_RUN)) break
        if (turns !== null) turns.latency.count(slotOfRun(request, ran === RAN.FAULT))
      } else if (parsed === PARSED.READY_WITH_VALUE) {
        const isStored = beginValue(context, command, input, reply, out)
        if (isStored && turns !== null) turns.latency.count(slotOfStored(request, false))
      } else if (parsed === PARSED.NEED_MORE) {
        break
      } else {
        this.hasErred = refuse(parsed, command, reply, out, this.#host.metrics)
        this.#closing = this.hasErred
      }
    }
    if (!output.send()) this.#owes = true
    this.#keepRest()
    this.#keepCommand(command)
    if (this.#owes) this.#noteInflight()
    if (this.#closing && !output.isHeldBack) this.close()
  }

  /** Notes what is under way for this client: input and a value in part, replies that wait. */
  #noteInflight(): void {
    const input = (this.#kept?.capacity ?? 0) + (this.#command?.reservedBytes ?? 0)
    const bytes = input + this.#output.waitingBytes
    this.#owes = !this.socket.destroyed && bytes > INFLIGHT_BYTES_MIN
    this.#host.inflight.note(this, this.#owes ? bytes : 0)
  }

  /** Deals with what a handler said, unless it said DONE. Returns whether to go on. */
  #settle(first: Ran, command: CommandInProgress, waiting: Waiting): boolean {
    const { disk, io, scratch } = this.#host
    let ran = first
    if (ran === RAN.FAULT && disk.loadNow()) {
      ran = runAgain(this.#host.context, command, waiting, this.#protocol!.reply, io.out)
      disk.release()
    }
    if (ran === RAN.FAULT) {
      command.wait(waiting)
      this.#suspend()
      disk.load(this)
      preloadAhead(disk, this.#protocol!, command.request, scratch)
      return false
    }
    if (ran === RAN.MORE || ran === RAN.PAUSED) {
      command.wait(waiting)
      if (ran === RAN.MORE) {
        this.#yield()
      } else {
        this.#suspend()
        command.request.producer!.whenReady(this)
      }
      return false
    }
    command.waiting = WAITING.NOTHING
    if (ran === RAN.CLOSE) this.#closing = true
    if (ran === RAN.WATCHING) {
      const { context, metrics } = this.#host
      this.isWatching = true
      this.#protocol = unheard(this.#protocol!)
      SocketWatcher.start(this.socket, command.request.topics, context.watchers, metrics)
      this.#yield()
      return false
    }
    if (ran === RAN.AUTHENTICATED) {
      // The next turn begins with the protocol of those who have logged in.
      this.#protocol = this.#host.protocols.unlocked(this.#protocol!)
      this.#yield()
      return false
    }
    return true
  }

  /** Waits until the disk lets it proceed. */
  #suspend(): void {
    this.#suspended = true
    this.#times?.suspended()
  }

  /** The disk has the item, or the room, that this connection waited for. */
  proceed(): void {
    this.#suspended = false
    this.#times?.proceeded()
    this.#resume()
  }

  outputWritten(): void {
    if (this.#closing) this.close()
    else this.#resume()
  }

  /** Keeps the command for the next event if it is not over, and lends it to others if it is. */
  #keepCommand(command: CommandInProgress): void {
    const { scratch } = this.#host
    if (command.unfinished) {
      if (this.#command !== null) return
      this.#command = scratch.lend()
      this.#owes = true
    } else if (this.#command !== null) {
      scratch.takeBack(command)
      this.#command = null
    }
  }

  /** Lets others have their turn before the rest of the input is handled. */
  #yield(): void {
    this.#yielded = true
    this.#host.metrics.count(METRIC.CONN_YIELDS)
    setImmediate(() => {
      this.#yielded = false
      this.#resume()
    })
  }

  outputTaken(): void {
    if (this.#owes) this.#noteInflight()
    if (this.#output.unblock()) this.#resume()
  }

  /** Goes on with kept input, and with reading if that is all handled. */
  #resume(): void {
    if (this.#closing || this.busy) return
    this.#times?.resumed()
    const { input } = this.#host.scratch
    const kept = this.#kept
    if (kept !== null && kept.length > 0) {
      kept.show(input)
      this.#process()
    } else if (this.#command !== null && this.#command.waiting !== WAITING.NOTHING) {
      input.show(this.#host.io.bytes, HEADROOM_BYTES, HEADROOM_BYTES)
      this.#process()
    }
    if (this.#closing || this.busy) return
    if (this.#ended) this.close()
    else this.socket.resume()
  }

  /** A socket that is paused may end nevertheless, if it is read through 'data' events. */
  #inputEnded(): void {
    if (this.busy) this.#ended = true
    else this.close()
  }

  /** Keeps the unconsumed end of the window until more comes. */
  #keepRest(): void {
    const { input } = this.#host.scratch
    const { length } = input
    if (length > 0) {
      this.#kept ??= new KeptInput(length)
      this.#kept.keep(input)
      if (this.#kept.isLarge) this.#owes = true
    } else if (this.#kept !== null) {
      this.#kept.length = 0
      if (this.#kept.isLarge) this.#kept = null
    }
  }

  #closed(): void {
    this.#closing = true
    if (this.#command !== null) abandon(this.#host.context, this.#command.request)
    this.#command = null
    this.#kept = null
    this.#host.inflight.note(this, 0)
    this.#host.closed(this, this.#error)
  }
}
