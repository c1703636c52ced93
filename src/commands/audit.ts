/**
 * Lines of the log about what clients do to the server rather than with it: flush_all, shutdown, limits that
 * they change, logins that fail. Who and what, never a password; limited, since a client may ask without end.
 */
import type { Clock } from '../observe/clock.ts'
import { budgetLines } from '../observe/log.ts'
import type { Logger } from '../observe/log.ts'
import type { CommandClient } from './context.ts'

/** So many lines in so long a time; beyond that they are counted. */
const LINES_MAX = 50
const INTERVAL_MS = 10_000
/** A command that changes a setting is shorter. */
const COMMAND_CHARACTERS_MAX = 200

export class Audit {
  readonly #log: Logger
  readonly #mayWrite: () => { readonly leftOut: number } | null

  constructor(clock: Clock, log: Logger) {
    this.#log = log
    this.#mayWrite = budgetLines(LINES_MAX, INTERVAL_MS, () => clock.elapsedMs())
  }

  /** A client has given a command, which was answered so. */
  command(client: CommandClient | null, command: string, answer?: string): void {
    const budget = this.#mayWrite()
    if (budget === null) return
    const shown = command.slice(0, COMMAND_CHARACTERS_MAX)
    this.#log.info(
      { ...who(client), command: shown, answer, ...left(budget) },
      'a client gives orders',
    )
  }

  loginFailed(client: CommandClient | null): void {
    const budget = this.#mayWrite()
    if (budget === null) return
    this.#log.warn({ ...who(client), ...left(budget) }, 'a login failed')
  }
}

function who(client: CommandClient | null): { readonly client: string } {
  return { client: client === null || client.address === '' ? 'unix' : client.address }
}

function left({ leftOut }: { readonly leftOut: number }): { readonly not_logged?: number } {
  return leftOut === 0 ? {} : { not_logged: leftOut }
}
