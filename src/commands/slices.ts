/** Long lists as answers: a slice in each turn, so that others are served in between. */
import type { OutputBuffer } from '../bytes/output-buffer.ts'
import { RAN } from '../message/codes.ts'
import type { Ran } from '../message/codes.ts'
import type { Producer } from '../message/producer.ts'
import type { Reply } from '../message/reply.ts'
import type { Request } from '../message/request.ts'
import type { Stat } from './stats-report.ts'

/** Rows that are written in one turn: about a third of a millisecond. */
const ROWS_PER_SLICE = 256

/** Writes one row. */
type Write<Row> = (reply: Reply, out: OutputBuffer, request: Request, row: Row) => void

/** Rows that are made as they are needed, and the end of the list. An empty one ends its slice. */
export class RowProducer<Row> implements Producer {
  readonly #rows: Iterator<Row, void, undefined>
  readonly #write: Write<Row>

  constructor(rows: Iterable<Row, void, undefined>, write: Write<Row>) {
    this.#rows = rows[Symbol.iterator]()
    this.#write = write
  }

  next(request: Request, reply: Reply, out: OutputBuffer): Ran {
    for (let i = 0; i < ROWS_PER_SLICE; i++) {
      const row = this.#rows.next()
      if (row.done === true) {
        reply.endOfStats(out, request)
        return RAN.DONE
      }
      if (row.value === '') break
      this.#write(reply, out, request, row.value)
    }
    return RAN.MORE
  }

  whenReady(): void {
    // Never asked for: there is always more, or nothing.
  }

  stop(): void {
    // Nothing is held.
  }
}

/** Begins to answer by a producer. */
export function produce(
  producer: Producer,
  request: Request,
  reply: Reply,
  out: OutputBuffer,
): Ran {
  request.producer = producer
  // The words are read; what waits for its next turn keeps no more than a key of them.
  request.keyBytes = 0
  return goOn(producer, request, reply, out)
}

/** The next slice of a producer. */
export function goOn(producer: Producer, request: Request, reply: Reply, out: OutputBuffer): Ran {
  const ran = producer.next(request, reply, out)
  if (ran !== RAN.MORE && ran !== RAN.PAUSED) {
    producer.stop()
    request.producer = null
  }
  return ran
}

/** Statistics, name and value. */
export function statRows(rows: Iterable<Stat, void, undefined>): RowProducer<Stat> {
  return new RowProducer<Stat>(rows, (reply, out, request, [name, value]) =>
    reply.stat(out, request, name, value),
  )
}

/** Lines of their own form. */
export function lineRows(lines: Iterable<string, void, undefined>): RowProducer<string> {
  return new RowProducer<string>(lines, (reply, out, request, line) =>
    reply.line(out, request, line),
  )
}
