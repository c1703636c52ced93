/**
 * Where lines of the log go: a file that can be opened anew and turned over when it is large, or a standard
 * stream. A line that cannot be written, because the disk is full or nobody reads the stream, is dropped and
 * counted: a log holds up no cache, and ends none.
 *
 * A file is written within the call, so that nothing is lost with the process. A stream that is a pipe or a
 * terminal is opened anew, without waiting: then a reader that has stopped does not stop the server, and who
 * shares the stream sees no difference. Where the system cannot do that, the stream is written as it is.
 */
import { closeSync, constants, fstatSync, openSync, renameSync, writeSync } from 'node:fs'
import { ServerError } from '../errors.ts'

export type LogStream = 'stdout' | 'stderr'

export interface SinkOptions {
  /** The file to append to; empty for a stream. */
  readonly file: string
  readonly stream: LogStream
  /** Beyond this the file is turned over; 0 for never. */
  readonly fileBytesMax: number
  /** Files that were turned over and are kept: FILE.1 is the latest. */
  readonly filesKept: number
}

export const STREAM_FDS: Readonly<Record<LogStream, number>> = { stdout: 1, stderr: 2 }

export class LogSink {
  #options: SinkOptions
  #fd = 0
  /** Bytes in the file. */
  #fileBytes = 0
  /** Beyond it the file is turned over; moved on where that has failed. */
  #turnAtBytes = Infinity
  /** The rest of a line that a pipe took a part of. */
  #rest: Buffer | null = null
  /** Lines that could not be written. */
  lost = 0

  /** Fails with CONFIG_INVALID if the file cannot be opened. */
  constructor(options: SinkOptions) {
    this.#options = options
    this.#use(openPlace(options), options)
  }

  write(line: string): void {
    try {
      if (this.#rest !== null && !this.#writeAll(this.#rest)) this.lost++
      else if (!this.#writeAll(Buffer.from(line, 'utf8'))) this.lost++
    } catch {
      this.lost++
    }
    if (this.#fileBytes >= this.#turnAtBytes) this.#turnOver()
  }

  /**
   * Opens the file again, which somebody may have renamed. Where that fails the old one stays in use.
   * Returns what was wrong, or null.
   */
  reopen(options: SinkOptions = this.#options): Error | null {
    const { file, stream } = this.#options
    // A stream cannot be renamed, and the user that a server has become may not be allowed to open it.
    if (file === '' && options.file === '' && options.stream === stream) return null
    try {
      const place = openPlace(options)
      this.#close()
      this.#use(place, options)
      this.#options = options
      return null
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  /** Returns false if nothing of it was written. */
  #writeAll(bytes: Buffer): boolean {
    let at = 0
    try {
      while (at < bytes.length) at += writeSync(this.#fd, bytes, at)
      this.#rest = null
    } catch (error) {
      if (at === 0) throw error
      this.#rest = bytes.subarray(at)
    }
    this.#fileBytes += at
    return at > 0
  }

  /** Takes a place that is open. */
  #use({ fd, fileBytes }: Place, { file, fileBytesMax }: SinkOptions): void {
    this.#fd = fd
    this.#fileBytes = fileBytes
    this.#turnAtBytes = file === '' || fileBytesMax === 0 ? Infinity : fileBytesMax
  }

  /** FILE becomes FILE.1, that FILE.2, and so on; the oldest goes. */
  #turnOver(): void {
    const { file, fileBytesMax, filesKept } = this.#options
    try {
      for (let number = filesKept; number > 1; number--) {
        move(`${file}.${number - 1}`, `${file}.${number}`)
      }
      renameSync(file, `${file}.1`)
      if (this.reopen() === null) return
    } catch {
      // Whoever looks after the folder will see a file that is too large, and nothing is lost.
    }
    this.#turnAtBytes = this.#fileBytes + fileBytesMax
  }

  #close(): void {
    this.#rest = null
    try {
      if (this.#fd > STREAM_FDS.stderr) closeSync(this.#fd)
    } catch {
      // What was written is written.
    }
  }
}

interface Place {
  readonly fd: number
  readonly fileBytes: number
}

function openPlace({ file, stream }: SinkOptions): Place {
  if (file === '') return { fd: openStream(STREAM_FDS[stream]), fileBytes: 0 }
  try {
    const fd = openSync(file, 'a')
    return { fd, fileBytes: fstatSync(fd).size }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ServerError('CONFIG_INVALID', `logging.file: cannot open ${file}: ${reason}`, error)
  }
}

/** The stream, so that writing to it never waits, if the system can open it so. */
function openStream(fd: number): number {
  try {
    const facts = fstatSync(fd)
    if (!facts.isFIFO() && !facts.isCharacterDevice()) return fd
    const { O_WRONLY, O_APPEND, O_NONBLOCK, O_NOCTTY } = constants
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY)
  } catch {
    return fd
  }
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    // There are not so many yet.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}
