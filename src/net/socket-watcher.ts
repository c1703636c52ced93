/**
 * A connection that watches: lines are gathered and handed to its socket once a turn, and only as many as
 * it takes. What it sends from now on is read and forgotten, so that its end is noticed.
 */
import type { Socket } from 'node:net'
import type { InputWindow } from '../bytes/input-window.ts'
import { PARSED } from '../message/codes.ts'
import type { Parsed } from '../message/codes.ts'
import type { Protocol } from '../message/protocol.ts'
import { METRIC } from '../observe/metrics.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Watcher, Watchers } from '../observe/watchers.ts'

/** Bytes that may wait for one watcher, memcached's logger_watcher_buf_size. */
const PENDING_BYTES_MAX = 256 * 1024

export class SocketWatcher implements Watcher {
  readonly topics: number
  readonly #socket: Socket
  readonly #metrics: Metrics
  #lines = ''

  private constructor(socket: Socket, topics: number, metrics: Metrics) {
    this.#socket = socket
    this.topics = topics
    this.#metrics = metrics
  }

  /** Lets a socket watch until it is closed. */
  static start(socket: Socket, topics: number, watchers: Watchers, metrics: Metrics): void {
    const watcher = new SocketWatcher(socket, topics, metrics)
    if (watchers.add(watcher)) socket.on('close', () => watchers.remove(watcher))
  }

  take(line: string): boolean {
    if (this.#lines.length + this.#socket.writableLength + line.length > PENDING_BYTES_MAX) {
      return false
    }
    if (this.#lines === '') setImmediate(() => this.#flush())
    this.#lines += line
    return true
  }

  #flush(): void {
    const lines = this.#lines
    this.#lines = ''
    if (this.#socket.destroyed) return
    this.#metrics.add(METRIC.BYTES_WRITTEN, lines.length)
    this.#socket.write(lines, 'latin1')
  }
}

/** What a client speaks that only listens: nothing that is heard. It answers as it did before. */
export function unheard(protocol: Protocol): Protocol {
  return {
    reply: protocol.reply,
    lookAhead() {},
    parse(input: InputWindow): Parsed {
      input.start = input.end
      return PARSED.NEED_MORE
    },
  }
}
