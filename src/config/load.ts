/**
 * Builds the configuration: defaults, then the TOML file, then the environment, then the command
 * line; each overrules the one before it.
 *
 * Nothing wrong is skipped over: an unknown section, key or variable is an error like a bad value,
 * and all that is wrong is reported at once, each with the place where it was written. This is the
 * only module that knows the TOML parser.
 */

import { readFileSync } from 'node:fs'
import { parse, TomlError } from 'smol-toml'
import { ServerError } from '../errors.ts'
import { isLoopback, parseListenAddress, splitPrefix } from './listen-address.ts'
import { nearest } from './nearest.ts'
import {
  ENV_PREFIX,
  envName,
  KEY_DEFINITIONS,
  keyPath,
  SECTIONS,
  TABLE_DEFINITIONS,
  type Config,
  type KeyDefinition,
  type TableDefinition,
} from './schema.ts'
import { checkTables, type TableEntry } from './tables.ts'
import { checkText, checkValue, defaultValue, printValue, type ConfigValue } from './value.ts'

/** A value from the command line: the path of its key, its text, and the option that gave it. */
export interface Override {
  readonly key: string
  readonly value: string | readonly string[]
  readonly option: string
}

/** A value from a program: the path of its key, its value with the types of TOML, and where it was written. */
export interface Setting {
  readonly key: string
  readonly value: unknown
  readonly place: string
}

export interface ConfigSources {
  /** The path of the TOML file, if there is one. */
  readonly file?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** What a program says. It counts for more than the file. */
  readonly settings?: readonly Setting[]
  /** What variables of other images say. They count for less than `env`. */
  readonly imageOverrides?: readonly Override[]
  /** In the order in which they were given; the last one for a key counts. */
  readonly overrides?: readonly Override[]
}

/** An item needs a page of its own size, and one page must never be all the memory there is. */
const ITEM_SHARE_OF_MEMORY_MAX = 1 / 2

const SECTION_NAMES: readonly string[] = SECTIONS.map(({ name }) => name)

/** What has been read so far: the value of each key, where it came from, and what was wrong. */
interface Draft {
  readonly values: Map<string, ConfigValue>
  readonly tables: Map<string, readonly TableEntry[]>
  readonly origins: Map<string, string>
  readonly problems: string[]
}

/**
 * Reads all sources into a frozen `Config`.
 * Fails with CONFIG_UNREADABLE if the file cannot be read, and with CONFIG_INVALID, naming
 * everything that is wrong, if a source holds an unknown key or a bad value.
 */
export function loadConfig(sources: ConfigSources): Config {
  const draft: Draft = {
    values: new Map(),
    tables: new Map(),
    origins: new Map(),
    problems: [],
  }
  for (const definition of KEY_DEFINITIONS) {
    draft.values.set(keyPath(definition), defaultValue(definition))
    draft.origins.set(keyPath(definition), 'the default')
  }
  if (sources.file !== undefined) readFile(draft, sources.file)
  readSettings(draft, sources.settings ?? [])
  readOverrides(draft, sources.imageOverrides ?? [], (name) => `${name} in the environment`)
  readEnvironment(draft, sources.env)
  readOverrides(draft, sources.overrides ?? [], (option) => `option ${option}`)
  checkTogether(draft)
  if (draft.problems.length > 0) throw new ServerError('CONFIG_INVALID', draft.problems.join('\n'))
  return assemble(draft)
}

/** The configuration of a server that was told nothing. */
export function defaultConfig(): Config {
  return loadConfig({ env: {} })
}

function readFile(draft: Draft, file: string): void {
  const text = readText(file)
  const tables = parseToml(file, text)
  const lineOf = locateKeys(text)
  for (const [section, table] of Object.entries(tables)) {
    const place = at(file, lineOf(section))
    if (!SECTION_NAMES.includes(section)) {
      draft.problems.push(`${place}: ${unknownSection(section, isTable(table))}`)
    } else if (isTable(table)) {
      for (const [name, raw] of Object.entries(table)) {
        const array = findTables(`${section}.${name}`)
        if (array !== undefined) readTables(draft, file, lineOf, array, raw)
        else readKey(draft, at(file, lineOf(section, name)), section, name, raw)
      }
    } else {
      draft.problems.push(`${place}: "${section}" is a section; write [${section}]`)
    }
  }
}

