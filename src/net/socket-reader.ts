/**
 * How bytes come out of a socket: into one static buffer that all sockets share, or, where the
 * runtime does not offer that, through 'data' events.
 *
 * With the `onread` option Node reads into our buffer and calls back before anything else can
 * happen, so one buffer serves every connection and a read makes no garbage: 1.10 instead of 1.40
 * times memcached's cost of a small request. `net.Server` has no such option, so the accepted
 * handle is moved into a socket that has it. That touches two things that Node does not document,
 * the property `_handle` and the option `handle`; they are used here only, and only if they are
 * what they have been since Node 12.
 */
import { Socket } from 'node:net'
import type { OnReadOpts, SocketConstructorOpts } from 'node:net'

/** Takes `length` bytes that stand at the start of the shared buffer. False stops the reading. */
export type BytesSink = (length: number) => boolean

export type ReadMode = 'onread' | 'data'

/** Where Node keeps the handle of a socket; not documented, hence reached for by name. */
const HANDLE = '_handle'

type HandleOptions = SocketConstructorOpts & { handle: unknown; onread: OnReadOpts }

/**
 * The handle of a socket, null once that is closed. Read as a property: by name, with Reflect, it takes
 * longer than all else in front of a write.
 */
export function handleOf(socket: Socket): unknown {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- not documented, and so not typed
  return (socket as Socket & { readonly [HANDLE]: unknown })[HANDLE]
}

/** Whether an accepted socket can be moved into one that reads into the shared buffer. */
export function supportsOnRead(accepted: Socket): boolean {
  const handle = handleOf(accepted)
  return (
    typeof handle === 'object' &&
    handle !== null &&
    'useUserBuffer' in handle &&
    typeof handle.useUserBuffer === 'function'
  )
}

/**
 * Starts to read from a socket that was accepted paused. Returns the socket to use from now on,
 * which may be another one. `resume` starts the reading again after the sink has stopped it.
 */
export function startReading(
  accepted: Socket,
  shared: Buffer,
  sink: BytesSink,
  mode: ReadMode,
): Socket {
  if (mode === 'onread' && supportsOnRead(accepted)) return moveHandle(accepted, shared, sink)
  accepted.on('data', (chunk: Buffer) => takeChunk(accepted, chunk, shared, sink))
  accepted.resume()
  return accepted
}

function moveHandle(accepted: Socket, shared: Buffer, sink: BytesSink): Socket {
  const handle = handleOf(accepted)
  Reflect.set(accepted, HANDLE, null)
  // Without its handle the accepted socket is an empty shell; destroying it settles the accounts
  // of the server that counts it.
  accepted.destroy()
  const options: HandleOptions = {
    handle,
    allowHalfOpen: true,
    onread: { buffer: shared, callback: sink },
  }
  return new Socket(options)
}

function takeChunk(socket: Socket, chunk: Buffer, shared: Buffer, sink: BytesSink): void {
  for (let at = 0; at < chunk.length;) {
    const length = chunk.copy(shared, 0, at)
    at += length
    if (!sink(length)) {
      socket.pause()
      if (at < chunk.length) socket.unshift(chunk.subarray(at))
      return
    }
  }
}
