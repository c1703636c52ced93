/** The log of the program: its places, its signals, who gives orders, and the summary. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { connectClient } from '../../helpers/server.ts'
import type { TestClient } from '../../helpers/server.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const PATIENCE_MS = 20_000
const root = mkdtempSync(join(tmpdir(), 'rat-log-'))
after(() => rmSync(root, { recursive: true }))

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

async function until(done: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!done()) {
    assert.ok(performance.now() < deadline, 'it did not come to that')
    await new Promise((resolve) => {
      setTimeout(resolve, 10)
    })
  }
}

interface Program {
  readonly client: TestClient
  readonly signal: (name: NodeJS.Signals) => void
  readonly configure: (text: string) => void
  /** Its standard output so far. */
  readonly said: () => string
}

/** The program with a file of configuration, for as long as `use` takes. */
async function withProgram(
  config: string,
  use: (program: Program) => Promise<void>,
): Promise<{ stdout: string; stderr: string }> {
  const folder = mkdtempSync(join(root, 'program-'))
  const file = join(folder, 'config.toml')
  const socket = join(folder, 'socket')
  writeFileSync(file, config)
  const argv = ['--import', 'tsx', 'bin/rat-memcached.ts', '--no-l2', '-s', socket, '-A']
  const child = spawn(process.execPath, [...argv, '--config', file], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], RAT_MEMCACHED_METRICS_BIND: '' },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()))
  let client: TestClient | null = null
  try {
    await until(() => {
      void connectClient({ path: socket }).then(
        (open) => (client ??= open),
        () => undefined,
      )
      return client !== null
    })
    await use({
      client: client!,
      signal: (name) => void child.kill(name),
      configure: (text) => writeFileSync(file, text),
      said: () => stdout,
    })
  } finally {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  return { stdout, stderr }
}

describe('the log of the program', () => {
  it('goes on in a new file after SIGUSR2, as logrotate asks for', async () => {
    const file = join(root, 'rotated')
    await withProgram(`[logging]\nfile = "${file}"\n`, async ({ signal }) => {
      await until(() => read(file).includes('listening'))
      renameSync(file, `${file}.1`)
      signal('SIGUSR2')
      await until(() => read(file).includes('the log was opened again'))
      assert.ok(!read(`${file}.1`).includes('opened again'))
    })
    assert.ok(read(file).includes('"msg":"stopped"'))
  })

  it('moves with a reload: to another file, stream and form, and turns over there', async () => {
    const [first, second] = [join(root, 'first'), join(root, 'second')]
    const { stdout, stderr } = await withProgram(
      `[logging]\nfile = "${first}"\n`,
      async ({ client, signal, configure }) => {
        await until(() => read(first).includes('listening'))
        const next = `[logging]\nfile = "${second}"\npretty = "always"\nmax_file_size = "64KB"\nmax_files = 1\n`
        configure(next)
        signal('SIGHUP')
        await until(() => read(first).includes('the configuration was reloaded'))
        for (let i = 0; i < 40; i++) {
          await client.ask(`lru mode ${'x'.repeat(1900)}\r\n`, 'ERROR\r\n')
        }
        await until(() =>
          read(second).includes('a client gives orders client="unix" command="lru mode x'),
        )
        configure('[logging]\nstream = "stderr"\n')
        signal('SIGHUP')
        await until(() => read(second).includes('configuration was reloaded'))
      },
    )
    assert.equal(stdout, '')
    assert.match(stderr, /"msg":"stopped"/)
  })

  it('has who gave which order and what came of it, and a line of what was done', async () => {
    const { stdout } = await withProgram(
      '[logging]\nsummary_interval = "1s"\n',
      async ({ client, said }) => {
        await client.ask('flush_all\r\n', 'OK\r\n')
        await client.ask('cache_memlimit 32\r\n', 'OK\r\n')
        await client.ask(
          'cache_memlimit 1\r\n',
          'MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m\r\n',
        )
        await client.ask('verbosity 0\r\n', 'OK\r\n')
        await client.ask('refresh_certs\r\n', 'Error TLS not enabled\r\n')
        await client.ask(
          'set a 0 0 1\r\nx\r\nget a\r\nget b\r\n',
          'STORED\r\nVALUE a 0 1\r\nx\r\nEND\r\nEND\r\n',
        )
        const summaries = (): number => said().split('"msg":"summary"').length - 1
        const before = summaries()
        await until(() => summaries() > before)
        client.send('shutdown\r\n')
        await client.closed()
      },
    )
    const lines: readonly Record<string, unknown>[] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    const orders = lines.filter(({ msg }) => msg === 'a client gives orders')
    assert.deepEqual(
      orders.map(({ client, command, answer }) => [client, command, answer]),
      [
        ['unix', 'flush_all 0', undefined],
        ['unix', 'cache_memlimit 32', 'OK'],
        ['unix', 'cache_memlimit 1', 'MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m'],
        ['unix', 'verbosity 0', undefined],
        ['unix', 'refresh_certs', undefined],
        ['unix', 'shutdown', undefined],
      ],
    )
    const summaries = lines.filter(({ msg }) => msg === 'summary')
    assert.ok(summaries.length > 0)
    assert.ok(
      summaries.some(
        ({ gets, sets, hit_ratio: ratio }) => gets === 2 && sets === 1 && ratio === 0.5,
      ),
    )
  })
})
