/**
 * A data directory from the moment that it is asked for to the moment that it may be written: whose it
 * is, what it holds, how much of that can be believed.
 */
import { join } from 'node:path'
import { ServerError } from '../../errors.ts'
import type { Clock } from '../../observe/clock.ts'
import type { Logger } from '../../observe/log.ts'
import type { FileSystem } from './file-system.ts'
import { claimDataDirectory } from './format-stamp.ts'
import { DirectoryLock } from './generation.ts'
import { GenerationList } from './generation-list.ts'
import type { GenerationListOptions } from './generation-list.ts'
import { Journal } from './journal.ts'
import { replayJournal } from './journal-replay.ts'
import type { Replay } from './journal-replay.ts'
import { KeyMap } from './key-map.ts'
import { hasMachineRestarted, noteBoot } from './machine-boot.ts'
import { removeIndex, restoreIndex } from './saved-index.ts'
import { StaleKeys } from './stale-keys.ts'
import { StateFile } from './state-file.ts'
import type { Facts } from './state-file.ts'
import type { WriteBehindOptions } from './write-behind.ts'

/** Sequence numbers that are reserved at a time. */
export const SEQUENCES_RESERVED: number = 2 ** 22
/** A machine that stops may forget as many reservations: a million a second for an hour. */
const SEQUENCES_FORGOTTEN_MAX = 2 ** 32

export type DirectoryOptions = GenerationListOptions & Pick<WriteBehindOptions, 'sync'>

export interface DataDirectory {
  readonly files: FileSystem
  readonly lock: DirectoryLock
  readonly state: StateFile
  readonly journal: Journal
  readonly keys: KeyMap
  readonly list: GenerationList
  /** What the journals of earlier processes name. */
  readonly stale: StaleKeys
  /** The key map was saved at a clean stop, and is whole. */
  readonly isIndexed: boolean
  /** What an earlier process has left to go on from. */
  readonly first: Pick<Facts, 'sequenceReserved' | 'flushPendingAtS'>
}

/**
 * Opens a data directory, or makes one. Rejects with a ServerError DATA_DIR_FOREIGN, DATA_DIR_NEWER,
 * DATA_DIR_IN_USE or DATA_DIR_UNUSABLE, with nothing changed.
 */
export async function openDirectory(
  options: DirectoryOptions,
  clock: Clock,
  log: Logger,
  files: FileSystem,
): Promise<DataDirectory> {
  const { folder } = options
  claimDataDirectory(folder, files)
  const lock = await DirectoryLock.open(folder)
  let state: StateFile | undefined
  let list: GenerationList | undefined
  try {
    state = StateFile.open(join(folder, 'state'), files)
    const replay = replayJournal(folder, files)
    const journal = Journal.open(folder, { files })
    const keys = new KeyMap()
    list = new GenerationList(options, keys, files, clock, log)
    await list.openAll()
    const { facts } = state
    const isCutOff = !facts.cleanStop && hasMachineRestarted(folder, files)
    const isWhole = !isCutOff || options.sync !== 'never'
    const isTrusted = facts.trusted && replay.damagedSegments === 0 && isWhole
    if (!isTrusted) await empty(list, replay, isWhole, log)
    facts.sequenceReserved = Math.max(facts.sequenceReserved, replay.lastSequence)
    if (isCutOff) facts.sequenceReserved += SEQUENCES_FORGOTTEN_MAX
    facts.clockS = Math.max(facts.clockS, clock.nowS)
    list.believedFrom = Math.max(list.believedFrom, facts.believedFrom)
    const last = { ...facts, journaledUpTo: replay.lastSequence }
    const isIndexed =
      isTrusted && facts.cleanStop && (await restoreIndex(folder, last, keys, list, log, files))
    if (!canWriteTo(list)) await list.add()
    const { sequenceReserved, flushPendingAtS } = facts
    const first = { sequenceReserved, flushPendingAtS }
    noteBoot(folder, files)
    await begin(folder, state, list)
    await removeIndex(folder, log, files)
    const stale = isTrusted ? replay.stale : new StaleKeys()
    return { files, lock, state, journal, keys, list, stale, isIndexed, first }
  } catch (error) {
    await list?.closeAll().catch(() => undefined)
    state?.close()
    await lock.close()
    throw error instanceof ServerError
      ? error
      : new ServerError('DATA_DIR_UNUSABLE', `data directory ${folder}: cannot be used`, error)
  }
}

async function empty(
  list: GenerationList,
  replay: Replay,
  isWhole: boolean,
  log: Logger,
): Promise<void> {
  log.error(
    { damaged_journals: replay.damagedSegments, machine_stopped: !isWhole },
    'the disk tier may hold stale values, and it is not known which: it is emptied',
  )
  for (const slot of list.slots.splice(0)) await list.destroy(slot)
}

/** Whether the newest generation takes more. What is not believed after a crash takes nothing new. */
function canWriteTo(list: GenerationList): boolean {
  if (list.slots.length === 0) return false
  return list.newest.db.isWritable && list.newest.number >= list.believedFrom
}

/** Notes that from now on things change. */
async function begin(folder: string, state: StateFile, list: GenerationList): Promise<void> {
  const { facts } = state
  facts.trusted = true
  facts.cleanStop = false
  facts.indexStamp = 0
  facts.believedFrom = list.believedFrom
  facts.sequenceReserved += SEQUENCES_RESERVED
  if (await state.saveDurably()) return
  throw new ServerError(
    'DATA_DIR_UNUSABLE',
    `data directory ${folder}: its state cannot be written`,
    state.lastError,
  )
}
