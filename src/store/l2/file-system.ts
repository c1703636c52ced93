/**
 * The few calls of the file system that the disk tier makes itself: the one door of `node:fs` in
 * this folder, so that a test can fill the disk, tear a write or make a file vanish. The databases
 * of the tier do not come through here; LevelDB opens its own files.
 *
 * Every function does what the function of Node with its name does, errors included. What calls
 * them turns errors into values or into a `ServerError`.
 */
import * as fs from 'node:fs'
import * as promises from 'node:fs/promises'
import { join } from 'node:path'

/** What a system answers that does not let a folder be opened or synchronized, as Windows. */
const FOLDER_IS_NO_FILE: readonly string[] = ['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP']

export interface FileSystem {
  /** `flags` as of `fs.open`: 'r', 'r+', 'w', 'wx'. */
  openSync(path: string, flags: string): number
  closeSync(file: number): void
  readSync(
    file: number,
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): number
  /** Returns how many bytes were written, which may be fewer than `length`. */
  writeSync(
    file: number,
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): number
  fsyncSync(file: number): void
  /** With the folders above; nothing happens when it is there. */
  mkdirSync(path: string): void
  /** Names in no order. */
  readdirSync(path: string): string[]
  readFileSync(path: string): Buffer
  /** Bytes of a file. */
  sizeSync(path: string): number
  renameSync(from: string, to: string): void
  unlink(path: string): Promise<void>
  /** Brings a file's bytes to the device. */
  syncFile(path: string): Promise<void>
  /** Brings the names in a folder to the device, where the system knows such a thing. */
  syncFolder(path: string): Promise<void>
}

/** The file system of the machine. */
export const MACHINE_FILES: FileSystem = {
  openSync: (path, flags) => fs.openSync(path, flags),
  closeSync: fs.closeSync,
  readSync: fs.readSync,
  writeSync: fs.writeSync,
  fsyncSync: fs.fsyncSync,
  // What is in it is nobody else's business.
  mkdirSync: (path) => void fs.mkdirSync(path, { recursive: true, mode: 0o700 }),
  readdirSync: (path) => fs.readdirSync(path),
  readFileSync: (path) => fs.readFileSync(path),
  sizeSync: (path) => fs.statSync(path).size,
  renameSync: fs.renameSync,
  unlink: (path) => promises.unlink(path),
  syncFile: (path) => syncPath(path, 'r+'),
  syncFolder: async (path) => {
    try {
      await syncPath(path, 'r')
    } catch (error) {
      if (!FOLDER_IS_NO_FILE.includes(errorCode(error))) throw error
    }
  },
}

/**
 * Creates a file that is either not there or there whole, after any stop: its bytes get to the
 * device under another name first. For the start only, it waits for the device.
 */
export function createDurably(
  files: FileSystem,
  folder: string,
  name: string,
  bytes: Uint8Array,
): void {
  const path = join(folder, name)
  const unfinished = `${path}.new`
  const file = files.openSync(unfinished, 'w')
  try {
    for (let done = 0; done < bytes.length;) {
      done += files.writeSync(file, bytes, done, bytes.length - done, done)
    }
    files.fsyncSync(file)
  } finally {
    files.closeSync(file)
  }
  files.renameSync(unfinished, path)
  try {
    const directory = files.openSync(folder, 'r')
    try {
      files.fsyncSync(directory)
    } finally {
      files.closeSync(directory)
    }
  } catch (error) {
    if (!FOLDER_IS_NO_FILE.includes(errorCode(error))) throw error
  }
}

/** ENOSPC, ENOENT and so on; empty for what is no error of the system. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : ''
}

async function syncPath(path: string, flags: string): Promise<void> {
  const file = await promises.open(path, flags)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
