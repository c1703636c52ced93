/**
 * The rules of the house that a program can check, as functions from files to sentences. Each
 * sentence names a place and says where the line belongs. `test/tidy.test.ts` applies them to this
 * repository, and to small wrong examples.
 */
import { dirname, join, normalize } from 'node:path/posix'

export interface SourceFile {
  /** Relative to the root of the repository, with slashes. */
  readonly path: string
  readonly text: string
}

/** A program must lie in a room, and a room may import these and itself. Outside of src: free. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  config: ['errors'],
  observe: ['errors'],
  bytes: ['errors'],
  message: ['bytes'],
  'store/l1': ['message', 'bytes'],
  'store/l2': ['message', 'bytes'],
  engine: ['store/l1', 'store/l2', 'message', 'bytes'],
  commands: ['engine', 'message', 'bytes'],
  protocol: ['message', 'bytes'],
  net: ['protocol', 'commands', 'message', 'bytes'],
  'opened-cache': ['store/l2', 'engine'],
  http: ['commands', 'engine', 'message', 'bytes'],
  server: ['opened-cache', 'http', 'net', 'protocol', 'commands', 'engine', 'message', 'bytes'],
  library: ['server', 'opened-cache', 'net', 'commands', 'engine', 'message', 'bytes'],
  index: ['library'],
  adapters: ['library'],
  testing: ['library'],
  tools: [],
  cli: ['server', 'tools'],
  bin: ['cli'],
  web: [],
}
/** Beyond the table, as types: a room is handed such an object, and never makes one. */
const HANDED: Readonly<Record<string, readonly string[]>> = {
  'src/engine/disk-gate.ts': ['net'],
  'src/http/stats-document.ts': ['web'],
}
/** Any room but these may import them; they import `errors` only. */
const LEAVES: readonly string[] = ['errors', 'config', 'observe']

/** What would be said of an import that is not allowed, beside that it is not. */
const WHY: Readonly<Record<string, string>> = {
  protocol: 'a protocol turns bytes into requests and outcomes into bytes; it belongs in commands/',
  commands: 'a command means the same in every protocol; it belongs in net/ or in a protocol',
  engine: 'the engine knows neither sockets nor protocols; it belongs in commands/ or net/',
  'store/l1': 'a store keeps items; what needs time, conditions or clients belongs in engine/',
  'store/l2':
    'the disk knows bytes and hashes; what needs items, rules or clients belongs in engine/',
  net: 'a connection knows no command and no item; it belongs in commands/ or engine/',
  http: 'the side door shows what the others know; it belongs in the room that knows it',
  config: 'configuration is a leaf; what uses it belongs in the room that it is used in',
  observe: 'clock, log and counters are leaves; it belongs in the room that uses them',
  errors: 'errors are the ground that everything stands on; it belongs above',
  bytes: 'bytes know no meaning; it belongs in message/ or above',
  message: 'the vocabulary has no logic; it belongs in protocol/, commands/ or engine/',
  tools: 'a tool is a client, and knows no part of a server; it belongs in cli/',
  cli: 'the command line builds a configuration and a server; it belongs in server.ts',
  bin: 'the executable only calls cli/main.ts; it belongs there',
  web: 'the page runs in a browser and knows the server by its documents; it belongs in src/http/',
  'opened-cache': 'a cache is opened without a network; it belongs in server.ts',
  server: 'it belongs in the room that it is about',
}

/** What touches files: at the start, sockets that are files, and the disk tier. */
const FILE_DOORS: readonly string[] = [
  'src/store/l2/file-system.ts',
  // LevelDB opens its own files; what is done to its folders as a whole is done beside it.
  'src/store/l2/generation.ts',
  'src/store/l2/disk-usage.ts',
  'src/net/listener.ts',
  'src/observe/log-sink.ts',
  'src/http/page.ts',
  'src/config/',
  'src/cli/',
  'src/tools/',
]

