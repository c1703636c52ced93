/**
 * The life of a server process: listen, write the pid file, give up the rights of root, serve
 * until a signal asks to stop, answer what clients have sent, exit.
 */

import { readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import type { Config } from '../config/schema.ts'
import type { User as CacheUser } from '../config/user-file.ts'
import { printSize } from '../config/units.ts'
import { EXIT, ServerError } from '../errors.ts'
import { SystemClock } from '../observe/clock.ts'
import { createLogger, type Logger } from '../observe/log.ts'
import { createServer, type RatServer } from '../server.ts'
import { announce, watchParent } from './ephemeral.ts'
import { PORT_FILE_VARIABLE, writePortFile } from './port-file.ts'
import { supervisorOf, type Supervisor } from './supervisor.ts'
import { asOwner, giveSocketsTo, lookUpUser, switchTo, type User } from './user.ts'

/** SIGUSR1 is memcached's word for stopping gracefully; here every stop is graceful. */
const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGUSR1'] as const

/** Starts serving; resolves once every address is listened on. The process exits by a signal. */
export async function serve(
  config: Config,
  warnings: readonly string[],
  version: string,
  users: readonly CacheUser[],
  { debug, ephemeral }: { readonly debug: boolean; readonly ephemeral: boolean },
  reread: () => Config,
): Promise<void> {
  const log = createLogger(config.logging)
  exitOnBugs(log)
  for (const warning of warnings) log.warn({}, warning)
  if (debug) log.warn({}, '--debug: clients may change the clock')
  const user = userToBe(config, log)
  const server = createServer(config, log, {
    version,
    users,
    debug,
    onShutdown: signalSelf,
    logLinesLost: () => log.linesLost,
    onReload: (next) => log.move(next.logging),
    ...(user === undefined ? {} : { openDisk: (folder, open) => asOwner(user, folder, open) }),
  })
  const clock = new SystemClock()
  const supervisor = supervisorOf(process.env, clock, log)
  stopOnSignals(server, config, log, supervisor)
  process.on('SIGUSR2', () => {
    log.reopen()
    log.info({}, 'the log was opened again')
  })
  // Without this the signal would end the process.
  process.on('SIGHUP', () => {
    supervisor.reloading()
    server.reload(reread)
    supervisor.reloaded()
  })
  if (config.auth.required && config.auth.file === '' && users.length === 0) {
    log.warn({}, 'clients have to log in, but there are no users: name a file of them by -Y')
  }
  const addresses = await server.listen()
  try {
    writePortFile(process.env[PORT_FILE_VARIABLE] ?? '', addresses)
    writePidFile(config.server.pidFile)
    if (user !== undefined) {
      giveSocketsTo(user, addresses)
      switchTo(user)
    }
  } catch (error) {
    // Stopping also removes the UNIX sockets, which would outlive the process.
    await server.stop()
    removePidFile(config.server.pidFile)
    throw error
  }
  const memory = printSize(config.l1.memoryBytesMax)
  log.info({ addresses, version, memory, node: process.version }, 'listening')
  if (ephemeral) {
    announce(addresses)
    watchParent(clock, () => signalSelf(true))
  }
  supervisor.ready(`listening on ${addresses.join(', ')}`)
}

/** A client asks to stop: that is done as if by a signal. */
function signalSelf(graceful: boolean): void {
  process.kill(process.pid, graceful ? 'SIGUSR1' : 'SIGINT')
}

/** The user to switch to, if there is one and this process may. */
function userToBe(config: Config, log: Logger): User | undefined {
  const { user } = config.server
  const isRoot = process.getuid?.() === 0
  if (user === '') {
    if (isRoot) log.warn({}, 'running as root; -u NAME or server.user names a user to change to')
    return undefined
  }
  if (isRoot) return lookUpUser(user)
  log.warn({ user }, 'server.user has no effect: not started as root')
  return undefined
}

/** A first signal stops the server, a second one ends the process as it is. */
function stopOnSignals(
  server: RatServer,
  config: Config,
  log: Logger,
  supervisor: Supervisor,
): void {
  let stopping = false
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      if (stopping) {
        log.warn({ signal }, 'second signal: exiting at once')
        removePidFile(config.server.pidFile)
        process.exit(EXIT.FAILURE)
      }
      stopping = true
      log.info({ signal }, 'stopping')
      supervisor.stopping()
      void server.stop().then(() => {
        removePidFile(config.server.pidFile)
        log.info({}, 'stopped')
        process.exit(EXIT.OK)
      })
    })
  }
}

/** Nothing is known to be sound after a bug: say so and go. A rejected promise comes here, too. */
function exitOnBugs(log: Logger): void {
  process.on('uncaughtException', (err) => {
    log.fatal({ err }, 'this is a bug: exiting')
    process.exit(EXIT.FAILURE)
  })
}

/**
 * Written beside its place and renamed into it, so that nobody reads half a number. `wx`: root must
 * not write through a link that somebody has put there.
 */
function writePidFile(file: string): void {
  if (file === '') return
  try {
    rmSync(`${file}.tmp`, { force: true })
    writeFileSync(`${file}.tmp`, `${process.pid}\n`, { flag: 'wx' })
    renameSync(`${file}.tmp`, file)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ServerError('PIDFILE_UNWRITABLE', `cannot write the pid file: ${reason}`, error)
  }
}

/** Removes the pid file if it is ours. After a change of user that may not be permitted: so be it. */
function removePidFile(file: string): void {
  if (file === '') return
  try {
    if (readFileSync(file, 'utf8') === `${process.pid}\n`) unlinkSync(file)
  } catch {
    // A stale pid file names a process that is gone; it does no harm.
  }
}