function readTables(
  draft: Draft,
  file: string,
  lineOf: LineOf,
  definition: TableDefinition,
  raw: unknown,
): void {
  const { section, name } = definition
  const { entries, problems } = checkTables(definition, raw)
  draft.tables.set(keyPath(definition), entries)
  for (const { index, name: key, sentence } of problems) {
    const table = index < 1 ? name : `${name}#${index}`
    const place = key === '' ? table : `${table}.${key}`
    draft.problems.push(
      `${at(file, lineOf(section, place) ?? lineOf(section, table))}: ${sentence}`,
    )
  }
}

function readKey(draft: Draft, place: string, section: string, name: string, raw: unknown): void {
  const definition = find(`${section}.${name}`)
  if (definition === undefined) {
    draft.problems.push(
      `${place}: unknown key "${name}" in [${section}]${didYouMean(section, name)}`,
    )
    return
  }
  const checked = checkValue(definition, raw)
  if (checked.ok) keep(draft, definition, checked.value, place)
  else draft.problems.push(`${place}: ${keyPath(definition)}: ${checked.problem}`)
}

function readSettings(draft: Draft, settings: readonly Setting[]): void {
  for (const { key, value, place } of settings) {
    const [section = '', name = ''] = key.split('.')
    readKey(draft, place, section, name, value)
  }
}

function readEnvironment(draft: Draft, env: ConfigSources['env']): void {
  const definitions = new Map(KEY_DEFINITIONS.map((row) => [envName(row), row]))
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || !variable.startsWith(ENV_PREFIX)) continue
    const definition = definitions.get(variable)
    if (TABLE_DEFINITIONS.some((tables) => envName(tables) === variable)) {
      draft.problems.push(`${variable} in the environment: only a file can set this`)
      continue
    }
    if (definition === undefined) {
      if (isServiceLink(variable, text)) continue
      const known = nearest(variable, definitions.keys())
      draft.problems.push(`${variable} in the environment: unknown key${suggestion(known)}`)
      continue
    }
    const place = `${variable} in the environment`
    const checked = checkText(definition, text)
    if (checked.ok) keep(draft, definition, checked.value, place)
    else draft.problems.push(`${place}: ${keyPath(definition)}: ${checked.problem}`)
  }
}

/**
 * Kubernetes and Docker tell a container of a service "rat-memcached" where it is, in variables that
 * look like ours: RAT_MEMCACHED_SERVICE_HOST, RAT_MEMCACHED_PORT_11211_TCP=tcp://10.0.0.1:11211 and so on.
 */
function isServiceLink(variable: string, text: string): boolean {
  if (/_SERVICE_(?:HOST|PORT(?:_\w+)?)$/.test(variable)) return true
  const [, what] = /_PORT(?:_\d+_(?:TCP|UDP|SCTP)(_PROTO|_PORT|_ADDR)?)?$/.exec(variable) ?? [
    '',
    '',
  ]
  return what === undefined ? /^(?:tcp|udp|sctp):\/\//.test(text) : what !== ''
}

function readOverrides(
  draft: Draft,
  overrides: readonly Override[],
  placeOf: (option: string) => string,
): void {
  for (const { key, value, option } of overrides) {
    const place = placeOf(option)
    const definition = find(key)
    if (definition === undefined) throw new Error(`option ${option} sets an unknown key: ${key}`)
    const checked =
      typeof value === 'string' ? checkText(definition, value) : checkValue(definition, value)
    if (checked.ok) keep(draft, definition, checked.value, place)
    else draft.problems.push(`${place}: ${keyPath(definition)}: ${checked.problem}`)
  }
}