/** The doors of each package, one but for files, and of the builtin modules that have any. */
const PACKAGE_DOORS: Readonly<Record<string, readonly string[]>> = {
  'classic-level': ['src/store/l2/generation.ts'],
  commander: ['src/cli/'],
  'lz4-napi': ['src/store/l2/record.ts'],
  'prom-client': ['src/http/prometheus.ts'],
  pino: ['src/observe/log.ts'],
  'smol-toml': ['src/config/load.ts'],
  uplot: ['web/chart.ts'],
  'node:fs': FILE_DOORS,
  'node:fs/promises': FILE_DOORS,
  'node:http': ['src/http/door.ts'],
  'node:net': ['src/net/', 'src/tools/'],
  'node:timers': ['src/observe/clock.ts'],
  'node:timers/promises': ['src/observe/clock.ts'],
  'node:perf_hooks': ['src/observe/clock.ts'],
}

/** The one door of each thing that is there without an import. */
const GLOBAL_DOORS: readonly { readonly what: RegExp; readonly door: string }[] = [
  { what: /\bDate\.now\b|\bnew Date\(\)/, door: 'src/observe/clock.ts' },
  { what: /\bperformance\.now\b|\bprocess\.hrtime\b/, door: 'src/observe/clock.ts' },
  { what: /\bset(?:Timeout|Interval)\(/, door: 'src/observe/clock.ts' },
  { what: /\bnew (?:Shared)?ArrayBuffer\b/, door: 'src/store/l1/heap.ts' },
]

/** Nothing between parse and reply waits. */
const SYNCHRONOUS = /^src\/(?:bytes|message|protocol|commands|engine|store\/l1)\//
/** But for these, and why: no command calls what waits in them. */
const MAY_WAIT: Readonly<Record<string, string>> = {
  'src/engine/disk-tier.ts': 'opens and closes the disk',
  'src/engine/disk-walk.ts': 'reads ahead for who lists keys',
  'src/engine/faults.ts': 'reads for commands that have been put off until it is done',
  'src/engine/key-inspection.ts': 'reads an item for who looks at it from outside',
  'src/engine/warm-up.ts': 'fills memory in the background',
}
const LINES_MAX = 500
const NOT_A_NOUN =
  /(?:^|\/)(?:utils?|helpers?|common|managers?|misc)(?:\.ts|\/)|-(?:utils?|helpers?|manager)\.ts$/
const KEBAB_CASE = /^[a-z0-9]+(?:-[a-z0-9]+)*\.ts$/
/** The programs: from these every other file must be reached. */
const ENTRIES: readonly string[] = [
  'bin/rat-memcached.ts',
  'src/index.ts',
  'src/testing.ts',
  'src/adapters/keyv.ts',
  'src/adapters/bentocache.ts',
  'src/adapters/express-session.ts',
  'web/main.ts',
]
/** Reached by no program, and why that is right. */
const UNREACHED: Readonly<Record<string, string>> = {
  'src/store/l1/integrity.ts': 'the tests verify the store with it after every step',
}

export interface Import {
  readonly target: string
  readonly line: number
  /** `import type`: nothing remains of it when the program runs. */
  readonly isType: boolean
}

/** All imports and re-exports of a file, found in its text, which prettier has formatted. */
export function importsOf(file: SourceFile): Import[] {
  const form =
    /^(?:import|export)\s+(type\s)?(?:[^'"]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm
  const text = withoutComments(file.text)
  return [...text.matchAll(form)].map((match) => {
    return {
      target: match[2] ?? match[3] ?? '',
      line: lineOf(text, match.index),
      isType: match[1] !== undefined,
    }
  })
}

/** Imports that go up, or sideways, where the table of rooms does not let them. */
export function misplacedImports(files: readonly SourceFile[]): string[] {
  return files.filter(isProgram).flatMap((file) => {
    const from = roomOf(file.path)
    if (from === undefined)
      return [`${file.path}: no room has this file; see test/helpers/tidy-rules.ts`]
    return importsOf(file).flatMap(({ target, line, isType }) => {
      if (!target.startsWith('.')) return []
      const path = resolve(file.path, target)
      if (isType && HANDED[path]?.includes(from) === true) return []
      const to = roomOf(path)
      if (to === undefined) return [`${file.path}:${line}: imports ${path}, which is in no room`]
      const isLeaf = LEAVES.includes(to) && !LEAVES.includes(from) && from !== 'web'
      if (to === from || isLeaf || MAY_IMPORT[from]!.includes(to)) return []
      return [`${file.path}:${line}: ${from} must not import ${path}: ${WHY[from]}`]
    })
  })
}

/** Packages that come in by another door than theirs, or by none that is known. */
export function strayPackages(
  files: readonly SourceFile[],
  dependencies: readonly string[],
): string[] {
  return files.filter(isProgram).flatMap((file) =>
    importsOf(file).flatMap(({ target, line }) => {
      if (target.startsWith('.')) return []
      const doors = PACKAGE_DOORS[target]
      if (doors !== undefined) {
        if (doors.some((door) => file.path.startsWith(door))) return []
        const which = doors.length === 1 ? 'one door' : 'these doors'
        return [
          `${file.path}:${line}: ${target} has ${which}, ${doors.join(', ')}; the line belongs there`,
        ]
      }
      if (target.startsWith('node:')) return []
      const known = dependencies.includes(target)
      const fault = known ? 'has no door yet' : 'is no dependency of this package'
      return [`${file.path}:${line}: ${target} ${fault}; give it one file that imports it`]
    }),
  )
}

/** Clocks, timers and buffers outside of the one file that hands them out. A browser has its own. */
export function strayGlobals(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => isProgram(file) && roomOf(file.path) !== 'web')
    .flatMap((file) =>
      GLOBAL_DOORS.filter(({ door }) => door !== file.path).flatMap(({ what, door }) =>
        linesWith(file, what).map(
          (line) =>
            `${file.path}:${line}: ${what.source} stands in ${door} only; call what it offers`,
        ),
      ),
    )
}

/** Circles of imports that remain when the program runs. */
export function circles(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path)
    if (at >= 0) {
      const circle = [...trail.slice(at), path].join(' → ')
      found.push(`${circle}: values go in a circle; move what both need into a file below them`)
      return
    }
    if (done.has(path)) return
    const file = byPath.get(path)
    for (const { target, isType } of file === undefined ? [] : importsOf(file)) {
      if (!isType && target.startsWith('.')) visit(resolve(path, target), [...trail, path])
    }
    done.add(path)
  }
  for (const { path } of files) visit(path, [])
  return found
}

