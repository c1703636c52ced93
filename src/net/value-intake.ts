/**
 * A value on its way in: its bytes go straight from the input window into the reserved item, in as
 * many pieces as the network cuts it into.
 */
import { copyBytes, isLineEnd } from '../bytes/ascii.ts'
import type { Bytes } from '../bytes/ascii.ts'
import type { InputWindow } from '../bytes/input-window.ts'
import type { Request } from '../message/request.ts'

/** What became of a value so far. */
export const INTAKE = {
  /** More bytes have to come. */
  INCOMPLETE: 0,
  COMPLETE: 1,
  /** All bytes are there, but they are not followed by a line end. */
  MALFORMED: 2,
} as const

export type Intake = (typeof INTAKE)[keyof typeof INTAKE]

export class ValueIntake {
  /** A value is arriving. */
  active = false
  #filled = 0

  begin(): void {
    this.active = true
    this.#filled = 0
  }

  /** Takes what the window holds of the value and of the line end behind it. */
  take(input: InputWindow, request: Request, heap: Bytes): Intake {
    const missing = request.valueBytes - this.#filled
    if (missing > 0) {
      const length = Math.min(missing, input.end - input.start)
      copyBytes(heap, request.valueStart + this.#filled, input.bytes, input.start, length)
      this.#filled += length
      input.start += length
      if (length < missing) return INTAKE.INCOMPLETE
    }
    if (input.end - input.start < request.trailerBytes) return INTAKE.INCOMPLETE
    this.active = false
    if (request.trailerBytes === 0) return INTAKE.COMPLETE
    const closed = isLineEnd(input.bytes.buffer, input.start)
    input.start += request.trailerBytes
    return closed ? INTAKE.COMPLETE : INTAKE.MALFORMED
  }
}
