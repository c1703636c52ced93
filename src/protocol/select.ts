/**
 * Which protocol a client speaks: its first byte tells, once for the whole connection. No command of
 * the text protocol begins with the byte that every binary request begins with. Where clients have to
 * log in, each protocol has a second form, for those who have not.
 */
import type { InputWindow } from '../bytes/input-window.ts'
import type { Protocol } from '../message/protocol.ts'
import { ACCESS, MAGIC_REQUEST } from './binary/layout.ts'
import { BinaryProtocol } from './binary/protocol.ts'
import { TextLoginProtocol } from './text/login.ts'
import { TextProtocol } from './text/protocol.ts'

/** What clients may speak: either, or one of them whatever they begin with. */
export type ProtocolChoice = 'auto' | 'ascii' | 'binary'

export interface ProtocolOptions {
  readonly choice: ProtocolChoice
  /** Longest line of a multiget in text. */
  readonly getLineBytesMax: number
  readonly requiresLogin: boolean
}

/** The protocols of a server. They have no state of a connection, so there is one of each. */
export class Protocols {
  readonly #choice: ProtocolChoice
  readonly #text: Protocol
  readonly #binary: Protocol
  readonly #unlockedText: TextProtocol
  readonly #unlockedBinary: Protocol

  constructor(options: ProtocolOptions) {
    const { choice, getLineBytesMax, requiresLogin } = options
    this.#choice = choice
    const text = new TextProtocol(getLineBytesMax)
    this.#unlockedText = text
    this.#text = requiresLogin ? new TextLoginProtocol(text.reply) : text
    this.#unlockedBinary = new BinaryProtocol(requiresLogin ? ACCESS.UNLOCKED : ACCESS.OPEN)
    this.#binary = requiresLogin ? new BinaryProtocol(ACCESS.LOCKED) : this.#unlockedBinary
  }

  /** From now on the line of a multiget may be so long. */
  limitGetLine(bytesMax: number): void {
    this.#unlockedText.limitGetLine(bytesMax)
  }

  /** The protocol of a client, by the first byte of its input. */
  of(input: InputWindow): Protocol {
    if (this.#choice === 'ascii') return this.#text
    if (this.#choice === 'binary') return this.#binary
    return input.bytes.buffer[input.start] === MAGIC_REQUEST ? this.#binary : this.#text
  }

  /** The protocol of a client that has logged in, instead of the one it had. */
  unlocked(protocol: Protocol): Protocol {
    return protocol === this.#binary ? this.#unlockedBinary : this.#unlockedText
  }
}
