import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readImageEnvironment } from '../../../src/cli/image-environment.ts'
import { parseCommandLine } from '../../../src/cli/options.ts'
import { loadConfig } from '../../../src/config/load.ts'
import type { Config } from '../../../src/config/schema.ts'
import { ServerError } from '../../../src/errors.ts'

type Env = Readonly<Record<string, string>>

/** What a server would run with. */
function configOf(env: Env, line = '', file?: string): Config {
  const args = line.split(' ').filter(Boolean)
  const image = readImageEnvironment(env)
  return loadConfig({
    file,
    env,
    imageOverrides: image.overrides,
    overrides: parseCommandLine(args, image.commandLine).overrides,
  })
}

function megabytes({ l1 }: Config): number {
  return l1.memoryBytesMax / 1024 ** 2
}

function problem(env: Env, line = ''): string {
  try {
    configOf(env, line)
  } catch (error) {
    assert.ok(error instanceof ServerError)
    assert.equal(error.exitStatus, 78)
    return error.message
  }
  return ''
}

describe('the variables of other images', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'rat-image-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  function file(name: string, text: string): string {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }

  it('are what the options of memcached are', () => {
    const { server, l1, commands } = configOf({
      MEMCACHED_PORT_NUMBER: '5',
      MEMCACHED_LISTEN_ADDRESS: '0.0.0.0',
      MEMCACHED_CACHE_SIZE: '128',
      MEMCACHED_MAX_CONNECTIONS: '10',
      MEMCACHED_THREADS: '4',
      MEMCACHED_MAX_ITEM_SIZE: '2097152',
      MEMCACHED_EXTRA_FLAGS: ' -F  -o idle_timeout=5 ',
    })
    assert.deepEqual(server.bind, ['0.0.0.0:5'])
    assert.equal(l1.memoryBytesMax, 128 * 1024 ** 2)
    assert.equal(server.connectionsMax, 10)
    assert.equal(server.itemBytesMax, 2 * 1024 ** 2)
    assert.equal(server.idleTimeoutMs, 5000)
    assert.equal(commands.flushEnabled, false)
  })

  it('are as if they were not there when they are empty, or none of ours', () => {
    const env = {
      MEMCACHED_PORT_NUMBER: '',
      MEMCACHED_LISTEN_ADDRESS: '',
      MEMCACHED_PASSWORD: '',
      MEMCACHED_PORT: 'tcp://10.0.0.1:11211',
      MEMCACHED_SERVICE_HOST: '10.0.0.1',
    }
    assert.deepEqual(configOf(env), configOf({}))
    assert.deepEqual(readImageEnvironment(env).users, [])
  })

  it('warn of what has no effect, as the options do', () => {
    const { commandLine } = readImageEnvironment({ MEMCACHED_THREADS: '4' })
    assert.match(commandLine.warnings[0] ?? '', /^option -t 4 has no effect/)
  })

  it('count for more than a file, and less than our own variables and the command line', () => {
    const toml = file('a.toml', '[l1]\nmax_memory = "10MB"\n')
    const image = { MEMCACHED_CACHE_SIZE: '20' }
    const own = { ...image, RAT_MEMCACHED_L1_MAX_MEMORY: '30MB' }
    assert.equal(megabytes(configOf({}, '', toml)), 10)
    assert.equal(megabytes(configOf(image, '', toml)), 20)
    assert.equal(megabytes(configOf(own, '', toml)), 30)
    assert.equal(megabytes(configOf(own, '-m 40', toml)), 40)
  })

  it('lend a command line the part of the address that it does not have', () => {
    const env = { MEMCACHED_PORT_NUMBER: '5', MEMCACHED_LISTEN_ADDRESS: '10.0.0.1' }
    assert.deepEqual(configOf(env, '-l ::1').server.bind, ['[::1]:5'])
    assert.deepEqual(configOf(env, '-p 6').server.bind, ['10.0.0.1:6'])
    assert.deepEqual(configOf(env, '-s /a').server.bind, ['unix:/a'])
    assert.deepEqual(configOf(env, '--bind :7').server.bind, [':7'])
  })

  it('may be in files, whose last line end is no part of them, and which go before', () => {
    const env = {
      MEMCACHED_CACHE_SIZE: '20',
      MEMCACHED_CACHE_SIZE_FILE: file('size', '30\n'),
      MEMCACHED_USERNAME_FILE: file('name', 'me\r\n'),
      MEMCACHED_PASSWORD_FILE: file('password', ' sécret '),
    }
    assert.equal(configOf(env).l1.memoryBytesMax, 30 * 1024 ** 2)
    const [user] = readImageEnvironment(env).users
    assert.equal(user?.name, 'me')
    assert.equal(Buffer.from(user?.password ?? '', 'latin1').toString(), ' sécret ')
  })

  it('give a password without a name to root', () => {
    assert.deepEqual(readImageEnvironment({ MEMCACHED_PASSWORD: 'x' }).users, [
      { name: 'root', password: 'x' },
    ])
  })

  it('are named when they are wrong, and never ignored', () => {
    assert.match(problem({ MEMCACHED_PORT_NUMBER: 'x' }), /^MEMCACHED_PORT_NUMBER in the /)
    assert.match(problem({ MEMCACHED_EXTRA_FLAGS: '--nope' }), /^MEMCACHED_EXTRA_FLAGS in the /)
    assert.match(problem({ MEMCACHED_USERNAME: 'me' }), /without MEMCACHED_PASSWORD/)
    assert.match(
      problem({ MEMCACHED_PASSWORD_FILE: join(folder, 'none') }),
      /_PASSWORD_FILE: ENOENT/,
    )
    const tooLarge = problem({ MEMCACHED_MAX_ITEM_SIZE: '40m' })
    assert.match(tooLarge, /40MB \(MEMCACHED_MAX_ITEM_SIZE in the environment\)/)
  })
})
