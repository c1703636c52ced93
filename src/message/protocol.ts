/** A protocol: how bytes become requests, and how outcomes become bytes. Has no state of its own. */
import type { InputWindow } from '../bytes/input-window.ts'
import type { Parsed } from './codes.ts'
import type { Reply } from './reply.ts'
import type { Request } from './request.ts'

export interface Protocol {
  /**
   * Reads the next request. Consumes nothing when it returns NEED_MORE; otherwise the window
   * starts behind what was read. Never throws, never reads at or past `input.end`.
   */
  parse(input: InputWindow, request: Request): Parsed
  /**
   * Notes in `input.ahead` the keys of the commands that begin with the next one, as far as they are easily
   * found; `continues` if a multiget is under way. Consumes nothing and judges nothing: what looks like a
   * key here need not become one.
   */
  lookAhead(input: InputWindow, continues: boolean): void
  readonly reply: Reply
}
