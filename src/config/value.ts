/**
 * One value of one key: checked against its row of the schema, described, and printed.
 *
 * A value comes from a TOML file with a type, or from the environment and the command line as
 * text; both become the same thing, and both fail with the same sentence.
 */

import { parseListenAddress } from './listen-address.ts'
import { keyPath, type KeyDefinition, type ValueDefinition } from './schema.ts'
import { parseDurationMs, parseSize, printDurationMs, printSize } from './units.ts'

/** A value as `Config` holds it. */
export type ConfigValue = string | number | boolean | readonly string[]

/** What the check says: the value, or a sentence without the name of the key. */
export type Checked =
  | { readonly ok: true; readonly value: ConfigValue }
  | { readonly ok: false; readonly problem: string }

const OCTAL_FORM = /^[0-7]{1,4}$/

/** Checks a value that has the types of TOML. */
export function checkValue(definition: ValueDefinition, raw: unknown): Checked {
  const value = read(definition, raw)
  if (value === undefined || !inRange(definition, value)) {
    return { ok: false, problem: `${show(raw)} is not ${expected(definition)}${hint(raw)}` }
  }
  return { ok: true, value }
}

/** Checks a text from the environment or the command line. Lists are separated by commas. */
export function checkText(definition: ValueDefinition, text: string): Checked {
  const raw = typed(definition, text)
  const checked = checkValue(definition, raw)
  if (Array.isArray(raw)) return checked
  return checked.ok
    ? checked
    : { ok: false, problem: `${show(text)} is not ${expected(definition)}` }
}

/** What a key takes, as it goes on after "is not": "a size from 1KB to 1GB, such as "1MB"". */
export function expected(definition: ValueDefinition): string {
  const { type, choices, unit } = definition
  const zero = definition.zero === undefined ? '' : `, or 0 (${definition.zero})`
  switch (type) {
    case 'string':
      return unit ?? 'a text'
    case 'string-list':
      return `a list of one or more of ${unit ?? 'any text'}`
    case 'boolean':
      return 'true or false'
    case 'choice':
      return choices?.length === 1 ? `"${choices[0]}"` : `one of ${(choices ?? []).join(', ')}`
    case 'integer':
      return `a whole number${unit === undefined ? '' : ` of ${unit}`}${range(definition)}${zero}`
    case 'octal':
      return `an octal number as text${range(definition)}, such as ${show(definition.default)}`
    case 'size':
      return `a size${range(definition)}${zero}, such as "512KB", "64MB" or a number of bytes`
    default:
      return `a duration${range(definition)}${zero}, such as "30s", "5m" or a number of seconds`
  }
}

/** " from 1KB to 1GB", " of at least 1MB", or nothing for a key without limits. */
function range(definition: ValueDefinition): string {
  const { min, max } = definition
  if (min === undefined) return max === undefined ? '' : ` of at most ${max}`
  return max === undefined ? ` of at least ${min}` : ` from ${min} to ${max}`
}

/** A value of `Config` as it is written in TOML. */
export function printValue(definition: ValueDefinition, value: ConfigValue): string {
  if (typeof value !== 'number') return printToml(value)
  switch (definition.type) {
    case 'size':
      return printToml(printSize(value))
    case 'duration':
      return printToml(printDurationMs(value))
    case 'octal':
      return printToml(value.toString(8))
    default:
      return String(value)
  }
}

/** The default of a key as `Config` holds it. */
export function defaultValue(definition: KeyDefinition): ConfigValue {
  const checked = checkValue(definition, definition.default)
  if (!checked.ok) throw new Error(`default of ${keyPath(definition)}: ${checked.problem}`)
  return checked.value
}

/** The text of a variable or an option with the type that it would have in TOML. */
function typed(definition: ValueDefinition, text: string): unknown {
  switch (definition.type) {
    case 'string-list':
      return text.split(',').map((entry) => entry.trim())
    case 'boolean':
      return text === 'true' || text === '1'
        ? true
        : text === 'false' || text === '0'
          ? false
          : text
    case 'integer':
      return /^\d+$/.test(text) ? Number(text) : text
    default:
      return text
  }
}

function read(definition: ValueDefinition, raw: unknown): ConfigValue | undefined {
  switch (definition.type) {
    case 'string':
      return typeof raw === 'string' && !raw.includes('\0') ? raw : undefined
    case 'string-list':
      return isAddressList(raw) ? [...raw] : undefined
    case 'boolean':
      return typeof raw === 'boolean' ? raw : undefined
    case 'choice':
      return definition.choices?.find((choice) => choice === raw)
    default:
      return typeof raw === 'number' || typeof raw === 'string'
        ? amount(definition, raw)
        : undefined
  }
}

/** A value or a limit of a key that is a number in `Config`. */
function amount(definition: ValueDefinition, raw: string | number): number | undefined {
  switch (definition.type) {
    case 'size':
      return parseSize(raw)
    case 'duration':
      return parseDurationMs(raw)
    case 'octal':
      return typeof raw === 'string' && OCTAL_FORM.test(raw) ? Number.parseInt(raw, 8) : undefined
    default:
      return typeof raw === 'number' && Number.isSafeInteger(raw) ? raw : undefined
  }
}

function inRange(definition: ValueDefinition, value: ConfigValue): boolean {
  if (typeof value !== 'number') return true
  if (value === 0 && definition.zero !== undefined) return true
  const { min, max } = definition
  return (
    value >= (min === undefined ? 0 : (amount(definition, min) ?? 0)) &&
    value <= (max === undefined ? Infinity : (amount(definition, max) ?? Infinity))
  )
}

/** `server.bind` is the only list of texts there is, so a list of texts is a list of addresses. */
function isAddressList(raw: unknown): raw is string[] {
  return Array.isArray(raw) && raw.length > 0 && raw.every((entry) => isAddress(entry))
}

function isAddress(entry: unknown): boolean {
  return typeof entry === 'string' && parseListenAddress(entry) !== undefined
}

/** Which entry of a list of addresses is the bad one. */
function hint(raw: unknown): string {
  if (!Array.isArray(raw)) return ''
  const bad: unknown = raw.find((entry) => !isAddress(entry))
  return bad === undefined ? '' : `: see ${show(bad)}`
}

/** A value in a message, in the form in which it was written. */
function show(raw: unknown): string {
  if (typeof raw === 'bigint' || raw instanceof Date) return String(raw)
  return JSON.stringify(raw)
}

/** JSON's escapes of a text are also TOML's, but DEL has to be escaped as well. */
function printToml(value: string | boolean | readonly string[]): string {
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value).replaceAll('\u007F', '\\u007F')
  return `[${value.map((entry) => printToml(entry)).join(', ')}]`
}
