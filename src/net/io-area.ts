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
/** Up to this length, views of the output area are kept. */
const VIEW_BYTES_MAX = 4096
const OUTPUT_START = HEADROOM_BYTES + READ_BYTES + SENTINEL_BYTES

/** Between events nobody has the output. */
const NO_SINK: OutputSink = {
  flush: () => assert(false, 'output is written by a connection only, in its turn'),
  sendPinned: () => assert(false, 'output is written by a connection only, in its turn'),
}

/** Who was given output to send. */
export interface OutputHolder {
  /** Whether some of it still waits to be sent. */
  readonly holdsOutput: boolean
}

export class IoArea {
  readonly bytes: Bytes
  /** The range that the system reads into. */
  readonly readBuffer: Buffer
  readonly out: OutputBuffer
  /** Views of the start of the output area by their length. */
  readonly #views: (Buffer | undefined)[] = Array.from({ length: VIEW_BYTES_MAX + 1 })
  /** Whose output still lies in the output area, if anybody's. */
  #busyWith: OutputHolder | null = null

  constructor(heap: Bytes) {
    this.bytes = heap
    this.readBuffer = heap.buffer.subarray(HEADROOM_BYTES, HEADROOM_BYTES + READ_BYTES)
    this.out = new OutputBuffer(heap, OUTPUT_START, OUTPUT_BYTES, NO_SINK)
  }

  /** Gives the output buffer to a connection for one event. It is empty. */
  openOutput(sink: OutputSink): OutputBuffer {
    this.out.sink = sink
    if (this.out.bytes !== this.bytes && this.#isFree()) this.#useArea()
    return this.out
  }

  /** A view of what was written since the last part was handed over. */
  written(): Buffer {
    const { base, bytes, position } = this.out
    const length = position - base
    if (length > VIEW_BYTES_MAX || base !== OUTPUT_START || bytes !== this.bytes) {
      return bytes.buffer.subarray(base, position)
    }
    let view = this.#views[length]
    if (view === undefined) {
      // allocates: once for each length; making a view costs more than finding it
      view = bytes.buffer.subarray(base, position)
      this.#views[length] = view
    }
    return view
  }

  /** All that was written has left: go on at the start. */
  rewind(): void {
    const out = this.out
    if (out.bytes === this.bytes) {
      out.base = OUTPUT_START
      out.position = OUTPUT_START
    } else if (this.#isFree()) {
      this.#useArea()
    } else {
      out.reset(out.bytes, 0, OUTPUT_BYTES)
    }
  }

  /** Somebody still has to send what the output buffer holds: go on elsewhere. */
  leaveTo(holder: OutputHolder): void {
    // Nothing was handed over: what is still to be sent came from elsewhere.
    if (this.out.base === this.out.limit - OUTPUT_BYTES) return
    if (this.out.bytes === this.bytes) this.#busyWith = holder
    // allocates: only where a client takes its replies more slowly than it asks
    this.out.reset(bytesOf(Buffer.allocUnsafeSlow(OUTPUT_BYTES)), 0, OUTPUT_BYTES)
  }

  #useArea(): void {
    this.#busyWith = null
    this.out.reset(this.bytes, OUTPUT_START, OUTPUT_BYTES)
  }

  #isFree(): boolean {
    return this.#busyWith === null || !this.#busyWith.holdsOutput
  }
}
