/**
 * The log: a small interface that the whole program uses, and the only door of pino behind it.
 *
 * Lines are JSON, or short lines for people when the log goes to a terminal. Every line is written
 * before the call returns, so that nothing is lost when the process ends; that is affordable
 * because there is never a line per request. What a client can cause at will goes through
 * `limitLines`.
 */

import { isatty } from 'node:tty'
import { pino } from 'pino'
import { ServerError } from '../errors.ts'

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

export interface LogOptions {
  readonly level: LogLevel
  /** The file to append to; empty for standard output. */
  readonly file: string
  readonly pretty: 'auto' | 'always' | 'never'
}

/** What takes the finished lines. */
export interface LineSink {
  write(line: string): void
}

const STDOUT_FD = 1

/** What could move the cursor of a terminal, or begin a line of its own. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}]/gu

/** Fields that every line has and that the line for people shows in its own way or not at all. */
const OWN_FIELDS: readonly string[] = ['level', 'time', 'pid', 'msg', 'err']

/** Opens the log. Fails with CONFIG_INVALID if its file cannot be opened. */
export function createLogger(options: LogOptions): Logger {
  // Not process.stdout.isTTY: that would make a pipe non-blocking for all who write to it.
  const onTerminal = options.file === '' && isatty(STDOUT_FD)
  const pretty = options.pretty === 'always' || (options.pretty === 'auto' && onTerminal)
  return createLoggerTo(openSink(options.file), options.level, pretty)
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

function openSink(file: string): LineSink {
  try {
    const destination = pino.destination({ dest: file === '' ? STDOUT_FD : file, sync: true })
    // A full disk or a reader that has gone away must not end a cache that still serves.
    destination.on('error', () => undefined)
    return destination
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ServerError('CONFIG_INVALID', `logging.file: cannot open ${file}: ${reason}`, error)
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
