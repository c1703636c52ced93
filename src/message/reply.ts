/**
 * What a command can answer. One implementation per protocol; the commands know this interface only.
 *
 * Every request is answered exactly once, also where the answer is to send nothing (`quiet`, a
 * miss in a text get). The implementation decides what its protocol keeps silent about.
 */
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import type { Outcome } from './codes.ts'
import type { Counter } from './counter.ts'
import type { ItemView } from './item-view.ts'
import type { Request } from './request.ts'

export interface Reply {
  /** An item was found by a get. */
  hit(out: OutputBuffer, request: Request, view: ItemView): void
  /** None was. */
  miss(out: OutputBuffer, request: Request): void
  /** Anything that is said in a word. */
  outcome(out: OutputBuffer, request: Request, outcome: Outcome): void
  /** An outcome of which there is an item to show: `request.wantsItem` asked for it. */
  changed(out: OutputBuffer, request: Request, outcome: Outcome, view: ItemView): void
  /** The value of a counter after it changed. The view shows its item if `request.wantsItem`. */
  counter(out: OutputBuffer, request: Request, counter: Counter, view: ItemView): void
  version(out: OutputBuffer, request: Request, version: string): void
  /** One statistic; `endOfStats` closes the list. */
  stat(out: OutputBuffer, request: Request, name: string, value: string): void
  endOfStats(out: OutputBuffer, request: Request): void
  /** Whether `line` says anything: it does in a protocol of lines. */
  readonly hasLines: boolean
  /** A line of its own form, without its end, that only a protocol of lines has. */
  line(out: OutputBuffer, request: Request, text: string): void
  /** The ways to log in. */
  mechanisms(out: OutputBuffer, request: Request, names: string): void
}
