/**
 * How bytes get into a socket: straight to its handle while nothing waits before them, and through
 * the stream otherwise.
 *
 * `socket.write` makes an object for each write and passes it through the machinery of a stream,
 * for the case that the system does not take the bytes at once. Nearly always it does. Then the
 * object is not even looked at, so one serves for all writes: 8 % less CPU for a small request
 * (docs/decisions/0008). That uses three things that Node does not document: the property
 * `_handle`, and `writeBuffer` and `writeQueueSize` of a handle. They are used here only, the first
 * write of the process shows whether they are what they have been since Node 12, and without them
 * everything goes through the stream.
 */
import { getSystemErrorName } from 'node:util'
import type { Socket } from 'node:net'
import type { ReadMode } from './socket-reader.ts'
import { handleOf } from './socket-reader.ts'

/** What became of bytes. */
export const SENT = {
  /** The system has them: their memory can be written again. */
  DIRECTLY: 0,
  /** The stream has them; `writableLength` tells whether they wait. */
  BY_STREAM: 1,
  /** The system took a part; the rest is read from memory later, until the callback. */
  QUEUED: 2,
} as const

export type Sent = (typeof SENT)[keyof typeof SENT]

/** Called when a queued write is over, with 0 or a negative error number. */
export type WriteDone = (status: number) => void

interface WriteRequest {
  oncomplete?: WriteDone
}
interface Handle {
  writeBuffer(request: WriteRequest, bytes: Buffer): number
  readonly writeQueueSize: number
}
type RequestConstructor = new () => WriteRequest

export class SocketWriter {
  /** Whether the next write may still teach how requests are made. */
  #mayLearn: boolean
  #Request: RequestConstructor | null = null
  /** Serves for every write that is over when the call returns. */
  #request: WriteRequest | null = null

  /** In 'data' mode only what Node documents is used. */
  constructor(mode: ReadMode) {
    this.#mayLearn = mode === 'onread'
  }

  /** Sends bytes by a socket that has nothing waiting. A failure ends the socket. */
  send(socket: Socket, bytes: Buffer, done: WriteDone): Sent {
    const request = this.#request
    const handle = handleOf(socket)
    if (request === null || !isHandle(handle)) {
      if (this.#mayLearn && isHandle(handle)) this.#learn(handle)
      socket.write(bytes)
      return SENT.BY_STREAM
    }
    const status = handle.writeBuffer(request, bytes)
    if (status !== 0) {
      failWrite(socket, status)
      return SENT.DIRECTLY
    }
    if (handle.writeQueueSize === 0) return SENT.DIRECTLY
    // allocates: only where a client takes its replies more slowly than it asks
    request.oncomplete = done
    this.#request = new this.#Request!()
    return SENT.QUEUED
  }

  /** Looks at the request that the next write of the stream hands to the handle. */
  #learn(handle: Handle): void {
    this.#mayLearn = false
    Reflect.set(handle, 'writeBuffer', (...given: unknown[]): unknown => {
      // Uncovers the method of the prototype again.
      Reflect.deleteProperty(handle, 'writeBuffer')
      const [request] = given
      // Node 26 makes no request before it needs one: then there is nothing to learn, or to save.
      const constructor: unknown =
        typeof request === 'object' && request !== null ? request.constructor : undefined
      if (isConstructor(constructor)) {
        this.#Request = constructor
        this.#request = new constructor()
      }
      const method: unknown = Reflect.get(handle, 'writeBuffer')
      return typeof method === 'function' ? Reflect.apply(method, handle, given) : undefined
    })
  }
}

/** Ends a socket that cannot be written any more, as the stream would. */
export function failWrite(socket: Socket, status: number): void {
  const code = getSystemErrorName(status)
  socket.destroy(Object.assign(new Error(`write ${code}`), { code, syscall: 'write' }))
}

function isHandle(handle: unknown): handle is Handle {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    'writeBuffer' in handle &&
    'writeQueueSize' in handle
  )
}

function isConstructor(value: unknown): value is RequestConstructor {
  return typeof value === 'function' && value !== Object
}
