/**
 * The addresses of `server.bind`: "HOST:PORT", "[IPV6]:PORT", ":PORT" and "unix:/path".
 * Only their form is judged here; whether a host exists is found out when it is bound.
 */

export type ListenAddress =
  | {
      readonly kind: 'tcp'
      /** Without brackets; empty for all interfaces. */
      readonly host: string
      /** 0 lets the system choose. */
      readonly port: number
    }
  | { readonly kind: 'unix'; readonly path: string }

const UNIX_PREFIX = 'unix:'
const PORT_MAX = 65_535
const IPV6_FORM = /^\[([0-9a-f:.]+(?:%[\w.-]+)?)\]:(\d{1,5})$/i
const HOST_FORM = /^([\w.-]*):(\d{1,5})$/

/** Takes an address apart; `undefined` if it has none of the four forms. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (text.startsWith(UNIX_PREFIX)) {
    const path = text.slice(UNIX_PREFIX.length)
    return path === '' || path.includes('\0') ? undefined : { kind: 'unix', path }
  }
  const match = IPV6_FORM.exec(text) ?? HOST_FORM.exec(text)
  if (match === null) return undefined
  const port = Number(match[2])
  return port > PORT_MAX ? undefined : { kind: 'tcp', host: match[1] ?? '', port }
}
