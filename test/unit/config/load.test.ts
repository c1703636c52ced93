import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { defaultConfig, loadConfig, type ConfigSources } from '../../../src/config/load.ts'
import { printConfig } from '../../../src/config/print.ts'
import { ServerError } from '../../../src/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'rat-config-'))
const file = join(folder, 'test.toml')
after(() => rmSync(folder, { recursive: true }))

function write(text: string): string {
  writeFileSync(file, text)
  return file
}

/** What is wrong with some sources, with the folder taken out of the lines. */
function problems(sources: Partial<ConfigSources>): string[] {
  try {
    loadConfig({ env: {}, ...sources })
  } catch (error) {
    assert.ok(error instanceof ServerError)
    assert.equal(error.code, 'CONFIG_INVALID')
    return error.message.replaceAll(`${folder}/`, '').split('\n')
  }
  return []
}

/** What is wrong with an address of the side door, and a token. */
function sideDoor(bind: string, token = ''): string[] {
  return problems({
    overrides: [
      { key: 'metrics.bind', value: bind, option: 'x' },
      { key: 'metrics.token', value: token, option: 'x' },
    ],
  })
}

describe('the order of the sources', () => {
  it('begins with the defaults', () => {
    const config = defaultConfig()
    assert.deepEqual(config.server.bind, ['127.0.0.1:11211'])
    assert.equal(config.server.itemBytesMax, 1024 ** 2)
    assert.equal(config.server.unixMode, 0o700)
    assert.equal(config.l1.memoryBytesMax, 64 * 1024 ** 2)
    assert.equal(config.l2.enabled, true)
    assert.equal(config.l2.dataDir, './rat-memcached-data')
    assert.equal(config.l2.writePolicy, 'write-behind')
    assert.equal(config.l2.writeIntervalMs, 1000)
    assert.equal(config.compression.enabled, true)
    assert.equal(config.performance.largeValueBytesMin, 0)
    assert.equal(config.metrics.bind, '127.0.0.1:9150')
    assert.deepEqual(config.ttl, { defaultMs: 0, maxMs: 0, sweepIntervalMs: 1000, rules: [] })
  })

  it('leaves alone what Kubernetes and Docker say of a service of this name, and nothing else', () => {
    const links = {
      RAT_MEMCACHED_SERVICE_HOST: '10.0.0.1',
      RAT_MEMCACHED_SERVICE_PORT: '11211',
      RAT_MEMCACHED_SERVICE_PORT_METRICS: '9150',
      RAT_MEMCACHED_PORT: 'tcp://10.0.0.1:11211',
      RAT_MEMCACHED_PORT_11211_TCP: 'tcp://10.0.0.1:11211',
      RAT_MEMCACHED_PORT_11211_TCP_PROTO: 'tcp',
      RAT_MEMCACHED_PORT_11211_TCP_PORT: '11211',
      RAT_MEMCACHED_PORT_11211_TCP_ADDR: '10.0.0.1',
      RAT_MEMCACHED_METRICS_SERVICE_HOST: '10.0.0.2',
      RAT_MEMCACHED_METRICS_PORT_9150_TCP: 'tcp://10.0.0.2:9150',
    }
    assert.deepEqual(loadConfig({ env: links }), defaultConfig())
    for (const name of ['RAT_MEMCACHED_PORT', 'RAT_MEMCACHED_SERVER_PORT']) {
      assert.match(problems({ env: { [name]: '11212' } })[0]!, /unknown key/)
    }
  })

  it('is default, file, environment, command line, each over the one before', () => {
    write('[server]\nmax_connections = 10\nbacklog = 20\nmax_commands_per_turn = 30')
    const env = {
      RAT_MEMCACHED_SERVER_BACKLOG: '21',
      RAT_MEMCACHED_SERVER_MAX_COMMANDS_PER_TURN: '31',
    }
    const overrides = [
      { key: 'server.max_commands_per_turn', value: '32', option: '-R' },
      { key: 'server.max_commands_per_turn', value: '33', option: '-R' },
    ]
    const { server } = loadConfig({ file, env, overrides })
    assert.equal(server.connectionsMax, 10)
    assert.equal(server.backlog, 21)
    assert.equal(server.commandsPerTurnMax, 33)
    assert.equal(server.itemBytesMax, 1024 ** 2)
  })

  it('leaves other variables alone', () => {
    assert.deepEqual(loadConfig({ env: { PATH: 'x', RAT_MEMCACHE: 'y' } }), defaultConfig())
  })
})

describe('the configuration', () => {
  it('is frozen all through', () => {
    const config = defaultConfig()
    assert.ok(Object.isFrozen(config))
    for (const section of Object.values(config)) assert.ok(Object.isFrozen(section))
    assert.ok(Object.isFrozen(config.server.bind))
  })

  it('is read back from what is printed', () => {
    const overrides = [
      { key: 'server.bind', value: ['[::1]:1', 'unix:/a "b"\\c'], option: '--bind' },
      { key: 'server.idle_timeout', value: '1500ms', option: '-o' },
      { key: 'l1.max_memory', value: '1234567', option: '-m' },
      { key: 'server.max_item_size', value: '1234', option: '-I' },
      { key: 'logging.file', value: '/a\u007F\tb', option: '--log' },
    ]
    const config = loadConfig({ env: {}, overrides })
    assert.deepEqual(loadConfig({ file: write(printConfig(config)), env: {} }), config)
  })

  it('may be written with dotted keys, in an inline table and with empty sections', () => {
    const text = 'server.backlog = 5\nl1 = { max_entries = 7 }\n[l2]\n[metrics]\n'
    const config = loadConfig({ file: write(text), env: {} })
    assert.equal(config.server.backlog, 5)
    assert.equal(config.l1.entriesMax, 7)
  })
})

