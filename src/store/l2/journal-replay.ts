/**
 * What the journal that an earlier process left behind says. Reads only; a segment that cannot be
 * read to its end is told, and what that means is for the recovery to decide.
 */
import { errorCode, MACHINE_FILES } from './file-system.ts'
import type { FileSystem } from './file-system.ts'
import {
  ENTRY_BYTES,
  hashHiAt,
  hashLoAt,
  isStaleEntry,
  listSegments,
  sequenceAt,
} from './journal-segment.ts'
import { StaleKeys } from './stale-keys.ts'

export interface Replay {
  readonly stale: StaleKeys
  /** The greatest sequence number in any entry, 0 without entries. */
  readonly lastSequence: number
  readonly entries: number
  /**
   * Segments that end in something else than an entry, as after a kill in the middle of a write.
   * Harmless: nobody was told that the write had succeeded.
   */
  readonly tornSegments: number
  /**
   * Segments that cannot be read, or in which entries stand behind something that is none: keys
   * were named there and are not known. A folder that cannot be listed counts as one, too.
   */
  readonly damagedSegments: number
}

/** What a segment holds beside its entries. */
const REST = { NONE: 0, TORN: 1, DAMAGED: 2 } as const
type Rest = (typeof REST)[keyof typeof REST]

/** Reads all segments in a folder; one that is not there has none. */
export function replayJournal(folder: string, files: FileSystem = MACHINE_FILES): Replay {
  const stale = new StaleKeys()
  let lastSequence = 0
  let entries = 0
  let tornSegments = 0
  let damagedSegments = 0
  const note = (hashHi: number, hashLo: number, sequence: number): void => {
    stale.note(hashHi, hashLo, sequence)
    if (sequence > lastSequence) lastSequence = sequence
    entries++
  }
  try {
    for (const { path } of listSegments(folder, files)) {
      const rest = readSegment(path, files, note)
      if (rest === REST.TORN) tornSegments++
      if (rest === REST.DAMAGED) damagedSegments++
    }
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') damagedSegments++
  }
  return { stale, lastSequence, entries, tornSegments, damagedSegments }
}

function readSegment(
  path: string,
  files: FileSystem,
  note: (hashHi: number, hashLo: number, sequence: number) => void,
): Rest {
  let bytes: Buffer
  try {
    bytes = files.readFileSync(path)
  } catch (error) {
    // Removed since it was listed: what it named is superseded.
    return errorCode(error) === 'ENOENT' ? REST.NONE : REST.DAMAGED
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let rest: Rest = REST.NONE
  let at = 0
  for (; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    if (!isStaleEntry(view, at)) {
      if (rest === REST.NONE) rest = REST.TORN
      continue
    }
    if (rest === REST.TORN) rest = REST.DAMAGED
    note(hashHiAt(view, at), hashLoAt(view, at), sequenceAt(view, at))
  }
  return rest === REST.NONE && at < bytes.length ? REST.TORN : rest
}
