/**
 * TLS over accepted sockets: the handshake, in limited time, and the certificates, which can be read
 * again while connections are open. These go on with those that they began with.
 *
 * What comes out of a handshake is a socket like any other, but for two things: it is read through 'data'
 * events, since its bytes are not those of the handle, and its writes end later.
 */
import { constants } from 'node:crypto'
import type { Socket } from 'node:net'
import { createSecureContext, createServer } from 'node:tls'
import type { SecureContextOptions, SecureVersion, Server, TLSSocket, TlsOptions } from 'node:tls'
import { readCertificates } from '../config/certificate-files.ts'
import type { Security } from '../config/listen-address.ts'
import type { Config } from '../config/schema.ts'
import { ServerError } from '../errors.ts'
import type { Clock } from '../observe/clock.ts'
import type { Logger } from '../observe/log.ts'
import { METRIC } from '../observe/metrics.ts'
import type { Metrics } from '../observe/metrics.ts'

const VERSIONS: Readonly<Record<Config['tls']['versionMin'], SecureVersion>> = {
  '1.0': 'TLSv1',
  '1.1': 'TLSv1.1',
  '1.2': 'TLSv1.2',
  '1.3': 'TLSv1.3',
}

type TlsSection = Config['tls']
type Verify = TlsSection['verify']

/** Takes accepted sockets through the handshake. */
export class TlsDoor {
  readonly #server: Server

  /** `server` listens nowhere: it is handed what a listener has accepted. */
  constructor(server: Server) {
    this.#server = server
  }

  enter(socket: Socket): void {
    // A handshake keeps no process alive; whoever comes out of it does.
    socket.unref()
    // Who ends its side before there are keys has nothing to be answered.
    socket.allowHalfOpen = false
    this.#server.emit('connection', socket)
  }
}

export class Tls {
  #section: TlsSection
  readonly #clock: Clock
  readonly #metrics: Metrics
  readonly #log: Logger
  readonly #servers: Server[] = []
  #context: SecureContextOptions
  /** When certificates were read last, in seconds. */
  readAtS: number

  /** Reads the certificates. Fails with CERTIFICATES_UNUSABLE. */
  constructor(section: TlsSection, clock: Clock, metrics: Metrics, log: Logger) {
    this.#section = section
    this.#clock = clock
    this.#metrics = metrics
    this.#log = log
    this.#context = contextOptions(section)
    this.readAtS = clock.nowS
  }

  /** A door for one listener. `entered` is given each socket that is through. */
  door(security: Security, entered: (socket: TLSSocket) => void): TlsDoor {
    const verify = verifyOf(security, this.#section.verify)
    const options: TlsOptions = {
      ...this.#context,
      handshakeTimeout: this.#section.handshakeTimeoutMs,
      requestCert: verify !== 'none',
      rejectUnauthorized: verify === 'require',
    }
    const server = createServer(options)
    server.on('secureConnection', (socket) => {
      if (verify === 'request' && !socket.authorized && hasCertificate(socket)) {
        this.#failed(socket.authorizationError)
        socket.destroy()
        return
      }
      if (!socket.isSessionReused()) this.#metrics.count(METRIC.SSL_NEW_SESSIONS)
      socket.ref()
      socket.allowHalfOpen = true
      entered(socket)
    })
    server.on('tlsClientError', (error, socket) => {
      this.#failed(error)
      socket.destroy()
    })
    this.#servers.push(server)
    return new TlsDoor(server)
  }

  /**
   * Reads what a section names. Fails with CERTIFICATES_UNUSABLE. What it returns puts it in force, for
   * connections to come; whom to ask for a certificate, and how long a handshake may take, stays.
   */
  prepare(section: TlsSection): () => void {
    const context = contextOptions(section)
    return () => {
      this.#section = section
      this.#context = context
      for (const server of this.#servers) server.setSecureContext(context)
      this.readAtS = this.#clock.nowS
      this.#log.info({}, 'the certificates were refreshed')
    }
  }

  /** Reads the certificates again, for connections to come. If they are not good, the old ones stay. */
  refresh(): boolean {
    try {
      this.prepare(this.#section)()
      return true
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#log.error({ reason }, 'the certificates were not refreshed: the old ones stay in use')
      return false
    }
  }

  #failed(error: unknown): void {
    this.#metrics.count(METRIC.SSL_HANDSHAKE_ERRORS)
    const reason = error instanceof Error ? error.message : String(error)
    this.#log.debug({ reason }, 'a TLS handshake failed')
  }
}

/** What is asked of clients at one address. */
function verifyOf(security: Security, configured: Verify): Verify {
  if (security === 'anonymous') return 'none'
  return security === 'mutual' ? 'require' : configured
}

function hasCertificate(socket: TLSSocket): boolean {
  return Object.keys(socket.getPeerCertificate()).length > 0
}

/** Reads what the section names, and sees that it fits together. */
function contextOptions(section: TlsSection): SecureContextOptions {
  const { cert, key, ca } = readCertificates(section)
  const options: SecureContextOptions = {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    ...(section.ciphers === '' ? {} : { ciphers: section.ciphers }),
    minVersion: VERSIONS[section.versionMin],
    secureOptions: section.sessionCache ? 0 : constants.SSL_OP_NO_TICKET,
  }
  try {
    createSecureContext(options)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ServerError(
      'CERTIFICATES_UNUSABLE',
      `the section [tls] is not usable: ${reason}`,
      error,
    )
  }
  return options
}