/** Files of src that no program reaches. */
export function unreached(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const reached = new Set<string>()
  const visit = (path: string): void => {
    const file = byPath.get(path)
    if (file === undefined || reached.has(path)) return
    reached.add(path)
    for (const { target } of importsOf(file)) {
      if (target.startsWith('.')) visit(resolve(path, target))
    }
  }
  for (const entry of ENTRIES) visit(entry)
  const dead = files
    .map(({ path }) => path)
    .filter((path) => /^(?:src|web)\//.test(path) && isProgram({ path }))
    .filter((path) => !reached.has(path) && !(path in UNREACHED))
    .map((path) => `${path}: no program imports it; remove it, or say in UNREACHED why it stays`)
  const stale = Object.keys(UNREACHED)
    .filter((path) => reached.has(path) || !byPath.has(path))
    .map((path) => `UNREACHED names ${path}, which is gone or is imported`)
  return [...dead, ...stale]
}

/** What the compiler would let pass, and what grows where nobody looks. */
export function untidySources(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => path.endsWith('.ts'))
    .flatMap((file) => {
      const { path, text } = file
      const said = (lines: readonly number[], sentence: string): string[] =>
        lines.map((line) => `${path}:${line}: ${sentence}`)
      const problems = said(
        linesWith(file, /^\s*(?:export )?(?:declare )?(?:const )?(?:enum|namespace) \w/),
        'write an `as const` table: sources run unbuilt, where enum and namespace do not exist',
      )
      const size = text.split('\n').length - 1
      if (size > LINES_MAX)
        problems.push(`${path}: ${size} lines; above ${LINES_MAX} it holds two subjects`)
      if (!path.startsWith('test/') && !/^(?:#!.*\n)?\s*\/[*/]/.test(text)) {
        problems.push(`${path}: opens without saying what it is and what it is not for`)
      }
      if (!isProgram(file)) return problems
      const name = path.slice(path.lastIndexOf('/') + 1)
      if (!KEBAB_CASE.test(name)) problems.push(`${path}: a file is one noun in kebab-case`)
      if (NOT_A_NOUN.test(path)) problems.push(`${path}: name it by what it is, not by its use`)
      problems.push(
        ...said(
          linesWith(file, /^(?:export )?(?:let|var) /),
          'state belongs to an object, not to a module',
        ),
      )
      if (SYNCHRONOUS.test(path) && !(path in MAY_WAIT)) {
        problems.push(
          ...said(
            linesWith(file, /\basync\b|\bawait\b|\bPromise\b|\bsetImmediate\b/),
            'nothing waits between parse and reply; what waits belongs in net/',
          ),
        )
      }
      return problems
    })
}

/** Leftovers, paths of one machine, hosts of package registries: in any file. */
export function untidyText(files: readonly SourceFile[]): string[] {
  // Each word is taken apart, so that this file may hold the rule.
  const leftover = /\b(?:TO(?:DO)|FIX(?:ME))\b/
  const machine = /(?<![\w.])\/(?:work|root|home|Users)\/\w/
  const registry = /\bregistry\.[a-z]+\.[a-z]+|\bpypi\.org|\b(?:artifactory|nexus)[.-]\w/i
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const place = `${path}:${index + 1}`
      const problems: string[] = []
      if (leftover.test(line))
        problems.push(`${place}: finish it, or open an issue and remove the mark`)
      if (machine.test(line)) problems.push(`${place}: a path of one machine; make it relative`)
      if (registry.test(line))
        problems.push(`${place}: the host of a registry; that is the installer's affair`)
      return problems
    }),
  )
}

