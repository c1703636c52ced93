/**
 * The configuration in writing: the effective one (--print-config), the sample file and
 * docs/CONFIG.md. All are made from the schema, so that none of them can fall behind it.
 */

import {
  envName,
  KEY_DEFINITIONS,
  keyPath,
  SECTIONS,
  TABLE_DEFINITIONS,
  type ColumnDefinition,
  type Config,
  type KeyDefinition,
  type SectionName,
  type TableDefinition,
} from './schema.ts'
import type { TableEntry } from './tables.ts'
import { expected, printValue, type ConfigValue } from './value.ts'

/** The width of a comment, so that the sample reads well in a terminal. */
const COMMENT_COLUMNS = 92

const SAMPLE_HEAD = `# The configuration of rat-memcached: every key, with its default.
#
# A size is a number of bytes or a text such as "512KB", "64MB", "1.5GB" (powers of 1024).
# A duration is a number of seconds or a text such as "500ms", "30s", "5m", "1h", "7d".
# A variable RAT_MEMCACHED_<SECTION>_<KEY> in the environment overrules this file, and an option
# of the command line overrules both. To check a changed file:
#   rat-memcached --config FILE --check-config
`

/** A sentence about the sections without keys, if there are any. */
const RESERVED = SECTIONS.filter(({ name }) => keysOf(name).length === 0)
  .map(({ name }) => `The section \`${name}\` is reserved: it has no keys yet.\n\n`)
  .join('')

const REFERENCE_HEAD = `# Configuration

This page is generated from \`src/config/schema.ts\` by \`npm run docs:config\`.

A setting comes from one of five places; a later one overrules an earlier one:

1. the default,
2. the TOML file named by \`--config FILE\`,
3. the variables that other images of memcached have (below),
4. the environment: \`RAT_MEMCACHED_<SECTION>_<KEY>\`, the entries of a list separated by commas,
5. the command line (\`rat-memcached --help\`).

No file is read unless \`--config\` names one. \`config/rat-memcached.toml\` holds every key with its default, \`config/small.toml\` is a short one for a laptop or a CI job. \`--check-config\` reports whether a configuration is good, \`--print-config\` prints the one in effect, as a file.

${RESERVED}A key, a section or a \`RAT_MEMCACHED_\` variable that does not exist is an error, as is a value out of range: the server says what is wrong and where, and exits with status 78. A file that cannot be read leads to the same status.

**Sizes** are a number of bytes or a text with a unit: \`"512KB"\`, \`"64MB"\`, \`"1.5GB"\`, also \`"64m"\` or \`"64MiB"\`. All units are powers of 1024.

**Durations** are a number of seconds or a text with a unit: \`"500ms"\`, \`"30s"\`, \`"5m"\`, \`"1h"\`, \`"7d"\`.

**SIGHUP** reads the file again, with environment and command line on top as at the start. What can change while the server runs does, each key below says whether it can; the log has a line for each key that has changed, and one for each that waits for a restart. A configuration that is bad changes nothing.

Some rules span two keys: \`ttl.default\` may be no longer than \`ttl.max\`; \`server.max_item_size\` may be at most half of \`l1.max_memory\`; \`tls.enabled\` needs \`tls.cert\`, and certificates of clients can be checked only with \`tls.ca\`; a \`metrics.bind\` that other machines can reach needs \`metrics.token\`.

## Variables of other images

They are those of Bitnami's image, and mean what the options of memcached mean that they stand for. An empty one is as if it were not there. \`NAME_FILE\` names a file that holds the value of \`NAME\`, and goes before it. Other variables that begin with \`MEMCACHED_\` are not looked at.

- \`MEMCACHED_PORT_NUMBER\`: \`-p\`
- \`MEMCACHED_LISTEN_ADDRESS\`: \`-l\`
- \`MEMCACHED_CACHE_SIZE\`: \`-m\`
- \`MEMCACHED_MAX_CONNECTIONS\`: \`-c\`
- \`MEMCACHED_THREADS\`: \`-t\`
- \`MEMCACHED_MAX_ITEM_SIZE\`: \`-I\`
- \`MEMCACHED_EXTRA_FLAGS\`: options, separated by blanks
- \`MEMCACHED_USERNAME\`, \`MEMCACHED_PASSWORD\`: a user beside those of \`auth.file\`; without a name it is \`root\`
- \`MEMCACHED_SASL_PWDB\`: \`auth.file\`, with \`-S\` (memcached's own variable; it has no \`_FILE\`)`

/** The effective configuration as a TOML file with comments, which can be read back. */
export function printConfig(config: Config): string {
  return SECTIONS.filter(({ name }) => keysOf(name).length > 0)
    .map(({ name, heading }) => printSection(name, heading, config))
    .join('\n')
}

/** config/rat-memcached.toml. */
export function sampleFile(defaults: Config): string {
  return `${SAMPLE_HEAD}\n${printConfig(defaults)}`
}

/** docs/CONFIG.md. */
export function configReference(defaults: Config): string {
  const sections = SECTIONS.filter(({ name }) => keysOf(name).length > 0).map(
    ({ name, heading }) => {
      const keys = keysOf(name).map((definition) => describeKey(definition, defaults))
      const tables = tablesOf(name).map((definition) => describeTables(definition))
      return [`## [${name}]`, heading, ...keys, ...tables].join('\n\n')
    },
  )
  return `${[REFERENCE_HEAD, ...sections].join('\n\n')}\n`
}

