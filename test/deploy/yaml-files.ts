/** Reading the files of deploy/, and values in them by a path. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'

export const DEPLOY: string = fileURLToPath(new URL('../../deploy/', import.meta.url))

/** All documents of a YAML file below deploy/. What is wrong YAML, or has a key twice, fails. */
export function readDocuments(path: string): unknown[] {
  return parseAllDocuments(readFileSync(DEPLOY + path, 'utf8'), {
    uniqueKeys: true,
    merge: true,
  }).map((document) => {
    assert.deepEqual(document.errors, [], path)
    return document.toJS() as unknown
  })
}

/** `at(document, 'spec', 'ports', 0, 'name')`; undefined where there is none. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let inner = value
  for (const key of path) {
    if (typeof inner !== 'object' || inner === null) return undefined
    inner = Reflect.get(inner, key) as unknown
  }
  return inner
}

export function textAt(value: unknown, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path)
  assert.ok(typeof found === 'string', `${path.join('.')}: ${JSON.stringify(found)}`)
  return found
}

export function listAt(value: unknown, ...path: readonly (string | number)[]): unknown[] {
  const found = at(value, ...path)
  assert.ok(Array.isArray(found), `${path.join('.')}: ${JSON.stringify(found)}`)
  return found
}

export function entriesAt(
  value: unknown,
  ...path: readonly (string | number)[]
): [string, unknown][] {
  const found = at(value, ...path)
  assert.ok(typeof found === 'object' && found !== null, path.join('.'))
  return Object.entries(found)
}
