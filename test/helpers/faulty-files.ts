/**
 * A file system that is the machine's until a test makes it fail, and folders that go when the
 * test ends.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { MACHINE_FILES } from '../../src/store/l2/file-system.ts'
import type { FileSystem } from '../../src/store/l2/file-system.ts'

/** An empty folder for one test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'rat-memcached-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export class FaultyFiles implements FileSystem {
  /** Bytes that the disk still takes. A write that wants more is cut short, the next one refused. */
  roomBytes: number = Infinity
  /** Calls that fail, and with which code. */
  readonly failing: Map<keyof FileSystem, string> = new Map()
  /** Names of the calls that were made, with the last part of the path where there is one. */
  readonly calls: string[] = []

  openSync(path: string, flags: string): number {
    this.#call('openSync', path)
    return MACHINE_FILES.openSync(path, flags)
  }
  closeSync(file: number): void {
    MACHINE_FILES.closeSync(file)
    this.#call('closeSync')
  }
  readSync(file: number, buffer: Buffer, start: number, length: number, position: number): number {
    this.#call('readSync')
    return MACHINE_FILES.readSync(file, buffer, start, length, position)
  }
  writeSync(file: number, buffer: Buffer, start: number, length: number, position: number): number {
    this.#call('writeSync')
    if (this.roomBytes === 0) throw systemError('ENOSPC')
    const taken = Math.min(length, this.roomBytes)
    this.roomBytes -= taken
    return MACHINE_FILES.writeSync(file, buffer, start, taken, position)
  }
  fsyncSync(file: number): void {
    this.#call('fsyncSync')
    MACHINE_FILES.fsyncSync(file)
  }
  mkdirSync(path: string): void {
    this.#call('mkdirSync', path)
    MACHINE_FILES.mkdirSync(path)
  }
  readdirSync(path: string): string[] {
    this.#call('readdirSync', path)
    return MACHINE_FILES.readdirSync(path)
  }
  readFileSync(path: string): Buffer {
    this.#call('readFileSync', path)
    return MACHINE_FILES.readFileSync(path)
  }
  sizeSync(path: string): number {
    this.#call('sizeSync', path)
    return MACHINE_FILES.sizeSync(path)
  }
  renameSync(from: string, to: string): void {
    this.#call('renameSync', to)
    MACHINE_FILES.renameSync(from, to)
  }
  async unlink(path: string): Promise<void> {
    this.#call('unlink', path)
    return MACHINE_FILES.unlink(path)
  }
  async syncFile(path: string): Promise<void> {
    this.#call('syncFile', path)
    return MACHINE_FILES.syncFile(path)
  }
  async syncFolder(path: string): Promise<void> {
    this.#call('syncFolder', path)
    return MACHINE_FILES.syncFolder(path)
  }

  #call(name: keyof FileSystem, path?: string): void {
    this.calls.push(path === undefined ? name : `${name} ${path.split(/[/\\]/).at(-1)}`)
    const code = this.failing.get(name)
    if (code !== undefined) throw systemError(code)
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code })
}
