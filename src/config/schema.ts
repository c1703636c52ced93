/**
 * THE table of configuration keys. The type `Config`, the reader, the sample file, the printed
 * configuration and docs/CONFIG.md are all made from it. The rows stand in three files beside this one,
 * `server-keys.ts`, `cache-keys.ts` and `log-keys.ts`; a key is added there and nowhere else.
 *
 * A key exists only if it does something. The sections without keys are reserved names: a key in
 * them is an unknown key like any other, so that no setting is ever read and then ignored.
 */
import { CACHE_KEYS } from './cache-keys.ts'
import { LOG_KEYS } from './log-keys.ts'
import { SERVER_KEYS } from './server-keys.ts'

/** Every section, in the order in which it is printed, with its heading. */
export const SECTIONS = [
  { name: 'server', heading: 'Where the server listens, and what one client may ask of it.' },
  { name: 'commands', heading: 'What clients may do beside storing and reading.' },
  { name: 'auth', heading: 'Who clients have to be.' },
  { name: 'tls', heading: 'Encryption.' },
  { name: 'l1', heading: 'The memory tier.' },
  { name: 'l2', heading: 'The disk tier.' },
  { name: 'compression', heading: 'Compression of values.' },
  { name: 'ttl', heading: 'Expiry.' },
  { name: 'performance', heading: 'Tuning.' },
  { name: 'logging', heading: 'The log. It never has a line per request.' },
  { name: 'metrics', heading: 'Metrics.' },
] as const

export type SectionName = (typeof SECTIONS)[number]['name']

/** How the value of a key is written and checked; see `value.ts`. */
export type KeyType =
  'string' | 'string-list' | 'integer' | 'boolean' | 'size' | 'duration' | 'octal' | 'choice'

/** One row of the table. Defaults and limits are written as in a configuration file. */
export interface KeyDefinition {
  readonly section: SectionName
  readonly name: string
  /** The name in `Config`, where the unit is part of the name. */
  readonly field: string
  readonly type: KeyType
  readonly default: string | number | boolean | readonly string[]
  /** What an integer counts, or the form of a text. */
  readonly unit?: string
  readonly min?: string | number
  readonly max?: string | number
  /** What 0 means, for a key that takes 0 beside its range. */
  readonly zero?: string
  readonly choices?: readonly string[]
  /** The options of the command line that set this key. */
  readonly options?: readonly string[]
  readonly meaning: string
}

/** The table, as rows of one shape; this line is also what checks it. */
export const KEY_DEFINITIONS: readonly KeyDefinition[] = [
  ...SERVER_KEYS,
  ...CACHE_KEYS,
  ...LOG_KEYS,
]

type Row = (typeof SERVER_KEYS)[number] | (typeof CACHE_KEYS)[number] | (typeof LOG_KEYS)[number]

type ValueOf<R> = R extends { type: 'choice'; choices: readonly (infer Choice)[] }
  ? Choice
  : R extends { type: 'string' }
    ? string
    : R extends { type: 'string-list' }
      ? readonly string[]
      : R extends { type: 'boolean' }
        ? boolean
        : number

/**
 * The configuration that a server runs with, frozen all through: a record of the fields above for
 * each section. Sizes are bytes, durations milliseconds; `server.unixMode` is a number.
 */
export type Config = {
  readonly [S in SectionName]: {
    readonly [R in Extract<Row, { section: S }> as R['field']]: ValueOf<R>
  }
}

/** "server.bind", as messages and the documentation call a key. */
export function keyPath(definition: KeyDefinition): string {
  return `${definition.section}.${definition.name}`
}

/** The environment variable of a key: RAT_MEMCACHED_SERVER_BIND. */
export function envName(definition: KeyDefinition): string {
  return `${ENV_PREFIX}${definition.section}_${definition.name}`.toUpperCase()
}

/** Every variable that begins like this is ours; one that names no key is an error. */
export const ENV_PREFIX = 'RAT_MEMCACHED_'
