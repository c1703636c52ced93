/**
 * -d: a second process serves, and the first one leaves when that one listens, or with its exit status if
 * it does not come to that. They talk through a channel that is closed then.
 */
import { spawn } from 'node:child_process'
import type { StdioOptions } from 'node:child_process'
import { EXIT } from '../errors.ts'

/** Tells the second process what it is. */
const MARK = 'DAEMON_OF_RAT_MEMCACHED'

/** What the second process tells the first one. */
interface Report {
  readonly text: string
  readonly exitStatus: number
}

/** Takes the mark out of the environment. Returns whether this process is the second one. */
export function isDaemon(env: NodeJS.ProcessEnv): boolean {
  const marked = env[MARK] !== undefined
  delete env[MARK]
  return marked && process.send !== undefined
}

/**
 * Starts the second process with the same arguments. Resolves with the exit status of this one, once the
 * other listens or has ended. With `talks` it keeps the standard output and error of this process.
 */
export function startDaemon(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  talks: boolean,
): Promise<number> {
  const [, script = ''] = process.argv
  const output = talks ? 'inherit' : 'ignore'
  const stdio: StdioOptions = ['ignore', output, output, 'ipc']
  const child = spawn(process.execPath, [...process.execArgv, script, ...args], {
    detached: true,
    stdio,
    env: { ...env, [MARK]: '1' },
  })
  return new Promise((resolve) => {
    child.on('message', ({ text, exitStatus }: Report) => {
      process.stderr.write(text)
      resolve(exitStatus)
    })
    child.on('error', (error) => {
      process.stderr.write(`rat-memcached: cannot start the daemon: ${error.message}\n`)
      resolve(EXIT.FAILURE)
    })
    child.on('exit', (code) => resolve(code ?? EXIT.FAILURE))
  })
}

/** Tells the first process that this one listens, or why it does not, and resolves when that is told. */
export function reportToParent(text: string, exitStatus: number): Promise<void> {
  const report: Report = { text, exitStatus }
  return new Promise((resolve) => {
    process.send?.(report, undefined, undefined, () => {
      if (process.connected) process.disconnect()
      resolve()
    })
  })
}
