/** From the configuration to what the disk tier is told. */
import { resolve } from 'node:path'
import type { Config } from '../config/schema.ts'
import type { TierOptions } from './disk-tier.ts'

/** A value of more than this part of the disk tier would push too many others out of it. */
const DISK_PART_MAX = 16
/** Measured with 64 MB: from 128 KB on, 87 % instead of 75 % of gets are served from memory. */
const LARGE_PART = 512

/** A limit where 0 means none. */
function unlimited(bytes: number): number {
  return bytes === 0 ? Infinity : bytes
}

/** The options of a disk tier by the configuration. */
export function tierOptions(config: Config): TierOptions {
  const { l2, compression } = config
  return {
    folder: resolve(l2.dataDir),
    diskBytesMax: l2.diskBytesMax,
    stagedBytesMax: l2.stagedBytesMax,
    writeIntervalMs: l2.writeIntervalMs,
    inlineReads: l2.inlineReads,
    sync: l2.sync,
    syncIntervalMs: l2.syncIntervalMs,
    compression: {
      enabled: compression.enabled,
      minBytes: compression.valueBytesMin,
      maxBytes: compression.valueBytesMax,
    },
    writesThrough: l2.writePolicy === 'write-through',
    onEvict: l2.writePolicy === 'on-evict',
    warmUp: {
      memoryBytes: warmUpBytes(config),
      bytesPerS: l2.warmupBytesPerS,
    },
    rules: {
      largeValueBytesMin: largeValueBytes(config),
      valueBytesMin: l2.itemBytesMin,
      valueBytesMax: Math.min(unlimited(l2.itemBytesMax), l2.diskBytesMax / DISK_PART_MAX),
      secondsToLiveMin: l2.ttlMinMs / 1000,
      promotion: l2.promotion,
    },
  }
}

/** Values from this size on live on disk: by default those of which memory would hold few. */
function largeValueBytes({ l1, performance }: Config): number {
  const { largeValueBytesMin } = performance
  return largeValueBytesMin === 0 ? l1.memoryBytesMax / LARGE_PART : largeValueBytesMin
}

/** Memory that warming up fills. */
function warmUpBytes({ l1, l2 }: Config): number {
  if (l2.warmup === 'none') return 0
  return l2.warmup === 'recent' ? l1.memoryBytesMax / 2 : Infinity
}
