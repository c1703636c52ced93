/** The binary protocol as a whole, for the connection. */
import type { InputWindow } from '../../bytes/input-window.ts'
import type { Parsed } from '../../message/codes.ts'
import type { Protocol } from '../../message/protocol.ts'
import type { Reply } from '../../message/reply.ts'
import type { Request } from '../../message/request.ts'
import type { Access } from './layout.ts'
import { lookAhead } from './look-ahead.ts'
import { BinaryParser } from './parse.ts'
import { BinaryReply } from './reply.ts'

export class BinaryProtocol implements Protocol {
  readonly reply: Reply = new BinaryReply()
  readonly #parser: BinaryParser

  constructor(access: Access) {
    this.#parser = new BinaryParser(access)
  }

  lookAhead(input: InputWindow): void {
    lookAhead(input)
  }

  parse(input: InputWindow, request: Request): Parsed {
    return this.#parser.parse(input, request)
  }
}
