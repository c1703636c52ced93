/**
 * Tells a service manager how this process fares, the way systemd's `Type=notify` wants it: READY when
 * it listens, RELOADING and STOPPING, and WATCHDOG for as long as the event loop turns.
 *
 * The runtime has no datagram sockets of UNIX, on which systemd listens. Its own program
 * `systemd-notify` speaks for us, started by a small shell that lives beside the server and
 * reads a message a line: so what is said stays in order, and saying it costs the server a write
 * to a pipe instead of a new process. Without NOTIFY_SOCKET in the environment nothing is started.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import type { Clock } from '../observe/clock.ts'
import type { Logger } from '../observe/log.ts'

export interface Supervisor {
  /** The server listens; `status` is a line for people, shown by `systemctl status`. */
  ready(status: string): void
  /** A reload begins, and is over. Before `ready` nothing is said: it would count as being ready. */
  reloading(): void
  reloaded(): void
  stopping(): void
}

/**
 * One message a line, its assignments separated by tabs. Signals are for the server: what is told
 * of a stop has to outlive one that goes to all processes of the service.
 */
const SPEAKER = `trap '' HUP INT TERM USR1 USR2
set -f
IFS='\t'
while read -r message; do systemd-notify $message || exit; done`

/** The watchdog is fed this many times in the time that it grants, as sd_watchdog_enabled(3) advises. */
const FEEDS_PER_TIMEOUT = 2

const NOBODY: Supervisor = {
  ready: () => undefined,
  reloading: () => undefined,
  reloaded: () => undefined,
  stopping: () => undefined,
}

/** The service manager that the environment names, or one that does nothing if it names none. */
export function supervisorOf(env: NodeJS.ProcessEnv, clock: Clock, log: Logger): Supervisor {
  if ((env['NOTIFY_SOCKET'] ?? '') === '') return NOBODY
  const tell = speaker(env, log)
  const feedEveryMs = watchdogMs(env) / FEEDS_PER_TIMEOUT
  let readyStatus = ''
  const isReady = (): boolean => readyStatus !== ''
  return {
    ready(status) {
      readyStatus = status
      tell('READY=1', `MAINPID=${process.pid}`, `STATUS=${status}`)
      if (feedEveryMs > 0) clock.every(feedEveryMs, () => tell('WATCHDOG=1'))
    },
    reloading() {
      if (isReady()) tell('RELOADING=1', 'STATUS=reading the configuration again')
    },
    reloaded() {
      if (isReady()) tell('READY=1', `STATUS=${readyStatus}`)
    },
    stopping: () => tell('STOPPING=1', 'STATUS=stopping: answering clients, writing to disk'),
  }
}

/** Starts the shell with the first message, and anew for the next one if it has ended. */
function speaker(env: NodeJS.ProcessEnv, log: Logger): (...assignments: string[]) => void {
  let shell: ChildProcess | undefined
  let hasFailed = false
  const fail = (reason: string): void => {
    shell = undefined
    if (hasFailed) return
    hasFailed = true
    log.warn({ reason }, 'the service manager cannot be told: is systemd-notify installed?')
  }
  const start = (): ChildProcess => {
    const child = spawn('/bin/sh', ['-c', SPEAKER], { env, stdio: ['pipe', 'ignore', 'inherit'] })
    child.on('error', (error) => fail(error.message))
    child.on('exit', (status, signal) => fail(`it ended with ${signal ?? status}`))
    // A pipe to one that has ended: 'exit' says it.
    child.stdin.on('error', () => undefined)
    child.unref()
    return child
  }
  return (...assignments) => {
    shell ??= start()
    const fields = assignments.map((assignment) => assignment.replaceAll(/[\t\n]/g, ' '))
    shell.stdin?.write(`${fields.join('\t')}\n`)
  }
}

/** Within how many milliseconds the watchdog wants to be fed; 0 if there is none for this process. */
function watchdogMs(env: NodeJS.ProcessEnv): number {
  const forWhom = env['WATCHDOG_PID']
  if (forWhom !== undefined && forWhom !== String(process.pid)) return 0
  const microseconds = Number(env['WATCHDOG_USEC'] ?? '0')
  return Number.isFinite(microseconds) && microseconds > 0 ? microseconds / 1000 : 0
}
