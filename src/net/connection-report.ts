/** `stats conns`: who is connected, under memcached's names. */
import type { Socket } from 'node:net'
import type { CommandClient } from '../commands/context.ts'
import type { Connection } from './connection.ts'

type Row = readonly [name: string, value: string]

/** memcached's words for what a connection is doing. */
function stateOf(connection: Connection, asking: CommandClient | null): string {
  if (connection === asking) return 'conn_parse_cmd'
  if (connection.isWatching) return 'conn_watch'
  if (connection.holdsOutput) return 'conn_mwrite'
  if (connection.busy) return 'conn_io_queue'
  return connection.isReceivingValue ? 'conn_nread' : 'conn_read'
}

/**
 * Rows of the addresses that are listened on, and of each connection. The numbers in front count
 * connections from the start of the server; in memcached they are file descriptors, and change hands.
 */
export function* connectionStats(
  connections: Iterable<Connection>,
  listening: readonly string[],
  asking: CommandClient | null,
  nowS: number,
  upS: number,
): Generator<Row, void, undefined> {
  for (const [index, address] of listening.entries()) {
    yield [`${index + 1}:addr`, address.startsWith('unix:') ? address : endpoint(address)]
    yield [`${index + 1}:state`, 'conn_listening']
    yield [`${index + 1}:secs_since_last_cmd`, String(upS)]
  }
  for (const connection of connections) {
    const { number, socket } = connection
    yield [`${number}:addr`, remoteEnd(socket, listening)]
    yield [`${number}:listen_addr`, localEnd(socket, listening)]
    yield [`${number}:state`, stateOf(connection, asking)]
    yield [`${number}:secs_since_last_cmd`, String(Math.max(0, nowS - connection.activeAtS))]
  }
}

function remoteEnd(socket: Socket, listening: readonly string[]): string {
  const { remoteAddress, remotePort, remoteFamily } = socket
  if (remoteAddress === undefined) return unixName(listening)
  return remoteFamily === 'IPv6'
    ? `tcp6:[${remoteAddress}]:${remotePort}`
    : `tcp:${remoteAddress}:${remotePort}`
}

function localEnd(socket: Socket, listening: readonly string[]): string {
  const { localAddress, localPort, localFamily } = socket
  if (localAddress === undefined) return unixName(listening)
  return localFamily === 'IPv6'
    ? `tcp6:[${localAddress}]:${localPort}`
    : `tcp:${localAddress}:${localPort}`
}

/** A client of a UNIX socket has no address of its own. */
function unixName(listening: readonly string[]): string {
  return listening.find((address) => address.startsWith('unix:')) ?? 'unix:'
}

function endpoint(address: string): string {
  return address.startsWith('[') ? `tcp6:${address}` : `tcp:${address}`
}
