/**
 * The memory that all connections share for input and output, at the start of the heap.
 *
 * ```
 * 0          HEADROOM       HEADROOM + READ (+ 8)                 IO_BYTES
 *  | headroom |    read      |s|            output                 |
 * ```
 * The system reads into `read`. What a connection had left over from before (a command that was
 * not whole) is put in front of it, into the headroom, so that parsing always sees one range.
 * `s` keeps a byte for the sentinel of the line search.
 *
 * Connections take turns: each uses the area for the length of one event and leaves nothing in it,
 * but for output that the system would not take at once. Then the output area is busy until that
 * is sent, and others write into a buffer of their own for so long.
 */
import type { Socket } from 'node:net'
import { bytesOf } from '../bytes/ascii.ts'
import type { Bytes } from '../bytes/ascii.ts'
import { OutputBuffer } from '../bytes/output-buffer.ts'
import type { OutputSink } from '../bytes/output-buffer.ts'
import { assert } from '../errors.ts'

/** Enough for any line but a long multiget, and for most tails of a pipeline. */
export const HEADROOM_BYTES = 16_384
/** What one read may bring: 64 KiB is what Node itself reads at a time. */
export const READ_BYTES = 65_536
const SENTINEL_BYTES = 8
export const OUTPUT_BYTES = 131_072
/** All of it, a multiple of eight. */
export const IO_BYTES: number = HEADROOM_BYTES + READ_BYTES + SENTINEL_BYTES + OUTPUT_BYTES
const OUTPUT_START = HEADROOM_BYTES + READ_BYTES + SENTINEL_BYTES

/** Between events nobody has the output. */
const NO_SINK: OutputSink = {
  flush: () => assert(false, 'output is written by a connection only, in its turn'),
  sendPinned: () => assert(false, 'output is written by a connection only, in its turn'),
}

export class IoArea {
  readonly bytes: Bytes
  /** The range that the system reads into. */
  readonly readBuffer: Buffer
  readonly out: OutputBuffer
  /** Whose output still lies in the output area, if anybody's. */
  #busyWith: Socket | null = null

  constructor(heap: Bytes) {
    this.bytes = heap
    this.readBuffer = heap.buffer.subarray(HEADROOM_BYTES, HEADROOM_BYTES + READ_BYTES)
    this.out = new OutputBuffer(heap, OUTPUT_START, OUTPUT_BYTES, NO_SINK)
  }

  /** Gives the output buffer to a connection for one event. It is empty. */
  openOutput(sink: OutputSink): OutputBuffer {
    this.out.sink = sink
    if (this.out.bytes !== this.bytes && this.#isFree()) this.useArea()
    return this.out
  }

  /** The output area can be written again from its start. */
  useArea(): void {
    this.#busyWith = null
    this.out.reset(this.bytes, OUTPUT_START, OUTPUT_BYTES)
  }

  /** A socket still reads from what the output buffer held: go on elsewhere. */
  leaveTo(socket: Socket): void {
    if (this.out.bytes === this.bytes) this.#busyWith = socket
    // allocates: only where a client takes its replies more slowly than it asks
    this.out.reset(bytesOf(Buffer.allocUnsafeSlow(OUTPUT_BYTES)), 0, OUTPUT_BYTES)
  }

  #isFree(): boolean {
    const socket = this.#busyWith
    return socket === null || socket.destroyed || socket.writableLength === 0
  }
}
