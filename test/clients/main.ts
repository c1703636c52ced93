/**
 * `npm run test:clients`: clients in other languages, and a proxy, against the server as it is built.
 *
 *     npm run test:clients                 all that are installed
 *     npm run test:clients -- php pylibmc  those whose name contains one of the words
 *
 * Installs nothing: what is missing is named, with what to install, and left out. Each runs twice, with
 * a server that keeps all in memory, and with one whose memory is so small that items have to go to disk
 * and come back. Exits with 1 if a client that is there fails. `PYTHON` names a further interpreter, `MEMCACHED` a
 * memcached that was built with its proxy.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startOurs } from '../differential/server-process.ts'
import type { ServerProcess } from '../differential/server-process.ts'
import { MEMCACHED_PROXY, TWEMPROXY, withProxy } from './proxies.ts'
import type { Proxy } from './proxies.ts'

interface Outcome {
  readonly kind: 'passed' | 'failed' | 'left out'
  readonly said: string
}

interface Check {
  readonly name: string
  readonly servers: number
  run(ports: readonly number[]): Promise<Outcome>
}

const TIERS = [
  { name: 'memory', args: ['-m', '64', '--no-l2'] },
  { name: 'memory and disk', args: ['-m', '2', '--max-disk-size', '512MB'] },
] as const
const HOST = '127.0.0.1'
const TIMEOUT_MS = 120_000
const HERE = fileURLToPath(new URL('.', import.meta.url))
const PROGRAM = fileURLToPath(new URL('../../dist/bin/rat-memcached.js', import.meta.url))

/** Tests of memccapable that memcached fails, too: it ignores what follows the key of a delete. */
const NOT_EXPECTED: readonly string[] = ['ascii delete', 'ascii delete noreply']

/** Debian's packages are there for its own Python; others may be there for another. */
const PYTHONS = [process.env['PYTHON'], '/usr/bin/python3', 'python3'].filter(
  (name) => name !== undefined,
)

const CHECKS: readonly Check[] = [
  script('pymemcache', PYTHONS, 'pymemcache_check.py'),
  script('pylibmc', PYTHONS, 'pylibmc_check.py'),
  script('python-memcached', PYTHONS, 'python_memcached_check.py'),
  script('bmemcached', PYTHONS, 'bmemcached_check.py'),
  script('memcached-tool', PYTHONS, 'memcached_tool_check.py'),
  script('the tools of libmemcached', PYTHONS, 'libmemcached_tools_check.py'),
  script('php memcached', ['php'], 'php_memcached_check.php'),
  script('perl Cache::Memcached::Fast', ['perl'], 'cache_memcached_fast_check.pl'),
  script('ruby Dalli', ['ruby'], 'dalli_check.rb'),
  java('java spymemcached', 'SpymemcachedCheck.java', ['net.spy:spymemcached:2.12.3']),
  java('java xmemcached', 'XmemcachedCheck.java', [
    'com.googlecode.xmemcached:xmemcached:2.4.8',
    'org.slf4j:slf4j-api:1.7.21',
  ]),
  memccapable('-a', 'in text'),
  memccapable('-b', 'in the binary protocol'),
  script('pylibmc with ketama', PYTHONS, 'ketama_check.py', 3),
  behind('twemproxy', TWEMPROXY),
  behind('memcached as a proxy', MEMCACHED_PROXY),
]

process.exitCode = await main(process.argv.slice(2))

async function main(words: readonly string[]): Promise<number> {
  const chosen = CHECKS.filter(
    ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
  )
  let [passed, failed, leftOut] = [0, 0, 0]
  for (const tier of TIERS) {
    console.log(`items in ${tier.name}`)
    for (const check of chosen) {
      const { kind, said } = await onServers(check, tier.args)
      if (kind === 'passed') passed++
      else if (kind === 'failed') failed++
      else leftOut++
      console.log(`  ${kind.padEnd(8)} ${check.name}: ${said.replaceAll('\n', '\n    ')}`)
    }
  }
  console.log(`${passed} passed, ${failed} failed, ${leftOut} left out`)
  return failed === 0 && passed > 0 ? 0 : 1
}

