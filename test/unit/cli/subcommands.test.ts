import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  SUBCOMMANDS,
  checkConfigArguments,
  commandsHelp,
  takeSubcommand,
} from '../../../src/cli/subcommands.ts'
import { startServer } from '../../helpers/server.ts'
import type { TestServer } from '../../helpers/server.ts'

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

  it('bench puts a load on a server, and counts what it did', async () => {
    const server = await startServer({ 'l1.max_memory': '8MB' })
    try {
      const target = `127.0.0.1:${server.port}`
      const small = [
        '--time',
        '200ms',
        '--connections',
        '3',
        '--keys',
        '500',
        '--value-size',
        '1KB',
      ]
      const { status, stdout, stderr } = await run('bench', target, ...small, '--json')
      assert.equal(status, 0, stderr)
      const result: Record<string, number> = JSON.parse(stdout)
      assert.ok(result['gets']! > result['sets']! && result['sets']! > 0)
      assert.equal(result['hits'], result['gets'])
      assert.equal(result['errors'], 0)
      const stats = await server.stats()
      assert.equal(stats.get('cmd_get'), result['gets'])
      assert.equal(stats.get('cmd_set'), result['sets']! + 500)
      assert.equal(stats.get('get_hits'), result['hits'])
      assert.equal(stats.get('curr_items'), 500)

      const large = ['--value-size', '2MB', '--keys', '2', '--pipeline', '1', '--gets', '50']
      const refused = await run('bench', target, '--time', '200ms', ...large)
      assert.match(refused.stdout, /^stored 2 items in \d\.\d s; 2 were refused$/m)
      assert.match(refused.stdout, /^gets +[\d,]+, 0\.0 % hits$/m)
      assert.match(
        refused.stdout,
        /^errors +\d+, the first: SERVER_ERROR object too large for cache$/m,
      )
      assert.match(refused.stdout, /^p99\.9 +[\d.]+ ms$/m)
    } finally {
      await server.stop()
    }
  })

  it('dump and restore take a server, a data directory, a file and a pipe', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rat-tools-'))
    const open: TestServer[] = []
    const data = join(folder, 'data')
    const file = join(folder, 'items.dump')
    try {
      const first = await startServer({ 'l2.enabled': 'true', 'l2.data_dir': data })
      open.push(first)
      const client = await first.connect()
      await client.ask('set a 7 0 5\r\nhello\r\nset b 0 0 1\r\nx\r\n', 'STORED\r\nSTORED\r\n')
      const made = await run('dump', `127.0.0.1:${first.port}`, file)
      assert.equal(made.status, 0, made.stderr)
      assert.match(made.stderr, /^2 items, 64 B, dumped in \d\.\d s\n$/)
      const busy = await run('dump', '--data-dir', data, file)
      assert.equal(busy.status, 73, busy.stderr)
      client.destroy()
      await first.stop()

      const whole = readFileSync(file)
      const offline = await run('dump', '--data-dir', data, '-')
      assert.equal(offline.status, 0, offline.stderr)
      assert.ok(offline.stdout.startsWith('RATDUMP\n'))
      const copy = join(folder, 'copy')
      const into = await run('restore', '--data-dir', copy, file)
      assert.equal(into.stderr.replace(/\d\.\d s/, ''), '2 items restored in \n')

      const second = await startServer({ 'l2.enabled': 'true', 'l2.data_dir': copy })
      open.push(second)
      const reader = await second.connect()
      await reader.ask('get a b\r\n', 'VALUE a 7 5\r\nhello\r\nVALUE b 0 1\r\nx\r\nEND\r\n')
      const target = `127.0.0.1:${second.port}`
      writeFileSync(file, whole.subarray(0, -3))
      const cut = await run('restore', target, file)
      assert.equal(cut.status, 65)
      assert.match(cut.stderr, /the dump is cut off; 2 items before that are good\n$/)
      assert.equal((await run('restore', target, join(folder, 'none'))).status, 74)
      assert.equal((await run('dump', target, join(folder, 'none', 'file'))).status, 74)
      assert.equal((await run('dump', '--data-dir', join(folder, 'none'), file)).status, 74)
      assert.equal((await run('dump', target)).status, 64)
      reader.destroy()
    } finally {
      for (const server of open) await server.stop()
      rmSync(folder, { recursive: true })
    }
  })
})
