/**
 * Asks the server for its version and exits with 0 if it gives one in time, with 1 if not.
 *
 *     node healthcheck.mjs [HOST:PORT | tls:HOST:PORT | unix:/PATH]
 *
 * A server that wants a password first is one that serves. With tls: the certificate is not looked at.
 * Without an argument it asks $HEALTHCHECK_ADDRESS, or 127.0.0.1:11211.
 */
import { createConnection } from 'node:net'
import { connect } from 'node:tls'

/** Less than the timeout of the HEALTHCHECK, so that the reason is told. */
const TIMEOUT_MS = 2000

const address = process.argv[2] ?? process.env.HEALTHCHECK_ADDRESS ?? '127.0.0.1:11211'
const socket = address.startsWith('tls:')
  ? connect({ ...connectOptions(address.slice('tls:'.length)), rejectUnauthorized: false })
  : createConnection(connectOptions(address))
let reply = ''

const timer = setTimeout(() => fail(`no answer within ${TIMEOUT_MS} ms`), TIMEOUT_MS)
socket.setEncoding('latin1')
socket.write('version\r\n')
socket.on('error', (error) => fail(error.message))
socket.on('end', () => fail(`hung up after ${JSON.stringify(reply)}`))
socket.on('data', (text) => {
  reply += text
  if (!reply.includes('\r\n')) return
  if (!/^(?:VERSION |CLIENT_ERROR unauthenticated)/.test(reply))
    fail(`answered ${JSON.stringify(reply)}`)
  clearTimeout(timer)
  console.log(reply.trimEnd())
  socket.destroy()
})

/** @param {string} text */
function connectOptions(text) {
  if (text.startsWith('unix:')) return { path: text.slice('unix:'.length) }
  const colon = text.lastIndexOf(':')
  const host = text.slice(0, colon).replaceAll(/[[\]]/g, '')
  return { host, port: Number(text.slice(colon + 1)) }
}

/** @param {string} reason */
function fail(reason) {
  console.error(`${address}: ${reason}`)
  process.exit(1)
}
