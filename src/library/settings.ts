/**
 * The settings of the builder: the keys of the configuration file under the names of a program,
 * `maxMemory` for `max_memory`. Types and checks come from the same table as those of the file.
 */
import type { Setting } from '../config/load.ts'
import { KEY_DEFINITIONS, keyPath } from '../config/schema.ts'
import type { Config, Row, SectionName } from '../config/schema.ts'
import { ServerError } from '../errors.ts'
import type { Duration } from './duration.ts'

type Camel<Name extends string> = Name extends `${infer Head}_${infer Rest}`
  ? `${Head}${Capitalize<Camel<Rest>>}`
  : Name

/** What a program writes for a row: a size is a number of bytes or '64MB', a duration milliseconds or '10m'. */
type InputOf<R> = R extends { type: 'choice'; choices: readonly (infer Choice)[] }
  ? Choice
  : R extends { type: 'boolean' }
    ? boolean
    : R extends { type: 'integer' }
      ? number
      : R extends { type: 'size' }
        ? number | string
        : R extends { type: 'duration' }
          ? Duration
          : R extends { type: 'string-list' }
            ? readonly string[]
            : string

/** The settings of one section; see docs/CONFIG.md. */
export type SectionSettings<Section extends SectionName> = {
  readonly [R in Extract<Row, { section: Section }> as Camel<R['name']>]?: InputOf<R>
}

/** Settings of a section as the loader takes them. Fails with CONFIG_INVALID for a name that is none. */
export function settingsOf(
  section: SectionName,
  settings: Readonly<Record<string, unknown>>,
): Setting[] {
  return Object.entries(settings)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const key = `${section}.${snake(name)}`
      const definition = KEY_DEFINITIONS.find((row) => keyPath(row) === key)
      const place = `${section}({ ${name} })`
      if (definition === undefined) {
        throw new ServerError('CONFIG_INVALID', `${place}: there is no such setting`)
      }
      // A file counts seconds, a program milliseconds.
      const isMs = definition.type === 'duration' && typeof value === 'number'
      return { key, place, value: isMs ? `${value}ms` : value }
    })
}

/** A whole configuration as settings. */
export function settingsFrom(config: Config): Setting[] {
  return KEY_DEFINITIONS.map((definition) => {
    const section: Readonly<Record<string, unknown>> = config[definition.section]
    const value = section[definition.field]
    const place = 'the cache'
    const key = keyPath(definition)
    if (typeof value !== 'number') return { key, place, value }
    if (definition.type === 'duration') return { key, place, value: `${value}ms` }
    return { key, place, value: definition.type === 'octal' ? value.toString(8) : value }
  })
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
