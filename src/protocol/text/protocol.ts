/** Text and meta commands, which share lines and connections: what both are to the connection. */
import type { InputWindow } from '../../bytes/input-window.ts'
import type { OutputBuffer } from '../../bytes/output-buffer.ts'
import { OPTION } from '../../message/codes.ts'
import type { Outcome, Parsed } from '../../message/codes.ts'
import type { Counter } from '../../message/counter.ts'
import type { ItemView } from '../../message/item-view.ts'
import type { Protocol } from '../../message/protocol.ts'
import type { Reply } from '../../message/reply.ts'
import type { Request } from '../../message/request.ts'
import { MetaReply } from '../meta/reply.ts'
import { lookAhead, lookAlongLine } from './look-ahead.ts'
import { TextParser } from './parse.ts'
import { TextReply } from './reply.ts'

export class TextProtocol implements Protocol {
  readonly reply: Reply = new LineReply()
  readonly #parser: TextParser

  constructor(getLineBytesMax: number) {
    this.#parser = new TextParser(getLineBytesMax)
  }

  /** From now on the line of a multiget may be so long. */
  limitGetLine(bytesMax: number): void {
    this.#parser.getLineBytesMax = bytesMax
  }

  lookAhead(input: InputWindow, continues: boolean): void {
    if (continues) lookAlongLine(input)
    else lookAhead(input)
  }

  parse(input: InputWindow, request: Request): Parsed {
    return this.#parser.parse(input, request)
  }
}

/** Answers each command in the form that it was asked in. */
class LineReply implements Reply {
  readonly hasLines = true
  readonly #text: TextReply = new TextReply()
  readonly #meta: MetaReply = new MetaReply(this.#text)

  hit(out: OutputBuffer, request: Request, view: ItemView): void {
    if (isMeta(request)) this.#meta.hit(out, request, view)
    else this.#text.hit(out, request, view)
  }

  miss(out: OutputBuffer, request: Request): void {
    if (isMeta(request)) this.#meta.miss(out, request)
    else this.#text.miss(out, request)
  }

  outcome(out: OutputBuffer, request: Request, outcome: Outcome): void {
    if (isMeta(request)) this.#meta.outcome(out, request, outcome)
    else this.#text.outcome(out, request, outcome)
  }

  changed(out: OutputBuffer, request: Request, outcome: Outcome, view: ItemView): void {
    if (isMeta(request)) this.#meta.changed(out, request, outcome, view)
    else this.#text.changed(out, request, outcome)
  }

  counter(out: OutputBuffer, request: Request, counter: Counter, view: ItemView): void {
    if (isMeta(request)) this.#meta.counter(out, request, counter, view)
    else this.#text.counter(out, request, counter)
  }

  version(out: OutputBuffer, request: Request, version: string): void {
    this.#text.version(out, request, version)
  }

  stat(out: OutputBuffer, request: Request, name: string, value: string): void {
    this.#text.stat(out, request, name, value)
  }

  endOfStats(out: OutputBuffer): void {
    this.#text.endOfStats(out)
  }

  line(out: OutputBuffer, request: Request, text: string): void {
    this.#text.line(out, request, text)
  }

  mechanisms(out: OutputBuffer, request: Request, names: string): void {
    this.#text.mechanisms(out, request, names)
  }
}

function isMeta(request: Request): boolean {
  return (request.options & OPTION.META_FORM) !== 0
}
