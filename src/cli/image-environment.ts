/**
 * The variables of the container images that people run memcached with (Bitnami's names): each is what an
 * option of memcached is, and counts for less than our own variables and the command line. `NAME_FILE`
 * names a file that holds the value, which goes before the value itself.
 *
 * Other variables that begin with MEMCACHED_ are none of ours: Kubernetes makes some of its own.
 */
import { readFileSync } from 'node:fs'
import type { Override } from '../config/load.ts'
import type { User } from '../config/user-file.ts'
import { ServerError } from '../errors.ts'
import { parseCommandLine } from './options.ts'
import type { CommandLine } from './options.ts'

export interface ImageEnvironment {
  readonly commandLine: CommandLine
  /** The overrides of the command line, each with the variable that it comes from. */
  readonly overrides: readonly Override[]
  readonly users: readonly User[]
}

type Environment = Readonly<Record<string, string | undefined>>

/** The option that a variable stands for. */
const OPTION_VARIABLES: readonly (readonly [variable: string, flag: string])[] = [
  ['MEMCACHED_PORT_NUMBER', '-p'],
  ['MEMCACHED_LISTEN_ADDRESS', '-l'],
  ['MEMCACHED_CACHE_SIZE', '-m'],
  ['MEMCACHED_MAX_CONNECTIONS', '-c'],
  ['MEMCACHED_THREADS', '-t'],
  ['MEMCACHED_MAX_ITEM_SIZE', '-I'],
]
const FLAGS_VARIABLE = 'MEMCACHED_EXTRA_FLAGS'
const NAME_VARIABLE = 'MEMCACHED_USERNAME'
const PASSWORD_VARIABLE = 'MEMCACHED_PASSWORD'
/** The name that the image gives to who has a password only. */
const DEFAULT_NAME = 'root'

/** Fails with CONFIG_INVALID, naming the variable, or with CONFIG_UNREADABLE for a file. */
export function readImageEnvironment(env: Environment): ImageEnvironment {
  const args: string[] = []
  const variableOf = new Map<string, string>()
  for (const [variable, flag] of OPTION_VARIABLES) {
    const value = valueOf(env, variable)
    if (value === '') continue
    // By itself first, to say which variable is wrong.
    parse(variable, [flag, value])
    args.push(flag, value)
    variableOf.set(flag, variable)
  }
  const flags = valueOf(env, FLAGS_VARIABLE).split(/\s+/).filter(Boolean)
  const commandLine = parse(FLAGS_VARIABLE, [...args, ...flags])
  const overrides = commandLine.overrides.map((override) => ({
    ...override,
    option: variableOf.get(override.option.split(' ')[0] ?? '') ?? FLAGS_VARIABLE,
  }))
  return { commandLine, overrides, users: usersOf(env) }
}

function usersOf(env: Environment): User[] {
  const name = valueOf(env, NAME_VARIABLE)
  const password = valueOf(env, PASSWORD_VARIABLE)
  if (password !== '') {
    return [{ name: bytes(name === '' ? DEFAULT_NAME : name), password: bytes(password) }]
  }
  if (name === '') return []
  throw new ServerError('CONFIG_INVALID', `${NAME_VARIABLE} is set without ${PASSWORD_VARIABLE}`)
}

/** As clients send it, one character a byte. */
function bytes(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/** A variable, or the file that it names; empty if there is neither. */
function valueOf(env: Environment, variable: string): string {
  const file = env[`${variable}_FILE`]
  if (file === undefined || file === '') return env[variable] ?? ''
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ServerError('CONFIG_UNREADABLE', `${variable}_FILE: ${reason}`, error)
  }
}

function parse(variable: string, args: readonly string[]): CommandLine {
  try {
    return parseCommandLine(args)
  } catch (error) {
    if (!(error instanceof ServerError)) throw error
    const message = `${variable} in the environment: ${error.message}`
    throw new ServerError('CONFIG_INVALID', message, error)
  }
}
