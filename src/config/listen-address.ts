/**
 * The addresses of `server.bind`: "HOST:PORT", "[IPV6]:PORT", ":PORT" and "unix:/path", and what may stand
 * before one, as memcached 1.6 has it: "notls:", "btls:" or "mtls:", then "proto[NAME]:", then "tag[NAME]:"
 * (a tag is for memcached's proxy, and says nothing here).
 * Only their form is judged here; whether a host exists is found out when it is bound.
 */

/** Of TCP: as the configuration of TLS says, without TLS, or with it, asking for a certificate or not. */
export type Security = 'default' | 'clear' | 'anonymous' | 'mutual'

export type ListenAddress =
  | {
      readonly kind: 'tcp'
      /** Without brackets; empty for all interfaces. */
      readonly host: string
      /** 0 lets the system choose. */
      readonly port: number
      readonly security: Security
      /** What is spoken here, where that is not what is spoken in general. */
      readonly protocol: SpokenProtocol | undefined
    }
  | { readonly kind: 'unix'; readonly path: string }

export type SpokenProtocol = 'auto' | 'ascii' | 'binary'

/** What stands before an address: the prefix as it is written, and the rest. */
export interface AddressPrefix {
  readonly text: string
  readonly security: Security
  readonly protocol: SpokenProtocol | undefined
  readonly rest: string
}

const UNIX_PREFIX = 'unix:'
const PORT_MAX = 65_535
const IPV6_FORM = /^\[([0-9a-f:.]+(?:%[\w.-]+)?)\]:(\d{1,5})$/i
const HOST_FORM = /^([\w.-]*):(\d{1,5})$/
const PREFIX_FORM =
  /^(?:(notls|btls|mtls):)?(?:proto\[(ascii|binary|negotiating)\]:)?(?:tag\[\w*\]:)?/

const SECURITY: Readonly<Record<string, Security>> = {
  notls: 'clear',
  btls: 'anonymous',
  mtls: 'mutual',
}
const PROTOCOLS: Readonly<Record<string, SpokenProtocol>> = {
  ascii: 'ascii',
  binary: 'binary',
  negotiating: 'auto',
}

/** Takes an address apart; `undefined` if it has none of the forms. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (text.startsWith(UNIX_PREFIX)) {
    const path = text.slice(UNIX_PREFIX.length)
    return path === '' || path.includes('\0') ? undefined : { kind: 'unix', path }
  }
  const { security, protocol, rest } = splitPrefix(text)
  const match = IPV6_FORM.exec(rest) ?? HOST_FORM.exec(rest)
  if (match === null) return undefined
  const port = Number(match[2])
  if (port > PORT_MAX) return undefined
  return { kind: 'tcp', host: match[1] ?? '', port, security, protocol }
}

/** Whether only programs of this machine reach a host. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i.test(host)
}

/** Parts an address of TCP from what stands before it. */
export function splitPrefix(text: string): AddressPrefix {
  const match = PREFIX_FORM.exec(text)
  const prefix = match?.[0] ?? ''
  return {
    text: prefix,
    security: SECURITY[match?.[1] ?? ''] ?? 'default',
    protocol: PROTOCOLS[match?.[2] ?? ''],
    rest: text.slice(prefix.length),
  }
}
