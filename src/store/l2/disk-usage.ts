/**
 * How much room a folder takes on disk, for the cap on the disk tier. Files may come and go while
 * it counts: LevelDB removes tables in the background, and what vanished takes no room.
 */
import type { Stats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** `st_blocks` counts these, whatever the size of a block of the file system is. */
const STAT_BLOCK_BYTES = 512

export interface DiskUsage {
  /** Sum of the sizes, as `du --apparent-size` counts it: folders have a size, too. */
  readonly bytes: number
  /** What the file system has set aside, as `du` counts it. */
  readonly allocatedBytes: number
}

/**
 * Room taken by everything below a folder, itself included. Links are not followed; a folder that
 * is not there takes none. Files are looked at one after the other, so that the threads which
 * LevelDB reads on stay free. Rejects with the system's error where a folder may not be read.
 */
export async function diskUsage(path: string): Promise<DiskUsage> {
  const usage = { bytes: 0, allocatedBytes: 0 }
  await addUsage(path, usage)
  return usage
}

async function addUsage(
  path: string,
  usage: { bytes: number; allocatedBytes: number },
): Promise<void> {
  const stats = await ifThere<Stats>(lstat(path))
  if (stats === undefined) return
  usage.bytes += stats.size
  usage.allocatedBytes += stats.blocks * STAT_BLOCK_BYTES
  if (!stats.isDirectory()) return
  for (const name of (await ifThere(readdir(path))) ?? []) await addUsage(join(path, name), usage)
}

/** What was found, or undefined for what vanished. */
async function ifThere<Found>(looked: Promise<Found>): Promise<Found | undefined> {
  try {
    return await looked
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
