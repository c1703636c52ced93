/**
 * One generation of the disk tier: a small LevelDB that is only ever appended to, and the one door
 * of `classic-level`. It stores packs and directories as bytes and knows no record, no key and no
 * hash; which generation is written to and when one is dropped belongs to others.
 *
 * ```
 * key   pack       | number 4 |                         big endian, so that LevelDB sorts them
 *       directory  | last pack before it 4 | number 4 |
 * value pack       its bytes
 *       directory  | last packs of the 16 directories before it, newest first, 16 × 4 | its bytes |
 * ```
 * Keys grow with every write, those of directories between those of packs. So no two tables of
 * LevelDB overlap and none is ever merged: every byte is written twice, to the log and to a table.
 * (With directories in a range of keys of their own every table overlaps every other: 3.3 times,
 * 1.7 times the CPU, and a quarter more room while merging.) The packs that a directory names lead
 * to the directories before it without a look at the packs between.
 *
 * After a failed write nothing more is written. LevelDB itself would take writes again as soon as
 * the disk has room, behind a torn record in its log, and lose all of them when it is next opened.
 */
import { ClassicLevel } from 'classic-level'
import { access, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ServerError, assert } from '../../errors.ts'
import { diskUsage } from './disk-usage.ts'
import { FAULT, codeOf, faultOf, orMissing, unusable } from './fault.ts'

export { FAULT, faultOf } from './fault.ts'
export type { Fault } from './fault.ts'

const PACK_KEY_BYTES = 4
/** The last pack where there is none yet; the first has number 0. */
const NO_PACK = -1
const DIRECTORY_NUMBER = 4
const DIRECTORY_KEY_BYTES = 8

/** Directories that one `getMany` fetches when the index is rebuilt. */
const LINKS = 16
const LINK_BYTES = 4
const LINKS_BYTES = LINKS * LINK_BYTES

/** Keys looked at in one step while a directory is searched for: a batch has rarely more packs. */
const SEARCHED_KEYS = 64
/** Above every key: the range that is compacted to make LevelDB write its table, and empty. */
const BEYOND = [Buffer.alloc(DIRECTORY_KEY_BYTES + 1, 0xff), Buffer.alloc(16, 0xff)] as const

/** Removal begins with renaming to this, for a half removed generation must not look damaged. */
export const DROPPED_SUFFIX = '.dropped'
const DAMAGED_SUFFIX = '.damaged-'
const LOCK_FOLDER = 'lock'

export interface GenerationOptions {
  /** Log and memory of LevelDB before it writes a table of this size; twice this may be in use. */
  readonly writeBufferBytes: number
  /** Cache of blocks, of use only where tables cannot be mapped into memory. */
  readonly cacheBytes: number
  /** Size of tables that result from merging, which does not happen here. */
  readonly maxFileBytes: number
  /** Tables kept open and mapped; LevelDB takes no less than 74. */
  readonly maxOpenFiles: number
}

export interface Pack {
  readonly number: number
  readonly bytes: Buffer
}

type Database = ClassicLevel<Buffer, Buffer>
/** How the package calls the method that its public ones end in. */
const INNER_BATCH = '_batch'
const INNER_GET_SYNC = '_getSync'

type Put = { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }
type Place = { readonly pack: number; readonly number: number }

/** One LevelDB. Its methods reject with ServerError; `faultOf` says what kind of trouble it is. */
export class Generation {
  readonly id: number
  readonly path: string
  readonly #database: Database
  readonly #getNow: GetNow
  readonly #packKey: Buffer = Buffer.alloc(PACK_KEY_BYTES)
  /** Last packs of the newest directories, newest first, at most LINKS. */
  #links: number[] = []
  #lastPack = NO_PACK
  #lastDirectory = 0
  #unreadable = 0
  #isWriting = false
  #writeFailure: unknown

  private constructor(id: number, path: string, database: Database) {
    this.id = id
    this.path = path
    this.#database = database
    this.#getNow = getNow(database)
  }

