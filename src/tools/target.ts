/** Which server a tool talks to, and how it gets in. */
import { readFileSync } from 'node:fs'
import { parseListenAddress, splitPrefix } from '../config/listen-address.ts'
import { readUsers } from '../config/user-file.ts'
import { ServerError } from '../errors.ts'

export interface Target {
  /** As it was given, for messages. */
  readonly name: string
  readonly place: { readonly host: string; readonly port: number } | { readonly path: string }
  /** How it is encrypted; null if it is not. */
  readonly tls: TargetTls | null
  /** "NAME PASSWORD", one character a byte; null where nobody logs in. */
  readonly login: string | null
}

export interface TargetTls {
  /** The authorities that are believed, PEM; undefined for those of the runtime. */
  readonly ca: Buffer | undefined
  readonly cert: Buffer | undefined
  readonly key: Buffer | undefined
  readonly isVerified: boolean
}

/** What the options of a tool say of its server. */
export interface AccessOptions {
  readonly authFile?: string | undefined
  readonly tls?: boolean | undefined
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly insecure?: boolean | undefined
}

/** memcached's own port. */
const DEFAULT_PORT = 11_211
const DEFAULT_HOST = '127.0.0.1'

/** Reads HOST, HOST:PORT, [IPV6]:PORT, :PORT or unix:/PATH. Fails with USAGE, or for a file. */
export function readTarget(text: string, access: AccessOptions = {}): Target {
  const isBare = /^(?:[\w.-]+|\[[^\]]+\])$/.test(text)
  const address = parseListenAddress(isBare ? `${text}:${DEFAULT_PORT}` : text)
  // What a listener has in front of an address says nothing to a client.
  if (address === undefined || splitPrefix(text).text !== '') {
    throw new ServerError('USAGE', `'${text}' is not HOST:PORT, [IPV6]:PORT or unix:/PATH`)
  }
  const { authFile } = access
  return {
    name: text,
    place:
      address.kind === 'unix'
        ? { path: address.path }
        : { host: address.host === '' ? DEFAULT_HOST : address.host, port: address.port },
    tls: tlsOf(access),
    login: authFile === undefined ? null : loginOf(authFile),
  }
}

function tlsOf({ tls, ca, cert, key, insecure }: AccessOptions): TargetTls | null {
  if (tls !== true) {
    const names = { ca, cert, key, insecure }
    const given = Object.entries(names).find(([, value]) => value !== undefined)
    if (given !== undefined) throw new ServerError('USAGE', `--${given[0]} goes with --tls only`)
    return null
  }
  return {
    ca: pem('--ca', ca),
    cert: pem('--cert', cert),
    key: pem('--key', key ?? cert),
    isVerified: insecure !== true,
  }
}

function pem(option: string, file: string | undefined): Buffer | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ServerError('CERTIFICATES_UNUSABLE', `option ${option}: ${reason}`, error)
  }
}

/** The first user of a file, which is of the form that the server's has: no password in a command line. */
function loginOf(file: string): string {
  const [user] = readUsers(file)
  if (user === undefined) throw new ServerError('USERS_UNREADABLE', `${file}: there is no user`)
  return `${user.name} ${user.password}`
}
