/**
 * Reads the command line into overrides of configuration keys and warnings; nothing takes effect
 * yet. commander finds the options in the arguments, `option-table.ts` says what each one does.
 */

import { Command, CommanderError, Option } from 'commander'
import { splitPrefix } from '../config/listen-address.ts'
import type { Override } from '../config/load.ts'
import { nearest } from '../config/nearest.ts'
import { ServerError } from '../errors.ts'
import {
  ANY_PORT,
  OPTION_GROUPS,
  isShown,
  set,
  usage,
  type Action,
  type OptionDraft,
} from './option-table.ts'

export interface CommandLine {
  readonly action: Action
  readonly configFile: string | undefined
  readonly overrides: readonly Override[]
  /** Whether it is to run in the background. */
  readonly daemon: boolean
  /** Clients may change the clock: for tests of them. */
  readonly debug: boolean
  /** A free port, memory only, and an end with the parent. */
  readonly ephemeral: boolean
  /** -S was given. */
  readonly sasl: boolean
  /** What -v said, counted. */
  readonly verbosity: number
  /** The parts of the address, for a command line that gives the others. */
  readonly listen: readonly string[]
  readonly port: string | undefined
  /** Sentences for the log, one for each option that has no effect. */
  readonly warnings: readonly string[]
}

/** memcached's own port, from before there were registered ones. */
const DEFAULT_PORT = '11211'

/** memcached listens on all interfaces; a cache without a password had better not. */
const DEFAULT_HOST = '127.0.0.1'

/** A port that nobody has, where --ephemeral is told no other. */
const EPHEMERAL_ADDRESS = '127.0.0.1:0'

/** memcached's `-p 0`: no TCP. */
const NO_PORT = '0'

/** What -l and -p are where the command line has one of them only. */
export interface AddressParts {
  readonly listen: readonly string[]
  readonly port: string | undefined
}

const NO_PARTS: AddressParts = { listen: [], port: undefined }

/**
 * Reads the arguments after the name of the program.
 * Fails with USAGE, naming the option, if they are not understood or are out of range.
 */
export function parseCommandLine(
  args: readonly string[],
  parts: AddressParts = NO_PARTS,
): CommandLine {
  const draft: OptionDraft = {
    action: 'serve',
    configFile: undefined,
    verbosity: 0,
    binds: [],
    listen: [],
    port: undefined,
    unixPath: undefined,
    sasl: false,
    protocol: undefined,
    daemon: false,
    debug: false,
    ephemeral: false,
    overrides: [],
    warnings: new Set(),
  }
  const program = createProgram(draft)
  const { operands, unknown } = parseOptions(program, args)
  if (isShown(draft.action)) return finish(draft)
  const stray = operands[0] ?? unknown[0]
  if (stray !== undefined) throw new ServerError('USAGE', strayArgument(program, stray))
  if (draft.ephemeral && draft.daemon) throw usage('--ephemeral', 'cannot be combined with -d')
  settleVerbosity(draft)
  settleSasl(draft)
  settleAddresses(draft, parts)
  return finish(draft)
}

/** The text of --help. */
export function helpText(): string {
  return createProgram(undefined).helpInformation()
}

/** Every flag there is, "-p" and "--port"; the documentation is tested against it. */
export function knownFlags(): readonly string[] {
  return createProgram(undefined).options.flatMap((option) => flagsOf(option))
}

function createProgram(draft: OptionDraft | undefined): Command {
  const program = new Command('rat-memcached')
    .usage('[command] [options]')
    .description('A memcached server. Every setting and its default: docs/CONFIG.md.')
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .configureHelp({ helpWidth: 100 })
  for (const { heading, rows } of OPTION_GROUPS) {
    for (const row of rows) {
      const option = new Option(row.flags, row.help).hideHelp(heading === undefined)
      if (heading !== undefined) option.helpGroup(heading)
      program.addOption(option)
      const flag = option.short ?? option.long ?? row.flags
      program.on(`option:${option.name()}`, (value: string | undefined) => {
        if (draft !== undefined) row.apply(draft, value ?? '', flag)
      })
    }
  }
  return program
}

/** commander finds and splits the options; it takes the word after one that needs a value as it is. */
function parseOptions(
  program: Command,
  args: readonly string[],
): { operands: string[]; unknown: string[] } {
  try {
    return program.parseOptions([...args])
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    throw new ServerError('USAGE', error.message.replace(/^error: /, ''), error)
  }
}

