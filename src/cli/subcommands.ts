/**
 * The first word of the command line: what the program is to do. Without one it serves, so that a command
 * line that was written for memcached does what it did.
 */
import { nearest } from '../config/nearest.ts'
import { ServerError } from '../errors.ts'

export interface Subcommand {
  readonly name: string
  /** What follows the name. */
  readonly usage: string
  readonly help: string
  /** Runs a tool; what is without one is done by `main.ts`. */
  readonly run?: (args: readonly string[]) => Promise<void>
}

/** In the order of the help. The tools are loaded only when they are asked for. */
export const SUBCOMMANDS: readonly Subcommand[] = [
  { name: 'serve', usage: '[options]', help: 'run the server (the default)' },
  {
    name: 'check-config',
    usage: '[FILE] [options]',
    help: 'report whether the configuration is good, and exit',
  },
  {
    name: 'stats',
    usage: 'HOST:PORT [options]',
    help: 'show the figures of a server; --watch: a table that lives',
    run: async (args) => (await import('./stats-command.ts')).statsCommand(args),
  },
  {
    name: 'dump',
    usage: 'HOST:PORT FILE [options]',
    help: 'write all items of a server, or of a data directory, to a file',
    run: async (args) => (await import('./dump-command.ts')).dumpCommand(args),
  },
  {
    name: 'restore',
    usage: 'HOST:PORT FILE [options]',
    help: 'put the items of such a file into a server',
    run: async (args) => (await import('./dump-command.ts')).restoreCommand(args),
  },
  {
    name: 'bench',
    usage: 'HOST:PORT [options]',
    help: 'put a load on a server, and say what it takes',
    run: async (args) => (await import('./bench-command.ts')).benchCommand(args),
  },
]

/** The command that the arguments begin with, and those that follow it. Fails with USAGE for an unknown one. */
export function takeSubcommand(args: readonly string[]): {
  readonly subcommand: Subcommand | undefined
  readonly rest: readonly string[]
} {
  const [word = '', ...rest] = args
  if (!/^[a-z]/.test(word)) return { subcommand: undefined, rest: args }
  const subcommand = SUBCOMMANDS.find(({ name }) => name === word)
  if (subcommand !== undefined) return { subcommand, rest }
  const known = nearest(
    word,
    SUBCOMMANDS.map(({ name }) => name),
  )
  const hint = known === undefined ? '' : `; did you mean ${known}?`
  throw new ServerError('USAGE', `unknown command '${word}'${hint}`)
}

/** The part of the help that names the commands. */
export function commandsHelp(): string {
  const columns = Math.max(...SUBCOMMANDS.map(({ name, usage }) => name.length + usage.length + 3))
  const rows = SUBCOMMANDS.map(
    ({ name, usage, help }) => `  ${`${name} ${usage}`.padEnd(columns)}${help}`,
  )
  const end = 'Each of the tools has a --help of its own.'
  return ['Commands, before all options:', ...rows, '', end, ''].join('\n')
}

/** The arguments of a server, of `check-config [FILE] …`. */
export function checkConfigArguments(rest: readonly string[]): readonly string[] {
  const [file = '', ...others] = rest
  const named = file === '' || file.startsWith('-') ? rest : ['--config', file, ...others]
  return ['--check-config', ...named]
}
