/** The disk tier in `/stats.json`. */
import type { CommandContext } from '../commands/context.ts'
import { writeAmplification } from '../commands/disk-report.ts'
import { LATENCY } from '../observe/metrics.ts'
import { quantilesOf } from './quantiles.ts'
import type { DiskDocument, GenerationDocument } from './stats-document.ts'

/** Null without a disk tier. */
export function diskDocument(context: CommandContext): DiskDocument | null {
  const { cache, metrics } = context
  const { tier } = cache
  if (tier === null) return null
  const { compression, degraded, isRecovering, journal, keys, list, options, writer } = tier.l2
  const { storedBytes, valueBytes } = compression
  return {
    state: degraded ? 'degraded' : isRecovering ? 'recovering' : 'ok',
    items: keys.count,
    bytes: list.bytes,
    bytesMax: options.diskBytesMax,
    indexBytes: keys.memoryBytes,
    loading: tier.loadingCount,
    stagedItems: writer.stagedItems,
    stagedBytes: writer.stagedBytes,
    changedBytes: tier.changedBytes,
    stagedBytesMax: options.stagedBytesMax,
    isCongested: writer.isCongested,
    journalEntries: journal.entries,
    journalBytes: journal.bytes,
    writeAmplification: writeAmplification(context),
    compressionRatio: valueBytes === 0 ? null : storedBytes / valueBytes,
    read: quantilesOf(metrics.latency(LATENCY.L2_READ)),
    write: quantilesOf(metrics.latency(LATENCY.L2_WRITE)),
    generationsDropped: list.droppedCount,
    generations: generationsOf(context),
  }
}

/** The oldest first. */
export function generationsOf({ cache, clock }: CommandContext): GenerationDocument[] {
  if (cache.tier === null) return []
  const { keys, list } = cache.tier.l2
  return list.slots.map((slot) => ({
    id: slot.number,
    ageS: Math.max(0, clock.nowS - slot.createdAtS),
    bytes: list.bytesOf(slot),
    items: keys.countOf(slot.id),
    referenced: keys.referencedOf(slot.id),
    isWritable: slot === list.newest && slot.db.isWritable,
  }))
}
