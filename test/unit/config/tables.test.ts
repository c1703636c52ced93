import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { loadConfig } from '../../../src/config/load.ts'
import { printConfig } from '../../../src/config/print.ts'
import type { Config } from '../../../src/config/schema.ts'
import { ServerError } from '../../../src/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'rat-tables-'))
const file = join(folder, 'test.toml')
after(() => rmSync(folder, { recursive: true }))

function load(text: string): Config {
  writeFileSync(file, text)
  return loadConfig({ file, env: {} })
}

function problems(text: string, env: Record<string, string> = {}): string[] {
  writeFileSync(file, text)
  try {
    loadConfig({ file, env })
  } catch (error) {
    assert.ok(error instanceof ServerError)
    return error.message.replaceAll(`${folder}/`, '').split('\n')
  }
  return []
}

const RULES = `[ttl]
default = "1h"

[[ttl.rules]]
prefix = "sess:"
default = "30m"
max = "24h"

[[ttl.rules]]
prefix = "é"
max = 0
`

describe('an array of tables', () => {
  it('is empty by default', () => {
    assert.deepEqual(loadConfig({ env: {} }).ttl.rules, [])
  })

  it('is read with the units of its columns; what a table leaves out is missing', () => {
    const rules: readonly { prefix: string; defaultMs?: number; maxMs?: number }[] =
      load(RULES).ttl.rules
    assert.deepEqual(rules, [
      { prefix: 'sess:', defaultMs: 1_800_000, maxMs: 86_400_000 },
      { prefix: 'é', maxMs: 0 },
    ])
    assert.ok(Object.isFrozen(rules) && Object.isFrozen(rules[0]))
  })

  it('may be written in one line', () => {
    const { rules } = load('[ttl]\nrules = [{ prefix = "a", max = "1m" }, { prefix = "b" }]').ttl
    assert.deepEqual(rules, [{ prefix: 'a', maxMs: 60_000 }, { prefix: 'b' }])
  })

  it('is printed so that it is read back as it was', () => {
    const config = load(RULES)
    assert.deepEqual(load(printConfig(config)), config)
    const empty = loadConfig({ env: {} })
    assert.deepEqual(load(printConfig(empty)), empty)
    assert.match(printConfig(config), /^\[\[ttl\.rules\]\]\nprefix = "sess:"\ndefault = "30m"$/m)
  })

  it('has its mistakes told with the line of the table that they are in', () => {
    const text = `${RULES}
[[ttl.rules]]
prefx = "x"

[[ttl.rules]]
prefix = "sess:"
max = "1ms"
[[ttl.rules]]
prefix = ""
`
    assert.deepEqual(problems(text), [
      'test.toml:14: unknown key "prefx" in [[ttl.rules]]; did you mean "prefix"?',
      'test.toml:13: [[ttl.rules]] lacks its key "prefix"',
      'test.toml:18: ttl.rules.max: "1ms" is not a duration from 1s to 3650d, or 0 (no limit), such as "30s", "5m" or a number of seconds',
      'test.toml:20: ttl.rules.prefix: "" is not the beginning of a key, 1 to 250 bytes, different in each rule',
      'test.toml:17: ttl.rules.prefix: there is a rule for "sess:" already',
    ])
  })

  it('is no single table, and no value', () => {
    const sentence = 'ttl.rules is an array of tables; write [[ttl.rules]]'
    assert.deepEqual(problems('[ttl.rules]\nprefix = "a"'), [`test.toml:1: ${sentence}`])
    assert.deepEqual(problems('[ttl]\nrules = ["a"]'), [`test.toml:2: ${sentence}`])
  })

  it('has an end', () => {
    const text = Array.from({ length: 1001 }, (_, i) => `[[ttl.rules]]\nprefix = "p${i}"\n`).join(
      '',
    )
    assert.deepEqual(problems(text), [
      'test.toml:1: ttl.rules: there are 1001, but there may be 1000',
    ])
  })

  it('cannot be set by the environment', () => {
    assert.deepEqual(problems('', { RAT_MEMCACHED_TTL_RULES: 'a' }), [
      'RAT_MEMCACHED_TTL_RULES in the environment: only a file can set this',
    ])
  })
})

describe('times to live', () => {
  it('have no default that would never come into force', () => {
    assert.deepEqual(problems('[ttl]\ndefault = "2h"\nmax = "1h"'), [
      'ttl.default is longer than ttl.max',
    ])
    const rule = '[[ttl.rules]]\nprefix = "a"\ndefault = "2h"\n'
    assert.deepEqual(problems(`[ttl]\nmax = "1h"\n${rule}`), [
      'ttl.rules: the default of "a" is longer than ttl.max',
    ])
    assert.deepEqual(problems(`${rule}max = "1h"`), [
      'ttl.rules: the default of "a" is longer than its max',
    ])
    assert.deepEqual(problems(`[ttl]\nmax = "1h"\n${rule}max = 0`), [])
  })
})
