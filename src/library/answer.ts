/** What a command says, as the library hears it: the outcome, and the number of a counter. */
import { bytesOf } from '../bytes/ascii.ts'
import { OutputBuffer } from '../bytes/output-buffer.ts'
import { assert } from '../errors.ts'
import { OUTCOME } from '../message/codes.ts'
import type { Outcome } from '../message/codes.ts'
import type { Counter } from '../message/counter.ts'
import type { Reply } from '../message/reply.ts'
import type { Request } from '../message/request.ts'

const WORD = 2 ** 32

export class Answer implements Reply {
  outcomeSaid: Outcome = OUTCOME.NONE
  /** The counter after the last `counter`; exact up to 2^53. */
  count = 0
  readonly hasLines = false

  outcome(_out: OutputBuffer, _request: Request, outcome: Outcome): void {
    this.outcomeSaid = outcome
  }
  counter(_out: OutputBuffer, _request: Request, counter: Counter): void {
    this.outcomeSaid = OUTCOME.OK
    this.count = counter.hi * WORD + counter.lo
  }

  // The rest is of commands that the library does not give.
  hit(): void {
    notAsked()
  }
  miss(): void {
    notAsked()
  }
  changed(): void {
    notAsked()
  }
  version(): void {
    notAsked()
  }
  stat(): void {
    notAsked()
  }
  endOfStats(): void {
    notAsked()
  }
  line(): void {
    notAsked()
  }
  mechanisms(): void {
    notAsked()
  }
}

/** An output that nothing is written to. */
export function noOutput(): OutputBuffer {
  const sink = { flush: notAsked, sendPinned: notAsked }
  return new OutputBuffer(bytesOf(Buffer.alloc(0)), 0, 0, sink)
}

function notAsked(): void {
  assert(false, 'the library asks for outcomes only')
}