/** Every key of the configuration with its value, as a file would have it, but for what is secret. */
export function configEntries(config: Config): (readonly [key: string, value: string])[] {
  return KEY_DEFINITIONS.filter(({ secret }) => secret !== true).map((definition) => [
    keyPath(definition),
    printValue(definition, fieldOf(config, definition)),
  ])
}

function printSection(section: SectionName, heading: string, config: Config): string {
  const keys = keysOf(section).map((definition) => printKey(definition, config))
  const tables = tablesOf(section).map((definition) => printTables(definition, config))
  return [`${comment(heading)}\n[${section}]\n`, ...keys, ...tables].join('\n')
}

/** All tables of an array; where there are none, one of the examples, as a comment. */
function printTables(definition: TableDefinition, config: Config): string {
  const entries = entriesOf(config, definition)
  const columns = definition.columns.map((column) =>
    comment(`${column.name}: ${column.meaning} Takes ${expected(column)}${mayLack(column)}.`),
  )
  const head = [comment(definition.meaning), ...columns].join('\n')
  if (entries.length === 0) {
    const example = exampleOf(definition).map((line) => `# ${line}`)
    return `${[head, ...example].join('\n')}\n`
  }
  const tables = entries.map((entry) => {
    const lines = definition.columns.flatMap((column) => {
      const value = entry[column.field]
      return value === undefined ? [] : [`${column.name} = ${printValue(column, value)}`]
    })
    return [`[[${keyPath(definition)}]]`, ...lines, ''].join('\n')
  })
  return [head, ...tables].join('\n')
}

function exampleOf(definition: TableDefinition): string[] {
  const lines = definition.columns.map(
    ({ name, example }) => `${name} = ${JSON.stringify(example)}`,
  )
  return [`[[${keyPath(definition)}]]`, ...lines]
}

function describeTables(definition: TableDefinition): string {
  const columns = definition.columns.map(
    (column) =>
      `- \`${column.name}\`: ${column.meaning} Takes ${expected(column)}${mayLack(column)}.`,
  )
  return [
    `### [[${keyPath(definition)}]]`,
    definition.meaning,
    columns.join('\n'),
    `At most ${definition.entriesMax}, and none by default. Only a file can set them, neither the environment nor the command line. New ones take effect ${whenNew(definition)}.`,
    ['```toml', ...exampleOf(definition), '```'].join('\n'),
  ].join('\n\n')
}

function mayLack({ isOptional }: ColumnDefinition): string {
  return isOptional === true ? '; may be left out' : ''
}

function printKey(definition: KeyDefinition, config: Config): string {
  const value = printValue(definition, fieldOf(config, definition))
  return [
    comment(definition.meaning),
    comment(`Takes ${expected(definition)}.`),
    `${definition.name} = ${value}\n`,
  ].join('\n')
}

function describeKey(definition: KeyDefinition, defaults: Config): string {
  const options = (definition.options ?? []).map((option) => `\`${option}\``).join(', ')
  return [
    `### ${keyPath(definition)}`,
    definition.meaning,
    [
      `- Takes: ${expected(definition)}`,
      `- Default: \`${printValue(definition, fieldOf(defaults, definition))}\``,
      `- Environment: \`${envName(definition)}\``,
      `- Command line: ${options === '' ? 'none' : options}`,
      `- A new value takes effect: ${whenNew(definition)}`,
    ].join('\n'),
  ].join('\n\n')
}

function whenNew({ live }: { readonly live: boolean }): string {
  return live ? 'on SIGHUP' : 'after a restart'
}

function fieldOf(config: Config, definition: KeyDefinition): ConfigValue {
  const value = valueOf(config, definition)
  if (value === undefined || isEntries(value)) {
    throw new Error(`the configuration lacks ${keyPath(definition)}`)
  }
  return value
}

function entriesOf(config: Config, definition: TableDefinition): readonly TableEntry[] {
  const value = valueOf(config, definition)
  if (value === undefined || !isEntries(value)) {
    throw new Error(`the configuration lacks ${keyPath(definition)}`)
  }
  return value
}

function valueOf(
  config: Config,
  { section, field }: { readonly section: SectionName; readonly field: string },
): ConfigValue | readonly TableEntry[] | undefined {
  const record: Readonly<Record<string, ConfigValue | readonly TableEntry[]>> = config[section]
  return record[field]
}

function isEntries(value: ConfigValue | readonly TableEntry[]): value is readonly TableEntry[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'object')
}

function tablesOf(section: SectionName): readonly TableDefinition[] {
  return TABLE_DEFINITIONS.filter((definition) => definition.section === section)
}

function keysOf(section: SectionName): readonly KeyDefinition[] {
  return KEY_DEFINITIONS.filter((definition) => definition.section === section)
}

/** A text as lines of a comment, broken between words. */
function comment(text: string): string {
  const lines: string[] = []
  let line = '#'
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > COMMENT_COLUMNS && line !== '#') {
      lines.push(line)
      line = '#'
    }
    line += ` ${word}`
  }
  return [...lines, line].join('\n')
}
