// Checks what a server answers, byte for byte, as it arrives. The dialect knows from the pending requests which bytes
// must come next; they are compared in place, in however small pieces they come. A reply that is wrong, belongs to
// another key, is too short, too long or unasked for throws `WrongReply`, and the run counts for nothing. The only
// freedom a server has is to answer a get with a miss, which is counted and judged at the end, and, where a workload
// allows it, to refuse a set for want of memory; and what nobody can know (the cas of a binary reply) may be anything.

import { keyName } from './dataset.ts'
import {
  type Dialect,
  keyInReply,
  type Replies,
  type ReplyOptions,
  type Tally,
} from './dialect/dialect.ts'
import { type Expectation, isMet, match, newExpectation } from './expectation.ts'
import { opName } from './pending.ts'

export interface CheckerOptions extends Omit<ReplyOptions, 'tally'> {
  readonly dialect: Dialect
}

export class WrongReply extends Error {
  override name = 'WrongReply'
}

/** How much of a wrong reply is shown. */
const EXCERPT_BYTES = 60

export class ReplyChecker {
  readonly tally: Tally = { hits: 0, misses: 0, refusals: 0 }
  readonly #options: CheckerOptions
  readonly #replies: Replies
  readonly #expected: Expectation = newExpectation()
  #isWithinReply = false

  constructor(options: CheckerOptions) {
    this.#options = options
    this.#replies = options.dialect.replies({ ...options, tally: this.tally })
  }

  /** Checks `chunk[0, bytes)` and returns how many requests it completed. */
  feed(chunk: Buffer, bytes: number): number {
    const { pending } = this.#options
    const replies = this.#replies
    const expected = this.#expected
    let at = 0
    let answered = 0
    while (at < bytes) {
      if (!this.#isWithinReply) {
        if (pending.count === 0)
          throw new WrongReply(`bytes nobody asked for: ${excerpt(chunk, at, bytes)}`)
        replies.begin(expected)
        this.#isWithinReply = true
      }
      at += match(expected, chunk, at, bytes)
      if (isMet(expected)) {
        if (replies.advance(expected)) continue
        this.#isWithinReply = false
        pending.drop()
        answered++
      } else if (at < bytes && !replies.otherwise(expected, chunk[at]!)) {
        throw this.#wrong(chunk, at, bytes)
      }
    }
    return answered
  }

  #wrong(chunk: Buffer, at: number, bytes: number): WrongReply {
    const { pending, dataset } = this.#options
    const expected = this.#expected
    return new WrongReply(
      `reply to ${opName(pending.op())} of ${keyName(dataset, keyInReply(this.#options, 0))}: expected ` +
        `${excerpt(expected.bytes, expected.at, expected.to)}, got ${excerpt(chunk, at, bytes)}`,
    )
  }
}

function excerpt(bytes: Buffer, from: number, to: number): string {
  const text = JSON.stringify(bytes.toString('latin1', from, Math.min(to, from + EXCERPT_BYTES)))
  return text.replaceAll(/[\x7f-\xff]/g, (byte) => `\\u00${byte.charCodeAt(0).toString(16)}`)
}