/** What no key can tell by itself. */
function checkTogether(draft: Draft): void {
  checkTls(draft)
  checkSideDoor(draft)
  checkTtl(draft)
  const item = quote(draft, 'server.max_item_size')
  const memory = quote(draft, 'l1.max_memory')
  if (item.bytes > memory.bytes * ITEM_SHARE_OF_MEMORY_MAX) {
    draft.problems.push(
      `server.max_item_size is ${item.text}, but it may be at most half of l1.max_memory, which is ${memory.text}`,
    )
  }
}

/** A default that would never come into force. */
function checkTtl(draft: Draft): void {
  const defaultMs = Number(draft.values.get('ttl.default'))
  const maxMs = Number(draft.values.get('ttl.max'))
  if (maxMs !== 0 && defaultMs > maxMs) {
    draft.problems.push('ttl.default is longer than ttl.max')
  }
  for (const rule of draft.tables.get('ttl.rules') ?? []) {
    const most = Number(rule['maxMs'] ?? maxMs)
    if (most === 0 || Number(rule['defaultMs'] ?? 0) <= most) continue
    const whose = rule['maxMs'] === undefined ? 'ttl.max' : 'its max'
    draft.problems.push(
      `ttl.rules: the default of ${JSON.stringify(rule['prefix'])} is longer than ${whose}`,
    )
  }
}

/** Encryption, or a check of clients, that would not happen. */
function checkTls(draft: Draft): void {
  const isSet = (key: string): boolean => draft.values.get(key) !== ''
  if (draft.values.get('tls.enabled') === true && !isSet('tls.cert')) {
    draft.problems.push('tls.enabled: tls.cert must name a certificate')
  }
  const verifies = draft.values.get('tls.verify') !== 'none'
  const prefixes = addresses(draft).map((address) => splitPrefix(address).security)
  if ((verifies || prefixes.includes('mutual')) && !isSet('tls.ca')) {
    draft.problems.push('certificates of clients can only be checked with tls.ca')
  }
  if (draft.values.get('tls.enabled') === true) return
  for (const key of ['tls.cert', 'tls.key', 'tls.ca']) {
    if (isSet(key)) draft.problems.push(`${key} is set, but tls.enabled is not`)
  }
  if (prefixes.some((security) => security === 'mutual' || security === 'anonymous')) {
    draft.problems.push('server.bind asks for TLS, but tls.enabled is not set')
  }
}

/** A side door that nobody could open, or anybody. */
function checkSideDoor(draft: Draft): void {
  const text = draft.values.get('metrics.bind')
  const token = draft.values.get('metrics.token')
  if (typeof token === 'string' && /\s/.test(token)) {
    draft.problems.push('metrics.token: it may hold no blanks')
  }
  if (typeof text !== 'string' || text === '') return
  const address = parseListenAddress(text)
  if (address?.kind !== 'tcp' || splitPrefix(text).text !== '') {
    draft.problems.push(`metrics.bind: "${text}" is not HOST:PORT or [IPV6]:PORT`)
  } else if (!isLoopback(address.host) && token === '') {
    draft.problems.push(
      `metrics.bind is ${text}, which other machines can reach: set metrics.token`,
    )
  }
}

function addresses(draft: Draft): readonly string[] {
  const bind = draft.values.get('server.bind')
  return Array.isArray(bind) ? bind : []
}

/** A size with the place it came from: "256MB (option -I)". */
function quote(draft: Draft, key: string): { bytes: number; text: string } {
  const definition = find(key)
  const bytes = draft.values.get(key)
  if (definition === undefined || typeof bytes !== 'number') throw new Error(`no size: ${key}`)
  const printed = printValue(definition, bytes).replaceAll('"', '')
  return { bytes, text: `${printed} (${draft.origins.get(key)})` }
}

function keep(draft: Draft, definition: KeyDefinition, value: ConfigValue, place: string): void {
  draft.values.set(keyPath(definition), value)
  draft.origins.set(keyPath(definition), place)
}

