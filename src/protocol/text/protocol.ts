/** The text protocol as a whole, for the connection. */
import type { InputWindow } from '../../bytes/input-window.ts'
import type { Parsed } from '../../message/codes.ts'
import type { Protocol } from '../../message/protocol.ts'
import type { Reply } from '../../message/reply.ts'
import type { Request } from '../../message/request.ts'
import { TextParser } from './parse.ts'
import { TextReply } from './reply.ts'

export class TextProtocol implements Protocol {
  readonly reply: Reply = new TextReply()
  readonly #parser: TextParser

  constructor(getLineBytesMax: number) {
    this.#parser = new TextParser(getLineBytesMax)
  }

  parse(input: InputWindow, request: Request): Parsed {
    return this.#parser.parse(input, request)
  }
}
