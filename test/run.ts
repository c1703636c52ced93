/**
 * `npm test`: runs every `*.test.ts` below this folder, each in a process of its own, two at a
 * time, and ends in a line `N passed, N failed`.
 *
 *     npm test                        everything that needs nothing but Node
 *     npm test -- unit/cli wire       the files whose path contains one of the words
 *
 * A file that holds no test is a failure: it was meant to hold some. What needs a program that may
 * not be there runs only when a word of the command line asks for it, so nothing is ever skipped
 * in silence.
 */
import { readdirSync } from 'node:fs'
import { relative, sep } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

/** As many as the least machine has cores; more would make tests that measure time unreliable. */
const FILES_AT_A_TIME = 2
/** A file that takes longer hangs. */
const FILE_TIMEOUT_MS = 300_000
/** Folders whose tests need something installed, and what. */
const NEEDS_INSTALLED: readonly { readonly folder: string; readonly what: string }[] = [
  { folder: 'browser/', what: 'a Chromium on the PATH' },
  { folder: 'differential/', what: 'a memcached on the PATH' },
]

const HERE = fileURLToPath(new URL('.', import.meta.url))

const words = process.argv.slice(2)
const all = readdirSync(HERE, { recursive: true, encoding: 'utf8' })
  .map((path) => path.split(sep).join('/'))
  .filter((path) => path.endsWith('.test.ts'))
  .sort()
const files = all.filter((path) =>
  words.length === 0
    ? !NEEDS_INSTALLED.some(({ folder }) => path.startsWith(folder))
    : words.some((word) => `test/${path}`.includes(word)),
)
for (const { folder, what } of NEEDS_INSTALLED) {
  const left = all.filter((path) => path.startsWith(folder) && !files.includes(path)).length
  if (left > 0) console.log(`left out: ${left} files of test/${folder}, which need ${what}`)
}

let passed = 0
let failed = 0
const problems: string[] = files.length === 0 ? ['no test file has such a name'] : []

const results = run({
  files: files.map((path) => HERE + path),
  concurrency: FILES_AT_A_TIME,
  timeout: FILE_TIMEOUT_MS,
})
// Node reports a file as if it were a test if nothing else can be reported of it.
const isFile = (name: string): boolean => name.endsWith('.test.ts') && name.startsWith(HERE)
/** A suite that fails because a test in it did says nothing new; one that fails by itself does. */
const isEcho = ({ type, error }: { type?: string | undefined; error: object }): boolean =>
  type === 'suite' && 'failureType' in error && error.failureType === 'subtestsFailed'
results.on('test:pass', ({ name, details, skip, todo }) => {
  if (isFile(name)) problems.push(`${relative(HERE, name)} holds no test`)
  else if (skip !== undefined || todo !== undefined) console.log(`skipped: ${name}`)
  else if (details.type !== 'suite') passed++
})
results.on('test:fail', ({ name, details, todo }) => {
  if (isFile(name)) problems.push(`${relative(HERE, name)} failed as a whole`)
  else if (todo === undefined && !isEcho(details)) failed++
})
results.compose(new spec()).on('end', finish).pipe(process.stdout)

function finish(): void {
  for (const problem of problems) console.log(problem)
  console.log(`${passed} passed, ${failed + problems.length} failed`)
  process.exitCode = failed + problems.length === 0 ? 0 : 1
}