/** The one place where the type of `Config`, derived from the table, is taken on trust. */
function assemble(draft: Draft): Config {
  const config: Record<string, Record<string, ConfigValue | readonly TableEntry[]>> = {}
  for (const section of SECTION_NAMES) config[section] = {}
  for (const definition of KEY_DEFINITIONS) {
    const value = draft.values.get(keyPath(definition))
    const record = config[definition.section]
    if (value !== undefined && record !== undefined) record[definition.field] = Object.freeze(value)
  }
  for (const definition of TABLE_DEFINITIONS) {
    const record = config[definition.section]
    const entries = draft.tables.get(keyPath(definition)) ?? []
    if (record !== undefined) record[definition.field] = Object.freeze(entries)
  }
  for (const record of Object.values(config)) Object.freeze(record)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type is derived from the table
  return Object.freeze(config) as Config
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ServerError('CONFIG_UNREADABLE', `cannot read ${file}: ${reason(error)}`, error)
  }
}

function parseToml(file: string, text: string): Record<string, unknown> {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // The message of the parser is a sentence, a blank line and the piece of the file.
    const sentence = error.message.split('\n', 1)[0] ?? ''
    const message = `${file}:${error.line}:${error.column}: ${sentence}`
    throw new ServerError('CONFIG_INVALID', message, error)
  }
}

type LineOf = (section: string, name?: string) => number | undefined

/**
 * The lines on which sections and keys are written. A key in an inline table has the line of its
 * table. Of tables of an array, those behind the first have a number: "ttl.rules#1". The text has been
 * parsed before, so this may look at the beginnings of lines only.
 */
function locateKeys(text: string): LineOf {
  const lines = new Map<string, number>()
  const tablesOf = new Map<string, number>()
  let table = ''
  for (const [index, line] of text.split('\n').entries()) {
    const header = /^\s*\[{1,2}([^[\]]+)\]/.exec(line)
    const key = /^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=/.exec(
      line,
    )
    if (header !== null) {
      table = bare(header[1] ?? '')
      const count = tablesOf.get(table) ?? 0
      tablesOf.set(table, count + 1)
      if (count > 0) table += `#${count}`
    } else if (key === null) continue
    const path =
      header === null
        ? [table, bare(key?.[1] ?? '')].filter((part) => part !== '').join('.')
        : table
    // "l1.x.y" is a place in the section l1 and in its key x, too.
    const parts = path.split('.')
    for (let count = 1; count <= parts.length; count++) {
      const place = parts.slice(0, count).join('.')
      if (!lines.has(place)) lines.set(place, index + 1)
    }
  }
  return (section, name) =>
    (name === undefined ? undefined : lines.get(`${section}.${name}`)) ?? lines.get(section)
}

function bare(path: string): string {
  return path.replaceAll(/["'\s]/g, '')
}

function at(file: string, line: number | undefined): string {
  return line === undefined ? file : `${file}:${line}`
}

function findTables(path: string): TableDefinition | undefined {
  return TABLE_DEFINITIONS.find((definition) => keyPath(definition) === path)
}

function find(path: string): KeyDefinition | undefined {
  return KEY_DEFINITIONS.find((definition) => keyPath(definition) === path)
}

/** A word outside of all sections: a section, or a key that lost its section. */
function unknownSection(word: string, table: boolean): string {
  if (table) return `unknown section [${word}]${suggestion(nearest(word, SECTION_NAMES))}`
  return `unknown key "${word}" outside of any section${didYouMean('', word)}`
}

/** The nearest key of the same section, or else one of another section, named with it. */
function didYouMean(section: string, name: string): string {
  const here = [...KEY_DEFINITIONS, ...TABLE_DEFINITIONS]
    .filter((row) => row.section === section)
    .map((row) => row.name)
  const known = nearest(name, here)
  if (known !== undefined) return suggestion(known)
  const elsewhere = nearest(
    name,
    KEY_DEFINITIONS.map((row) => row.name),
  )
  const definition = KEY_DEFINITIONS.find((row) => row.name === elsewhere)
  return definition === undefined ? '' : suggestion(elsewhere, ` in [${definition.section}]`)
}

function suggestion(known: string | undefined, where = ''): string {
  return known === undefined ? '' : `; did you mean "${known}"${where}?`
}

function isTable(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  )
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
