/**
 * `npm run test:package`: the package as it would be published, installed in a folder of its own: publint,
 * attw, the test suite of Keyv, a program that imports every entry, and the sizes.
 *
 * It asks the registry of npm for what it needs, which is why it is no part of `npm test`.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TOOLS = [
  'keyv@5',
  '@keyv/test-suite@2',
  'vitest@4',
  'publint@0.3',
  '@arethetypeswrong/cli@0.18',
]
const KIB = 1024
const failed: string[] = []

/** What npm says of a package that it has packed. */
interface Packed {
  readonly filename: string
  readonly size: number
  readonly unpackedSize: number
  readonly entryCount: number
}

const folder = mkdtempSync(join(tmpdir(), 'rat-package-'))
try {
  const packed = run(
    'npm',
    ['pack', '--ignore-scripts', '--json', '--pack-destination', folder],
    ROOT,
  )
  const [about]: readonly Packed[] = JSON.parse(packed)
  const { filename, size, unpackedSize, entryCount } = about!
  console.log(`package: ${kib(size)} packed, ${kib(unpackedSize)} in ${entryCount} files`)
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  install([`./${filename}`, '--omit=dev'])
  console.log(`with its dependencies: ${kib(bytesBelow(join(folder, 'node_modules')))} installed`)
  check('imports', process.execPath, ['--input-type=module', '--eval', importAll()])
  install(TOOLS)
  check('publint', 'npx', ['publint', '--strict', 'node_modules/rat-memcached'])
  // ESM only: the package cannot be required by Node before 20.19, and says so by its engines.
  check('attw', 'npx', ['attw', filename, '--profile', 'esm-only'])
  for (const name of ['keyv-suite.test.js', 'vitest.config.js']) {
    copyFileSync(join(ROOT, 'test/package', name), join(folder, name))
  }
  check('@keyv/test-suite', 'npx', ['vitest', 'run'])
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(failed.length === 0 ? 'all good' : `failed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1

/** A program that imports every entry, and says how long it took and whether anything was started. */
function importAll(): string {
  return `
    const before = process.hrtime.bigint()
    const index = await import('rat-memcached')
    const ms = Number(process.hrtime.bigint() - before) / 1e6
    for (const entry of ['testing', 'keyv', 'bentocache', 'express-session']) {
      await import('rat-memcached/' + entry)
    }
    const native = process.report.getReport().sharedObjects.filter((path) => path.endsWith('.node'))
    const active = process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap')
    console.log('import: ' + ms.toFixed(0) + ' ms,', Object.keys(index).join(' '))
    if (native.length > 0) throw new Error('it loads ' + native.join())
    if (active.includes('Timeout') || active.includes('FSReqPromise')) throw new Error(active.join())`
}

function install(what: readonly string[]): void {
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...what], folder)
}

function check(name: string, command: string, args: readonly string[]): void {
  console.log(`\n=== ${name}`)
  const { status } = spawnSync(command, args, {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (status !== 0) failed.push(name)
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: status ${status}`)
  return stdout
}

function bytesBelow(path: string): number {
  let sum = 0
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inside = join(path, entry.name)
    sum += entry.isDirectory() ? bytesBelow(inside) : statSync(inside).size
  }
  return sum
}

function kib(bytes: number): string {
  return `${Math.round(bytes / KIB).toLocaleString('en')} KiB`
}