async function onServers(check: Check, args: readonly string[]): Promise<Outcome> {
  const servers: ServerProcess[] = []
  try {
    for (let i = 0; i < check.servers; i++) servers.push(await startOurs(PROGRAM, args))
    const outcome = await check.run(servers.map(({ port }) => port))
    const complaints = servers.map((server) => server.complaints).join('')
    return complaints === '' ? outcome : { kind: 'failed', said: `${outcome.said}\n${complaints}` }
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}

/** A script that takes host and ports, run by the first program that has what it needs. */
function script(name: string, programs: readonly string[], file: string, servers = 1): Check {
  const run = async (ports: readonly number[]): Promise<Outcome> => {
    let missing = `${programs.at(-1)} is not installed`
    for (const program of programs) {
      const said = await output(program, [HERE + file, HOST, ...ports.map(String)])
      if (said === undefined) continue
      if (!said.text.startsWith('left out: ')) {
        return { kind: said.status === 0 ? 'passed' : 'failed', said: said.text }
      }
      missing = said.text.slice('left out: '.length)
    }
    return { kind: 'left out', said: missing }
  }
  return { name, servers, run }
}

/** A program of one file, with packages that Maven has fetched before. */
function java(name: string, file: string, packages: readonly string[]): Check {
  const jars = packages.map((one) => {
    const [group = '', artifact = '', version = ''] = one.split(':')
    const folder = join(homedir(), '.m2/repository', ...group.split('.'), artifact, version)
    return join(folder, `${artifact}-${version}.jar`)
  })
  const run = async ([port]: readonly number[]): Promise<Outcome> => {
    const absent = packages.filter((_, at) => !existsSync(jars[at] ?? ''))
    if (absent.length > 0) {
      const what = absent.map((one) => `mvn dependency:get -Dartifact=${one}`).join(', ')
      return { kind: 'left out', said: `packages are missing (${what})` }
    }
    const said = await output('java', ['-cp', jars.join(':'), HERE + file, HOST, String(port)])
    if (said === undefined)
      return { kind: 'left out', said: 'java is not installed (a JDK from 11)' }
    // What it says of its own logging is nothing about the server.
    const text = said.text.replaceAll(/^SLF4J: .*\n?/gm, '').trim()
    return { kind: said.status === 0 ? 'passed' : 'failed', said: text }
  }
  return { name, servers: 1, run }
}

/** libmemcached's own tests of a server. */
function memccapable(option: string, name: string): Check {
  const run = async ([port]: readonly number[]): Promise<Outcome> => {
    const said = await output('memccapable', ['-h', HOST, '-p', String(port), option])
    if (said === undefined) {
      const what = 'memccapable is not installed (apt-get install libmemcached-tools)'
      return { kind: 'left out', said: what }
    }
    const rows = [...said.text.matchAll(/^(\S.*?)\s+\[(pass|FAIL)\]/gm)]
    const failing = rows.filter((row) => row[2] === 'FAIL').map((row) => row[1] ?? '')
    const wrong = failing.filter((test) => !NOT_EXPECTED.includes(test))
    if (rows.length === 0 || wrong.length > 0) return { kind: 'failed', said: said.text }
    const expected = failing.length > 0 ? `; not, as in memcached: ${failing.join(', ')}` : ''
    return { kind: 'passed', said: `${rows.length - failing.length} tests passed${expected}` }
  }
  return { name: `memccapable ${name}`, servers: 1, run }
}

/** Servers behind a proxy that is configured as docs/SCALING.md says. */
function behind(name: string, proxy: Proxy): Check {
  const run = async (ports: readonly number[]): Promise<Outcome> => {
    const missing = proxy.missing()
    if (missing !== undefined) return { kind: 'left out', said: missing }
    const behindIt = async (port: number): Promise<Outcome> =>
      script('', PYTHONS, 'proxy_check.py').run([port, ...ports])
    return withProxy(proxy, ports, behindIt)
  }
  return { name, servers: 3, run }
}

/** What a program says, undefined if it is not there. */
function output(
  program: string,
  args: readonly string[],
): Promise<{ readonly status: number | null; readonly text: string } | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS })
    let text = ''
    const hear = (bytes: Buffer): void => {
      text += bytes.toString()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('error', () => resolve(undefined))
    child.once('close', (status) => resolve({ status, text: text.trimEnd() }))
  })
}
