/**
 * THE table of configuration keys. The type `Config`, the reader, the sample file, the printed
 * configuration and docs/CONFIG.md are all made from it. The rows stand in files beside this one,
 * `server-keys.ts`, `cache-keys.ts`, `ttl-keys.ts`, `log-keys.ts` and `metrics-keys.ts`; a key is added
 * there and nowhere else. What there may be any number of, such as the rules of expiry, is an array of tables with rows of
 * its own.
 *
 * A key exists only if it does something. The sections without keys are reserved names: a key in
 * them is an unknown key like any other, so that no setting is ever read and then ignored.
 */
import { CACHE_KEYS } from './cache-keys.ts'
import { LOG_KEYS } from './log-keys.ts'
import { METRICS_KEYS } from './metrics-keys.ts'
import { SERVER_KEYS } from './server-keys.ts'
import { TTL_KEYS, TTL_TABLES } from './ttl-keys.ts'

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
  { name: 'metrics', heading: 'What is measured, and the side door that shows it.' },
] as const

export type SectionName = (typeof SECTIONS)[number]['name']

/** How the value of a key is written and checked; see `value.ts`. */
export type KeyType =
  'string' | 'string-list' | 'integer' | 'boolean' | 'size' | 'duration' | 'octal' | 'choice'

/** What a value may be. Defaults and limits are written as in a configuration file. */
export interface ValueDefinition {
  readonly name: string
  /** The name in `Config`, where the unit is part of the name. */
  readonly field: string
  readonly type: KeyType
  readonly default?: string | number | boolean | readonly string[]
  /** What an integer counts, or the form of a text. */
  readonly unit?: string
  readonly min?: string | number
  readonly max?: string | number
  /** What 0 means, for a key that takes 0 beside its range. */
  readonly zero?: string
  readonly choices?: readonly string[]
  readonly meaning: string
}

/** One row of the table. */
export interface KeyDefinition extends ValueDefinition {
  readonly section: SectionName
  readonly default: string | number | boolean | readonly string[]
  /** The options of the command line that set this key. */
  readonly options?: readonly string[]
  /** Whether a new value takes effect when the configuration is reloaded; if not, it waits for a restart. */
  readonly live: boolean
  /** It is never shown to who is not allowed to read the configuration file. */
  readonly secret?: true
}

/** One key of a table of which there may be many. */
export interface ColumnDefinition extends ValueDefinition {
  /** As a configuration file would have it. */
  readonly example: string
  readonly isOptional?: boolean
  /** No two tables have the same text here, and it is the beginning of a key. */
  readonly isUnique?: boolean
}

/** An array of tables, `[[section.name]]`. Only a file can set it; by default it is empty. */
export interface TableDefinition {
  readonly section: SectionName
  readonly name: string
  readonly field: string
  readonly entriesMax: number
  /** As that of a key. */
  readonly live: boolean
  readonly meaning: string
  readonly columns: readonly ColumnDefinition[]
}

/** The table, as rows of one shape, in the order of the sections; this line is also what checks it. */
export const KEY_DEFINITIONS: readonly KeyDefinition[] = bySection([
  ...SERVER_KEYS,
  ...CACHE_KEYS,
  ...TTL_KEYS,
  ...LOG_KEYS,
  ...METRICS_KEYS,
])

function bySection(rows: readonly KeyDefinition[]): readonly KeyDefinition[] {
  return SECTIONS.flatMap(({ name }) => rows.filter(({ section }) => section === name))
}

export const TABLE_DEFINITIONS: readonly TableDefinition[] = TTL_TABLES

/** All rows, each with the type of its own. */
export type Row =
  | (typeof SERVER_KEYS)[number]
  | (typeof CACHE_KEYS)[number]
  | (typeof TTL_KEYS)[number]
  | (typeof LOG_KEYS)[number]
  | (typeof METRICS_KEYS)[number]
type Table = (typeof TTL_TABLES)[number]

type ValueOf<R> = R extends { type: 'choice'; choices: readonly (infer Choice)[] }
  ? Choice
  : R extends { type: 'string' }
    ? string
    : R extends { type: 'string-list' }
      ? readonly string[]
      : R extends { type: 'boolean' }
        ? boolean
        : number

/** One of the tables of an array, by the fields of its columns; what it leaves out is missing. */
type EntryOf<C> = {
  readonly [
    R in Exclude<C, { isOptional: true }> as R extends { field: infer F extends string } ? F : never
  ]: ValueOf<R>
} & {
  readonly [
    R in Extract<C, { isOptional: true }> as R extends { field: infer F extends string } ? F : never
  ]?: ValueOf<R>
}

/**
 * The configuration that a server runs with, frozen all through: a record of the fields above for
 * each section. Sizes are bytes, durations milliseconds; `server.unixMode` is a number.
 */
export type Config = {
  readonly [S in SectionName]: {
    readonly [R in Extract<Row, { section: S }> as R['field']]: ValueOf<R>
  } & {
    readonly [T in Extract<Table, { section: S }> as T['field']]: readonly EntryOf<
      T['columns'][number]
    >[]
  }
}

/** "server.bind", as messages and the documentation call a key. */
export function keyPath(definition: { readonly section: string; readonly name: string }): string {
  return `${definition.section}.${definition.name}`
}

/** The environment variable of a key: RAT_MEMCACHED_SERVER_BIND. */
export function envName(definition: { readonly section: string; readonly name: string }): string {
  return `${ENV_PREFIX}${definition.section}_${definition.name}`.toUpperCase()
}

/** Every variable that begins like this is ours; one that names no key is an error. */
export const ENV_PREFIX = 'RAT_MEMCACHED_'
