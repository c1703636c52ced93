/** The house rules, held over this repository, and over wrong examples to show that they bite. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  circles,
  importsOf,
  lostDecisions,
  misplacedImports,
  strayGlobals,
  strayPackages,
  unreached,
  untidyPages,
  untidySources,
  untidyText,
} from './helpers/tidy-rules.ts'
import type { SourceFile } from './helpers/tidy-rules.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const files = repositoryFiles()
const program = files.filter(({ path }) => /^(?:src|bin|web)\//.test(path))
const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(
  readFileSync(`${ROOT}package.json`, 'utf8'),
)

/** Fails with the sentences, one to a line. */
function holds(problems: readonly string[]): void {
  if (problems.length > 0) assert.fail(`\n${problems.join('\n')}\n`)
}

function file(path: string, ...lines: string[]): SourceFile {
  return { path, text: `${lines.join('\n')}\n` }
}

describe('this repository', () => {
  it('has sources to look at', () => {
    assert.ok(program.length > 50, `${program.length} files`)
    assert.ok(program.flatMap((source) => importsOf(source)).length > 150)
  })

  it('imports downwards only, room by room', () => holds(misplacedImports(files)))

  it('lets each package in by one door', () => {
    holds(strayPackages(files, Object.keys(dependencies)))
  })

  it('takes time, timers and memory from the one file that hands them out', () => {
    holds(strayGlobals(files))
  })

  it('has no circle of imports', () => holds(circles(program)))

  it('has no file that no program uses', () => holds(unreached(program)))

  it('says in each file what it is, keeps it short, and keeps state in objects', () => {
    holds(untidySources(files))
  })

  it('holds no leftover, no path of one machine and no registry', () => holds(untidyText(files)))

  it('has one title on each page, and links that lead somewhere', () => {
    holds(untidyPages(files, (path) => existsSync(ROOT + path)))
  })

  it('cites decisions that are written down', () => holds(lostDecisions(files)))
})

