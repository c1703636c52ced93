/**
 * The library: everything that a program may import from `rat-memcached`. Importing it opens nothing,
 * starts nothing and loads no native code.
 */
export { RatMemCache } from './library/rat-mem-cache.ts'
export type { CountOptions, GetOptions, TokenValue } from './library/rat-mem-cache.ts'
export { CacheBuilder } from './library/builder.ts'
export type { PresetName } from './library/presets.ts'
export type { SectionSettings } from './library/settings.ts'
export type { AnySchema, CacheStats, DiskStats } from './library/cache-types.ts'
export type { Duration } from './library/duration.ts'
export type { CacheEventName, CacheEvents } from './library/events.ts'
export type { Factory, FactoryContext } from './library/factory-runs.ts'
export type { GetOrSetOptions } from './library/renewal.ts'
export type { SetOptions } from './library/store-plan.ts'
export type { Serializer, SerializerChoice } from './library/serializer.ts'
export { createServer } from './library/served-cache.ts'
export type { CacheServer, ServeOptions } from './library/served-cache.ts'
export { ServerError } from './errors.ts'
export type { ErrorCode } from './errors.ts'
export type { Logger } from './observe/log.ts'
