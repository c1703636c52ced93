/** A client that speaks bytes over TLS, and the certificates of the tests. */
import { readFileSync } from 'node:fs'
import { connect } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { TestClient } from './server.ts'

export type CertificateName =
  'authority' | 'stranger' | 'server' | 'renewed' | 'client' | 'impostor'

/** The path of one of `test/certificates`. */
export function certificateFile(name: CertificateName): string {
  return fileURLToPath(new URL(`../certificates/${name}.pem`, import.meta.url))
}

export function certificate(name: CertificateName): Buffer {
  return readFileSync(certificateFile(name))
}

export interface TlsClient {
  readonly client: TestClient
  readonly socket: TLSSocket
  /** Whose certificate the server has shown, which it does in a new session. */
  readonly serverName: string
}

/**
 * Connects, and looks at the certificate of the server. With a certificate of its own (key and all in
 * one file) it shows that. Rejects if they do not come to terms.
 */
export function connectTls(
  port: number,
  own?: CertificateName,
  options: ConnectionOptions = {},
): Promise<TlsClient> {
  const identity = own === undefined ? {} : { cert: certificate(own), key: certificate(own) }
  return new Promise((resolve, reject) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      ca: certificate('authority'),
      ...identity,
      ...options,
    })
    const client = new TestClient(socket)
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      const shown: { subject?: { CN?: unknown } } = socket.getPeerCertificate()
      resolve({ client, socket, serverName: String(shown.subject?.CN) })
    })
  })
}
