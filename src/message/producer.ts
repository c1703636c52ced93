/**
 * A long answer that is given in slices, so that nobody else has to wait for it: the command is run again
 * in later turns until the producer is done. It belongs to its request.
 */
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import type { Ran } from './codes.ts'
import type { DiskWaiter } from './disk-waiter.ts'
import type { Reply } from './reply.ts'
import type { Request } from './request.ts'

export interface Producer {
  /** Writes the next slice. Returns DONE after the last one, MORE, or PAUSED. */
  next(request: Request, reply: Reply, out: OutputBuffer): Ran
  /** After PAUSED: lets the waiter proceed as soon as there is more, but not at once. */
  whenReady(waiter: DiskWaiter): void
  /** Nobody wants the rest, or there is none. */
  stop(): void
}
