/**
 * Clients that send rubbish: random bytes, and commands with bytes changed, cut off, cut short. They
 * come and go, and some do not take their replies. Everything comes from the seed.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { binaryCommand } from '../differential/binary-commands.ts'
import { Draw } from '../differential/draw.ts'
import { metaCommand } from '../differential/meta-commands.ts'
import { commandText } from '../differential/steps.ts'
import type { Command } from '../differential/steps.ts'
import { textCommand } from '../differential/text-commands.ts'
import { EXACT_SINCE } from '../differential/known-differences.ts'
import { Vocabulary } from '../differential/vocabulary.ts'
import type { Sizes } from '../differential/vocabulary.ts'

const SIZES: Sizes = { coldKeys: 500, largeShare: 0.02, largeBytesMax: 50_000, limitShare: 0.0005 }
/** How often each client sends something. */
const PAUSE_MS = 25
const COMMANDS_MAX = 8

export interface NoiseCounts {
  connections: number
  bytesSent: number
  bytesReceived: number
}

/** One client; when its connection ends it opens another one, until it is stopped. */
export class NoisyClient {
  readonly #draw: Draw
  readonly #words: Vocabulary
  readonly #port: number
  readonly #counts: NoiseCounts
  #socket: Socket | undefined
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(seed: number, port: number, counts: NoiseCounts) {
    this.#draw = new Draw(seed)
    this.#words = new Vocabulary(this.#draw, SIZES, EXACT_SINCE)
    this.#words.mayBeLines = true
    this.#port = port
    this.#counts = counts
  }

  start(): void {
    this.#timer = setInterval(() => this.#act(), PAUSE_MS)
  }

  stop(): void {
    this.#isStopped = true
    clearInterval(this.#timer)
    this.#socket?.destroy()
  }

  #act(): void {
    const draw = this.#draw
    const socket = this.#socket ?? this.#open()
    if (draw.chance(0.005)) return this.#drop(draw.chance(0.5))
    if (draw.chance(0.01)) socket.pause()
    if (draw.chance(0.1)) socket.resume()
    // Who takes no replies sends no more than the system holds.
    if (socket.writableNeedDrain) return
    const bytes = Buffer.from(this.#rubbish(), 'latin1')
    this.#counts.bytesSent += bytes.length
    socket.write(bytes)
  }

  #open(): Socket {
    const socket = connect({ host: '127.0.0.1', port: this.#port, noDelay: true })
    this.#counts.connections++
    socket.on('data', (bytes) => {
      this.#counts.bytesReceived += bytes.length
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined
    })
    this.#socket = socket
    return socket
  }

  #drop(isPolite: boolean): void {
    if (isPolite) this.#socket?.end()
    else this.#socket?.resetAndDestroy()
    this.#socket = undefined
    if (this.#isStopped) this.stop()
  }

  #rubbish(): string {
    const draw = this.#draw
    if (draw.chance(0.15)) return this.#bytes(draw.below(600))
    const texts = Array.from({ length: draw.between(1, COMMANDS_MAX) }, () => this.#command())
    const text = texts.map((one) => commandText(one, () => undefined)).join('')
    // Half of it as it is: whoever is heard only in part has to be understood again.
    return draw.chance(0.5) ? text : this.#damaged(text)
  }

  #command(): Command {
    const draw = this.#draw
    return draw.weighted([
      [3, () => textCommand(draw, this.#words, 0)],
      [2, () => metaCommand({ draw, words: this.#words, lane: 0 })],
      [2, () => binaryCommand(draw, this.#words, 0)],
    ])
  }

  /** Some bytes changed, lost or put in, and perhaps the end cut off. */
  #damaged(text: string): string {
    const draw = this.#draw
    let damaged = text
    for (let count = draw.between(1, 6); count > 0 && damaged.length > 0; count--) {
      const at = draw.below(Math.min(damaged.length, 4000))
      damaged =
        damaged.slice(0, at) + this.#bytes(draw.below(3)) + damaged.slice(at + draw.below(3))
    }
    return draw.chance(0.1) ? damaged.slice(0, draw.below(damaged.length + 1)) : damaged
  }

  #bytes(count: number): string {
    return Array.from({ length: count }, () => String.fromCharCode(this.#draw.below(256))).join('')
  }
}
