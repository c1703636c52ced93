import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { knownFlags } from '../src/cli/options.ts'
import { defaultConfig, loadConfig } from '../src/config/load.ts'
import { configReference, sampleFile } from '../src/config/print.ts'
import { KEY_DEFINITIONS, keyPath } from '../src/config/schema.ts'
import { printSize } from '../src/config/units.ts'
import { ERROR_CODES, EXIT } from '../src/errors.ts'
import { createLoggerTo } from '../src/observe/log.ts'
import { METRIC } from '../src/observe/metrics.ts'
import { KEY_BYTES_MAX } from '../src/protocol/text/fields.ts'
import { createServer } from '../src/server.ts'
import { startServer } from './helpers/server.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** An option as the README writes it, `-m` or `--bind`. */
const OPTION = /(?<=[`\s(])--?[A-Za-z][\w-]*/g

const CONFIG_FOLDER = new URL('../config/', import.meta.url)

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8')
}

describe('the documentation of the configuration', () => {
  const again = 'it was changed by hand, or the schema was: run `npm run docs:config`'

  it('config/rat-memcached.toml is what the schema says, to the letter', () => {
    assert.equal(read('../config/rat-memcached.toml'), sampleFile(defaultConfig()), again)
  })

  it('docs/CONFIG.md is what the schema says, to the letter', () => {
    assert.equal(read('../docs/CONFIG.md'), configReference(defaultConfig()), again)
  })

  it('config/rat-memcached.toml holds every key, and loads to the defaults', () => {
    const sample = fileURLToPath(new URL('rat-memcached.toml', CONFIG_FOLDER))
    assert.deepEqual(loadConfig({ file: sample, env: {} }), defaultConfig())
    const written = read('../config/rat-memcached.toml').match(/^\w+(?= = )/gm)
    assert.deepEqual(
      written,
      KEY_DEFINITIONS.map((definition) => definition.name),
    )
  })

  for (const name of readdirSync(CONFIG_FOLDER).filter((entry) => entry.endsWith('.toml'))) {
    it(`config/${name} is a good configuration`, () => {
      loadConfig({ file: fileURLToPath(new URL(name, CONFIG_FOLDER)), env: {} })
    })
  }
})

describe('the documentation of figures and errors', () => {
  const metrics = read('../docs/METRICS.md')
  const operations = read('../docs/OPERATIONS.md')

  it('docs/METRICS.md has a row for every counter, and for no other', () => {
    const rows = firstCells(between(metrics, '## Counters', '## Gauges')).slice(1)
    const counters = Object.keys(METRIC).map((name) => name.toLowerCase())
    assert.deepEqual(rows.sort(), counters.sort())
  })

  it('docs/METRICS.md tells of every figure of stats and stats l2, and of no other', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rat-docs-'))
    const server = await startServer({ 'l2.enabled': 'true', 'l2.data_dir': folder })
    try {
      const [address] = server.addresses
      const shown = await talk(address!, 'stats\r\nstats l2\r\nquit\r\n')
      const names = [...shown.matchAll(/^STAT (\S+) /gm)].map(([, name]) => name!)
      const figures = new Set(names.map((name) => name.replace(/:\d+:/, ':N:')))
      assert.ok(figures.size > 100)
      const constants = [...between(metrics, 'These are', '## What').matchAll(/`(\w+)`/g)]
      const told = [...firstCells(metrics), ...constants.map(([, name]) => name!)]
      assert.deepEqual(told.filter((name) => name !== 'name').sort(), [...figures].sort())
    } finally {
      await server.stop()
      rmSync(folder, { recursive: true })
    }
  })

  it('docs/OPERATIONS.md has a row for every error code, with its exit status', () => {
    const rows = [...operations.matchAll(/^\| ([A-Z_]+) +\| (\d+) +\|/gm)]
    const documented = rows.map(([, code, status]) => [code, Number(status)])
    assert.deepEqual(Object.fromEntries(documented), ERROR_CODES)
  })

  it('docs/OPERATIONS.md has a row for every exit status', () => {
    const rows = firstCells(between(operations, '## Exit statuses', '## Error codes'))
    assert.deepEqual(rows.slice(1).map(Number), Object.values(EXIT))
  })

  it('docs/OPERATIONS.md quotes lines of the log that are written', () => {
    const folder = new URL('../src/store/l2/', import.meta.url)
    const sources = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8'))
    const table = between(operations, '### When the disk is in trouble', '## Limits')
    const quoted = [...table.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, line]) => line!)
    assert.ok(quoted.length > 4, quoted.join('\n'))
    for (const line of quoted) {
      const start = line.replace(/…$/, '')
      assert.ok(
        sources.some((text) => text.includes(`'${start}`)),
        line,
      )
    }
  })

  it('docs/OPERATIONS.md names counters that exist', () => {
    const rows = between(operations, '## Limits', '## Stopping').matchAll(/\| ([^|]*) \|$/gm)
    const named = [...rows].flatMap(([, cell]) => cell!.match(/(?<=`)[a-z]+_\w+(?=`)/g) ?? [])
    assert.ok(named.length > 5)
    const known = firstCells(metrics)
    for (const name of named) assert.ok(known.includes(name) || name === 'evictions', name)
  })
})