/** Markdown: one title, at the top; links to files that exist. */
export function untidyPages(
  files: readonly SourceFile[],
  exists: (path: string) => boolean,
): string[] {
  return files
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap(({ path, text }) => {
      const prose = text.replaceAll(/^(`{3,}|~{3,}).*?^\1[`~]*$/gms, '')
      const titles = prose.match(/^# .+$/gm) ?? []
      const problems =
        titles.length === 1
          ? []
          : [`${path}: ${titles.length} titles; a page has one line with one #`]
      for (const [, target] of prose.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)) {
        if (/^[a-z]+:/.test(target!) || exists(normalize(join(dirname(path), target!)))) continue
        problems.push(`${path}: links to ${target}, which does not exist`)
      }
      return problems
    })
}

/** Comments that cite a page of docs/decisions/ which is not there. */
export function lostDecisions(files: readonly SourceFile[]): string[] {
  const pages = files.map(({ path }) => path).filter((path) => path.startsWith('docs/decisions/'))
  return files.filter(isProgram).flatMap((file) =>
    [...file.text.matchAll(/docs\/decisions(?:\/(\d{4}))?/g)].flatMap(({ 1: number, index }) => {
      const place = `${file.path}:${lineOf(file.text, index)}`
      if (number === undefined) return [`${place}: say which decision, by its number`]
      const isThere = pages.some((page) => page.startsWith(`docs/decisions/${number}-`))
      return isThere ? [] : [`${place}: there is no decision ${number}; write it down`]
    }),
  )
}

/** Blanks comments out, keeping every line where it is. Strings that hold `//` keep what is before. */
export function withoutComments(text: string): string {
  return text
    .replaceAll(/\/\*.*?\*\//gs, (comment) => comment.replaceAll(/[^\n]/g, ' '))
    .replaceAll(/(^|\s)\/\/.*$/gm, '$1')
}

/** What runs in a server, or in a browser that shows its page; what builds the page does neither. */
function isProgram({ path }: Pick<SourceFile, 'path'>): boolean {
  return /^(?:src|bin|web)\/.*\.ts$/.test(path) && path !== 'web/build.ts'
}

/** "store/l1" of "src/store/l1/policy/lru.ts"; "server" of "src/server.ts". */
function roomOf(path: string): string | undefined {
  const inside = path.startsWith('bin/') ? path : path.replace(/^src\//, '')
  return Object.keys(MAY_IMPORT).find(
    (room) => inside.startsWith(`${room}/`) || inside === `${room}.ts`,
  )
}

function resolve(from: string, target: string): string {
  return normalize(join(dirname(from), target))
}

function linesWith(file: SourceFile, form: RegExp): number[] {
  return withoutComments(file.text)
    .split('\n')
    .flatMap((line, index) => (form.test(line) ? [index + 1] : []))
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}
