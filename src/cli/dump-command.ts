/** `rat-memcached dump` and `restore`: all items of a server into a file, and back. */
import type { Command } from 'commander'
import { ServerError } from '../errors.ts'
import { SystemClock } from '../observe/clock.ts'
import { printBytes, printCount } from '../tools/amounts.ts'
import { STANDARD, openSink, openSource } from '../tools/byte-streams.ts'
import { DumpWriter, readDump } from '../tools/dump-file.ts'
import { dump } from '../tools/dump.ts'
import { Progress } from '../tools/progress.ts'
import { restore, shortfall } from '../tools/restore.ts'
import { ServerClient } from '../tools/server-client.ts'
import { askStats, figure } from '../tools/stats-figures.ts'
import type { AccessOptions, Target } from '../tools/target.ts'
import { startPrivateServer } from './private-server.ts'
import type { PrivateServer } from './private-server.ts'
import { readWords, sizeBytes, targetOf, toolCommand, withAccess } from './tool-options.ts'

interface Options extends AccessOptions {
  readonly dataDir?: string
  readonly memory: number
  readonly maxDiskSize?: number
  readonly add?: boolean
  readonly keepCas?: boolean
}

const MEMORY_BYTES = 64 * 2 ** 20
const MEMORY_BYTES_MAX = 2 ** 32
/** How often a server that rebuilds the index of its disk is asked whether it is done. */
const RECOVERY_POLL_MS = 100

export async function dumpCommand(args: readonly string[]): Promise<void> {
  const command = withPlace(
    toolCommand(
      'dump',
      'HOST:PORT FILE [options]   or: --data-dir DIR FILE',
      'Writes all items of a server to a file, of memcached 1.6 as well: keys, values, flags, expiry, cas, and whether they are stale. FILE may be - for standard output. The server goes on serving; what changes meanwhile is taken as it is when its turn comes.',
    ),
    'dump what is in a data directory that no server uses',
  )
  await run(command, args, true, async (target, file, clock) => {
    const lister = await ServerClient.open(target, clock)
    const fetcher = await ServerClient.open(target, clock)
    const sink = await openSink(file)
    try {
      const total = await itemsOf(fetcher, clock)
      const progress = new Progress(clock, total, process.stderr.isTTY)
      const writer = new DumpWriter(sink.write)
      await writer.begin(clock.wallUs() / 1000)
      const counts = await dump(lister, fetcher, writer, clock, () => {
        progress.update(writer.items, writer.bytes)
      })
      await writer.end()
      await sink.finish()
      const rest = [
        counts.gone === 0 ? '' : `${printCount(counts.gone)} were gone before they were read`,
        counts.unnameable === 0
          ? ''
          : `${printCount(counts.unnameable)} have keys that cannot be named in text, and are left out`,
      ].filter(Boolean)
      const done = `${printCount(counts.items)} items, ${printBytes(writer.bytes)}, dumped`
      progress.finish([done, ...rest].join('; '))
    } catch (error) {
      await sink.abandon()
      throw error
    } finally {
      lister.close()
      fetcher.close()
    }
  })
}

export async function restoreCommand(args: readonly string[]): Promise<void> {
  const command = withPlace(
    toolCommand(
      'restore',
      'HOST:PORT FILE [options]   or: --data-dir DIR FILE',
      'Puts the items of a dump into a server, memcached 1.6 as well. FILE may be - for standard input. Items that have expired since are left out.',
    ),
    'restore into a data directory that no server uses; it is made where it is missing',
  )
    .option(
      '--max-disk-size <size>',
      'with --data-dir: what it may take',
      sizeBytes(2 ** 24, 2 ** 50),
    )
    .option('--add', 'leave alone what is there already')
    .option(
      '--keep-cas',
      'give items the cas values that they had: for a server that is empty, where no client has others',
    )
  await run(command, args, false, async (target, file, clock) => {
    const { add = false, keepCas = false } = command.opts<Options>()
    const source = await openSource(file)
    const client = await ServerClient.open(target, clock)
    try {
      const progress = new Progress(clock, 0, process.stderr.isTTY)
      let bytes = 0
      const read = async (length: number): Promise<Buffer | null> => {
        const got = await source.read(length)
        bytes += got?.length ?? 0
        return got
      }
      const counts = await restore(client, readDump(read), { add, keepCas }, clock, (so) => {
        progress.update(so.stored + so.expired + so.kept, bytes)
      })
      const rest = [
        counts.expired === 0 ? '' : `${printCount(counts.expired)} had expired`,
        counts.kept === 0 ? '' : `${printCount(counts.kept)} were there already`,
      ].filter(Boolean)
      progress.finish([`${printCount(counts.stored)} items restored`, ...rest].join('; '))
      const error = shortfall(counts)
      if (error !== null) throw error
    } finally {
      client.close()
      await source.close()
    }
  })
}

function withPlace(command: Command, dataDirHelp: string): Command {
  return withAccess(command)
    .option('--data-dir <dir>', dataDirHelp)
    .option(
      '--memory <size>',
      'with --data-dir: memory for items; more than twice the largest of them',
      sizeBytes(2 ** 22, MEMORY_BYTES_MAX),
      MEMORY_BYTES,
    )
}

/** Does the work with a server that is named, or with one over a data directory. */
async function run(
  command: Command,
  args: readonly string[],
  isRead: boolean,
  work: (target: Target, file: string, clock: SystemClock) => Promise<void>,
): Promise<void> {
  const words = readWords(command, args, 1, 2)
  if (words === null) return
  const options = command.opts<Options>()
  const { dataDir } = options
  if ((dataDir === undefined) !== (words.length === 2)) {
    throw new ServerError('USAGE', `usage: ${command.name()} ${command.usage()}`)
  }
  const file = words.at(-1)!
  if (file === STANDARD && isRead && process.stdout.isTTY) {
    throw new ServerError('USAGE', 'a dump is nothing for a terminal: name a file, or use a pipe')
  }
  const clock = new SystemClock()
  let server: PrivateServer | null = null
  try {
    if (dataDir === undefined) {
      await work(targetOf(words[0]!, options), file, clock)
    } else {
      const { memory, maxDiskSize = 0 } = options
      server = await startPrivateServer(dataDir, memory, maxDiskSize, isRead)
      await whenRecovered(server.target, clock)
      await work(server.target, file, clock)
    }
  } finally {
    await server?.stop()
    clock.stop()
  }
}

/** About how many items there are. With a disk tier nearly all of them are there. */
async function itemsOf(client: ServerClient, clock: SystemClock): Promise<number> {
  const sample = await askStats(client, () => clock.elapsedMs())
  return Math.max(figure(sample, 'curr_items'), figure(sample, 'extstore_objects_used'))
}

async function whenRecovered(target: Target, clock: SystemClock): Promise<void> {
  const client = await ServerClient.open(target, clock)
  for (;;) {
    const sample = await askStats(client, () => clock.elapsedMs(), 'l2')
    if (figure(sample, 'l2_recovering') === 0) break
    await new Promise<void>((resolve) => {
      clock.after(RECOVERY_POLL_MS, resolve)
    })
  }
  client.close()
}
