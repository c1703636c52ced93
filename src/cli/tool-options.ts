/** The command line of a tool: what all tools have in common. commander takes it apart. */
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { parseDurationMs, parseSize } from '../config/units.ts'
import { ServerError } from '../errors.ts'
import { readTarget } from '../tools/target.ts'
import type { AccessOptions, Target } from '../tools/target.ts'

/** A command without options of its own yet. */
export function toolCommand(name: string, usage: string, description: string): Command {
  return new Command(`rat-memcached ${name}`)
    .usage(usage)
    .description(description)
    .helpOption('-h, --help', 'print this help, and exit')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .configureHelp({ helpWidth: 100 })
}

/** The options that say how to get into a server. */
export function withAccess(command: Command): Command {
  return command
    .option('--auth-file <file>', 'log in as the first NAME:PASSWORD of this file')
    .option('--tls', 'speak TLS')
    .option('--ca <file>', 'authorities to believe, PEM')
    .option('--cert <file>', 'certificate of this client, PEM')
    .option('--key <file>', 'its private key, PEM, if that is in another file')
    .option('--insecure', 'do not check the certificate of the server')
}

/**
 * Reads the arguments of a tool; null if they ask for the help, which is printed then. Fails with USAGE.
 * Returns the words beside the options, of which there are from `wordsMin` to `wordsMax`.
 */
export function readWords(
  command: Command,
  args: readonly string[],
  wordsMin: number,
  wordsMax: number,
): readonly string[] | null {
  try {
    command.argument('[words...]').parse([...args], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return null
    throw new ServerError('USAGE', error.message.replace(/^error: /, ''), error)
  }
  const words = command.args
  if (words.length < wordsMin || words.length > wordsMax) {
    throw new ServerError('USAGE', `usage: ${command.name()} ${command.usage()}`)
  }
  return words
}

export function targetOf(word: string, options: AccessOptions): Target {
  return readTarget(word, options)
}

/** A whole number from `min` to `max`, for an option. */
export function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (number >= min && number <= max) return number
    throw new InvalidArgumentError(`It takes a whole number from ${min} to ${max}.`)
  }
}

/** A duration in milliseconds, for an option that is given as "500ms", "10s" or a number of seconds. */
export function durationMs(minMs: number, maxMs: number): (text: string) => number {
  return (text) => {
    const ms = parseDurationMs(text)
    if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms
    throw new InvalidArgumentError(`It takes a duration from ${minMs}ms to ${maxMs / 1000}s.`)
  }
}

/** A size in bytes, for an option that is given as "100", "64KB" or "1MB". */
export function sizeBytes(min: number, max: number): (text: string) => number {
  return (text) => {
    const bytes = parseSize(text)
    if (bytes !== undefined && bytes >= min && bytes <= max) return bytes
    throw new InvalidArgumentError(`It takes a size from ${min} to ${max} bytes.`)
  }
}
