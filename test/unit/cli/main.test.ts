import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program from its sources, with nothing of ours in its environment but `env`. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Outcome {
  const argv = ['--import', 'tsx', 'bin/rat-memcached.ts', ...args]
  const options = { cwd: ROOT, env: { PATH: process.env['PATH'], ...env }, timeout: 30_000 }
  return spawnSync(process.execPath, argv, { ...options, encoding: 'utf8' })
}

describe('the program', () => {
  it('-V prints the version of package.json', () => {
    const { version }: { version: string } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'))
    const expected = { status: 0, stdout: `rat-memcached ${version}\n`, stderr: '' }
    const { status, stdout, stderr } = run(['-V'])
    assert.deepEqual({ status, stdout, stderr }, expected)
  })

  it('-h prints the help', () => {
    const { status, stdout } = run(['-h'])
    assert.equal(status, 0)
    assert.match(stdout, /^Usage: rat-memcached \[command\] \[options\]\n/)
  })

  it('--check-config says ok, and warns on standard error', () => {
    const { status, stdout, stderr } = run([
      '--check-config',
      '-k',
      '--config',
      'config/small.toml',
    ])
    assert.equal(status, 0)
    assert.equal(stdout, 'ok\n')
    assert.equal(stderr, 'rat-memcached: option -k has no effect: memory is not locked\n')
  })

  it('--check-config finds what is wrong in file and environment, without a stack trace', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rat-main-'))
    try {
      const file = join(folder, 'bad.toml')
      writeFileSync(file, '[server]\nbacklog = 0\n')
      const env = { RAT_MEMCACHED_L1_NOPE: '1' }
      const { status, stdout, stderr } = run(['--check-config', '--config', file], env)
      assert.equal(status, 78)
      assert.equal(stdout, '')
      const lines = stderr.trimEnd().split('\n')
      assert.equal(lines.length, 2)
      assert.ok(lines[0]?.startsWith(`rat-memcached: ${file}:2: server.backlog: 0 is not `))
      assert.ok(lines[1]?.startsWith('rat-memcached: RAT_MEMCACHED_L1_NOPE in the environment: '))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('--print-config prints what is in effect', () => {
    const { status, stdout } = run(['--print-config', '-m', '100'], {
      RAT_MEMCACHED_SERVER_BACKLOG: '7',
    })
    assert.equal(status, 0)
    assert.match(stdout, /^max_memory = "100MB"$/m)
    assert.match(stdout, /^backlog = 7$/m)
  })

  it('exits with 64 for a wrong command line, and points to the help', () => {
    const { status, stderr } = run(['--nope'])
    assert.equal(status, 64)
    assert.equal(stderr, "rat-memcached: unknown option '--nope'\nTry 'rat-memcached --help'.\n")
  })

  it('exits with 78 for a file that is not there, and for an item that is too large', () => {
    assert.equal(run(['--config', 'none.toml']).status, 78)
    const { status, stderr } = run(['-I', '256m'])
    assert.equal(status, 78)
    assert.match(stderr, /256MB \(option -I\).*64MB \(the default\)/)
  })
})
