/**
 * The program: reads the command line and the configuration, answers what needs no server
 * (--help, --version, --check-config, --print-config), and otherwise hands over to `serve.ts`.
 *
 * Everything that can go wrong at start-up ends here, as a few plain lines on standard error and
 * an exit status of sysexits.h; an error with a stack trace is a bug of this program.
 */

import { loadConfig } from '../config/load.ts'
import { printConfig } from '../config/print.ts'
import { EXIT, ServerError } from '../errors.ts'
import { helpText, parseCommandLine } from './options.ts'
import { programVersion } from './version.ts'

/**
 * Runs the program. When the promise resolves, the server is running, or what was asked for is
 * printed. An operating error ends the process.
 */
export async function main(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  try {
    await run(args, env)
  } catch (error) {
    if (!(error instanceof ServerError)) throw error
    const hint = error.code === 'USAGE' ? "Try 'rat-memcached --help'.\n" : ''
    process.stderr.write(`${prefixed(error.message)}\n${hint}`)
    // Not left to the event loop: a server that failed to start may have something open.
    process.exit(error.exitStatus)
  }
}

async function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const commandLine = parseCommandLine(args)
  const { action, configFile, overrides, warnings } = commandLine
  if (action === 'help') return print(helpText())
  if (action === 'version') return print(`rat-memcached ${programVersion()}\n`)
  const config = loadConfig({ file: configFile, env, overrides })
  if (action === 'serve') {
    // The server and all below it are loaded only when they are needed: --help answers at once.
    const { serve } = await import('./serve.ts')
    return serve(config, warnings, programVersion())
  }
  for (const warning of warnings) process.stderr.write(`${prefixed(warning)}\n`)
  print(action === 'print-config' ? printConfig(config) : 'ok\n')
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
