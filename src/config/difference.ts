/** What is different between two configurations, key by key, and a configuration of both. */
import {
  KEY_DEFINITIONS,
  TABLE_DEFINITIONS,
  keyPath,
  type Config,
  type KeyDefinition,
  type TableDefinition,
} from './schema.ts'
import type { TableEntry } from './tables.ts'
import { printValue, type ConfigValue } from './value.ts'

/** A key, or an array of tables, that is another now; the values as text, but for what is secret. */
export interface KeyChange {
  readonly key: string
  readonly isLive: boolean
  readonly from: string
  readonly to: string
}

type Value = ConfigValue | readonly TableEntry[]

const SECRET = '(secret)'

/** In the order of the schema. */
export function differences(from: Config, to: Config): KeyChange[] {
  const changes: KeyChange[] = []
  const compare = (
    key: string,
    isLive: boolean,
    isSecret: boolean,
    print: (config: Config) => string,
  ): void => {
    const before = print(from)
    const after = print(to)
    if (before === after) return
    changes.push({ key, isLive, from: isSecret ? SECRET : before, to: isSecret ? SECRET : after })
  }
  for (const definition of KEY_DEFINITIONS) {
    const { live, secret } = definition
    compare(keyPath(definition), live, secret === true, (config) => printKey(config, definition))
  }
  for (const definition of TABLE_DEFINITIONS) {
    compare(keyPath(definition), definition.live, false, (config) =>
      JSON.stringify(valueOf(config, definition)),
    )
  }
  return changes
}

/** `base` with the values that `other` has for some keys. Frozen, like every configuration. */
export function withKeysOf(base: Config, other: Config, keys: ReadonlySet<string>): Config {
  const mixed: Record<string, Record<string, Value>> = {}
  // A section without keys is in every configuration, too.
  for (const name of Object.keys(base)) mixed[name] = {}
  for (const definition of [...KEY_DEFINITIONS, ...TABLE_DEFINITIONS]) {
    const from = keys.has(keyPath(definition)) ? other : base
    mixed[definition.section]![definition.field] = valueOf(from, definition)
  }
  for (const section of Object.values(mixed)) Object.freeze(section)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type is derived from the table
  return Object.freeze(mixed) as Config
}

function printKey(config: Config, definition: KeyDefinition): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the row is that of a key
  return printValue(definition, valueOf(config, definition) as ConfigValue)
}

function valueOf(config: Config, { section, field }: KeyDefinition | TableDefinition): Value {
  const fields: Readonly<Record<string, Value>> = config[section]
  const value = fields[field]
  if (value === undefined) throw new Error(`the configuration lacks ${section}.${field}`)
  return value
}
