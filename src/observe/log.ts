/**
 * The log: a small interface that the whole program uses, and the only door of pino behind it.
 *
 * Lines are JSON, or short lines for people when the log goes to a terminal. Every line is written
 * before the call returns (see `log-sink.ts`), so that nothing is lost when the process ends; that is
 * affordable because there is never a line per request. What a client can cause at will goes through
 * `limitLines`.
 */

import { isatty } from 'node:tty'
import { pino } from 'pino'
import { LogSink, STREAM_FDS } from './log-sink.ts'
import type { SinkOptions } from './log-sink.ts'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/** What a line tells beside its message; an error goes in the field `err`. */
export type LogFields = Readonly<Record<string, unknown>>

export type LogMethod = (fields: LogFields, message: string) => void

export interface Logger {
  readonly trace: LogMethod
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
  readonly fatal: LogMethod
  /** The least level that is written, a `LogLevel`; it may be changed at any time. */
  level: string
}

export interface LogOptions extends SinkOptions {
  readonly level: LogLevel
  readonly pretty: 'auto' | 'always' | 'never'
}

/** The log of a program, which can be given another place while it is written. */
export interface OpenLog extends Logger {
  /** Lines that could not be written. */
  readonly linesLost: number
  /** Opens the file again, which somebody may have renamed. What cannot be opened is logged. */
  reopen(): void
  /** Takes another place and another form, where they are another, but no other level. */
  move(options: LogOptions): void
}

/** What takes the finished lines. */
export interface LineSink {
  write(line: string): void
}

/** What could move the cursor of a terminal, or begin a line of its own. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}]/gu

/** Fields that every line has and that the line for people shows in its own way or not at all. */
const OWN_FIELDS: readonly string[] = ['level', 'time', 'pid', 'msg', 'err']

/** The options that say where the log goes, and in what form. */
const PLACE_OPTIONS = ['file', 'stream', 'fileBytesMax', 'filesKept', 'pretty'] as const

/** Opens the log. Fails with CONFIG_INVALID if its file cannot be opened. */
export function createLogger(options: LogOptions): OpenLog {
  const sink = new LogSink(options)
  let place = options
  let pretty = isPretty(options)
  let lostBefore = 0
  const write = (line: string): void => {
    const { lost } = sink
    sink.write(pretty ? prettyLine(line) : line)
    // The first line that gets through again is followed by how many did not.
    if (sink.lost > lost || lost === lostBefore) return
    const lines = lost - lostBefore
    lostBefore = lost
    log.warn({ lines }, 'lines of the log could not be written')
  }
  const log = createLoggerTo({ write }, options.level, false)
  const report = (error: Error | null): void => {
    if (error !== null) log.error({ reason: error.message }, 'the log stays where it is')
  }
  const open = Object.defineProperties(log, {
    linesLost: { get: () => sink.lost },
    reopen: { value: () => report(sink.reopen()) },
    move: {
      value(next: LogOptions) {
        if (PLACE_OPTIONS.every((name) => next[name] === place[name])) return
        const error = sink.reopen(next)
        if (error === null) {
          place = next
          pretty = isPretty(next)
        }
        report(error)
      },
    },
  })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- these are the properties that it lacked
  return open as OpenLog
}

function isPretty({ pretty, file, stream }: LogOptions): boolean {
  // Not process.stdout.isTTY: that would make a pipe non-blocking for all who write to it.
  const onTerminal = file === '' && isatty(STREAM_FDS[stream])
  return pretty === 'always' || (pretty === 'auto' && onTerminal)
}

/** The logger over any sink, for tests. */
export function createLoggerTo(sink: LineSink, level: LogLevel, pretty: boolean): Logger {
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: pino.stdSerializers.err },
    },
    pretty ? { write: (line) => sink.write(prettyLine(line)) } : sink,
  )
}

/**
 * Limits lines that clients can cause and that are worth having all the same. The function returned says
 * whether one may be written, at most `linesMax` times in an interval, and with the first of the next
 * interval how many were left out.
 */
export function budgetLines(
  linesMax: number,
  intervalMs: number,
  nowMs: () => number,
): () => { readonly leftOut: number } | null {
  let sinceMs = -Infinity
  let lines = 0
  return () => {
    const now = nowMs()
    const isNew = now - sinceMs >= intervalMs
    const leftOut = isNew ? Math.max(0, lines - linesMax) : 0
    if (isNew) {
      sinceMs = now
      lines = 0
    }
    lines++
    return lines > linesMax ? null : { leftOut }
  }
}

/**
 * Limits a line that clients can cause. The function returned calls `write` at most once in each
 * interval, and tells it how many lines were left out since the last one.
 */
export function limitLines(
  intervalMs: number,
  nowMs: () => number,
  write: (leftOut: number) => void,
): () => void {
  let nextMs = -Infinity
  let leftOut = 0
  return () => {
    const now = nowMs()
    if (now < nextMs) {
      leftOut++
      return
    }
    nextMs = now + intervalMs
    write(leftOut)
    leftOut = 0
  }
}

/** `2026-01-31T12:00:00.000Z INFO  listening addresses=["127.0.0.1:11211"]` */
function prettyLine(json: string): string {
  const line: Record<string, unknown> = JSON.parse(json)
  const { level, time, msg, err } = line
  const fields = Object.entries(line)
    .filter(([name]) => !OWN_FIELDS.includes(name))
    .map(([name, value]) => ` ${name}=${JSON.stringify(value)}`)
    .join('')
  const head = `${text(time)} ${text(level).toUpperCase().padEnd(5)} ${text(msg)}${fields}`
  return `${[head, ...stackOf(err)].map((part) => part.replaceAll(CONTROLS, ' ')).join('\n  ')}\n`
}

/** The stack of an error is worth its lines; it is the one thing that may take more than one. */
function stackOf(err: unknown): string[] {
  if (typeof err !== 'object' || err === null) return []
  return 'stack' in err ? text(err.stack).split('\n') : [JSON.stringify(err)]
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