  /**
   * Opens a generation that is there, or makes a new one where nothing is; nothing is left where
   * that fails. Opening one that was not sealed replays its log into a table, and so needs room on
   * the disk.
   */
  static async open(
    path: string,
    id: number,
    options: GenerationOptions,
    isNew: boolean,
  ): Promise<Generation> {
    const database: Database = new ClassicLevel(path, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      createIfMissing: isNew,
      errorIfExists: isNew,
      // Values are compressed already, and stored blocks need no copy to be read.
      compression: false,
      writeBufferSize: options.writeBufferBytes,
      cacheSize: options.cacheBytes,
      maxFileSize: options.maxFileBytes,
      maxOpenFiles: options.maxOpenFiles,
    })
    const wasThere = await isThere(path)
    try {
      await database.open()
    } catch (error) {
      // The disk may have been full half way: what is there then can never be opened.
      if (!wasThere) await rm(path, { recursive: true, force: true }).catch(() => undefined)
      throw unusable(`cannot open ${path}`, isNew ? error : orMissing(error))
    }
    const generation = new Generation(id, path, database)
    if (isNew) return generation
    try {
      await generation.#findEnd()
    } catch (error) {
      await generation.close()
      throw unusable(`cannot read ${path}`, error)
    }
    return generation
  }

  /** The largest number of a pack, -1 when there is none. Numbers above it are free. */
  lastPackNumber(): Promise<number> {
    return Promise.resolve(this.#lastPack)
  }

  /** Directories are numbered from 1 without gaps; 0 when there is none. */
  get lastDirectoryNumber(): number {
    return this.#lastDirectory
  }

  /** False since a write failed: what is there can be read, more must go elsewhere. */
  get isWritable(): boolean {
    return this.#writeFailure === undefined
  }

  /** Packs that could not be read, because of damage or of trouble with the disk. */
  get unreadableCount(): number {
    return this.#unreadable
  }

  /**
   * Writes packs and the directory that tells of them: all or nothing. Packs come in ascending
   * order, above all before. The bytes are copied before this returns. One write at a time.
   */
  async write(packs: readonly Pack[], directory: Buffer, sync: boolean): Promise<void> {
    assert(!this.#isWriting, 'one write of a generation at a time')
    if (!this.isWritable) throw unusable(`${this.path} is read-only`, this.#writeFailure)
    let lastPack = this.#lastPack
    const operations: Put[] = []
    for (const { number, bytes } of packs) {
      assert(number > lastPack, 'packs are written in ascending order')
      lastPack = number
      operations.push({ type: 'put', key: packKey(number), value: bytes })
    }
    const place = { pack: Math.max(0, lastPack), number: this.#lastDirectory + 1 }
    const value = withLinks(this.#links, directory)
    operations.push({ type: 'put', key: directoryKey(place), value })
    this.#isWriting = true
    try {
      await writeBatch(this.#database, operations, sync)
    } catch (error) {
      this.#writeFailure = error
      throw unusable(`cannot write ${this.path}`, error)
    } finally {
      this.#isWriting = false
    }
    this.#lastPack = lastPack
    this.#lastDirectory = place.number
    this.#links = [place.pack, ...this.#links.slice(0, LINKS - 1)]
  }

  /**
   * Reads packs. In the place of one that is not there or cannot be read is undefined; the bytes
   * are as the disk gives them, unverified. Rejects only when the generation is closed.
   */
  read(packNumbers: readonly number[]): Promise<(Buffer | undefined)[]> {
    return this.#readAll(packNumbers.map(packKey))
  }

  /**
   * Reads a pack at once: this thread waits for the disk, if the system has to. Gives undefined for one
   * that is not there, and throws where that cannot be read.
   */
  readNow(packNumber: number): Buffer | undefined {
    this.#packKey.writeUInt32BE(packNumber, 0)
    return this.#getNow(this.#packKey)
  }

  /**
   * All directories, the newest first. For one or more in a row that are missing or cannot be read
   * it yields undefined, so that the caller knows that something is not told. Damage within the
   * bytes is for the caller to find; what is missing after the last one nobody can see here.
   */
  async *directoriesBackwards(): AsyncGenerator<Buffer | undefined, void, undefined> {
    let number = this.#lastDirectory
    let links = this.#links
    let oldest: Place = { pack: links[0] ?? 0, number: number + 1 }
    while (number > 0) {
      const newest = number
      const keys = links.map((pack, index) => directoryKey({ pack, number: newest - index }))
      for (const [index, value] of (await this.#readAll(keys)).entries()) {
        if (value === undefined || value.length < LINKS_BYTES) break
        yield value.subarray(LINKS_BYTES)
        oldest = { pack: links[index]!, number }
        number -= 1
        if (index === keys.length - 1) links = linksIn(value, number)
      }
      if (number === 0) return
      if (newest - number === keys.length && keys.length > 0) continue

      const found = await this.#searchDirectory(oldest)
      const isNext = found?.number === number
      const wasTried = isNext && found.pack === links[newest - number]
      if (!isNext || wasTried) yield undefined
      if (found === undefined || found.number > number) return
      // What was tried and is there cannot be read: the search goes on before it.
      if (wasTried) oldest = found
      links = wasTried ? [] : [found.pack]
      number = wasTried ? number - 1 : found.number
    }
  }

  /**
   * Makes LevelDB write what it holds in memory into a table and remove its log: then opening is
   * quick and takes no room, and the folder is as small as it gets.
   */
  async flushToTable(): Promise<void> {
    try {
      await this.#database.compactRange(...BEYOND)
    } catch (error) {
      throw unusable(`cannot flush ${this.path}`, error)
    }
    // LevelDB keeps a failure of the above to itself, but leaves the log and answers the next write
    // with it.
    if ((await logBytes(this.path)) === 0) return
    try {
      await this.#database.batch([{ type: 'del', key: BEYOND[0] }])
      throw new Error('the log of LevelDB is still there')
    } catch (error) {
      this.#writeFailure ??= error
      throw unusable(`cannot flush ${this.path}`, error)
    }
  }

  /** Sum of the sizes of the files. */
  async diskBytes(): Promise<number> {
    return (await diskUsage(this.path)).bytes
  }

  /** Waits for what is under way and closes the files; a second call waits for the first. */
  async close(): Promise<void> {
    try {
      await this.#database.close()
    } catch (error) {
      throw unusable(`cannot close ${this.path}`, error)
    }
  }

  /** Removes a closed generation. What a crash leaves of it has a name that ends in DROPPED_SUFFIX. */
  static async destroy(path: string): Promise<void> {
    const doomed = path.endsWith(DROPPED_SUFFIX) ? path : path + DROPPED_SUFFIX
    try {
      if (doomed !== path) {
        await rm(doomed, { recursive: true, force: true })
        await rename(path, doomed)
      }
      await rm(doomed, { recursive: true, force: true, maxRetries: 3 })
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return
      throw unusable(`cannot remove ${path}`, error)
    }
  }

  /** Renames a damaged, closed generation out of the way, and returns its new path. */
  static async setAside(path: string): Promise<string> {
    try {
      for (let n = 1; ; n++) {
        const aside = `${path}${DAMAGED_SUFFIX}${n}`
        if (await isThere(aside)) continue
        await rename(path, aside)
        return aside
      }
    } catch (error) {
      throw unusable(`cannot set ${path} aside`, error)
    }
  }

  async #findEnd(): Promise<void> {
    const last = await this.#findDirectory(undefined)
    if (last === undefined) return
    this.#lastPack = last.pack
    this.#lastDirectory = last.number
    const [value] = await this.#readAll([directoryKey(last)])
    const links = value === undefined ? [] : linksIn(value, last.number - 1)
    this.#links = [last.pack, ...links].slice(0, LINKS)
  }

  /** The newest directory below a place; undefined also where the way there is damaged. */
  async #searchDirectory(below: Place): Promise<Place | undefined> {
    try {
      return await this.#findDirectory(below)
    } catch (error) {
      if (faultOf(error) === FAULT.CLOSED) throw unusable(`cannot read ${this.path}`, error)
      return undefined
    }
  }

  async #findDirectory(below: Place | undefined): Promise<Place | undefined> {
    const range = below === undefined ? {} : { lt: directoryKey(below) }
    const iterator = this.#database.keys({ ...range, reverse: true })
    try {
      for (;;) {
        const keys = await iterator.nextv(SEARCHED_KEYS)
        if (keys.length === 0) return undefined
        const key = keys.find(({ length }) => length === DIRECTORY_KEY_BYTES)
        if (key !== undefined)
          return { pack: key.readUInt32BE(0), number: key.readUInt32BE(DIRECTORY_NUMBER) }
      }
    } finally {
      await iterator.close()
    }
  }

  async #readAll(keys: Buffer[]): Promise<(Buffer | undefined)[]> {
    try {
      return await this.#database.getMany(keys)
    } catch (error) {
      if (faultOf(error) === FAULT.CLOSED) throw unusable(`cannot read ${this.path}`, error)
    }
    // One damaged block fails the whole call: what lies elsewhere is read key by key.
    const values: (Buffer | undefined)[] = []
    for (const key of keys) values.push(await this.#readOne(key))
    return values
  }

  async #readOne(key: Buffer): Promise<Buffer | undefined> {
    try {
      return await this.#database.get(key)
    } catch (error) {
      if (faultOf(error) === FAULT.CLOSED) throw unusable(`cannot read ${this.path}`, error)
      this.#unreadable += 1
      return undefined
    }
  }
}

/**
 * Holds a data directory for this process: a LevelDB that is kept open and never written to. The
 * system releases it when the process ends, in whatever way.
 */
export class DirectoryLock {
  readonly #database: ClassicLevel

  private constructor(database: ClassicLevel) {
    this.#database = database
  }

  /**
   * @throws ServerError DATA_DIR_IN_USE where another process holds it; DATA_DIR_UNUSABLE where it
   * cannot be held for another reason.
   */
  static async open(directory: string): Promise<DirectoryLock> {
    const path = join(directory, LOCK_FOLDER)
    try {
      return await DirectoryLock.#hold(path)
    } catch (error) {
      const fault = faultOf(error)
      if (fault === FAULT.LOCKED) throw inUse(directory, error)
      // Nothing is stored in it, and nobody holds it: a damaged one is made anew.
      if (fault !== FAULT.CORRUPT) throw unusable(`cannot hold ${directory}`, error)
    }
    try {
      await rm(path, { recursive: true, force: true })
      return await DirectoryLock.#hold(path)
    } catch (error) {
      if (faultOf(error) === FAULT.LOCKED) throw inUse(directory, error)
      throw unusable(`cannot hold ${directory}`, error)
    }
  }

  /** Releases the directory; a second call does nothing. */
  async close(): Promise<void> {
    await this.#database.close()
  }

  static async #hold(path: string): Promise<DirectoryLock> {
    const database = new ClassicLevel(path, { cacheSize: 1, writeBufferSize: 1 })
    try {
      await database.open()
    } catch (error) {
      throw orMissing(error)
    }
    return new DirectoryLock(database)
  }
}

function inUse(directory: string, cause: unknown): ServerError {
  return new ServerError('DATA_DIR_IN_USE', `another process uses ${directory}`, cause)
}

/**
 * Hands a batch to LevelDB. The method that the package itself ends in takes buffers as they are;
 * the public one copies every operation before, which costs three times as much (360 against 130 us of
 * the main thread for 33 packs). Where there is no such method, the public one serves.
 */
function writeBatch(database: Database, operations: Put[], sync: boolean): Promise<void> {
  const inner: unknown = Reflect.get(database, INNER_BATCH)
  if (typeof inner !== 'function' || database.status !== 'open') {
    return database.batch(operations, { sync })
  }
  return Promise.resolve(Reflect.apply(inner, database, [operations, { sync }]))
}

type GetNow = (key: Buffer) => Buffer | undefined

/** As for batches: a sixth of a read from the page cache is what the public method adds. */
function getNow(database: Database): GetNow {
  const inner: unknown = Reflect.get(database, INNER_GET_SYNC)
  if (typeof inner !== 'function') return (key) => database.getSync(key)
  const options = { keyEncoding: 'buffer', valueEncoding: 'buffer' }
  return (key) => Reflect.apply(inner, database, [key, options])
}

function packKey(number: number): Buffer {
  const key = Buffer.allocUnsafe(PACK_KEY_BYTES)
  key.writeUInt32BE(number, 0)
  return key
}

function directoryKey({ pack, number }: Place): Buffer {
  const key = Buffer.allocUnsafe(DIRECTORY_KEY_BYTES)
  key.writeUInt32BE(pack, 0)
  key.writeUInt32BE(number, DIRECTORY_NUMBER)
  return key
}

function withLinks(links: readonly number[], directory: Buffer): Buffer {
  const value = Buffer.allocUnsafe(LINKS_BYTES + directory.length)
  for (let i = 0; i < LINKS; i++) value.writeUInt32BE(links[i] ?? 0, i * LINK_BYTES)
  directory.copy(value, LINKS_BYTES)
  return value
}

/** The links in the value of a directory that has `older` before it. */
function linksIn(value: Buffer, older: number): number[] {
  const count = value.length < LINKS_BYTES ? 0 : Math.min(LINKS, older)
  return Array.from({ length: count }, (_, index) => value.readUInt32BE(index * LINK_BYTES))
}

async function logBytes(path: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(path)) {
    if (name.endsWith('.log')) bytes += (await diskUsage(join(path, name))).bytes
  }
  return bytes
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}
