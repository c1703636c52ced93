/** docs/LIBRARY.md against what the library exports. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import * as library from '../src/index.ts'

const page = readFileSync(new URL('../docs/LIBRARY.md', import.meta.url), 'utf8')
const { exports: entries }: { exports: Record<string, unknown> } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
)

/** Public methods of a class; `core` is not one. */
function methodsOf(prototype: object): string[] {
  return Object.getOwnPropertyNames(prototype).filter(
    (name) => name !== 'constructor' && name !== 'core',
  )
}

describe('docs/LIBRARY.md', () => {
  const calls = methodsOf(library.RatMemCache.prototype)
  const settings = methodsOf(library.CacheBuilder.prototype)

  it('tells of every call of a cache and of its builder', () => {
    assert.ok(calls.length > 30 && settings.length > 12)
    for (const name of [...calls, ...settings]) {
      assert.match(page, new RegExp(`\`${name}[(\`]|\\.${name}\\(`), name)
    }
  })

  it('calls nothing that is not there', () => {
    const table = page.slice(page.indexOf('## Calls'), page.indexOf('### Types'))
    const named = [...table.matchAll(/^\| (`.*?) +\|/gm)].flatMap(([, cell]) => [
      ...cell!.matchAll(/`(\w+)(?:\(|`)/g),
    ])
    assert.ok(named.length > 25)
    for (const [, name] of named) assert.ok(calls.includes(name!), name)
    const code = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text]) => text!).join('\n')
    for (const [, name] of code.matchAll(/(?:cache|^ +)\.(\w+)[(<]/gm)) {
      assert.ok(calls.includes(name!) || settings.includes(name!), name)
    }
  })

  it('names every entry of the package and everything that it exports', () => {
    for (const name of Object.keys(library)) {
      if (name !== 'CacheBuilder') assert.ok(page.includes(name), name)
    }
    for (const entry of Object.keys(entries)) {
      if (entry !== './package.json') assert.ok(page.includes(entry.replace('.', 'rat-memcached')))
    }
  })
})
