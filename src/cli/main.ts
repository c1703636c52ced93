/**
 * The program: hands over to the tool that the first word names; or reads the command line and the
 * configuration, answers what needs no server (--help, --version, --check-config, --print-config), and
 * otherwise hands over to `serve.ts`.
 *
 * Everything that can go wrong at start-up ends here, as a few plain lines on standard error and
 * an exit status of sysexits.h; an error with a stack trace is a bug of this program.
 */

import { loadConfig } from '../config/load.ts'
import type { ConfigSources, Override } from '../config/load.ts'
import { printConfig } from '../config/print.ts'
import { EXIT, ServerError } from '../errors.ts'
import { isDaemon, reportToParent, startDaemon } from './daemon.ts'
import { readImageEnvironment } from './image-environment.ts'
import { isShown } from './option-table.ts'
import { helpText, parseCommandLine } from './options.ts'
import { SUBCOMMANDS, checkConfigArguments, commandsHelp, takeSubcommand } from './subcommands.ts'
import { programVersion } from './version.ts'

/** The file of passwords that memcached's -S reads. */
const SASL_FILE_VARIABLE = 'MEMCACHED_SASL_PWDB'

/**
 * Runs the program. When the promise resolves, the server is running, or what was asked for is
 * printed. An operating error ends the process.
 */
export async function main(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const daemon = isDaemon(env)
  try {
    await run(args, env, daemon)
  } catch (error) {
    if (!(error instanceof ServerError)) throw error
    const hint = error.code === 'USAGE' ? `Try '${helpOf(args)}'.\n` : ''
    const text = `${prefixed(error.message)}\n${hint}`
    if (daemon) await reportToParent(text, error.exitStatus)
    else process.stderr.write(text)
    // Not left to the event loop: a server that failed to start may have something open.
    process.exit(error.exitStatus)
  }
}

async function run(
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  daemon: boolean,
): Promise<void> {
  const { subcommand, rest } = takeSubcommand(words)
  if (subcommand?.run !== undefined) {
    // Whoever reads what a tool prints may have seen enough.
    process.stdout.on('error', () => process.exit(EXIT.OK))
    return subcommand.run(rest)
  }
  const args = subcommand?.name === 'check-config' ? checkConfigArguments(rest) : rest
  const first = parseCommandLine(args)
  if (isShown(first.action)) return print(shownText(first.action))
  const image = readImageEnvironment(env)
  const commandLine = parseCommandLine(args, image.commandLine)
  const { action } = commandLine
  const warnings = [...image.commandLine.warnings, ...commandLine.warnings]
  const sources: ConfigSources = {
    file: commandLine.configFile ?? image.commandLine.configFile,
    env,
    imageOverrides: [
      ...saslFile(image.commandLine.sasl || commandLine.sasl, env),
      ...image.overrides,
    ],
    overrides: commandLine.overrides,
  }
  const config = loadConfig(sources)
  if (action === 'serve') {
    if (commandLine.daemon && !daemon) {
      process.exit(await startDaemon(args, env, commandLine.verbosity > 0))
    }
    // The server and all below it are loaded only when they are needed: --help answers at once.
    const { serve } = await import('./serve.ts')
    const { debug, ephemeral } = commandLine
    const modes = { debug, ephemeral }
    await serve(config, warnings, programVersion(), image.users, modes, () => loadConfig(sources))
    return daemon ? reportToParent('', EXIT.OK) : undefined
  }
  for (const warning of warnings) process.stderr.write(`${prefixed(warning)}\n`)
  print(action === 'print-config' ? printConfig(config) : 'ok\n')
}

function shownText(action: string): string {
  if (action === 'help') return `${helpText()}\n${commandsHelp()}`
  if (action === 'version') return `rat-memcached ${programVersion()}\n`
  return 'rat-memcached is licensed under the Apache License, Version 2.0: see the file LICENSE.\n'
}

/** With -S the users are in the file that memcached would read, unless another one is named. */
function saslFile(sasl: boolean, env: NodeJS.ProcessEnv): Override[] {
  const file = env[SASL_FILE_VARIABLE] ?? ''
  return sasl && file !== '' ? [{ key: 'auth.file', value: file, option: SASL_FILE_VARIABLE }] : []
}

/** The command that explains what was wrong. */
function helpOf([word]: readonly string[]): string {
  const tool = SUBCOMMANDS.find((row) => row.name === word && row.run !== undefined)
  return ['rat-memcached', ...(tool === undefined ? [] : [tool.name]), '--help'].join(' ')
}

function print(text: string): void {
  process.exitCode = EXIT.OK
  process.stdout.write(text)
}

function prefixed(message: string): string {
  return message
    .split('\n')
    .map((line) => `rat-memcached: ${line}`)
    .join('\n')
}
