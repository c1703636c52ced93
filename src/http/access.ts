/**
 * Who may ask at the side door.
 *
 * With a token, who brings it: as `Authorization: Bearer TOKEN`, or a browser in a cookie that it was given
 * for it. On a loopback address also only who calls the server by a name of this machine: a page of another
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
  /** Of this process, so that a cookie tells nothing of the token and ends with it. */
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

  /** Whether a request may be answered, by its headers. */
  isAllowed(authorization: string | undefined, cookies: string | undefined, port: number): boolean {
    if (this.#token === '') return true
    const brought = BEARER_FORM.exec(authorization ?? '')?.[1]
    if (brought !== undefined) return this.isToken(brought)
    const name = `${cookieName(port)}=`
    const cookie = (cookies ?? '').split(/; */).find((text) => text.startsWith(name))
    return cookie !== undefined && this.#isSame(cookie.slice(name.length), this.#cookieValue())
  }

  /** Whether a text is the token. */
  isToken(text: string): boolean {
    return this.#token === '' || this.#isSame(text, this.#token)
  }

  /** What a browser is to keep, and bring, instead of the token. */
  cookie(port: number): string {
    return `${cookieName(port)}=${this.#cookieValue()}; Path=/; HttpOnly; SameSite=Strict`
  }

  #cookieValue(): string {
    return this.#digest(this.#token).toString('base64url')
  }

  /** Takes as long for a text that is wrong at its first letter as for one that is at its last. */
  #isSame(brought: string, wanted: string): boolean {
    return timingSafeEqual(this.#digest(brought), this.#digest(wanted))
  }

  #digest(text: string): Buffer {
    return createHmac('sha256', this.#secret).update(text).digest()
  }
}

/** Browsers do not keep the cookies of two ports apart, and two servers may be on one machine. */
function cookieName(port: number): string {
  return `rat_memcached_${port}`
}