describe('the house rules', () => {
  const top = '/** A file. */'

  it('send an import back down', () => {
    const wrong = [
      ['src/protocol/text/parse.ts', '../../engine/cache.ts'],
      ['src/protocol/text/parse.ts', '../../store/l1/heap.ts'],
      ['src/protocol/text/parse.ts', '../../commands/dispatch.ts'],
      ['src/protocol/text/parse.ts', '../../net/connection.ts'],
      ['src/commands/get.ts', '../net/connection.ts'],
      ['src/commands/get.ts', '../protocol/text/parse.ts'],
      ['src/commands/get.ts', '../store/l1/heap.ts'],
      ['src/engine/cache.ts', '../commands/dispatch.ts'],
      ['src/store/l1/slabs.ts', '../../engine/cache.ts'],
      ['src/store/l1/slabs.ts', '../l2/record.ts'],
      ['src/store/l2/l2-store.ts', '../../engine/faults.ts'],
      ['src/store/l2/record.ts', '../l1/layout.ts'],
      ['src/commands/get.ts', '../store/l2/l2-store.ts'],
      ['src/net/listener.ts', '../engine/cache.ts'],
      ['src/bytes/ascii.ts', '../message/codes.ts'],
      ['src/config/load.ts', '../observe/log.ts'],
      ['src/observe/log.ts', '../config/schema.ts'],
      ['src/errors.ts', './bytes/ascii.ts'],
      ['src/server.ts', './cli/main.ts'],
      ['src/cli/serve.ts', '../net/listener.ts'],
      ['bin/rat-memcached.ts', '../src/server.ts'],
      ['web/tables.ts', '../src/http/stats-report.ts'],
      ['web/tables.ts', '../src/config/units.ts'],
    ] as const
    for (const [path, target] of wrong) {
      const said = misplacedImports([file(path, top, `import type { A } from '${target}'`)])
      assert.equal(said.length, 1, `${path} imports ${target}`)
      assert.match(said[0]!, /:2: \S+ must not import src\/\S+: .*belongs/)
    }
    const many = file('src/bytes/x.ts', 'import {', '  a,', "} from '../net/y.ts'", 'f()')
    assert.equal(misplacedImports([many]).length, 1)
    const late = file('src/bytes/x.ts', "const a = await import('../net/y.ts')")
    assert.equal(misplacedImports([late]).length, 1)
    const handedOn = file('src/bytes/x.ts', "export * from '../net/y.ts'")
    assert.equal(misplacedImports([handedOn]).length, 1)
  })

  it('let the network name what it is handed, and make nothing of it', () => {
    const typed = "import type { DiskGate } from '../engine/disk-gate.ts'"
    assert.deepEqual(misplacedImports([file('src/net/x.ts', typed)]), [])
    for (const [path, text] of [
      ['src/net/x.ts', typed.replace('import type', 'import')],
      ['src/net/x.ts', typed.replace('disk-gate', 'disk-tier')],
      ['src/protocol/x.ts', typed],
    ] as const) {
      assert.equal(misplacedImports([file(path, text)]).length, 1, text)
    }
  })

  it('let the page name what it is sent, and use nothing of the server', () => {
    const typed = "import type { StatsDocument } from '../src/http/stats-document.ts'"
    assert.deepEqual(misplacedImports([file('web/x.ts', typed)]), [])
    const valued = file('web/x.ts', typed.replace('import type', 'import'))
    assert.equal(misplacedImports([valued]).length, 1)
    assert.deepEqual(strayGlobals([file('web/x.ts', 'Date.now()')]), [])
    const drawing = "import uPlot from 'uplot'"
    assert.deepEqual(strayPackages([file('web/chart.ts', drawing)], []), [])
    assert.equal(strayPackages([file('web/tiles.ts', drawing)], []).length, 1)
  })

  it('let every room use the leaves, and nobody build a new room unasked', () => {
    const right = file('src/store/l1/x.ts', "import { METRIC } from '../../observe/metrics.ts'")
    assert.deepEqual(misplacedImports([right]), [])
    assert.equal(misplacedImports([file('src/stuff/x.ts', top)]).length, 1)
  })

  it('stop a package at a door that is not its own', () => {
    for (const name of ['pino', 'smol-toml', 'commander', 'node:net', 'left-pad', 'net']) {
      const said = strayPackages([file('src/engine/x.ts', `import a from '${name}'`)], ['pino'])
      assert.equal(said.length, 1, name)
    }
    const right = file('src/net/x.ts', "import { Socket } from 'node:net'")
    assert.deepEqual(strayPackages([right], []), [])
    for (const [path, name] of [
      ['src/store/l2/l2-store.ts', 'classic-level'],
      ['src/store/l2/batch.ts', 'lz4-napi'],
      ['src/store/l2/journal.ts', 'node:fs'],
      ['src/engine/faults.ts', 'node:fs/promises'],
    ] as const) {
      const said = strayPackages([file(path, `import a from '${name}'`)], [name])
      assert.match(said[0] ?? '', /^src\S+:1: \S+ has (?:one door|these doors), src\/store\/l2\//)
    }
    const opened = file('src/store/l2/generation.ts', "import { rm } from 'node:fs/promises'")
    assert.deepEqual(strayPackages([opened], []), [])
  })

  it('find clocks, timers and buffers in code, and not in comments', () => {
    const calls = [
      'Date.now()',
      'new Date()',
      'performance.now()',
      'setTimeout(f, 1)',
      'setInterval(f, 1)',
      'new ArrayBuffer(8)',
      'new SharedArrayBuffer(8)',
    ]
    for (const call of calls) {
      assert.equal(strayGlobals([file('src/net/x.ts', `const a = ${call}`)]).length, 1, call)
      const comments = file('src/net/x.ts', `/** ${call} */`, `f() // ${call}`)
      assert.deepEqual(strayGlobals([comments]), [])
    }
    assert.deepEqual(strayGlobals([file('src/observe/clock.ts', 'Date.now()')]), [])
  })

  it('find a circle of values, and let types go round', () => {
    const a = file('src/net/a.ts', "import { b } from './b.ts'")
    const b = file('src/net/b.ts', "import { c } from './c.ts'")
    const c = file('src/net/c.ts', "import { a } from './a.ts'")
    const typed = file('src/net/c.ts', "import type { A } from './a.ts'")
    assert.match(circles([a, b, c])[0]!, /^src\/net\/a\.ts → .*b\.ts → .*c\.ts → src\/net\/a\.ts/)
    assert.deepEqual(circles([a, b, typed]), [])
  })

  it('find a file that nothing leads to', () => {
    const entry = file('bin/rat-memcached.ts', "import { main } from '../src/cli/main.ts'")
    const integrity = file('src/store/l1/integrity.ts', top)
    const main = file('src/cli/main.ts', "const x = await import('./late.ts')")
    const late = file('src/cli/late.ts', top)
    const dead = file('src/cli/dead.ts', "import './main.ts'")
    assert.deepEqual(unreached([entry, integrity, main, late]), [])
    assert.match(unreached([entry, integrity, main, late, dead])[0]!, /^src\/cli\/dead\.ts: /)
    assert.match(unreached([entry, main, late])[0]!, /integrity\.ts, which is gone/)
  })

  it('want sources short, headed, named by a noun, without state of their own', () => {
    const wrong = [
      file('src/net/x.ts', top, 'export enum A {}'),
      file('src/net/x.ts', top, 'namespace A {}'),
      file('src/net/x.ts', top, ...Array<string>(500).fill('f()')),
      file('src/net/x.ts', "import { a } from './a.ts'"),
      file('src/net/x.ts', top, 'let count = 0'),
      file('src/net/socketReader.ts', top),
      file('src/net/socket-utils.ts', top),
      file('src/common/socket.ts', top),
      file('src/engine/x.ts', top, 'async function f() {}'),
      file('src/engine/cache.ts', top, 'async function f() {}'),
      file('src/store/l1/x.ts', top, 'setImmediate(f)'),
    ]
    for (const source of wrong) {
      assert.equal(untidySources([source]).length, 1, JSON.stringify(source).slice(0, 90))
    }
    assert.deepEqual(
      untidySources([file('src/net/x.ts', top, 'function f() {', '  let a = 1')]),
      [],
    )
    const fetching = file('src/engine/faults.ts', top, 'setImmediate(f)')
    assert.deepEqual(untidySources([fetching]), [])
    assert.deepEqual(
      untidySources([file('bench/x.ts', '#!/usr/bin/env node', '// A program.')]),
      [],
    )
  })

  it('find leftovers, paths and registries in any file', () => {
    // Each is taken apart, or this file would be found itself.
    const wrong = [
      ['// TO', 'DO: later'],
      ['see FIX', 'ME'],
      ['cd /ho', 'me/me/x'],
      ['"/ro', 'ot/x"'],
      ['https://registry', '.npmjs.org/x'],
    ].map((halves) => halves.join(''))
    for (const line of wrong) assert.equal(untidyText([file('docs/x', 'a', line)]).length, 1, line)
    const right = file('x', 'todo list', 'src/home/a', './work/x', 'https://example.org/home')
    assert.deepEqual(untidyText([right]), [])
  })

  it('want one title on a page, and links that lead somewhere', () => {
    const code = ['```sh', '# a comment', '```']
    assert.deepEqual(pages('# One', ...code, '[up](../README.md#top) [out](https://a.b/)'), [])
    assert.equal(pages('## None').length, 1)
    assert.equal(pages('# One', '# Two').length, 1)
    assert.equal(pages('# One', '[gone](README.md)').length, 1)
  })

  it('want a decision that is cited to be there', () => {
    const page = file('docs/decisions/0001-x.md', '# X')
    const source = (text: string): string[] => lostDecisions([page, file('src/net/x.ts', text)])
    assert.deepEqual(source('/** See docs/decisions/0001. */'), [])
    assert.equal(source('/** See docs/decisions/0002. */').length, 1)
    assert.equal(source('/** See docs/decisions. */').length, 1)
  })
})

/** What is said of a page, where README.md is the only other one. */
function pages(...lines: string[]): string[] {
  return untidyPages([file('docs/x.md', ...lines)], (path) => path === 'README.md')
}

/** What git keeps or would keep: committed, or new and not ignored. */
function repositoryFiles(): SourceFile[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const { status, stdout } = spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' })
  assert.equal(status, 0, 'git lists the files; this test runs in a clone')
  return stdout
    .split('\0')
    .filter((path) => path !== '' && existsSync(ROOT + path) && statSync(ROOT + path).isFile())
    .map((path) => ({ path, text: readFileSync(ROOT + path, 'utf8') }))
    .filter(({ text }) => !text.includes('\0'))
}
