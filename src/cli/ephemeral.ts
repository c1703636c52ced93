/**
 * `--ephemeral`: a server for a test or a try. It listens at a free port, keeps nothing on disk, prints one
 * line that says where it is, and goes when the process that started it has gone, however that went.
 */
import { EXIT } from '../errors.ts'
import type { Clock } from '../observe/clock.ts'

/** How soon a server notices that nobody is there for it. */
const LOOK_MS = 250

/** Calls `gone` once the parent of this process is another one: then ours has ended. */
export function watchParent(
  clock: Clock,
  gone: () => void,
  parent: () => number = () => process.ppid,
): void {
  const first = parent()
  const looking = clock.every(LOOK_MS, () => {
    if (parent() === first) return
    looking.stop()
    gone()
  })
}

/** Says where the server is, in one line that programs can read. */
export function announce(addresses: readonly string[]): void {
  // Who has read the line may close the pipe.
  process.stdout.on('error', () => process.exit(EXIT.OK))
  process.stdout.write(`listening on ${addresses.join(' ')}\n`)
}
