/** Describes a cache, checks the description as a configuration file is checked, and opens it. */
import { loadConfig } from '../config/load.ts'
import type { Setting } from '../config/load.ts'
import { printConfig } from '../config/print.ts'
import type { Config, SectionName } from '../config/schema.ts'
import { ServerError } from '../errors.ts'
import { IO_BYTES } from '../net/io-area.ts'
import type { Logger } from '../observe/log.ts'
import { createCache } from '../opened-cache.ts'
import { CacheCore } from './cache-core.ts'
import type { AnySchema } from './cache-types.ts'
import { PRESETS } from './presets.ts'
import type { PresetName } from './presets.ts'
import { QUIET_LOG } from './quiet-log.ts'
import type { RatMemCache } from './rat-mem-cache.ts'
import type { SerializerChoice } from './serializer.ts'
import { settingsOf } from './settings.ts'
import type { SectionSettings } from './settings.ts'

/** What a cache is without a word and without a file: memory only, and silent. Other defaults are those of docs/CONFIG.md. */
const START: readonly Setting[] = [
  ...settingsOf('l2', { enabled: false }),
  ...settingsOf('logging', { level: 'silent' }),
  // A program that serves asks for the side door by itself.
  ...settingsOf('metrics', { bind: '' }),
]

/**
 * Describes a cache. Later calls overrule earlier ones; every call returns the builder.
 *
 * Mistakes are found by `build` and `print`, all at once: they fail with CONFIG_INVALID.
 */
export class CacheBuilder<Schema extends object = AnySchema> {
  readonly #settings: Setting[] = []
  readonly #make: (core: CacheCore) => RatMemCache<Schema>
  #file: string | undefined
  #logger: Logger | undefined
  #serializer: SerializerChoice = 'structured-clone'
  #name = 'cache'

  /** @internal */
  constructor(make: (core: CacheCore) => RatMemCache<Schema>) {
    this.#make = make
  }

  /** Begins with settings that go together: development, production, memoryOnly or largeValues. */
  preset(name: PresetName): this {
    if (!Object.hasOwn(PRESETS, name)) {
      const known = Object.keys(PRESETS).join(', ')
      throw new ServerError('CONFIG_INVALID', `there is no preset ${name}; there are ${known}`)
    }
    const preset = PRESETS[name]
    if (preset.l1 !== undefined) this.l1(preset.l1)
    if (preset.l2 !== undefined) this.l2(preset.l2)
    if (preset.server !== undefined) this.server(preset.server)
    if (preset.compression !== undefined) this.compression(preset.compression)
    if (preset.logging !== undefined) this.logging(preset.logging)
    return this
  }

  /** Begins with a configuration file, the same that the server reads. Settings overrule it. */
  file(path: string): this {
    this.#file = path
    return this
  }

  /** The memory tier: `maxMemory`, `maxEntries`, `eviction`, … */
  l1(settings: SectionSettings<'l1'>): this {
    return this.#set('l1', settings)
  }

  /** The disk tier: `dataDir`, `maxDiskSize`, `writePolicy`, … It is there from the first call on. */
  l2(settings: SectionSettings<'l2'>): this {
    return this.#set('l2', { enabled: true, ...settings })
  }

  /** Expiry of what is stored without one, and a limit for all: `default`, `max`, `sweepInterval`. */
  ttl(settings: SectionSettings<'ttl'>): this {
    return this.#set('ttl', settings)
  }

  /** Compression on disk: `enabled`, `minSize`, `maxSize`. */
  compression(settings: SectionSettings<'compression'>): this {
    return this.#set('compression', settings)
  }

  performance(settings: SectionSettings<'performance'>): this {
    return this.#set('performance', settings)
  }

  /** The log: `level`, `file`, `pretty`. Silent by default. */
  logging(settings: SectionSettings<'logging'>): this {
    return this.#set('logging', settings)
  }

  /** `maxItemSize`, and what `createServer` goes by. */
  server(settings: SectionSettings<'server'>): this {
    return this.#set('server', settings)
  }

  /** Where the log goes instead: anything with the methods of pino. */
  logger(logger: Logger): this {
    this.#logger = logger
    return this
  }

  /**
   * How values become bytes that are neither text, nor bytes, nor numbers: 'structured-clone' (the
   * default: dates, maps, sets, bigints come back as such; Node alone reads it), 'json' (every client reads
   * it), or a serializer of the program's own.
   */
  serializer(choice: SerializerChoice): this {
    this.#serializer = choice
    return this
  }

  /** What the channels of `node:diagnostics_channel` call this cache. */
  name(name: string): this {
    this.#name = name
    return this
  }

  /** The configuration as a TOML file with comments, which `file` and the server can read. */
  print(): string {
    return printConfig(this.#config())
  }

  /**
   * Opens the cache. Fails with CONFIG_INVALID, MEMORY_UNAVAILABLE or one of the codes DATA_DIR_….
   */
  async build(): Promise<RatMemCache<Schema>> {
    const config = this.#config()
    const log = await this.#log(config)
    const opened = createCache(config, log, IO_BYTES)
    try {
      await opened.open()
      return this.#make(new CacheCore(opened, log, this.#name, this.#serializer))
    } catch (error) {
      await opened.close()
      throw error
    }
  }

  #set(section: SectionName, settings: object): this {
    this.#settings.push(...settingsOf(section, { ...settings }))
    return this
  }

  #config(): Config {
    // A file has its own say, with the defaults of the server.
    const start = this.#file === undefined ? START : []
    return loadConfig({ file: this.#file, env: {}, settings: [...start, ...this.#settings] })
  }

  async #log(config: Config): Promise<Logger> {
    if (this.#logger !== undefined) return this.#logger
    if (config.logging.level === 'silent') return QUIET_LOG
    const { createLogger } = await import('../observe/log.ts')
    return createLogger(config.logging)
  }
}
