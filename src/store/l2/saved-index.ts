/**
 * The index between a clean stop and the next start: when the file `index` is written, when it is
 * believed, and when it goes.
 *
 * It is believed only if the state file names its stamp, which a clean stop writes last and a start
 * takes back, on the device, before anything else is written; and if no generation has been written
 * since. So it makes no difference where on the way a process or a machine stops: what is left then is
 * either all of it or a file that nobody believes, and the index is recovered from the directories.
 *
 * A generation that is gone, or has less in it than before, is no reason not to believe the rest: what
 * it held is missing, and what it had made void is not in the file. The directories could not tell, so
 * from then on they count only from the next generation on (`believedFrom`).
 */
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import type { Logger } from '../../observe/log.ts'
import { MACHINE_FILES, errorCode } from './file-system.ts'
import type { FileSystem } from './file-system.ts'
import type { GenerationList } from './generation-list.ts'
import { IndexReader, writeIndex } from './index-file.ts'
import type { IndexHead } from './index-file.ts'
import type { KeyMap } from './key-map.ts'

const INDEX_NAME = 'index'
/** While it is being written. */
const UNFINISHED_NAME = `${INDEX_NAME}.new`
/** In place of a stamp: there is no index. */
const NO_STAMP = 0
const STAMPS = 2 ** 32

/** What an earlier process has said of its end. */
export interface LastStop {
  /** Of the index file, 0 if there is none. */
  readonly indexStamp: number
  /** The greatest sequence number in the journal that it left. */
  readonly journaledUpTo: number
  readonly clockS: number
}

/**
 * Saves the index of what is written, nothing of which may change meanwhile. Returns the stamp that
 * the state file has to name; 0 where it cannot be saved, which leaves no file.
 */
export async function saveIndex(
  folder: string,
  keys: KeyMap,
  list: GenerationList,
  sequence: number,
  log: Logger,
  files: FileSystem = MACHINE_FILES,
): Promise<number> {
  const stamp = randomInt(NO_STAMP + 1, STAMPS)
  const generations = list.slots.map(({ id, number, db }) => ({
    number,
    directories: db.lastDirectoryNumber,
    id,
  }))
  const unfinished = join(folder, UNFINISHED_NAME)
  try {
    await writeIndex(unfinished, { stamp, sequence, generations }, keys, files)
    files.renameSync(unfinished, join(folder, INDEX_NAME))
    return stamp
  } catch (error) {
    log.warn({ err: error }, 'the index of the disk tier cannot be saved')
    await files.unlink(unfinished).catch(() => undefined)
    return NO_STAMP
  }
}

/**
 * Fills an empty key map from the saved index. Returns false, with the map empty, where there is none
 * that can be believed; the log says why. To be called before anything is written.
 */
export async function restoreIndex(
  folder: string,
  last: LastStop,
  keys: KeyMap,
  list: GenerationList,
  log: Logger,
  files: FileSystem = MACHINE_FILES,
): Promise<boolean> {
  if (last.indexStamp === NO_STAMP) return false
  let reason = 'it is damaged'
  let err: unknown
  try {
    const reader = IndexReader.open(join(folder, INDEX_NAME), files)
    if (reader !== undefined) {
      try {
        const doubt = doubtOf(reader.head, last, list)
        const ids = doubt === undefined ? idsNow(reader.head, list, log) : []
        if (doubt !== undefined) reason = doubt
        else if (await reader.load(keys, ids, last.clockS)) return true
      } finally {
        reader.close()
      }
    }
  } catch (error) {
    reason = 'it cannot be read'
    err = error
  }
  log.warn({ err, reason }, 'the saved index of the disk tier is not used: it is recovered')
  return false
}

/** Removes what there is of an index. Once the state file has a stamp no more, that is only for room. */
export async function removeIndex(
  folder: string,
  log: Logger,
  files: FileSystem = MACHINE_FILES,
): Promise<void> {
  for (const name of [INDEX_NAME, UNFINISHED_NAME]) {
    try {
      await files.unlink(join(folder, name))
    } catch (error) {
      if (errorCode(error) === 'ENOENT') continue
      log.warn({ err: error }, 'the saved index of the disk tier cannot be removed')
    }
  }
}

/** Why an index is not that of what is on disk now. */
function doubtOf(head: IndexHead, last: LastStop, list: GenerationList): string | undefined {
  if (head.stamp !== last.indexStamp) return 'it belongs to another stop'
  if (head.sequence < last.journaledUpTo) return 'the journal has gone on since'
  for (const slot of list.slots) {
    const saved = head.generations.find(({ number }) => number === slot.number)
    if (slot.db.lastDirectoryNumber > (saved?.directories ?? 0)) {
      return `generation ${slot.number} was written since`
    }
  }
  return undefined
}

/** Ids in the key map by those in the file. Notes which generations have lost something. */
function idsNow(head: IndexHead, list: GenerationList, log: Logger): number[] {
  const ids: number[] = []
  for (const { number, directories, id } of head.generations) {
    const slot = list.slots.find((one) => one.number === number)
    if (slot !== undefined) ids[id] = slot.id
    if (slot?.db.lastDirectoryNumber === directories) continue
    list.believedFrom = Math.max(list.believedFrom, number + 1)
    log.error(
      { generation: number, gone: slot === undefined },
      'a generation of the disk tier has lost what was in it at the last stop',
    )
  }
  return ids
}
