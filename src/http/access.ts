/**
 * Who may ask at the side door.
 *
 * With a token, who brings it as `Authorization: Bearer TOKEN`, and in no other way: what stands in an address
 * ends up in logs, and a cookie is sent by whatever page makes a browser ask. On a loopback address also only who calls the server by a name of this machine: a page of another
 * site can make its own name point here, but its name is what the browser then sends.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { isLoopback } from '../config/listen-address.ts'

const BEARER_FORM = /^Bearer +(\S+) *$/i
/** What stands before the port: "localhost", "127.0.0.1", "[::1]". */
const HOST_FORM = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d{1,5})?$/

export class Access {
  readonly #isLocal: boolean
  readonly #token: string
  /** Of this process: what is compared is digests, which tell nothing of how far a guess was right. */
  readonly #secret: Buffer = randomBytes(32)

  /** `token` empty: none is asked for. */
  constructor(boundHost: string, token: string) {
    this.#isLocal = isLoopback(boundHost)
    this.#token = token
  }

  /** Whether a request was meant for this server, by its Host header. */
  isMeant(host: string | undefined): boolean {
    if (!this.#isLocal) return true
    const match = HOST_FORM.exec(host ?? '')
    const name = match?.[1] ?? match?.[2] ?? ''
    return isLoopback(name) || name.toLowerCase().endsWith('.localhost')
  }

  /** Whether a request may be answered, by its Authorization header. */
  isAllowed(authorization: string | undefined): boolean {
    if (this.#token === '') return true
    const brought = BEARER_FORM.exec(authorization ?? '')?.[1]
    return brought !== undefined && this.#isSame(brought, this.#token)
  }

  /** Takes as long for a text that is wrong at its first letter as for one that is at its last. */
  #isSame(brought: string, wanted: string): boolean {
    return timingSafeEqual(this.#digest(brought), this.#digest(wanted))
  }

  #digest(text: string): Buffer {
    return createHmac('sha256', this.#secret).update(text).digest()
  }
}
