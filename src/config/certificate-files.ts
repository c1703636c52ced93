/** Certificates and keys, read from the files that the section [tls] names. */
import { readFileSync } from 'node:fs'
import { ServerError } from '../errors.ts'
import type { Config } from './schema.ts'

/** All of it PEM. */
export interface Certificates {
  readonly cert: Buffer
  readonly key: Buffer
  /** The authorities of clients. */
  readonly ca: Buffer | undefined
}

/** Reads the files. Fails with CERTIFICATES_UNUSABLE; whether they fit together is not looked at. */
export function readCertificates(tls: Config['tls']): Certificates {
  const cert = read('tls.cert', tls.certFile)
  return {
    cert,
    key: tls.keyFile === '' ? cert : read('tls.key', tls.keyFile),
    ca: tls.caFile === '' ? undefined : read('tls.ca', tls.caFile),
  }
}

function read(key: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ServerError('CERTIFICATES_UNUSABLE', `cannot read ${key}: ${reason}`, error)
  }
}
