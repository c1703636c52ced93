/**
 * The configuration in writing: the effective one (--print-config), the sample file and
 * docs/CONFIG.md. All are made from the schema, so that none of them can fall behind it.
 */

import {
  envName,
  KEY_DEFINITIONS,
  keyPath,
  SECTIONS,
  type Config,
  type KeyDefinition,
  type SectionName,
} from './schema.ts'
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

/** "`l2`, `ttl`": the sections without keys. */
const RESERVED = SECTIONS.filter(({ name }) => keysOf(name).length === 0)
  .map(({ name }) => `\`${name}\``)
  .join(', ')

const REFERENCE_HEAD = `# Configuration

This page is generated from \`src/config/schema.ts\` by \`npm run docs:config\`.

A setting comes from one of five places; a later one overrules an earlier one:

1. the default,
2. the TOML file named by \`--config FILE\`,
3. the variables that other images of memcached have (below),
4. the environment: \`RAT_MEMCACHED_<SECTION>_<KEY>\`, the entries of a list separated by commas,
5. the command line (\`rat-memcached --help\`).

No file is read unless \`--config\` names one. \`config/rat-memcached.toml\` holds every key with its default, \`config/small.toml\` is a short one for a laptop or a CI job. \`--check-config\` reports whether a configuration is good, \`--print-config\` prints the one in effect, as a file.

The sections ${RESERVED} are reserved: they have no keys yet.

A key, a section or a \`RAT_MEMCACHED_\` variable that does not exist is an error, as is a value out of range: the server says what is wrong and where, and exits with status 78. A file that cannot be read leads to the same status.

**Sizes** are a number of bytes or a text with a unit: \`"512KB"\`, \`"64MB"\`, \`"1.5GB"\`, also \`"64m"\` or \`"64MiB"\`. All units are powers of 1024.

**Durations** are a number of seconds or a text with a unit: \`"500ms"\`, \`"30s"\`, \`"5m"\`, \`"1h"\`, \`"7d"\`.

Some rules span two keys: \`server.max_item_size\` may be at most half of \`l1.max_memory\`; \`tls.enabled\` needs \`tls.cert\`, and certificates of clients can be checked only with \`tls.ca\`.

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
      return [`## [${name}]`, heading, ...keys].join('\n\n')
    },
  )
  return `${[REFERENCE_HEAD, ...sections].join('\n\n')}\n`
}

function printSection(section: SectionName, heading: string, config: Config): string {
  const keys = keysOf(section).map((definition) => printKey(definition, config))
  return [`${comment(heading)}\n[${section}]\n`, ...keys].join('\n')
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
    ].join('\n'),
  ].join('\n\n')
}

function fieldOf(config: Config, definition: KeyDefinition): ConfigValue {
  const section: Readonly<Record<string, ConfigValue>> = config[definition.section]
  const value = section[definition.field]
  if (value === undefined) throw new Error(`the configuration lacks ${keyPath(definition)}`)
  return value
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
