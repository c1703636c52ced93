/**
 * The one ArrayBuffer that holds input, output and items, and the tables beside it. The only place
 * where `new ArrayBuffer` stands.
 *
 * ```
 * byte 0          ioBytes                                          ioBytes + pageCount * pageBytes
 *  | input, output |  page 0  |  page 1  | ...                      |
 * ```
 * Input and output lie in the same buffer as the items because a copy inside one buffer needs no
 * view of its own: 23 ns and no garbage, where a copy between two costs 77 ns and a view
 * (docs/decisions/0001). Pages that were never written take no memory: the system hands out zeroed
 * memory on first touch.
 *
 * An item is named by its *handle*, its byte offset divided by eight: 31 bits then reach 16 GiB.
 * Handle 0 lies in the input area and so means "none".
 */
import { constants } from 'node:buffer'
import { bytesOf } from '../../bytes/ascii.ts'
import type { Bytes } from '../../bytes/ascii.ts'
import { ServerError } from '../../errors.ts'

export interface Heap {
  /** The bytes. */
  readonly bytes: Bytes
  /** The same memory as signed words; signed, so that every value is a small integer of V8. */
  readonly words: Int32Array
  /** Bytes before the first page, for the network. */
  readonly ioBytes: number
  readonly pageBytes: number
  /** Pages that there is address space for. */
  readonly pageCount: number
}

/** Bytes per unit of a handle. */
export const UNIT_BYTES = 8
/** A handle has to stay below 2^31. */
const HEAP_BYTES_MAX = 2 ** 31 * UNIT_BYTES
/** What this runtime can address in one buffer. */
const ADDRESSABLE_BYTES = Math.min(constants.MAX_LENGTH, HEAP_BYTES_MAX)

/**
 * Reserves the address space. `ioBytes` has to be a multiple of 8, `pageBytes` a power of two. There are
 * as many of `pagesWanted` pages as the system gives, and `pageCount` at least.
 * @throws ServerError MEMORY_UNAVAILABLE where the runtime cannot address or allocate as much.
 */
export function createHeap(
  ioBytes: number,
  pageBytes: number,
  pageCount: number,
  pagesWanted: number = pageCount,
): Heap {
  const pagesFitting = Math.floor((ADDRESSABLE_BYTES - ioBytes) / pageBytes)
  const pages = Math.min(pagesWanted, pagesFitting)
  if (pages > pageCount) {
    try {
      return allocateHeap(ioBytes, pageBytes, pages)
    } catch {
      // The system has less to give: then the limit of memory cannot be raised.
    }
  }
  return allocateHeap(ioBytes, pageBytes, pageCount)
}

function allocateHeap(ioBytes: number, pageBytes: number, pageCount: number): Heap {
  const total = ioBytes + pageBytes * pageCount
  if (total > ADDRESSABLE_BYTES) {
    throw new ServerError(
      'MEMORY_UNAVAILABLE',
      `l1.max_memory is ${pageBytes * pageCount} bytes, but this runtime (Node ${process.versions.node}) ` +
        `addresses at most ${ADDRESSABLE_BYTES - ioBytes} in one buffer; Node 22 and later address more`,
    )
  }
  let memory: ArrayBuffer
  try {
    memory = new ArrayBuffer(total)
  } catch (cause) {
    throw new ServerError('MEMORY_UNAVAILABLE', `cannot allocate ${total} bytes for L1`, cause)
  }
  return {
    bytes: bytesOf(Buffer.from(memory)),
    words: new Int32Array(memory, 0, Math.floor(total / 4)),
    ioBytes,
    pageBytes,
    pageCount,
  }
}

/** A zeroed table of words. Like the heap, it takes memory only where it was written. */
export function createTable(length: number): Int32Array {
  return new Int32Array(new ArrayBuffer(length * 4))
}
