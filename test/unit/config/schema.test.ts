import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loadConfig } from '../../../src/config/load.ts'
import {
  envName,
  KEY_DEFINITIONS,
  keyPath,
  SECTIONS,
  type Config,
  type KeyDefinition,
} from '../../../src/config/schema.ts'
import { checkText, checkValue, defaultValue, printValue } from '../../../src/config/value.ts'
import { knownFlags } from '../../../src/cli/options.ts'

function fieldPath(row: KeyDefinition): string {
  return `${row.section}.${row.field}`
}

function key(path: string): KeyDefinition {
  const definition = KEY_DEFINITIONS.find((row) => keyPath(row) === path)
  assert.ok(definition !== undefined, path)
  return definition
}

describe('the table of keys', () => {
  it('has its sections', () => {
    assert.deepEqual(
      SECTIONS.map(({ name }) => name),
      'server commands auth tls l1 l2 compression ttl performance logging metrics'.split(' '),
    )
  })

  it('names no key, no field and no variable twice', () => {
    for (const nameOf of [keyPath, envName, fieldPath]) {
      const names = KEY_DEFINITIONS.map((row) => nameOf(row))
      assert.equal(new Set(names).size, names.length, names.join(' '))
    }
  })

  it('makes a type that the compiler knows field by field', () => {
    const config: Config = loadConfig({ env: {} })
    const bind: readonly string[] = config.server.bind
    const timeoutMs: number = config.server.idleTimeoutMs
    const eviction: 'hybrid' | 'lru' | 'lfu' | 'fifo' = config.l1.eviction
    const evictions: boolean = config.l1.evictions
    assert.deepEqual(
      [bind, timeoutMs, eviction, evictions],
      [['127.0.0.1:11211'], 0, 'hybrid', true],
    )
  })

  for (const definition of KEY_DEFINITIONS) {
    const path = keyPath(definition)

    it(`${path}: its default is within its own range, and is printed as it is written`, () => {
      assert.equal(
        printValue(definition, defaultValue(definition)),
        JSON.stringify(definition.default),
      )
    })

    it(`${path}: is told in sentences`, () => {
      assert.match(definition.meaning, /^[A-Z].*\.$/)
    })

    it(`${path}: the options that are said to set it exist`, () => {
      for (const option of definition.options ?? []) {
        assert.ok(knownFlags().includes(option.split(' ')[0] ?? ''), option)
      }
    })
  }

  it('derives the names of variables', () => {
    const bind = KEY_DEFINITIONS.find((row) => row.name === 'bind')
    assert.ok(bind !== undefined)
    assert.equal(envName(bind), 'RAT_MEMCACHED_SERVER_BIND')
  })
})

describe('the check of one value', () => {
  const good: readonly (readonly [string, unknown, unknown])[] = [
    ['server.max_item_size', '1k', 1024],
    ['server.max_item_size', 1_073_741_824, 1_073_741_824],
    ['server.idle_timeout', 0, 0],
    ['server.idle_timeout', '1s', 1000],
    ['server.shutdown_timeout', 0.5, 500],
    ['server.unix_mode', '0770', 0o770],
    ['server.bind', ['[::1]:1', 'unix:/a'], ['[::1]:1', 'unix:/a']],
    ['server.user', '', ''],
    ['l1.max_entries', 0, 0],
    ['l1.evictions', false, false],
    ['l2.enabled', false, false],
    ['l2.data_dir', '/a b', '/a b'],
    ['l2.max_disk_size', '16MB', 16 * 1024 ** 2],
    ['l2.max_disk_size', '10240GB', 10 * 1024 ** 4],
    ['l2.write_policy', 'on-evict', 'on-evict'],
    ['l2.write_interval', '1ms', 1],
    ['l2.sync', 'always', 'always'],
    ['l2.min_item_size', 0, 0],
    ['l2.max_item_size', 0, 0],
    ['l2.max_item_size', '1KB', 1024],
    ['l2.min_ttl', '30d', 30 * 86_400_000],
    ['l2.promotion', 'second-hit', 'second-hit'],
    ['l2.warmup', 'recent', 'recent'],
    ['compression.min_size', 64, 64],
    ['performance.large_value_threshold', 0, 0],
    ['logging.level', 'silent', 'silent'],
  ]
  for (const [path, raw, value] of good) {
    it(`${path} takes ${JSON.stringify(raw)}`, () => {
      assert.deepEqual(checkValue(key(path), raw), { ok: true, value })
    })
  }

  const bad: readonly (readonly [string, unknown])[] = [
    ['server.max_item_size', '1023'],
    ['server.max_item_size', '1025MB'],
    ['server.max_item_size', true],
    ['server.idle_timeout', '999ms'],
    ['server.idle_timeout', '25d'],
    ['server.unix_mode', 700],
    ['server.unix_mode', '778'],
    ['server.unix_mode', '1777'],
    ['server.max_connections', 0],
    ['server.max_connections', 1.5],
    ['server.max_connections', '10'],
    ['server.bind', '127.0.0.1:1'],
    ['server.bind', []],
    ['server.bind', ['']],
    ['server.user', 5],
    ['l1.max_memory', '1023KB'],
    ['l1.max_entries', -1],
    ['l1.evictions', 'true'],
    ['l1.eviction', 'LRU'],
    ['l2.enabled', 'no'],
    ['l2.max_disk_size', '15MB'],
    ['l2.max_disk_size', 0],
    ['l2.write_policy', 'write-back'],
    ['l2.write_interval', 0],
    ['l2.write_interval', '2m'],
    ['l2.max_staged', '1023KB'],
    ['l2.sync', true],
    ['l2.sync_interval', '9ms'],
    ['l2.max_item_size', 1023],
    ['l2.min_ttl', '31d'],
    ['l2.promotion', 'second'],
    ['l2.warmup', true],
    ['l2.warmup_rate', '100KB'],
    ['compression.max_size', 63],
    ['performance.large_value_threshold', 1023],
    ['logging.level', 'warning'],
  ]
  for (const [path, raw] of bad) {
    it(`${path} does not take ${JSON.stringify(raw)}`, () => {
      const checked = checkValue(key(path), raw)
      assert.ok(!checked.ok)
      assert.ok(checked.problem.startsWith(JSON.stringify(raw)), checked.problem)
    })
  }

  it('reads texts by the type of their key', () => {
    const texts: readonly (readonly [string, string, unknown])[] = [
      ['server.bind', ' :1 , unix:/a', [':1', 'unix:/a']],
      ['server.max_connections', '10', 10],
      ['l1.evictions', 'false', false],
      ['l1.evictions', '1', true],
      ['l1.max_memory', '2147483648', 2_147_483_648],
      ['server.idle_timeout', '30', 30_000],
    ]
    for (const [path, text, value] of texts) {
      assert.deepEqual(checkText(key(path), text), { ok: true, value })
    }
  })

  it('says what is wrong, and what would be right', () => {
    assert.deepEqual(checkText(key('server.max_connections'), '1e3'), {
      ok: false,
      problem: '"1e3" is not a whole number of connections from 1 to 1000000',
    })
    const checked = checkText(key('server.bind'), ':1,nope')
    assert.ok(!checked.ok)
    assert.match(checked.problem, /: see "nope"$/)
  })
})
