/** Settings that go together. A preset says what its name says; every setting after it overrules it. */
import type { SectionSettings } from './settings.ts'

/** What a preset sets. */
export interface Preset {
  readonly l1?: SectionSettings<'l1'>
  readonly l2?: SectionSettings<'l2'>
  readonly server?: SectionSettings<'server'>
  readonly compression?: SectionSettings<'compression'>
  readonly logging?: SectionSettings<'logging'>
}

export type PresetName = 'development' | 'production' | 'memoryOnly' | 'largeValues'

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  /** Little memory and a small disk tier in the folder of the project; problems are logged for people. */
  development: {
    l1: { maxMemory: '64MB' },
    l2: { enabled: true, dataDir: './rat-memcached-data', maxDiskSize: '256MB' },
    logging: { level: 'warn', pretty: 'always' },
  },
  /** Memory is filled from disk after a start; problems are logged as JSON. */
  production: {
    l1: { maxMemory: '256MB' },
    l2: {
      enabled: true,
      dataDir: './rat-memcached-data',
      maxDiskSize: '10GB',
      warmup: 'recent',
    },
    logging: { level: 'warn', pretty: 'never' },
  },
  /** No disk: the cache is empty after a restart. */
  memoryOnly: { l1: { maxMemory: '64MB' }, l2: { enabled: false } },
  /** Values of many megabytes, which live on disk, compressed up to 1 MB. */
  largeValues: {
    l1: { maxMemory: '512MB' },
    l2: { enabled: true, dataDir: './rat-memcached-data', maxDiskSize: '20GB' },
    server: { maxItemSize: '64MB' },
    compression: { enabled: true, maxSize: '1MB' },
  },
}
