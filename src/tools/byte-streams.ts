/** Files and standard streams, as `dump` writes them and `restore` reads them: in pieces, with back pressure. */
import { open, rename, rm } from 'node:fs/promises'
import { ServerError } from '../errors.ts'
import type { Read, Write } from './dump-file.ts'

/** The name for standard input and output. */
export const STANDARD = '-'

export interface ByteSink {
  readonly write: Write
  /** All is written: gives a file its name. */
  finish(): Promise<void>
  /** It will not be whole: removes what there is of a file. */
  abandon(): Promise<void>
}

export interface ByteSource {
  readonly read: Read
  close(): Promise<void>
}

/**
 * Opens what a dump is written to. A file gets its name only when it is whole, so one of the same name is not
 * lost to a dump that fails. Rejects with DUMP_UNUSABLE.
 */
export async function openSink(path: string): Promise<ByteSink> {
  if (path === STANDARD) {
    const { stdout } = process
    return {
      write: (bytes) =>
        new Promise((resolve, reject) => {
          stdout.write(bytes, (error) => (error ? reject(unusable('-', error)) : resolve()))
        }),
      finish: () => Promise.resolve(),
      abandon: () => Promise.resolve(),
    }
  }
  const part = `${path}.part`
  const file = await open(part, 'w').catch((error: unknown) =>
    Promise.reject(unusable(part, error)),
  )
  return {
    async write(bytes) {
      try {
        for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten
      } catch (error) {
        throw unusable(part, error)
      }
    },
    async finish() {
      try {
        await file.sync()
        await file.close()
        await rename(part, path)
      } catch (error) {
        throw unusable(path, error)
      }
    },
    async abandon() {
      await file.close()
      await rm(part, { force: true })
    },
  }
}

/** Opens what a dump is read from. Rejects with DUMP_UNUSABLE. */
export async function openSource(path: string): Promise<ByteSource> {
  if (path === STANDARD) return standardSource()
  const file = await open(path, 'r').catch((error: unknown) =>
    Promise.reject(unusable(path, error)),
  )
  const facts = await file.stat()
  return {
    async read(length) {
      // A length that is nonsense would take memory for nothing.
      if (facts.isFile() && length > facts.size) return null
      const bytes = Buffer.allocUnsafe(length)
      let at = 0
      while (at < length) {
        const { bytesRead } = await file
          .read(bytes, at, length - at)
          .catch((error: unknown) => Promise.reject(unusable(path, error)))
        if (bytesRead === 0) return null
        at += bytesRead
      }
      return bytes
    },
    close: () => file.close(),
  }
}

function standardSource(): ByteSource {
  const pieces: AsyncIterator<Buffer> = process.stdin[Symbol.asyncIterator]()
  let kept: Buffer[] = []
  let keptBytes = 0
  return {
    async read(length) {
      while (keptBytes < length) {
        const { done, value } = await pieces.next()
        if (done === true) return null
        kept.push(value)
        keptBytes += value.length
      }
      const all = kept.length === 1 ? kept[0]! : Buffer.concat(kept)
      kept = all.length === length ? [] : [all.subarray(length)]
      keptBytes = all.length - length
      return all.subarray(0, length)
    },
    close: () => Promise.resolve(),
  }
}

function unusable(path: string, error: unknown): ServerError {
  const reason = error instanceof Error ? error.message : String(error)
  return new ServerError('DUMP_UNUSABLE', `${path}: ${reason}`, error)
}