describe('the picture of the page', () => {
  const picture = readFileSync(new URL('../docs/page.png', import.meta.url))

  it('is a PNG of less than 200 KB, for which nobody waits', () => {
    assert.equal(picture.toString('latin1', 1, 4), 'PNG')
    assert.ok(picture.length < 200_000, `${picture.length} bytes`)
  })

  it('stands in docs/METRICS.md, and the README leads to it', () => {
    assert.ok(read('../docs/METRICS.md').includes('](page.png)'))
    assert.ok(read('../README.md').includes('](docs/page.png)'))
  })
})

describe('the README', () => {
  const readme = read('../README.md')

  it('names only options that exist, and leaves out none that is shown in the help', () => {
    const named = new Set(between(readme, 'The options, in short', '## Limits').match(OPTION))
    const known = knownFlags()
    for (const flag of named) assert.ok(known.includes(flag), flag)
    const short = known.filter((flag) => /^-\w$/.test(flag))
    assert.deepEqual([...named].filter((flag) => /^-\w$/.test(flag)).sort(), short.sort())
  })

  it('gives limits that are the defaults', () => {
    const defaults = defaultConfig()
    const limits = between(readme, '## Limits', '## More')
    const row = (key: string): string => limits.split('\n').find((line) => line.includes(key)) ?? ''
    const printed: readonly (readonly [string, string])[] = [
      ['l1.max_memory', printSize(defaults.l1.memoryBytesMax).replace('MB', ' MB')],
      ['server.max_item_size', printSize(defaults.server.itemBytesMax).replace('MB', ' MB')],
      ['l2.max_disk_size', printSize(defaults.l2.diskBytesMax).replace('GB', ' GB')],
      ['l2.max_staged', printSize(defaults.l2.stagedBytesMax).replace('MB', ' MB')],
      ['server.max_get_line', printSize(defaults.server.getLineBytesMax).replace('MB', ' MB')],
      ['server.max_connections', defaults.server.connectionsMax.toLocaleString('en')],
      [
        'server.max_pending_output',
        printSize(defaults.server.pendingOutputBytesMax).replace('MB', ' MB'),
      ],
      ['server.max_commands_per_turn', defaults.server.commandsPerTurnMax.toLocaleString('en')],
    ]
    for (const [key, value] of printed)
      assert.ok(row(key).includes(`| ${value}`), `${key}: ${value}`)
    assert.match(row('| key '), new RegExp(`\\b${KEY_BYTES_MAX} bytes`))
    for (const { 1: key } of limits.matchAll(/`((?:server|l1|l2)\.\w+)`/g)) {
      assert.ok(
        KEY_DEFINITIONS.some((definition) => keyPath(definition) === key),
        key,
      )
    }
  })

  it('shows a session and a program that do what it says they do', async () => {
    const config = defaultConfig()
    const folder = mkdtempSync(join(tmpdir(), 'rat-docs-'))
    const options = {
      ...config,
      server: { ...config.server, bind: ['127.0.0.1:0'] },
      l2: { ...config.l2, dataDir: folder },
    }
    const server = createServer(
      options,
      createLoggerTo({ write: () => undefined }, 'silent', false),
    )
    try {
      const [address] = await server.listen()
      const [, typed] = /^printf '(.*)' \| nc/m.exec(readme)!
      const request = typed!.replaceAll('\\r\\n', '\r\n')
      const [, shown] = /^```text\n(.*?)^```$/ms.exec(
        between(readme, 'A first look', '## Connect'),
      )!
      assert.equal(await talk(address!, request), shown!.replaceAll('\n', '\r\n'))

      const [, program] = /^```js\n(.*?)^```$/ms.exec(readme)!
      const [, value] = /console\.log\(value\) \/\/ (.*)$/m.exec(program!)!
      const text = program!.replace('127.0.0.1:11211', address!)
      assert.equal(await runProgram(text), `${value}\n`)
    } finally {
      await server.stop()
      rmSync(folder, { recursive: true })
    }
  })
})

/** The words in the first cells of all tables. */
function firstCells(text: string): string[] {
  return [...text.matchAll(/^\| ([\w:]+) +\|/gm)].map(([, name]) => name!)
}

function between(text: string, start: string, end: string): string {
  assert.ok(text.includes(start) && text.includes(end), `${start} … ${end}`)
  return text.slice(text.indexOf(start), text.indexOf(end))
}

/** Sends everything at once and takes everything until the server hangs up. */
function talk(address: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(address.split(':')[1]) })
    let reply = ''
    socket.on('data', (bytes) => (reply += bytes.toString('latin1')))
    socket.on('error', reject)
    socket.on('end', () => resolve(reply))
    socket.write(request)
  })
}

/** What a program, run in this repository, writes to its standard output. */
function runProgram(text: string): Promise<string> {
  return new Promise((resolve) => {
    const args = ['--input-type=module', '--eval', text]
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
    child.on('close', () => resolve(output))
  })
}
