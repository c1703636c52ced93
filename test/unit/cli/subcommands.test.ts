import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  SUBCOMMANDS,
  checkConfigArguments,
  commandsHelp,
  takeSubcommand,
} from '../../../src/cli/subcommands.ts'
import { startServer } from '../../helpers/server.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

async function run(...args: readonly string[]): Promise<Outcome> {
  const argv = ['--import', 'tsx', 'bin/rat-memcached.ts', ...args]
  const env = { PATH: process.env['PATH'] }
  const child = spawn(process.execPath, argv, { cwd: ROOT, env, timeout: 30_000 })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()))
  await once(child, 'close')
  return { status: child.exitCode, stdout, stderr }
}

describe('the first word', () => {
  it('is a command, and the others are its arguments', () => {
    const { subcommand, rest } = takeSubcommand(['stats', 'host:1', '--watch'])
    assert.equal(subcommand?.name, 'stats')
    assert.deepEqual(rest, ['host:1', '--watch'])
  })

  it('may be missing: memcached knows no commands', () => {
    for (const args of [[], ['-p', '1'], ['--bind', ':1']]) {
      assert.deepEqual(takeSubcommand(args), { subcommand: undefined, rest: args })
    }
  })

  it('is an error if there is no such command', () => {
    assert.throws(() => takeSubcommand(['stat']), {
      code: 'USAGE',
      message: "unknown command 'stat'; did you mean stats?",
    })
    assert.throws(() => takeSubcommand(['zzzzzzzz']), { message: "unknown command 'zzzzzzzz'" })
  })

  it('takes a file after check-config', () => {
    assert.deepEqual(checkConfigArguments(['a.toml', '-m', '5']), [
      '--check-config',
      '--config',
      'a.toml',
      '-m',
      '5',
    ])
    assert.deepEqual(checkConfigArguments(['-m', '5']), ['--check-config', '-m', '5'])
    assert.deepEqual(checkConfigArguments([]), ['--check-config'])
  })

  it('has a row in the help', () => {
    for (const { name, help } of SUBCOMMANDS) {
      assert.ok(
        commandsHelp()
          .split('\n')
          .some((row) => row.startsWith(`  ${name} `) && row.endsWith(help)),
      )
    }
  })
})

describe('the program', () => {
  it('serve and check-config take the options of a server', async () => {
    assert.deepEqual(await run('check-config', 'config/small.toml'), {
      status: 0,
      stdout: 'ok\n',
      stderr: '',
    })
    assert.equal((await run('check-config', 'none.toml')).status, 78)
    const { status, stderr } = await run('serve', '-p', '0')
    assert.equal(status, 64)
    assert.match(stderr, /-p/)
  })

  it('every tool has a help, and points to it', async () => {
    for (const { name } of SUBCOMMANDS.filter((row) => row.run !== undefined)) {
      const help = await run(name, '--help')
      assert.equal(help.status, 0, help.stderr)
      assert.ok(help.stdout.startsWith(`Usage: rat-memcached ${name} `))
      const wrong = await run(name, '--no-such-option')
      assert.equal(wrong.status, 64)
      assert.match(wrong.stderr, new RegExp(`\nTry 'rat-memcached ${name} --help'\\.\n$`))
    }
  })

  it('stats shows a server once, in lines, and as it answers', async () => {
    const server = await startServer()
    try {
      const client = await server.connect()
      await client.ask('set a 0 0 1\r\nx\r\n', 'STORED\r\n')
      const name = `127.0.0.1:${server.port}`
      const shown = await run('stats', name)
      assert.equal(shown.status, 0, shown.stderr)
      assert.ok(shown.stdout.startsWith(`${name}  rat-memcached test, as memcached 1.6.45, up `))
      assert.match(shown.stdout, / 1 items\n/)
      const watched = await run('stats', name, '--watch', '--interval', '100ms', '--count', '2')
      assert.match(watched.stdout, /^time .*\n\d\d:.*\n\d\d:.*\n$/)
      const json = await run('stats', name, '--json')
      const { curr_items: items }: { curr_items: string } = JSON.parse(json.stdout)
      assert.equal(items, '1')
      assert.match((await run('stats', name, 'settings')).stdout, /^maxbytes 67108864$/m)
      const unknown = await run('stats', name, 'nonsense')
      assert.equal(unknown.status, 76)
      assert.equal(unknown.stderr, `rat-memcached: ${name} answers with "ERROR"\n`)
      client.destroy()
    } finally {
      await server.stop()
    }
    assert.equal((await run('stats', `127.0.0.1:${server.port}`)).status, 69)
  })
})
