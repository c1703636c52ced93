/**
 * Arrays of tables of the configuration file, such as `[[ttl.rules]]`: checked against their columns,
 * table by table. Neither the environment nor the command line can set them.
 */
import { nearest } from './nearest.ts'
import { keyPath, type ColumnDefinition, type TableDefinition } from './schema.ts'
import { checkValue, type ConfigValue } from './value.ts'

/** One table, by the fields of its columns. What it leaves out is not there. */
export type TableEntry = Readonly<Record<string, ConfigValue>>

export interface CheckedTables {
  readonly entries: readonly TableEntry[]
  /** Where something is wrong, as the number of a table and the name of a key in it; and what. */
  readonly problems: readonly TableProblem[]
}

export interface TableProblem {
  /** -1: it is about all of them. */
  readonly index: number
  readonly name: string
  readonly sentence: string
}

/** A key has at most so many bytes. */
const PREFIX_BYTES_MAX = 250

export function checkTables(definition: TableDefinition, raw: unknown): CheckedTables {
  const path = keyPath(definition)
  if (!Array.isArray(raw) || raw.some((table) => !isTable(table))) {
    const sentence = `${path} is an array of tables; write [[${path}]]`
    return { entries: [], problems: [{ index: -1, name: '', sentence }] }
  }
  const problems: TableProblem[] = []
  if (raw.length > definition.entriesMax) {
    const sentence = `${path}: there are ${raw.length}, but there may be ${definition.entriesMax}`
    problems.push({ index: -1, name: '', sentence })
  }
  const tables: readonly unknown[] = raw
  const entries = tables.filter(isTable).map((table, index) => {
    const said = (name: string, sentence: string): void => {
      problems.push({ index, name, sentence })
    }
    return checkEntry(definition, table, said)
  })
  for (const column of definition.columns) {
    if (column.isUnique === true) problems.push(...repeated(path, column, entries))
  }
  return { entries, problems }
}

function checkEntry(
  definition: TableDefinition,
  table: Readonly<Record<string, unknown>>,
  said: (name: string, sentence: string) => void,
): TableEntry {
  const path = keyPath(definition)
  const { columns } = definition
  const entry: Record<string, ConfigValue> = {}
  for (const [name, raw] of Object.entries(table)) {
    const column = columns.find((known) => known.name === name)
    if (column === undefined) {
      const known = nearest(
        name,
        columns.map((each) => each.name),
      )
      const hint = known === undefined ? '' : `; did you mean "${known}"?`
      said(name, `unknown key "${name}" in [[${path}]]${hint}`)
      continue
    }
    const checked = checkValue(column, raw)
    if (!checked.ok) said(name, `${path}.${name}: ${checked.problem}`)
    else if (column.isUnique === true && !isPrefix(checked.value)) {
      said(name, `${path}.${name}: ${JSON.stringify(raw)} is not ${column.unit}`)
    } else entry[column.field] = checked.value
  }
  for (const { name, isOptional } of columns) {
    if (isOptional !== true && !(name in table)) said('', `[[${path}]] lacks its key "${name}"`)
  }
  return Object.freeze(entry)
}

/** Tables that say again what one before them says. */
function repeated(
  path: string,
  { name, field }: ColumnDefinition,
  entries: readonly TableEntry[],
): TableProblem[] {
  const seen = new Set<ConfigValue>()
  return entries.flatMap((entry, index) => {
    const value = entry[field]
    if (value === undefined) return []
    if (seen.has(value)) {
      const sentence = `${path}.${name}: there is a rule for ${JSON.stringify(value)} already`
      return [{ index, name, sentence }]
    }
    seen.add(value)
    return []
  })
}

function isPrefix(value: ConfigValue): boolean {
  if (typeof value !== 'string') return false
  const bytes = Buffer.byteLength(value)
  return bytes > 0 && bytes <= PREFIX_BYTES_MAX
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  )
}
