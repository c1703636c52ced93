/**
 * The file `tags` of a data directory: which tags became void, and when.
 *
 * ```
 *  0          8         16         24       28       32
 *  | "RATTAGS" | floor   | 0        | check  | 0      |   head
 *  | tag       | number  | check, 0 |                     24 bytes a record, any number of them
 * ```
 * Tags, numbers and the floor are doubles, little-endian. A record is appended by one write and not forced
 * to the device: the system keeps what a killed process wrote. A file that is missing or damaged is made
 * anew with a floor that makes every older value with tags void: what is not known is not believed.
 */
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { ServerError } from '../../errors.ts'
import { MACHINE_FILES, createDurably, errorCode } from './file-system.ts'
import type { FileSystem } from './file-system.ts'

const NAME = 'tags'
const MAGIC = 'RATTAGS1'
const HEAD_BYTES = 32
const AT_FLOOR = 8
const AT_HEAD_CHECK = 24
const RECORD_BYTES = 24
const AT_SEQUENCE = 8
const AT_CHECK = 16
/** Records that may be superseded by later ones before the file is written anew. */
const OUTDATED_MAX = 65_536

export class TagFile {
  readonly #folder: string
  readonly #files: FileSystem
  readonly #forces: boolean
  readonly #record = Buffer.alloc(RECORD_BYTES)
  #file: number
  #records: number
  /** Values with tags that were made before this change are void. */
  floor: number
  /** In the order of the numbers. */
  readonly voidedAt: Map<number, number>

  /**
   * Opens the file of a data directory. `sequence` is above the number of every change before this
   * process. `forces`: whether each record is forced to the device. Throws ServerError DATA_DIR_UNUSABLE.
   */
  static open(
    folder: string,
    sequence: number,
    forces: boolean,
    files: FileSystem = MACHINE_FILES,
  ): TagFile {
    const path = join(folder, NAME)
    try {
      const content = readContent(path, files)
      if (content === undefined) createDurably(files, folder, NAME, head(sequence))
      return new TagFile(folder, forces, files, files.openSync(path, 'r+'), content, sequence)
    } catch (error) {
      const code = errorCode(error)
      throw new ServerError(
        'DATA_DIR_UNUSABLE',
        `${path} cannot be read or made (${code}); put right what is wrong there, or remove it: then values with tags are forgotten`,
        error,
      )
    }
  }

  private constructor(
    folder: string,
    forces: boolean,
    files: FileSystem,
    file: number,
    content: Content | undefined,
    sequence: number,
  ) {
    this.#folder = folder
    this.#forces = forces
    this.#files = files
    this.#file = file
    this.floor = content?.floor ?? sequence
    this.voidedAt = content?.voidedAt ?? new Map<number, number>()
    this.#records = content?.records ?? 0
  }

  append(tag: number, sequence: number): boolean {
    if (this.#records > this.voidedAt.size + OUTDATED_MAX) {
      return this.rewrite(this.floor, this.voidedAt)
    }
    const record = this.#record
    fillRecord(record, tag, sequence)
    const at = HEAD_BYTES + this.#records * RECORD_BYTES
    try {
      const written = this.#files.writeSync(this.#file, record, 0, RECORD_BYTES, at)
      if (written !== RECORD_BYTES) return false
      if (this.#forces) this.#files.fsyncSync(this.#file)
    } catch {
      return false
    }
    this.#records++
    return true
  }

  rewrite(floor: number, voidedAt: ReadonlyMap<number, number>): boolean {
    const records = [...voidedAt].map(([tag, sequence]) => {
      const record = Buffer.alloc(RECORD_BYTES)
      fillRecord(record, tag, sequence)
      return record
    })
    try {
      createDurably(this.#files, this.#folder, NAME, Buffer.concat([head(floor), ...records]))
      const file = this.#files.openSync(join(this.#folder, NAME), 'r+')
      this.#files.closeSync(this.#file)
      this.#file = file
    } catch {
      return false
    }
    this.floor = floor
    this.#records = records.length
    return true
  }

  close(): void {
    this.#files.closeSync(this.#file)
  }
}

interface Content {
  readonly floor: number
  readonly voidedAt: Map<number, number>
  readonly records: number
}

/** What the file says; undefined if it is not there, or not whole. */
function readContent(path: string, files: FileSystem): Content | undefined {
  let bytes: Buffer
  try {
    bytes = files.readFileSync(path)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
  if (bytes.length < HEAD_BYTES || (bytes.length - HEAD_BYTES) % RECORD_BYTES !== 0) {
    return undefined
  }
  if (bytes.toString('latin1', 0, AT_FLOOR) !== MAGIC) return undefined
  if (bytes.readUInt32LE(AT_HEAD_CHECK) !== crc32(bytes.subarray(0, AT_HEAD_CHECK))) {
    return undefined
  }
  const voidedAt = new Map<number, number>()
  for (let at = HEAD_BYTES; at < bytes.length; at += RECORD_BYTES) {
    const check = bytes.readUInt32LE(at + AT_CHECK)
    if (check !== crc32(bytes.subarray(at, at + AT_CHECK))) return undefined
    const tag = bytes.readDoubleLE(at)
    voidedAt.delete(tag)
    voidedAt.set(tag, bytes.readDoubleLE(at + AT_SEQUENCE))
  }
  const records = (bytes.length - HEAD_BYTES) / RECORD_BYTES
  return { floor: bytes.readDoubleLE(AT_FLOOR), voidedAt, records }
}

function head(floor: number): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES)
  bytes.write(MAGIC, 0, 'latin1')
  bytes.writeDoubleLE(floor, AT_FLOOR)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, AT_HEAD_CHECK)), AT_HEAD_CHECK)
  return bytes
}

function fillRecord(record: Buffer, tag: number, sequence: number): void {
  record.writeDoubleLE(tag, 0)
  record.writeDoubleLE(sequence, AT_SEQUENCE)
  record.writeUInt32LE(crc32(record.subarray(0, AT_CHECK)), AT_CHECK)
}