describe('what is wrong in a file', () => {
  it('is named with its line, and with the key that was meant', () => {
    write('# a comment\n[server]\n\nmax_conections = 5\n')
    assert.deepEqual(problems({ file }), [
      'test.toml:4: unknown key "max_conections" in [server]; did you mean "max_connections"?',
    ])
  })

  it('is reported all at once', () => {
    write(
      '[l1]\nmax_memory = "lots"\nevictions = "yes"\n[servr]\nx = 1\n[logging]\nlevel = "warning"\n[metrics]\nsoon = 5\n',
    )
    const found = problems({ file })
    assert.equal(found.length, 5)
    assert.match(
      found[0] ?? '',
      /^test.toml:2: l1.max_memory: "lots" is not a size of at least 1MB/,
    )
    assert.equal(found[1], 'test.toml:3: l1.evictions: "yes" is not true or false')
    assert.equal(found[2], 'test.toml:4: unknown section [servr]; did you mean "server"?')
    assert.match(found[3] ?? '', /^test.toml:7: logging.level: "warning" is not one of trace, /)
    assert.equal(found[4], 'test.toml:9: unknown key "soon" in [metrics]')
  })

  it('may be a key in the wrong section, or in none', () => {
    write('bind = [":1"]\nserver.max_entries = 5\n')
    assert.deepEqual(problems({ file }), [
      'test.toml:1: unknown key "bind" outside of any section; did you mean "bind" in [server]?',
      'test.toml:2: unknown key "max_entries" in [server]; did you mean "max_entries" in [l1]?',
    ])
  })

  it('may be a section that is no table, or a table that is no key', () => {
    assert.deepEqual(problems({ file: write('l1 = 5') }), [
      'test.toml:1: "l1" is a section; write [l1]',
    ])
    assert.match(
      problems({ file: write('[server.bind]\nx = 1') })[0] ?? '',
      /^test.toml:1: server.bind: /,
    )
  })

  it('may be found in an inline table, under quotes, and behind Windows line ends', () => {
    assert.match(problems({ file: write('\r\n\r\nl1 = { nope = 1 }') })[0] ?? '', /^test.toml:3: /)
    assert.match(problems({ file: write('[ "l1" ]\r\n"nope" = 1') })[0] ?? '', /^test.toml:2: /)
  })

  it('may be the syntax, told with line and column', () => {
    const found = problems({ file: write('[server]\nbacklog = = 5\n') })
    assert.equal(found.length, 1)
    assert.match(found[0] ?? '', /^test.toml:2:11: Invalid TOML document: /)
  })

  it('may be the file itself', () => {
    assert.throws(() => loadConfig({ file: join(folder, 'none.toml'), env: {} }), {
      code: 'CONFIG_UNREADABLE',
      message: /none\.toml/,
    })
    assert.throws(() => loadConfig({ file: folder, env: {} }), { code: 'CONFIG_UNREADABLE' })
  })

  it('is not a key that every object has', () => {
    assert.match(problems({ file: write('[server]\nconstructor = 1') })[0] ?? '', /unknown key/)
    assert.match(problems({ file: write('[toString]\n') })[0] ?? '', /unknown section/)
  })
})

describe('what is wrong elsewhere', () => {
  it('is named with its variable', () => {
    const env = { RAT_MEMCACHED_SERVER_BNID: 'x', RAT_MEMCACHED_L1_MAX_MEMORY: '5' }
    const found = problems({ env })
    assert.equal(
      found[0],
      'RAT_MEMCACHED_SERVER_BNID in the environment: unknown key; did you mean "RAT_MEMCACHED_SERVER_BIND"?',
    )
    assert.match(
      found[1] ?? '',
      /^RAT_MEMCACHED_L1_MAX_MEMORY in the environment: l1\.max_memory: "5" /,
    )
  })

  it('is named with its option', () => {
    const overrides = [{ key: 'server.backlog', value: '0', option: '-b' }]
    assert.match(problems({ overrides })[0] ?? '', /^option -b: server\.backlog: "0" is not /)
  })

  it('may be an item that is larger than half of the memory', () => {
    const overrides = [{ key: 'server.max_item_size', value: '256m', option: '-I' }]
    assert.deepEqual(problems({ overrides }), [
      'server.max_item_size is 256MB (option -I), but it may be at most half of l1.max_memory, which is 64MB (the default)',
    ])
    const enough = [...overrides, { key: 'l1.max_memory', value: '512MB', option: '-m' }]
    assert.deepEqual(problems({ overrides: enough }), [])
  })

  it('may be a side door that anybody could open, or nobody', () => {
    for (const bind of ['', '127.0.0.1:9150', 'localhost:0', '[::1]:9150']) {
      assert.deepEqual(sideDoor(bind), [], bind)
    }
    for (const bind of [':9150', '0.0.0.0:9150', '[::]:9150', 'cache.example:9150']) {
      assert.match(sideDoor(bind)[0] ?? '', /other machines can reach: set metrics\.token/, bind)
      assert.deepEqual(sideDoor(bind, 'secret'), [], bind)
    }
    for (const bind of ['9150', 'unix:/tmp/x', 'notls:127.0.0.1:9150', '127.0.0.1:99999']) {
      assert.match(sideDoor(bind)[0] ?? '', /is not HOST:PORT/, bind)
    }
    assert.match(sideDoor('', 'two words')[0] ?? '', /no blanks/)
  })
})