function finish(draft: OptionDraft): CommandLine {
  return { ...draft, warnings: [...draft.warnings] }
}

function strayArgument(program: Command, argument: string): string {
  if (!argument.startsWith('-') || argument === '-') return `unexpected argument '${argument}'`
  const flag = argument.split('=', 1)[0] ?? argument
  const shown = program.options.filter((option) => !option.hidden).flatMap((row) => flagsOf(row))
  const long = shown.filter((name) => name.startsWith('--'))
  const isLong = flag.startsWith('--')
  const otherCase = shown.find((name) => name.toLowerCase() === flag.toLowerCase())
  const known = isLong ? nearest(flag, long) : otherCase
  return `unknown option '${flag}'${known === undefined ? '' : `; did you mean ${known}?`}`
}

function flagsOf(option: Option): string[] {
  return [option.short, option.long].filter((flag) => flag !== undefined)
}

/** -v counts only if no level was asked for by name. */
function settleVerbosity(draft: OptionDraft): void {
  if (draft.verbosity === 0) return
  const named = draft.overrides.some(({ key }) => key === 'logging.level')
  if (!named) set(draft, 'logging.level', draft.verbosity === 1 ? 'debug' : 'trace', '-v')
}

/** SASL is of the binary protocol, so -S asks for that. */
function settleSasl(draft: OptionDraft): void {
  const { sasl, protocol } = draft
  if (!sasl) return
  if (protocol !== undefined && protocol !== 'binary') {
    throw usage('-S', `goes with -B binary only, and not with ${protocol}`)
  }
  set(draft, 'server.protocol', 'binary', '-S')
  set(draft, 'auth.required', 'true', '-S')
}

/** Makes `server.bind` of either --bind or memcached's -l, -p and -s. */
function settleAddresses(draft: OptionDraft, parts: AddressParts): void {
  const { binds, unixPath } = draft
  const isTcp = draft.listen.length > 0 || draft.port !== undefined
  const listen = isTcp && draft.listen.length === 0 ? parts.listen : draft.listen
  const port = isTcp ? (draft.port ?? parts.port) : undefined
  const tcpFlags = [listen.length > 0 ? '-l' : '', port === undefined ? '' : '-p'].filter(Boolean)
  if (binds.length > 0) {
    const others = unixPath === undefined ? tcpFlags : [...tcpFlags, '-s']
    if (others.length > 0) throw usage('--bind', `cannot be combined with ${others.join(', ')}`)
    set(draft, 'server.bind', binds, '--bind')
  } else if (unixPath !== undefined) {
    for (const flag of tcpFlags) {
      if (flag === '-p' && port === NO_PORT) continue
      draft.warnings.add(`option ${flag} has no effect: with -s there is no TCP`)
    }
    set(draft, 'server.bind', [`unix:${unixPath}`], '-s')
  } else if (tcpFlags.length > 0) {
    set(draft, 'server.bind', tcpAddresses(listen, port), tcpFlags.join(' '))
  } else if (draft.ephemeral) {
    set(draft, 'server.bind', [EPHEMERAL_ADDRESS], '--ephemeral')
  }
}

function tcpAddresses(listen: readonly string[], port: string | undefined): string[] {
  if (port === NO_PORT) throw usage('-p', '0 leaves nothing to listen on; -p -1 takes a free port')
  const hosts = listen.length > 0 ? listen : [DEFAULT_HOST]
  const defaultPort = port === ANY_PORT ? '0' : (port ?? DEFAULT_PORT)
  return hosts.map((text) => {
    const prefix = splitPrefix(text.trim())
    return prefix.text + withPort(prefix.rest, defaultPort)
  })
}

/** An entry of -l: a host, HOST:PORT, [IPV6], [IPV6]:PORT, or an IPv6 address without brackets. */
function withPort(host: string, port: string): string {
  if (host === '') throw usage('-l', 'an address is empty')
  if (host.startsWith('[')) return host.endsWith(']') ? `${host}:${port}` : host
  const colons = host.split(':').length - 1
  if (colons > 1) return `[${host}]:${port}`
  return colons === 1 ? host : `${host}:${port}`
}
